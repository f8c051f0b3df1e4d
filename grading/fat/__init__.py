"""Fat fraction of every voxel, from a T1 image or from a Dixon pair."""

from grading.errors import GridMismatchError
from grading.fat.dixon import dixon_fat_map
from grading.fat.reading import FatError, FatReading, read_fat
from grading.fat.references import Reference
from grading.fat.t1 import t1_fat_map
from grading.fat.values import FatMap
from grading.settings import Settings
from grading.volume import Segmentation, Volume

__all__ = ["FatError", "FatMap", "FatReading", "Reference", "fat_map", "read_fat"]


def fat_map(
    volume: Volume, segmentation: Segmentation, *, fat: Volume | None = None, settings: Settings | None = None
) -> FatMap:
    """Fat fraction of every voxel of an image.

    Args:
        volume: a T1 image; with `fat`, the water image of a Dixon pair.
        segmentation: muscles on the image's grid: they tell lean signal from fat and one side from the other.
        fat: the fat image of the same Dixon acquisition.
        settings: choices of the run.

    Returns:
        The map. Where a reference is missing every fraction is NaN and a finding says which.

    Raises:
        GridMismatchError: the segmentation or the fat image lies on another grid.
        MeasurementError: a Dixon pair carries no signal where muscle is labelled.
    """
    settings = settings or Settings()
    if not volume.geometry.same_grid(segmentation.geometry):
        raise GridMismatchError(
            f"the segmentation's grid {segmentation.geometry.shape} is not the image's "
            f"{volume.geometry.shape}, or lies elsewhere; resample the labels onto the image first"
        )
    if fat is None:
        return t1_fat_map(volume, segmentation, settings)
    return dixon_fat_map(volume, fat, segmentation, settings)
