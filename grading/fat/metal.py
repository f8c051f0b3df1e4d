"""Metal in a T1 image: a void with signal piled up beside it, brighter than any tissue.

Piled-up signal reads as fat, so it and a margin around are taken out and counted; what remains of the muscle
is measured. Dark tissue without pile-up (cortex, tendon, gas) is no metal.
"""

import numpy as np
from scipy import ndimage

from grading.fat.tissue import Scene, outer_dark
from grading.resample import resample
from grading.volume import BoolArray, FloatArray

PILE_UP = 1.5  # of the signal of fat, the brightest tissue of a T1 image
PILE_UP_ML = 0.2  # least volume: a bright vessel or a flow artefact is smaller
VOID = 0.25  # of the signal of muscle
VOID_ML = 1.0  # a screw's void; tendons are thinner than the search grid
BESIDE_MM = 6.0  # void and pile-up are two sides of one displacement
MARGIN_MM = 6.0  # signal that is displaced without being lost or doubled
REACH_MM = 40.0  # from labelled muscle or bone: skin beside a surface coil flares up too


def find_metal(scene: Scene, signal: FloatArray, muscle_signal: float, fat_signal: float) -> BoolArray | None:
    """Voxels of the image that metal disturbs, margin included, bool (i, j, k); None where there is none.

    Args:
        scene: the search grid.
        signal: shading-corrected image on it.
        muscle_signal: signal of lean muscle.
        fat_signal: signal of fat.
    """
    voxel_ml = scene.geometry.voxel_volume_ml
    near = _within(scene.labelled, REACH_MM, scene)
    bright = _large(near & scene.valid & (signal > PILE_UP * fat_signal), PILE_UP_ML / voxel_ml)
    if not bright.any():
        return None
    dark = ~scene.valid | (signal < VOID * muscle_signal)
    void = _large(near & dark & ~outer_dark(dark), VOID_ML / voxel_ml)
    if not void.any():
        return None
    bright &= _within(void, BESIDE_MM, scene)
    parts, count = ndimage.label(void)
    touched = np.unique(parts[_within(bright, BESIDE_MM, scene) & void]) if bright.any() else np.zeros(0, int)
    if not count or not touched.size:
        return None
    metal = bright | np.isin(parts, touched)
    disturbed = _within(metal, MARGIN_MM, scene).astype(np.uint8)
    return np.asarray(resample(disturbed, scene.geometry, scene.fine, order=0)) > 0


def _large(mask: BoolArray, voxels: float) -> BoolArray:
    """Components of at least so many voxels."""
    parts, count = ndimage.label(mask)
    if not count:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(sizes[parts] >= voxels)


def _within(mask: BoolArray, distance_mm: float, scene: Scene) -> BoolArray:
    """Voxels closer than `distance_mm` to `mask`, itself included."""
    if not mask.any():
        return mask
    return np.asarray(
        ndimage.distance_transform_edt(~mask, sampling=scene.geometry.spacing_mm) <= distance_mm
    )
