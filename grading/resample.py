"""Physical-space resampling: values of one grid read at the voxel centres of another."""

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.volume import Geometry

_AXIS_ALIGNED = 1e-6  # off-diagonal share of a step below which axes are parallel: float rounding only


def resample(
    array: npt.NDArray[Any],
    source: Geometry,
    target: Geometry,
    *,
    order: Literal[0, 1],
    outside: float = 0.0,
) -> npt.NDArray[Any]:
    """Values of `array` at the voxel centres of `target`.

    Args:
        array: shape of `source`, any real dtype; the result has the same dtype for order 0, float32 else.
        source: grid of `array`.
        target: grid of the result.
        order: 0 nearest neighbour (labels), 1 trilinear (signal, probability).
        outside: value beyond the source grid (more than half a voxel outside its outermost centres).

    Returns:
        Array of shape `target.shape`.
    """
    to_source = np.linalg.inv(source.affine) @ target.affine
    step, start = to_source[:3, :3], to_source[:3, 3]
    values = array if order == 0 else array.astype(np.float32, copy=False)
    if np.abs(step - np.diag(np.diag(step))).max() < _AXIS_ALIGNED * np.abs(step).max():
        return _separable(values, np.diag(step), start, target.shape, order, outside)
    pad = np.pad(values, 1, mode="edge")  # so that the outer half voxel still belongs to the image
    result: npt.NDArray[Any] = ndimage.affine_transform(
        pad, step, start + 1, output_shape=target.shape, order=order, mode="constant", cval=outside
    )
    inside = np.ones(target.shape, dtype=bool)
    for axis, size in enumerate(source.shape):
        position = sum(
            step[axis, k] * np.arange(n).reshape([-1 if a == k else 1 for a in range(3)])
            for k, n in enumerate(target.shape)
        )
        inside &= (position + start[axis] >= -0.5) & (position + start[axis] <= size - 0.5)
    result[~inside] = outside
    return result


def _separable(
    values: npt.NDArray[Any],
    step: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    shape: tuple[int, int, int],
    order: int,
    outside: float,
) -> npt.NDArray[Any]:
    """Axis-aligned case: one pass per axis, the most shrinking axis first, several times faster."""
    result = values
    for axis in sorted(range(3), key=lambda a: shape[a] / values.shape[a]):
        size = values.shape[axis]
        position = start[axis] + step[axis] * np.arange(shape[axis])
        clipped = np.clip(position, 0, size - 1)
        if order == 0:
            result = np.take(result, np.floor(clipped + 0.5).astype(np.intp).clip(0, size - 1), axis=axis)
        else:
            low = np.minimum(np.floor(clipped).astype(np.intp), max(size - 2, 0))
            weight = (clipped - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
            below = np.take(result, low, axis=axis)
            result = np.take(result, np.minimum(low + 1, size - 1), axis=axis)
            result -= below
            result *= weight
            result += below
        beyond = (position < -0.5) | (position > size - 0.5)
        if beyond.any():
            result[(slice(None),) * axis + (beyond,)] = outside
    return result
