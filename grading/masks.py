"""Geometry of masks: the box that holds one, and its inside, where a voxel holds nothing but the muscle."""

import numpy as np
from scipy import ndimage

from grading.volume import BoolArray, Geometry

Box = tuple[slice, slice, slice]

SAME_STEP = 1.05  # relative: spacings this close count as equal (isotropic up to header rounding)


def bounding_box(mask: BoolArray) -> Box | None:
    """Smallest box that holds every True voxel; None for an empty mask."""
    sides = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
        if not hit.size:
            return None
        sides.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return sides[0], sides[1], sides[2]


def widened(box: Box) -> tuple[Box, Box]:
    """A box with one voxel more all round, as far as the grid reaches, and where the box lies in it."""
    wide = [slice(max(part.start - 1, 0), part.stop + 1) for part in box]
    inner = [slice(part.start - w.start, part.stop - w.start) for part, w in zip(box, wide, strict=True)]
    return (wide[0], wide[1], wide[2]), (inner[0], inner[1], inner[2])


def interior(mask: BoolArray, geometry: Geometry, slice_axis: int, steps: int = 1) -> BoolArray:
    """`mask` eroded by `steps` voxels in the plane of the slices.

    One voxel is the coarser in-plane spacing. The slice axis is eroded only where its spacing is no larger
    than that: eroding through 5 mm slices would remove a thin muscle for the sake of a 1 mm border. The edge
    of the grid does not erode: a muscle cut by it is pure right up to the cut.

    Args:
        mask: bool (i, j, k) on `geometry`'s grid, or a box of it.
        geometry: the grid, for its spacing.
        slice_axis: axis the slices stack along.
        steps: voxels to erode; 0 returns `mask`.
    """
    if steps == 0:
        return mask
    in_plane = [axis for axis in range(3) if axis != slice_axis]
    reach = SAME_STEP * max(geometry.spacing_mm[axis] for axis in in_plane)
    neighbours = np.zeros((3, 3, 3), dtype=bool)
    neighbours[1, 1, 1] = True
    for axis in range(3):
        if axis in in_plane or geometry.spacing_mm[axis] <= reach:
            index: list[int | slice] = [1, 1, 1]
            index[axis] = slice(None)
            neighbours[tuple(index)] = True
    return np.asarray(ndimage.binary_erosion(mask, neighbours, iterations=steps, border_value=1))
