"""From the phantom's fine voxels to image voxels: slice profile and pixel size, one axis at a time."""

import numpy as np
import numpy.typing as npt

from grading.phantom.frame import occupied
from grading.phantom.protocol import Protocol
from grading.volume import FloatArray, Geometry

_PROFILE_EDGE = 0.15  # share of the slice thickness over which its profile falls from full to none


class Sampler:
    """Weighted means of fine values over the voxels of an image.

    The slice profile is a trapezoid of the slice's width at half height; within the plane each pixel sees a
    triangle two pixels wide, the linear interpolation between neighbours.
    """

    def __init__(self, source: Geometry, protocol: Protocol) -> None:
        self.target = protocol.geometry()
        self._source = source
        self._weights = [
            _profile(self._positions(axis), self._centres(axis), protocol.slice_mm)
            if axis == protocol.slice_axis
            else _triangle(self._positions(axis), self._centres(axis), protocol.in_plane_mm)
            for axis in range(3)
        ]
        self._shifted = protocol.readout_axis
        self._shifted_weights = _triangle(
            self._positions(self._shifted) + protocol.chemical_shift_mm,
            self._centres(self._shifted),
            protocol.in_plane_mm,
        )
        self._order = (protocol.slice_axis, *(a for a in range(3) if a != protocol.slice_axis))

    def _positions(self, axis: int) -> npt.NDArray[np.float64]:
        return np.asarray(
            self._source.affine[axis, 3] + self._source.spacing_mm[axis] * np.arange(self._source.shape[axis])
        )

    def _centres(self, axis: int) -> npt.NDArray[np.float64]:
        return np.asarray(
            self.target.affine[axis, 3] + self.target.spacing_mm[axis] * np.arange(self.target.shape[axis])
        )

    def __call__(self, fine: npt.NDArray[np.generic], *, displaced: bool = False) -> FloatArray:
        """Mean of `fine` over each image voxel, float32; nothing (0) outside the phantom.

        Args:
            fine: array on the phantom's grid.
            displaced: shift by the chemical shift, as fat is.
        """
        window = occupied(fine != 0)
        if window[0].stop == 0:
            return np.zeros(self.target.shape, dtype=np.float32)
        result = fine[window].astype(np.float32)
        for axis in self._order:
            weights = self._shifted_weights if displaced and axis == self._shifted else self._weights[axis]
            part = np.ascontiguousarray(weights[:, window[axis]])
            result = np.moveaxis(np.tensordot(part, result, axes=(1, axis)), 0, axis)
        return np.ascontiguousarray(result)

    def inside(self, fine: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Which of the fine voxels in `fine` lie within the image's field of view."""
        result = fine.copy()
        for axis in range(3):
            low, high = self._centres(axis)[[0, -1]]
            half = self.target.spacing_mm[axis] / 2
            out = (self._positions(axis) < low - half) | (self._positions(axis) > high + half)
            result[(slice(None),) * axis + (out,)] = False
        return result


def _profile(
    positions: npt.NDArray[np.float64], centres: npt.NDArray[np.float64], width_mm: float
) -> FloatArray:
    edge = _PROFILE_EDGE * width_mm
    distance = np.abs(positions[None] - centres[:, None])
    return _normalised(np.clip((width_mm / 2 - distance) / edge + 0.5, 0, 1), positions, width_mm)


def _triangle(
    positions: npt.NDArray[np.float64], centres: npt.NDArray[np.float64], pixel_mm: float
) -> FloatArray:
    width = max(pixel_mm, float(positions[1] - positions[0]))
    distance = np.abs(positions[None] - centres[:, None])
    return _normalised(np.clip(1 - distance / width, 0, 1), positions, width)


def _normalised(
    weights: npt.NDArray[np.float64], positions: npt.NDArray[np.float64], area_mm: float
) -> FloatArray:
    """Weights that sum to 1, or to less where the profile reaches beyond the phantom."""
    total = weights.sum(axis=1, keepdims=True)
    full = area_mm / float(positions[1] - positions[0])
    return np.asarray(weights / np.maximum(total, 0.8 * full), dtype=np.float32)
