"""The image values every step works on: Geometry, Volume, Segmentation.

Inside the package voxels always lie closest to canonical: axis 0 grows towards the patient's right,
axis 1 anterior, axis 2 superior (RAS+), world coordinates in mm. Readers bring every image into this
order by flipping and permuting axes, which loses nothing; writers undo it with `source_orientation`.
The same image given in any storage order is therefore the same array, and gives the same numbers.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grading.anatomy import Side, label_of
from grading.errors import GridMismatchError
from grading.findings import Finding
from grading.series import SeriesInfo

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
LabelArray = npt.NDArray[np.uint16]
Affine = npt.NDArray[np.float64]

GRID_TOLERANCE_MM = 0.05  # corner-to-corner agreement of "the same grid": header rounding, not motion


def _frozen(array: npt.NDArray[np.generic], dtype: type[np.generic]) -> npt.NDArray[np.generic]:
    """A read-only, contiguous array of `dtype`; copied only when it must be."""
    result = np.ascontiguousarray(array, dtype=dtype)
    if result is array:
        result = result.view()
    result.flags.writeable = False
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A voxel grid in the patient.

    Attributes:
        shape: voxels along (i, j, k).
        affine: 4x4, voxel index to RAS+ world, mm; columns are axis steps.
    """

    shape: tuple[int, int, int]
    affine: Affine

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "affine", _frozen(np.asarray(self.affine), np.float64))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along (i, j, k), mm."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(x), float(y), float(z)

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel, mL."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def centre_mm(self) -> npt.NDArray[np.float64]:
        """World coordinates of the centre of the grid, mm, shape (3,)."""
        middle = (np.asarray(self.shape) - 1) / 2
        return np.asarray(self.affine[:3, :3] @ middle + self.affine[:3, 3])

    def corners_mm(self) -> npt.NDArray[np.float64]:
        """World coordinates of the eight corner voxels' centres, mm, shape (8, 3)."""
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape], indexing="ij")).reshape(3, -1)
        return np.asarray((self.affine[:3, :3] @ corners).T + self.affine[:3, 3])

    def part(self, box: tuple[slice, slice, slice]) -> "Geometry":
        """The grid of the voxels in `box`, slices with a start and a stop within the shape."""
        affine = self.affine.copy()
        affine[:3, 3] += affine[:3, :3] @ [s.start for s in box]
        i, j, k = (s.stop - s.start for s in box)
        return Geometry((i, j, k), affine)

    def same_grid(self, other: "Geometry") -> bool:
        """Whether both grids have equal shape and corners within `GRID_TOLERANCE_MM`."""
        return self.shape == other.shape and self.distance_mm(other) <= GRID_TOLERANCE_MM

    def distance_mm(self, other: "Geometry") -> float:
        """Largest distance between corresponding corners, mm."""
        return float(np.linalg.norm(self.corners_mm() - other.corners_mm(), axis=1).max())


@dataclass(frozen=True, slots=True)
class SliceSource:
    """The image in a DICOM file that one slice was read from.

    Attributes:
        path: the file, whose name may name the patient: for reading it again, never for printing.
        frame: number of the image within the file, from 0.
    """

    path: Path
    frame: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """One image: voxels in canonical order, where they lie, and which of them are real.

    Attributes:
        voxels: float32, shape (i, j, k), scanner units; finite everywhere.
        geometry: the grid.
        valid: bool, same shape; False for padding and for values that were not finite.
        series: identity-free description of the source.
        source_orientation: axis codes of the file ("LPS", "RAS", ...), to write results as it came.
        findings: what the reader noticed.
        slices: for DICOM, where each slice came from, in the order of the file's own third axis; else ().
    """

    voxels: FloatArray = field(repr=False)
    geometry: Geometry
    valid: BoolArray = field(repr=False)
    series: SeriesInfo
    source_orientation: str = "RAS"
    findings: tuple[Finding, ...] = ()
    slices: tuple[SliceSource, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxels", _frozen(self.voxels, np.float32))
        object.__setattr__(self, "valid", _frozen(self.valid, np.bool_))
        if not self.voxels.shape == self.valid.shape == self.geometry.shape:
            raise GridMismatchError(
                f"voxels {self.voxels.shape}, valid mask {self.valid.shape} and geometry "
                f"{self.geometry.shape} must have one shape"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """A label per voxel on an image's grid.

    Attributes:
        labels: uint16, shape (i, j, k); numbers of `grading.anatomy.STRUCTURES`, 0 = none of them.
        geometry: the grid, the same as the image's.
        confidence: float32 0-1, same shape: how sure the segmenter is of each voxel's label.
        method: who made it, e.g. "network 0.1 (sha256 1a2b3c4d)" or "masks: musclemap".
        findings: what the segmenter noticed.
    """

    labels: LabelArray = field(repr=False)
    geometry: Geometry
    confidence: FloatArray = field(repr=False)
    method: str
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _frozen(self.labels, np.uint16))
        object.__setattr__(self, "confidence", _frozen(self.confidence, np.float32))
        if not self.labels.shape == self.confidence.shape == self.geometry.shape:
            raise GridMismatchError(
                f"labels {self.labels.shape}, confidence {self.confidence.shape} and geometry "
                f"{self.geometry.shape} must have one shape"
            )

    def mask(self, structure: str, side: Side | str) -> BoolArray:
        """Voxels of one structure on one side, bool (i, j, k).

        Args:
            structure: a `Muscle`, or a name in `grading.anatomy.STRUCTURES`.
            side: a `Side`, or "left" or "right".

        Raises:
            KeyError: there is no such structure.
            ValueError: `side` is neither left nor right.
        """
        return np.asarray(self.labels == label_of(structure, side))
