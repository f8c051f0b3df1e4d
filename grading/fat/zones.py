"""Parts of a muscle by how much of their signal can come from beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from grading.anatomy import SIDES, Side, label_of
from grading.fat.tissue import REFERENCE_MUSCLES
from grading.masks import Box, bounding_box, interior, widened
from grading.volume import BoolArray, Geometry, Segmentation

ZoneArray = npt.NDArray[np.uint8]


class Zone(IntEnum):
    """Where a voxel lies in its muscle, from the least to the most pure."""

    OUTSIDE = 0
    BORDER = 1  # outermost pixel within the slice: left out, the outline is no better than that
    END = 2  # inside its slice, but the next slice up or down is no longer muscle
    RIM = 3  # second pixel from the border: the pixel's point spread still reaches out
    CORE = 4  # nothing but muscle


INSIDE = Zone.END  # from here on a voxel counts for the fat fraction


@dataclass(frozen=True, slots=True, eq=False)
class MuscleZones:
    """One labelled muscle.

    Attributes:
        name: of `grading.anatomy.STRUCTURES`.
        side: side it lies on.
        box: where it lies in the image.
        zones: `Zone` of each voxel in the box.
    """

    name: str
    side: Side
    box: Box
    zones: ZoneArray


def zones_of(mask: BoolArray, box: Box, geometry: Geometry, slice_axis: int) -> ZoneArray:
    """`Zone` of every voxel in a box that holds all of `mask`, uint8 of the box's shape.

    The edge of the grid is no border: a muscle cut by it is pure right up to the cut.

    Args:
        mask: bool, shape (i, j, k), the muscle.
        box: smallest box that holds it.
        geometry: the grid.
        slice_axis: axis the slices stack along.
    """
    wide, inner = widened(box)
    part = mask[wide]
    one = interior(part, geometry, slice_axis)
    zones = part.astype(np.uint8)
    zones[one] = Zone.RIM
    zones[interior(part, geometry, slice_axis, 2)] = Zone.CORE
    zones[one & ~_both_neighbours(part, slice_axis)] = Zone.END
    return np.ascontiguousarray(zones[inner])


def muscle_zones(segmentation: Segmentation, slice_axis: int) -> Iterator[MuscleZones]:
    """Every labelled skeletal muscle, graded or not, side by side."""
    for name in REFERENCE_MUSCLES:
        for side in SIDES:
            mask = np.asarray(segmentation.labels == label_of(name, side))
            box = bounding_box(mask)
            if box is not None:
                yield MuscleZones(name, side, box, zones_of(mask, box, segmentation.geometry, slice_axis))


def _both_neighbours(mask: BoolArray, axis: int) -> BoolArray:
    """Whether the voxels before and after along `axis` are in `mask`; those beyond the array are."""
    along = np.moveaxis(mask, axis, 0)
    before, after = np.ones_like(along), np.ones_like(along)
    before[1:], after[:-1] = along[:-1], along[1:]
    return np.moveaxis(before & after, 0, axis)
