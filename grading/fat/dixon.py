"""Fat fraction from a Dixon pair: F / (F + W), with a check that fat and water were not exchanged.

Noise makes lean muscle read a few points of fat; the error includes what the air in view shows of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from grading.anatomy import Side
from grading.errors import GridMismatchError, MeasurementError
from grading.fat.partial_volume import read_partial_volume
from grading.fat.references import Reference, bootstrap_error, robust_spread
from grading.fat.tissue import MUSCLE_LABELS, coarse_scene, labelled_sides, midline, skin_layer
from grading.fat.values import FatMap
from grading.fat.zones import muscle_zones
from grading.findings import Finding
from grading.resample import resample
from grading.settings import Settings
from grading.volume import BoolArray, FloatArray, Segmentation, Volume

NOISE_SHARE = 0.2  # of the median F + W inside labelled muscle: below it lie air, cortical bone and voids
FAT_READS = 0.7  # fat fraction of subcutaneous fat, at least [clinical definitions]
SWAPPED = 0.5  # below it, what lies under the skin is called water: fat and water are exchanged
MINIMUM_VOXELS = 200  # of the search grid: some 10 mL under the skin of one side
MINIMUM_AIR = 1000  # voxels: their median is then good to 3 %


def dixon_fat_map(water: Volume, fat: Volume, segmentation: Segmentation, settings: Settings) -> FatMap:
    """Fat fraction of a water and a fat image of one acquisition; see `grading.fat.fat_map`."""
    if not water.geometry.same_grid(fat.geometry):
        raise GridMismatchError(
            f"the water image's grid {water.geometry.shape} is not the fat image's {fat.geometry.shape}, or "
            "they lie elsewhere; export both from one acquisition"
        )
    total = water.voxels + fat.voxels
    valid = water.valid & fat.valid
    muscle = np.isin(segmentation.labels, MUSCLE_LABELS, kind="table") & valid & (total > 0)
    if not muscle.any():
        raise MeasurementError("no labelled voxel carries Dixon signal; check that the masks fit the images")
    typical = float(np.median(total[muscle]))
    air = valid & ~(total > NOISE_SHARE * typical)
    valid &= ~air
    fraction = np.full(total.shape, np.nan, dtype=np.float32)
    np.divide(fat.voxels, total, out=fraction, where=valid)

    references: list[Reference] = []
    findings: list[Finding] = []
    if water.series.long_echo:
        findings.append(Finding("dixon_long_echo", water.series.echo_words))
    for side, own, half in _under_the_skin(fraction, replace(water, voxels=total), segmentation, typical):
        if own.size < MINIMUM_VOXELS:
            findings.append(Finding("swap_not_checked", "no subcutaneous fat in view", side=side))
            continue
        reads, error = float(np.median(own)), bootstrap_error(own, settings.seed)
        references.append(Reference("fat", side, reads, error, robust_spread(own), own.size))
        if reads < SWAPPED:
            valid[half] = False
            fraction[half] = np.nan
        if reads < FAT_READS:
            code = "water_fat_swap" if reads < SWAPPED else "fat_reads_low"
            detail = f"subcutaneous fat reads {reads:.0%}, expected over {FAT_READS:.0%}"
            findings.append(Finding(code, detail, side=side))
    references += _noise_floor(fat.voxels[air] / np.float32(typical), references)
    muscles = tuple(muscle_zones(segmentation, water.series.slice_axis))
    beside = read_partial_volume(fraction, valid, muscles)
    return FatMap(fraction, valid, water.geometry, "dixon", tuple(references), tuple(findings), beside)


def _noise_floor(air: FloatArray, fats: Sequence[Reference]) -> list[Reference]:
    """What a fat image shows where there is no fat, over the signal of muscle; nothing where that is unknown.

    Where air is not in view, or was blanked, noise may be all that subcutaneous fat falls short of 1 by.

    Args:
        air: its signal in the fat image, over that of muscle in both images.
        fats: subcutaneous fat of the sides.
    """
    floor = float(np.median(air)) if air.size >= MINIMUM_AIR else 0.0
    if floor <= 0 and fats:
        floor = max(0.0, 1 - max(fat.signal for fat in fats))
    return [Reference("air", None, floor, 0.0, 0.0, air.size)] if floor > 0 else []


def _under_the_skin(
    fraction: FloatArray, total: Volume, segmentation: Segmentation, typical: float
) -> Iterator[tuple[Side, npt.NDArray[np.float64], BoolArray]]:
    """Per labelled side: fractions read just under its skin, and the indices along axis 0 that are its."""
    scene = coarse_scene(total, segmentation.labels)
    layer = np.argwhere(skin_layer(scene, typical))
    known = resample(np.nan_to_num(fraction), total.geometry, scene.geometry, order=1)
    reading = known[tuple(layer.T)].astype(float)
    along, index, middle = scene.fine_index(layer)[:, 0], np.arange(fraction.shape[0]), midline(segmentation)
    for side in labelled_sides(segmentation):
        if middle is None:
            yield side, reading, np.ones(index.size, dtype=bool)
        elif side is Side.LEFT:
            yield side, reading[along < middle], index < middle
        else:
            yield side, reading[along > middle], index > middle
