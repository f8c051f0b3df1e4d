"""What a network's labels need before they are measured: one body per muscle, without holes."""

import numpy as np
from scipy import ndimage

from grading.anatomy import SIDES, STRUCTURES, Muscle, label_of
from grading.masks import bounding_box
from grading.volume import BoolArray, Geometry, LabelArray

SMALLEST_SHARE = 0.1  # of the largest piece: smaller pieces are specks of another structure
SMALLEST_ML = 2.0  # below this a "muscle" is noise; the smallest adult minimus remnants are above 10 mL


def tidy(labels: LabelArray, geometry: Geometry) -> LabelArray:
    """Drop stray pieces of every muscle and fill the holes inside it.

    Holes belong to the muscle: volumes include intramuscular fat (`clinical` convention of this package).

    Args:
        labels: uint16 (i, j, k), numbers of `STRUCTURES`.
        geometry: grid of `labels`.

    Returns:
        New label array.
    """
    result = labels.copy()
    smallest = SMALLEST_ML / geometry.voxel_volume_ml
    for muscle in Muscle:
        for side in SIDES:
            number = label_of(muscle, side)
            mask = labels == number
            box = bounding_box(mask)
            if box is None:
                continue
            kept = main_pieces(mask[box], SMALLEST_SHARE, smallest)
            view = result[box]
            view[mask[box] & ~kept] = 0
            filled = ndimage.binary_fill_holes(kept)
            view[filled & (view == 0)] = number
    return result


def main_pieces(mask: BoolArray, share: float, smallest_voxels: float = 1) -> BoolArray:
    """The connected pieces of a mask that are not specks.

    Args:
        mask: bool (i, j, k).
        share: of the largest piece that a piece must have.
        smallest_voxels: size that it must have.
    """
    pieces, count = ndimage.label(mask)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    sizes[0] = 0
    keep = (sizes >= share * sizes.max()) & (sizes >= smallest_voxels)
    return np.asarray(keep[pieces])


def gluteal_voxels(labels: LabelArray) -> BoolArray:
    """Voxels of any gluteal muscle (TFL included) on either side."""
    return np.asarray(np.isin(labels, [label_of(m, side) for m in Muscle for side in SIDES]))


def gluteal_volume_ml(labels: LabelArray, geometry: Geometry) -> dict[str, float]:
    """Volume of the labelled gluteal muscles (TFL included) by side, mL."""
    return {
        side: float(np.isin(labels, [STRUCTURES[m].label(side) for m in Muscle]).sum())
        * geometry.voxel_volume_ml
        for side in SIDES
    }


def hip_bone_volume_ml(labels: LabelArray, geometry: Geometry) -> float:
    """Volume of the labelled hip bone of both sides, mL."""
    numbers = [label_of("hip_bone", side) for side in SIDES]
    return float(np.isin(labels, numbers).sum()) * geometry.voxel_volume_ml
