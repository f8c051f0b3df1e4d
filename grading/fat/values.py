"""The fat-fraction map and what it was scaled against."""

from dataclasses import dataclass, field

import numpy as np

from grading.anatomy import Side
from grading.errors import GridMismatchError
from grading.fat.partial_volume import NOT_READ, PartialVolume
from grading.fat.references import Reference
from grading.findings import Finding, says
from grading.volume import BoolArray, FloatArray, Geometry


@dataclass(frozen=True, slots=True, eq=False)
class FatMap:
    """Fat fraction of every voxel.

    Attributes:
        fraction: float32, shape (i, j, k), 0-1 but unclipped, so that noise averages out; NaN where not
            valid, and everywhere when a reference is missing.
        valid: bool, same shape: voxels whose fraction means something.
        geometry: the grid, the image's.
        method: "t1" or "dixon"; the two are never compared.
        references: signals the fraction was scaled between (T1) or checked against (Dixon).
        findings: what limits the map, e.g. `no_fat_reference`.
        partial_volume: how much fat from beside a muscle its outer voxels mix in.
    """

    fraction: FloatArray = field(repr=False)
    valid: BoolArray = field(repr=False)
    geometry: Geometry
    method: str
    references: tuple[Reference, ...] = ()
    findings: tuple[Finding, ...] = ()
    partial_volume: PartialVolume = NOT_READ

    def __post_init__(self) -> None:
        if not self.fraction.shape == self.valid.shape == self.geometry.shape:
            raise GridMismatchError(
                f"fraction {self.fraction.shape}, valid mask {self.valid.shape} and geometry "
                f"{self.geometry.shape} must have one shape"
            )
        for name, dtype in (("fraction", np.float32), ("valid", np.bool_)):
            array = np.ascontiguousarray(getattr(self, name), dtype=dtype).view()
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def folds(self) -> bool:
        """Whether a voxel of more than half fat was read as its complement (in/opposed phase)."""
        return says(self.findings, "two_point_folds")

    def reference(self, tissue: str, side: Side) -> Reference | None:
        """Reference of `tissue` ("fat", "muscle", "air") used on `side`; None where there is none."""
        fitting = [r for r in self.references if r.tissue == tissue and r.side in (side, None)]
        return fitting[0] if fitting else None
