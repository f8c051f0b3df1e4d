"""Which voxels were measured: padding, blanked rims and values that are not numbers are not air."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.errors import UnreadableSeries
from grading.volume import BoolArray, FloatArray, Volume

MIN_BLANK_SHARE = 0.002  # of a slice: smaller blank patches at the border are noise that happens to be 0
_BLOCK = 3  # voxels: a blank region is built of blank 3x3 in-plane blocks, so noise zeros do not join up


def clean(
    voxels: npt.NDArray[np.floating], padding: BoolArray | None, slice_axis: int, name: str
) -> tuple[FloatArray, BoolArray]:
    """Split an image into finite values and the mask of voxels that were measured.

    Args:
        voxels: shape (i, j, k).
        padding: voxels that the header declares as padding, same shape, or None.
        slice_axis: axis that slices stack along.
        name: of the series, for the message.

    Returns:
        float32 values (0 where not finite) and the valid mask.

    Raises:
        UnreadableSeries: nothing was measured, or every voxel has one value.
    """
    values = np.asarray(voxels, dtype=np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        values = np.where(finite, values, np.float32(0))
    valid = finite & ~blank_rim(values, slice_axis)
    if padding is not None:
        valid &= ~padding
    measured = values if valid.all() else values[valid]
    if measured.size == 0:
        raise UnreadableSeries(f"series {name}: no voxel holds a measured value; export the series again")
    low, high = float(measured.min()), float(measured.max())
    if low == high and values.min() == values.max():
        raise UnreadableSeries(
            f"series {name}: constant image, all {values.size} voxels are {low:g}; export the series again"
        )
    return values, valid


def blank_rim(voxels: FloatArray, slice_axis: int) -> BoolArray:
    """Large regions of exact zeros that touch the in-plane border: gradient-warp rims, masked corners.

    Scanned air carries noise, so a compact block of exact zeros was written, not measured. A zero inside
    the body, or scattered zeros of a coarse noise floor, stay valid.
    """
    zero = voxels == 0
    if not _border(zero, slice_axis).any():
        return np.zeros_like(zero)
    in_plane = np.zeros((_BLOCK,) * 3, dtype=bool)
    in_plane[tuple(1 if axis == slice_axis else slice(None) for axis in range(3))] = True
    opened = ndimage.binary_opening(_pad_true(zero, slice_axis), structure=in_plane)
    inner = tuple(slice(None) if axis == slice_axis else slice(_BLOCK - 1, 1 - _BLOCK) for axis in range(3))
    labels, count = ndimage.label(opened[inner] & zero, structure=in_plane)
    if count == 0:
        return np.zeros_like(zero)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    keep = np.zeros(count + 1, dtype=bool)
    keep[np.unique(_border(labels, slice_axis))] = True
    keep[0] = False
    slice_size = voxels.size / voxels.shape[slice_axis]
    keep &= sizes >= max(MIN_BLANK_SHARE * slice_size, _BLOCK**2)
    return np.asarray(keep[labels])


def measured_together(first: Volume, second: Volume) -> tuple[Volume, Volume]:
    """Two images of one acquisition with one mask of voxels that were measured.

    Where either has signal both were measured: exact zeros of a water image in fat are no rim. On two grids,
    or with one mask already, they are returned as they are.
    """
    if not first.geometry.same_grid(second.geometry) or np.array_equal(first.valid, second.valid):
        return first, second
    rims = [blank_rim(image.voxels, image.series.slice_axis) for image in (first, second)]
    both = blank_rim(np.abs(first.voxels) + np.abs(second.voxels), first.series.slice_axis)
    valid = ~both & (first.valid | rims[0]) & (second.valid | rims[1])
    return replace(first, valid=valid), replace(second, valid=valid)


def _border(array: npt.NDArray[np.generic], slice_axis: int) -> npt.NDArray[np.generic]:
    """Values on the in-plane border of every slice, flattened."""
    faces = [
        np.take(array, index, axis=axis).ravel()
        for axis in range(3)
        if axis != slice_axis
        for index in (0, -1)
    ]
    return np.concatenate(faces)


def _pad_true(mask: BoolArray, slice_axis: int) -> BoolArray:
    """True around every slice, so that a rim one voxel wide still forms a block."""
    width = [(_BLOCK - 1, _BLOCK - 1)] * 3
    width[slice_axis] = (0, 0)
    return np.pad(mask, width, constant_values=True)
