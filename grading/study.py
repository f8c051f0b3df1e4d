"""One study from images to report: read, segment, map the fat, measure, grade, compare sides, report."""

from pathlib import Path

from grading.asymmetry import compare
from grading.classify.context import context
from grading.classify.grade import grade
from grading.classify.pattern import pattern
from grading.classify.scales import chosen_scales
from grading.errors import ConfigurationError, SegmentationError, SeriesNotFound
from grading.fat import fat_map
from grading.io.discover import StudyFound, discover, load
from grading.io.padding import measured_together
from grading.io.participants import person_of
from grading.measure import measure
from grading.quality import add_findings, check_laterality, check_study
from grading.report.provenance import timed, trace
from grading.report.study_report import GradedMuscle, StudyImages, StudyReport
from grading.segment import segment
from grading.segment.cleanup import gluteal_voxels
from grading.settings import Settings
from grading.volume import Segmentation, Volume


def grade_study(
    source: Path | str | StudyFound | Volume,
    *,
    segmentation: Segmentation | None = None,
    fat: Volume | None = None,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    name: str | None = None,
) -> StudyReport:
    """Grade the muscles of one study.

    Args:
        source: folder or file of one study, a study that `discover` found, or an image already read.
        segmentation: labels on the image's grid and in its axis order (right, anterior, superior), in the
            numbers of `grading.anatomy.STRUCTURES`; made by the settings' segmenter when None.
        fat: the fat image, where `source` is a Dixon water image.
        settings: every other choice.
        name: name of the study; by default the source's own.

    Raises:
        SeriesNotFound, UnsupportedContrast and other InputError: the source holds nothing gradable.
        ConfigurationError: the source holds several studies, the settings name something unknown, or an array
            or a path stands where a Volume or a Segmentation belongs.
        SegmentationError, MeasurementError: no gluteal muscle is in view or labelled, none can be measured.
        GridMismatchError: `segmentation` or `fat` lies on another grid than the image.
    """
    scales = chosen_scales(settings)
    _require_types(source, segmentation, fat)
    if segmentation is not None:
        _require_glutei(segmentation)
    seconds: dict[str, float] = {}
    with timed("read", seconds):
        name, volume, fat = _read(source, fat, name, settings)
    with timed("segment", seconds):
        labels = segmentation or segment(volume, settings, name)
    with timed("measure", seconds):
        fraction = fat_map(volume, labels, fat=fat, settings=settings)
        measurements = measure(fraction, labels, volume)
    checks = (*check_laterality(volume, labels, settings), *check_study(fraction, measurements))
    observed = (*volume.findings, *labels.findings, *checks)
    with timed("grade", seconds):
        measurements = tuple(add_findings(m, observed) for m in measurements)
        person = person_of(name, settings.participants)
        graded = tuple(
            GradedMuscle(m, tuple(grade(m, s) for s in scales), context(m, person)) for m in measurements
        )
        asymmetries = compare(measurements, labels, fraction, volume, settings.affected)
        distribution = pattern(measurements)
    return StudyReport(
        name=name,
        series=volume.series.name,
        muscles=graded,
        asymmetries=asymmetries,
        findings=tuple(dict.fromkeys(f for f in observed if f.muscle is None)),
        provenance=trace(labels.method, settings, [v for v in (volume, fat) if v], seconds),
        pattern=distribution,
        images=StudyImages(volume, labels, fraction),
    )


def _read(
    source: Path | str | StudyFound | Volume, fat: Volume | None, name: str | None, settings: Settings
) -> tuple[str, Volume, Volume | None]:
    """Name, image and (Dixon) fat image of the source."""
    if isinstance(source, Volume):
        return name or source.series.name, *_pair(source, fat)
    study = source if isinstance(source, StudyFound) else _only_study(Path(source), settings)
    if study.problem is not None:
        raise study.problem
    volume, *others = (load(series) for series in study.chosen)
    return name or study.name, *_pair(volume, fat or (others[0] if others else None))


def _pair(volume: Volume, fat: Volume | None) -> tuple[Volume, Volume | None]:
    """The images with what was measured in both."""
    return (volume, None) if fat is None else measured_together(volume, fat)


def _only_study(path: Path, settings: Settings) -> StudyFound:
    """The one study at `path`."""
    studies = discover([path], contrast=settings.contrast, identify=settings.identify)
    if not studies:
        raise SeriesNotFound(f"no image under {path.name}; name a DICOM series, a study or a NIfTI file")
    studies = tuple(study for study in studies if not study.hip_of)
    if len(studies) > 1:
        raise ConfigurationError(f"{path.name} holds {len(studies)} studies; grade_folder takes them all")
    return studies[0]


def _require_types(source: object, segmentation: object, fat: object) -> None:
    """Refuse arrays and paths in place of the values that say where their voxels lie.

    Raises:
        ConfigurationError: so it is.
    """
    if not isinstance(source, (str, Path, StudyFound, Volume)):
        raise ConfigurationError(
            f"the source is a {type(source).__name__}; give a path, or what grading.read made of one"
        )
    if segmentation is not None and not isinstance(segmentation, Segmentation):
        raise ConfigurationError(
            f"`segmentation` is a {type(segmentation).__name__}; make grading.Segmentation(labels, "
            "volume.geometry, confidence, method) of an array, confidence 1 where a person drew; a label map "
            "in a file goes by Settings(masks=..., scheme=...)"
        )
    if fat is not None and not isinstance(fat, Volume):
        raise ConfigurationError(f"`fat` is a {type(fat).__name__}; give the Volume that grading.read makes")


def _require_glutei(segmentation: Segmentation) -> None:
    """Refuse labels of which none is a gluteal muscle: their numbers mean something else.

    Raises:
        SegmentationError: so it is.
    """
    if not gluteal_voxels(segmentation.labels).any():
        raise SegmentationError(
            "no label is a gluteal muscle; a Segmentation takes the numbers of grading.anatomy.STRUCTURES, "
            "files in other numbers go by Settings(masks=..., scheme=...)"
        )
