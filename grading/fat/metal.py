"""Metal in a T1 image: a void with signal piled up beside it, brighter than any tissue.

Piled-up signal reads as fat, so it and a margin around are taken out and counted; what remains of the muscle
is measured. Dark tissue without pile-up (cortex, tendon, gas) is no metal.
"""

import numpy as np
from scipy import ndimage

from grading.fat.tissue import Scene, outer_dark, within
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
    voxel_ml, spacing = scene.geometry.voxel_volume_ml, scene.geometry.spacing_mm
    near = within(scene.labelled, REACH_MM, spacing)
    bright = _large(near & scene.valid & (signal > PILE_UP * fat_signal), PILE_UP_ML / voxel_ml)
    if not bright.any():
        return None
    dark = ~scene.valid | (signal < VOID * muscle_signal)
    void = _large(near & dark & ~outer_dark(dark), VOID_ML / voxel_ml)
    if not void.any():
        return None
    bright &= within(void, BESIDE_MM, spacing)
    parts, count = ndimage.label(void)
    touched = np.unique(parts[within(bright, BESIDE_MM, spacing) & void])
    if not count or not touched.size:
        return None
    metal = bright | np.isin(parts, touched)
    disturbed = within(metal, MARGIN_MM, spacing).astype(np.uint8)
    return np.asarray(resample(disturbed, scene.geometry, scene.fine, order=0)) > 0


def _large(mask: BoolArray, voxels: float) -> BoolArray:
    """Components of at least so many voxels."""
    parts, count = ndimage.label(mask)
    if not count:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(sizes[parts] >= voxels)
