"""A fat-fraction map that the scanner made: taken as it is, once its scale is known."""

from typing import Literal

import numpy as np

from grading.errors import UnsupportedContrast
from grading.fat.partial_volume import read_partial_volume
from grading.fat.tissue import coarse_scene, within
from grading.fat.values import FatMap
from grading.fat.zones import muscle_zones
from grading.findings import Finding
from grading.volume import BoolArray, FloatArray, Segmentation, Volume

SCALES: tuple[Literal[1, 100, 1000], ...] = (1, 100, 1000)  # a fraction, percent, per mille
AROUND_MM = 25.0  # of the muscles: there is fat within that reach, and no air
FAT_READS = (0.7, 1.2)  # of full scale: what the fattest voxels around a muscle read


def ready_fat_map(volume: Volume, segmentation: Segmentation) -> FatMap:
    """The map as fractions of 1; see `grading.fat.fat_map`.

    Raises:
        UnsupportedContrast: the fattest tissue around the muscles fits none of the known scales.
    """
    scale, reads = _scale(volume, segmentation)
    fraction = volume.voxels / np.float32(scale)
    fraction = np.where(volume.valid, fraction, np.float32(np.nan))
    muscles = tuple(muscle_zones(segmentation, volume.series.slice_axis))
    beside = read_partial_volume(fraction, volume.valid, muscles)
    found = Finding(
        "fat_fraction_scale", f"values run to {scale:g}: fat beside the muscles reads {reads:.0f}"
    )
    return FatMap(fraction, volume.valid, volume.geometry, "dixon", (), (found,), beside)


def _scale(volume: Volume, segmentation: Segmentation) -> tuple[int, float]:
    """Full scale of the map and what the fattest tissue around the muscles reads, in the map's own units."""
    scene = coarse_scene(volume, segmentation.labels)
    reads = _fattest(scene.signal, scene.labelled, scene.valid, scene.geometry.spacing_mm)
    fitting = [scale for scale in SCALES if FAT_READS[0] <= reads / scale <= FAT_READS[1]]
    if len(fitting) != 1:
        raise UnsupportedContrast(
            f"the fat-fraction map's fattest tissue reads {reads:.3g}, which is fat on no scale of "
            f"{', '.join(map(str, SCALES))}; give the water and fat images instead"
        )
    return fitting[0], reads


def _fattest(
    values: FloatArray, labelled: BoolArray, valid: BoolArray, spacing: tuple[float, float, float]
) -> float:
    """Median of the fattest tenth of the tissue beside the muscles: fat planes and subcutaneous fat."""
    beside = valid & ~labelled & within(labelled, AROUND_MM, spacing)
    around = values[beside if beside.any() else valid]
    return float(np.quantile(around, 0.95))
