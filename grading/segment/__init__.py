"""Volume -> Segmentation: the bundled network, another engine, or label maps that a user brings."""

from grading.anatomy import Side
from grading.errors import ConfigurationError, SegmentationError
from grading.segment.base import Segmenter
from grading.settings import Settings
from grading.volume import Segmentation, Volume

__all__ = ["segment"]

SMALLEST_GLUTEAL_ML = 20.0  # all glutei of both sides; an adult maximus alone is about 500 mL
LEAST_HIP_BONE_ML = 5.0  # the glutei lie on it; network 0.8: a thigh 0, a cropped hip 65
LEAST_CONFIDENCE = 0.80  # mean over gluteal voxels; network 0.12: a thigh .64, T1 images of hips .91 and more


def segment(
    volume: Volume,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    name: str | None = None,
) -> Segmentation:
    """Segment the gluteal muscles, their neighbours and the pelvic bones with the settings' segmenter.

    Args:
        volume: a hip or pelvis MRI of any orientation.
        settings: `segmenter` says which, `masks` brings label maps in its place, `side` names the hip of a
            one-hip image, `threads` limits the network's threads.
        name: of the study, by which a folder of label maps is searched; the series' name when left out.

    Returns:
        Labels on the volume's own grid: one side per body of muscle, one side in all where one hip is in
        view, stray pieces removed and holes filled. Label maps are taken as they were drawn.

    Raises:
        SegmentationError: no gluteal muscle is in view, none beside a hip bone, or none that the network is
            sure of; or no label map of the study.
        GridMismatchError: a label map lies on another grid, see `MasksSegmenter`.
        ConfigurationError: `settings.side` is given but both hips are in view, or the segmenter is not
            installed.
    """
    if settings.masks is not None:
        from grading.segment.masks import MasksSegmenter

        bring = MasksSegmenter(
            settings.masks,
            settings.scheme,
            study_name=name or volume.series.name,
            resample=settings.resample_masks,
        )
        return bring(volume)
    # Not at the top: they bring scipy, and `import grading` loads this module.
    from grading.segment.cleanup import gluteal_volume_ml, gluteal_voxels, hip_bone_volume_ml, tidy
    from grading.segment.laterality import both_hips_in_view, settle_sides

    found = _segmenter(settings)(volume)
    sided = settle_sides(
        found.labels, volume.geometry, requested=settings.side, named=volume.series.laterality
    )
    labels = tidy(sided, volume.geometry)
    by_side = gluteal_volume_ml(labels, volume.geometry)
    total = sum(by_side.values())
    if total < SMALLEST_GLUTEAL_ML:
        raise SegmentationError(
            f"series {volume.series.name}: no gluteal muscle in view (found {total:.0f} mL, "
            f"need {SMALLEST_GLUTEAL_ML:.0f} mL); is this a hip or pelvis?"
        )
    bone_ml = hip_bone_volume_ml(labels, volume.geometry)
    if bone_ml < LEAST_HIP_BONE_ML:
        raise SegmentationError(
            f"series {volume.series.name}: what looks like gluteal muscle ({total:.0f} mL) lies on no hip "
            f"bone (found {bone_ml:.0f} mL, need {LEAST_HIP_BONE_ML:.0f} mL); if this is a hip, bring --masks"
        )
    confidence = float(found.confidence[gluteal_voxels(labels)].mean())
    if confidence < LEAST_CONFIDENCE:
        raise SegmentationError(
            f"series {volume.series.name}: no gluteal muscle in view that the network is sure of (mean "
            f"confidence {confidence:.2f}, need {LEAST_CONFIDENCE:.2f}); if this is a hip, bring --masks"
        )
    if settings.side is not None and both_hips_in_view(labels, volume.geometry):
        raise ConfigurationError(
            f"--side {settings.side} is for images of one hip, but both are in view "
            f"(left {by_side[Side.LEFT]:.0f} mL, right {by_side[Side.RIGHT]:.0f} mL); leave it out"
        )
    return Segmentation(labels, volume.geometry, found.confidence, found.method, found.findings)


def _segmenter(settings: Settings) -> Segmenter:
    """The segmenter of that name; each brings its libraries when it is used."""
    if settings.segmenter == "totalsegmentator":
        from grading.segment.totalsegmentator import TotalSegmentatorSegmenter

        return TotalSegmentatorSegmenter()
    from grading.segment.network import NetworkSegmenter

    return NetworkSegmenter(settings.threads)
