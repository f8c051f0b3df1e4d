"""How a phantom is scanned."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from grading.errors import ConfigurationError
from grading.volume import Geometry

PLANES = {"sagittal": 0, "coronal": 1, "axial": 2}  # the canonical axis that slices stack along


@dataclass(frozen=True, slots=True)
class Protocol:
    """A slice-selective MR acquisition along the body's axes.

    Attributes:
        plane: orientation of the slices.
        in_plane_mm: pixel spacing.
        slice_mm: slice thickness (full width at half maximum of its profile).
        gap_mm: unmeasured gap between slices.
        fov_mm: field of view in the plane (x, z for coronal; x, y for axial; y, z for sagittal).
        slices: number of slices.
        centre_mm: centre of the imaged block, RAS+ mm; the origin lies between the femoral heads.
        contrast: "t1" spin echo, or "dixon": water and fat images of a proton-density gradient echo.
        tr_ms: repetition time.
        te_ms: effective echo time.
        field_strength_t: 1.5 or 3.0.
        snr: signal of lean muscle over the noise's standard deviation per channel; infinite for none.
        bias: largest relative deviation of the receive field from 1, e.g. 0.25.
        chemical_shift_mm: displacement of fat along the readout (in-plane superior or anterior).
        textured: whether tissues have grain and septa.
        seed: draws noise and bias field.
    """

    plane: Literal["sagittal", "coronal", "axial"] = "coronal"
    in_plane_mm: float = 1.0
    slice_mm: float = 5.0
    gap_mm: float = 0.0
    fov_mm: tuple[float, float] = (380.0, 340.0)
    slices: int = 40
    centre_mm: tuple[float, float, float] = (0.0, -18.0, 8.0)
    contrast: Literal["t1", "dixon"] = "t1"
    tr_ms: float = 500.0
    te_ms: float = 11.0
    field_strength_t: float = 1.5
    snr: float = 30.0
    bias: float = 0.2
    chemical_shift_mm: float = 0.8
    textured: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.plane not in PLANES:
            raise ConfigurationError(f"plane is {self.plane!r}; choose one of {', '.join(PLANES)}")
        if self.contrast not in ("t1", "dixon"):
            raise ConfigurationError(f"contrast is {self.contrast!r}; choose t1 or dixon")
        if min(self.in_plane_mm, self.slice_mm, *self.fov_mm) <= 0 or self.slices < 1 or self.gap_mm < 0:
            raise ConfigurationError("spacings, field of view and number of slices must be positive")

    @property
    def slice_axis(self) -> int:
        """Canonical axis that slices stack along."""
        return PLANES[self.plane]

    @property
    def readout_axis(self) -> int:
        """Canonical axis along which fat is displaced: the later one within the plane."""
        return 1 if self.plane == "axial" else 2

    def geometry(self) -> Geometry:
        """Grid of the image, RAS+, centred on `centre_mm`."""
        step, shape = np.full(3, self.in_plane_mm), np.zeros(3, dtype=int)
        in_plane = [axis for axis in range(3) if axis != self.slice_axis]
        shape[in_plane] = [round(extent / self.in_plane_mm) for extent in self.fov_mm]
        step[self.slice_axis], shape[self.slice_axis] = self.slice_mm + self.gap_mm, self.slices
        affine = np.diag([*step, 1.0])
        affine[:3, 3] = np.asarray(self.centre_mm) - step * (shape - 1) / 2
        return Geometry((int(shape[0]), int(shape[1]), int(shape[2])), affine)
