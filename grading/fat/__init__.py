"""Fat fraction of every voxel, from a T1 image or from Dixon images."""

from grading.errors import GridMismatchError, UnsupportedContrast
from grading.fat.dixon import dixon_fat_map
from grading.fat.in_opposed import in_opposed_fat_map
from grading.fat.reading import FatError, FatReading, read_fat
from grading.fat.ready_map import ready_fat_map
from grading.fat.references import Reference
from grading.fat.t1 import t1_fat_map
from grading.fat.values import FatMap
from grading.io.padding import measured_together
from grading.series import Role
from grading.settings import Settings
from grading.volume import Segmentation, Volume

__all__ = ["FatError", "FatMap", "FatReading", "Reference", "fat_map", "read_fat"]


_READABLE = frozenset({Role.T1, Role.FAT_FRACTION, Role.UNKNOWN})  # alone; unknown is taken for T1, and said
_SUPPRESSED = frozenset({Role.T1_FAT_SUPPRESSED, Role.T2_FAT_SUPPRESSED, Role.PD_FAT_SUPPRESSED, Role.STIR})
_PAIRS = ((Role.WATER, Role.FAT), (Role.IN_PHASE, Role.OPPOSED_PHASE))  # image, then its `fat`
_OF_A_PAIR = frozenset(role for pair in _PAIRS for role in pair)


def fat_map(
    volume: Volume, segmentation: Segmentation, *, fat: Volume | None = None, settings: Settings | None = None
) -> FatMap:
    """Fat fraction of every voxel of an image.

    Args:
        volume: a T1 image, or a ready fat-fraction map (by its role); with `fat`, the water image of a Dixon
            pair or the in-phase image.
        segmentation: muscles on the image's grid: they tell lean signal from fat and one side from the other.
        fat: the fat image of the same Dixon acquisition; or, by its role, the opposed-phase image.
        settings: choices of the run.

    Returns:
        The map. Where a reference is missing every fraction is NaN and a finding says which.

    Raises:
        GridMismatchError: the segmentation or the fat image lies on another grid.
        MeasurementError: a Dixon pair carries no signal where muscle is labelled.
        UnsupportedContrast: the image is of another contrast, fat is suppressed in it, two images are no pair
            or in the wrong order by their roles, or a ready map has no known scale.
    """
    settings = settings or Settings()
    if not volume.geometry.same_grid(segmentation.geometry):
        raise GridMismatchError(
            f"the segmentation's grid {segmentation.geometry.shape} is not the image's "
            f"{volume.geometry.shape}, or lies elsewhere; resample the labels onto the image first"
        )
    if fat is not None:
        roles = (volume.series.role, fat.series.role)
        if _OF_A_PAIR.issuperset(roles) and roles not in _PAIRS:
            first, second = (role.value.replace("_", " ") for role in roles)
            raise UnsupportedContrast(
                f"a pair of {first} and {second} images, in this order, tells no fat fraction; give the "
                "water image with the fat image as `fat`, or the in-phase with the opposed-phase image"
            )
        volume, fat = measured_together(volume, fat)
        if fat.series.role is Role.OPPOSED_PHASE:
            return in_opposed_fat_map(volume, fat, segmentation)
        return dixon_fat_map(volume, fat, segmentation, settings)
    if volume.series.role in _SUPPRESSED:
        raise UnsupportedContrast(
            f"series {volume.series.name} suppresses fat, so its signal tells no fat fraction; "
            "give the T1 without fat suppression"
        )
    if volume.series.role not in _READABLE:
        role = volume.series.role.value.replace("_", " ")
        raise UnsupportedContrast(
            f"series {volume.series.name} is {role}; a fat fraction takes a T1-weighted image, a Dixon pair "
            "(the second image as `fat`) or a ready fat-fraction map"
        )
    if volume.series.role is Role.FAT_FRACTION:
        return ready_fat_map(volume, segmentation)
    return t1_fat_map(volume, segmentation, settings)
