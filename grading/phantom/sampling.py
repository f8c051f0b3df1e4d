"""From the phantom's fine voxels to image voxels: slice profile and pixel size, one axis at a time."""

import numpy as np
import numpy.typing as npt

from grading.phantom.frame import occupied
from grading.phantom.protocol import Protocol
from grading.volume import FloatArray, Geometry

FloatTable = npt.NDArray[np.float64]

_PROFILE_EDGE = 0.15  # share of the slice thickness over which its profile falls from full to none
_PROFILE_SAMPLES = 2001  # of a profile's numerical integral: exact to 1e-6


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

    def _positions(self, axis: int) -> FloatTable:
        return np.asarray(
            self._source.affine[axis, 3] + self._source.spacing_mm[axis] * np.arange(self._source.shape[axis])
        )

    def _centres(self, axis: int) -> FloatTable:
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


def _profile(positions: FloatTable, centres: FloatTable, width_mm: float) -> FloatArray:
    """Slice profile: a trapezoid, `width_mm` wide at half height."""
    half, edge = width_mm / 2, _PROFILE_EDGE * width_mm / 2
    return _integrated(
        positions, centres, [-half - edge, -half + edge, half - edge, half + edge], [0, 1, 1, 0]
    )


def _triangle(positions: FloatTable, centres: FloatTable, pixel_mm: float) -> FloatArray:
    """Linear interpolation between pixels; between fine voxels where these are the larger."""
    width = max(pixel_mm, float(positions[1] - positions[0]))
    return _integrated(positions, centres, [-width, 0, width], [0, 1, 0])


def _integrated(
    positions: FloatTable, centres: FloatTable, knots: list[float], heights: list[float]
) -> FloatArray:
    """Share of a piecewise linear profile that falls on each fine voxel, (centres, positions).

    Rows sum to 1, or to less where the profile reaches beyond the phantom.
    """
    fine = np.linspace(knots[0], knots[-1], _PROFILE_SAMPLES)
    height = np.interp(fine, knots, heights)
    below = np.r_[0, np.cumsum((height[1:] + height[:-1]) / 2)]
    half = (positions[1] - positions[0]) / 2
    offset = positions[None] - centres[:, None]
    share = np.interp(offset + half, fine, below / below[-1]) - np.interp(
        offset - half, fine, below / below[-1]
    )
    return np.asarray(share, dtype=np.float32)
