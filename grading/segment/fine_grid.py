"""Where the fine network looks: an image's own slices, one millimetre within them, over one hip.

A slice of 5 mm holds nothing between its neighbours, so nothing is interpolated there; what a thin muscle is
bounded by shows within the slices.
"""

import numpy as np

from grading.volume import Geometry

THINNEST_SLICE_MM = 2.5  # thinner ones are averaged: the network learnt on slices of 2.5 to 8 mm
_THICK = 1.2  # times the next thinner axis: from here on an axis is that of the slices
_CORONAL = 1  # axis of the slices where all voxels are cubes, as of most scans of the pelvis


def slice_axis(geometry: Geometry) -> int:
    """The axis along which an image was scanned slice by slice: its coarsest."""
    spacing = np.asarray(geometry.spacing_mm)
    thickest = int(spacing.argmax())
    return thickest if spacing[thickest] > _THICK * np.delete(spacing, thickest).max() else _CORONAL


def fine_spacing_mm(geometry: Geometry, in_plane_mm: float) -> tuple[float, float, float]:
    """Voxel size at which the fine network sees an image: its own slices, `in_plane_mm` within them."""
    slices = slice_axis(geometry)
    i, j, k = (
        max(own, THINNEST_SLICE_MM) if axis == slices else in_plane_mm
        for axis, own in enumerate(geometry.spacing_mm)
    )
    return i, j, k


def fine_grid(
    box: Geometry, image: Geometry, spacing_mm: tuple[float, float, float], multiple: int
) -> Geometry:
    """A grid that covers what of a box lies in the image, along the image's own axes.

    Its slices are the image's unless those are too thin. Otherwise centred on the box and even, so that
    mirroring the image mirrors the grid.

    Args:
        box: corner voxels of the box.
        image: the image's grid.
        spacing_mm: of the result's voxels, along the image's axes.
        multiple: which sizes within a slice must have.
    """
    into_image = np.linalg.inv(image.affine)
    corners = box.corners_mm() @ into_image[:3, :3].T + into_image[:3, 3]
    low, high = (end.clip(-1, image.shape) for end in (corners.min(axis=0), corners.max(axis=0)))
    step = np.asarray(spacing_mm) / image.spacing_mm
    cells = np.ceil((high - low) / step / multiple).astype(int).clip(1) * multiple
    first = (low + high - step * (cells - 1)) / 2
    slices = slice_axis(image)
    if step[slices] == 1:
        first[slices] = max(0, np.floor(low[slices]))
        cells[slices] = min(image.shape[slices] - 1, np.ceil(high[slices])) - first[slices] + 1
    affine = image.affine.copy()
    affine[:3, :3] = image.affine[:3, :3] * step
    affine[:3, 3] += image.affine[:3, :3] @ first
    return Geometry((int(cells[0]), int(cells[1]), int(cells[2])), affine)
