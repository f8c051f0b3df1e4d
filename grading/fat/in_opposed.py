"""Fat fraction from an in-phase and an opposed-phase image: (I - O) / 2 I, which folds at one half."""

import numpy as np

from grading.errors import GridMismatchError, MeasurementError
from grading.fat.dixon import NOISE_SHARE
from grading.fat.partial_volume import read_partial_volume
from grading.fat.tissue import MUSCLE_LABELS
from grading.fat.values import FatMap
from grading.fat.zones import muscle_zones
from grading.findings import Finding
from grading.volume import Segmentation, Volume

LEAST_READS = -0.1  # of lean muscle: a later in-phase echo has lost up to a tenth of its signal (T2* 25 ms)


def in_opposed_fat_map(in_phase: Volume, opposed: Volume, segmentation: Segmentation) -> FatMap:
    """Fat fraction of magnitude images of one two-point acquisition; see `grading.fat.fat_map`.

    Magnitudes do not tell which of fat and water is more, so a voxel with 80 % fat reads 20 %. A muscle that
    is mostly fat would pass for a lean one, and so would one with streaks of pure fat: the truth lies between
    the mean and its complement. The map says so, and its fractions are never above one half.

    Raises:
        GridMismatchError: the images lie on different grids.
        MeasurementError: no labelled voxel carries signal, or the opposed-phase image is the brighter one.
    """
    if not in_phase.geometry.same_grid(opposed.geometry):
        raise GridMismatchError(
            f"the in-phase image's grid {in_phase.geometry.shape} is not the opposed-phase image's "
            f"{opposed.geometry.shape}, or they lie elsewhere; export both from one acquisition"
        )
    valid = in_phase.valid & opposed.valid
    muscle = np.isin(segmentation.labels, MUSCLE_LABELS, kind="table") & valid & (in_phase.voxels > 0)
    if not muscle.any():
        raise MeasurementError(
            "no labelled voxel carries in-phase signal; check that the masks fit the image"
        )
    valid &= in_phase.voxels > NOISE_SHARE * float(np.median(in_phase.voxels[muscle]))
    fraction = np.full(valid.shape, np.nan, dtype=np.float32)
    np.divide(in_phase.voxels - opposed.voxels, 2 * in_phase.voxels, out=fraction, where=valid)
    reads = float(fraction[muscle & valid].mean())
    if reads < LEAST_READS:
        raise MeasurementError(
            f"muscle reads {reads:.0%} fat on average, because the opposed-phase image is brighter than the "
            "in-phase one; the two are exchanged, or of different scans"
        )
    muscles = tuple(muscle_zones(segmentation, in_phase.series.slice_axis))
    beside = read_partial_volume(fraction, valid, muscles)
    return FatMap(fraction, valid, in_phase.geometry, "dixon", (), (Finding("two_point_folds"),), beside)
