"""Fat fraction from a Dixon pair: F / (F + W), with a check that fat and water were not exchanged."""

from dataclasses import replace

import numpy as np

from grading.anatomy import Side
from grading.errors import GridMismatchError, MeasurementError
from grading.fat.references import Reference, bootstrap_error, robust_spread
from grading.fat.tissue import coarse_scene, labelled_sides, midline, skin_layer
from grading.fat.values import FatMap
from grading.findings import Finding
from grading.resample import resample
from grading.settings import Settings
from grading.volume import Segmentation, Volume

NOISE_SHARE = 0.1  # of the median F + W inside labelled muscle: below it lie air, cortical bone and voids
FAT_READS = 0.7  # fat fraction of subcutaneous fat, at least [clinical definitions]
SWAPPED = 0.5  # below it, what lies under the skin is called water: fat and water are exchanged
MINIMUM_VOXELS = 200  # of the search grid: some 10 mL under the skin of one side


def dixon_fat_map(water: Volume, fat: Volume, segmentation: Segmentation, settings: Settings) -> FatMap:
    """Fat fraction of a water and a fat image of one acquisition; see `grading.fat.fat_map`."""
    if not water.geometry.same_grid(fat.geometry):
        raise GridMismatchError(
            f"water {water.geometry.shape} and fat {fat.geometry.shape} images lie on different grids "
            f"(corners {water.geometry.distance_mm(fat.geometry):.1f} mm apart); export them from one acquisition"
            if water.geometry.shape == fat.geometry.shape
            else f"water image {water.geometry.shape} and fat image {fat.geometry.shape} differ in shape; "
            "export both from one acquisition"
        )
    total = water.voxels + fat.voxels
    valid = water.valid & fat.valid
    muscle = (segmentation.labels > 0) & valid & (total > 0)
    if not muscle.any():
        raise MeasurementError("no labelled voxel carries signal in the Dixon pair; check that the masks fit it")
    typical = float(np.median(total[muscle]))
    valid &= total > NOISE_SHARE * typical
    fraction = np.full(total.shape, np.nan, dtype=np.float32)
    np.divide(fat.voxels, total, out=fraction, where=valid)

    scene = coarse_scene(replace(water, voxels=total, valid=water.valid & fat.valid), segmentation.labels)
    layer = np.argwhere(skin_layer(scene, typical))
    shown = resample(np.nan_to_num(fraction), water.geometry, scene.geometry, order=1)
    reading = shown[tuple(layer.T)].astype(float)
    along, middle = scene.fine_index(layer)[:, 0], midline(segmentation)
    index = np.arange(total.shape[0])
    references, findings = [], []
    for side in labelled_sides(segmentation):
        near, half = (slice(None),) * 2 if middle is None else (_beside(along, middle, side), _beside(index, middle, side))
        own = reading[near]
        if own.size < MINIMUM_VOXELS:
            findings.append(Finding("swap_not_checked", "no subcutaneous fat in view", side=side))
            continue
        typical_reading = float(np.median(own))
        references.append(
            Reference("fat", side, typical_reading, bootstrap_error(own, settings.seed), robust_spread(own), own.size)
        )
        if typical_reading < SWAPPED:
            valid[half] = False
            fraction[half] = np.nan
        if typical_reading < FAT_READS:
            code = "water_fat_swap" if typical_reading < SWAPPED else "fat_reads_low"
            detail = f"subcutaneous fat reads {typical_reading:.0%}, expected over {FAT_READS:.0%}"
            findings.append(Finding(code, detail, side=side))
    return FatMap(fraction, valid, water.geometry, "dixon", tuple(references), tuple(findings))


def _beside(index: np.ndarray, middle: float, side: Side) -> np.ndarray:
    """Which indices along axis 0 lie on `side` of the midline."""
    return index < middle if side is Side.LEFT else index > middle
