"""The numbers as a DICOM Comprehensive 3D SR object, built on the measurement report of TID 1500.

One measurement group per muscle, side and region. That of a whole muscle refers to its segment of the SEG
object and to the images that show it. Like the SEG, the object lies in the study and carries the patient's
identity (see `grading.report.dicom_source`). Concepts that no standard names are the package's own, of the
coding scheme 99GRADING: the derived stages, the stages that the error leaves possible, and the findings.
"""

from collections.abc import Iterator, Sequence

import highdicom as hd
from highdicom.sr import (
    AlgorithmIdentification,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    QualitativeEvaluation,
    ReferencedSegment,
    SourceImageForSegmentation,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from grading.anatomy import Region
from grading.classify.grade import Grade
from grading.findings import Finding
from grading.measure import MuscleMeasurement
from grading.report.dicom_seg import MANUFACTURER, SERIES_NUMBER_STEP, Segment, own_scheme, sr_code
from grading.report.dicom_source import DicomSource
from grading.report.provenance import package_version
from grading.report.study_report import GradedMuscle, StudyReport
from grading.report.words import SHORT
from grading.terminology import (
    AREA,
    COVERAGE,
    COVERED_VOLUME,
    CUBIC_CENTIMETRE,
    FAT_FRACTION,
    FAT_FRACTION_SE,
    FAT_METHODS,
    FINDING,
    LEAN_VOLUME,
    LEVEL_AREAS,
    MAXIMUM,
    MUSCLE_CODES,
    PERCENT,
    REGIONS,
    SIDES,
    SQUARE_CENTIMETRE,
    VOLUME,
    VOLUME_SE,
    Code,
    finding_code,
    possible_stage_name,
    stage_code,
    stage_name,
)

_DECIMALS = 2  # of mL, cm2 and percent, as in measurements.csv
_DEVICE_UID = generate_uid(entropy_srcs=["grading: the program as an observer"])
_Group = VolumetricROIMeasurementsAndQualitativeEvaluations | MeasurementsAndQualitativeEvaluations


def dicom_sr(
    report: StudyReport, source: DicomSource, seg: hd.seg.Segmentation, segments: tuple[Segment, ...]
) -> Comprehensive3DSR:
    """The SR object of a report; it is not verified, because nobody has signed it.

    Args:
        report: the numbers.
        source: the images they were measured on.
        seg: the SEG object with the muscles' outlines.
        segments: its segments.
    """
    version = package_version("grading")
    first = source.images[0]
    algorithm = AlgorithmIdentification(name="grading", version=version, parameters=[_parameters(report)])
    by_place = {(s.muscle, s.side): s for s in segments}
    groups: list[_Group] = []
    for graded in report.muscles:
        m = graded.measurement
        segment = by_place.get((m.muscle, m.side)) if m.region is Region.WHOLE else None
        groups.append(_group(graded, report.findings_of(graded), algorithm, segment, seg))
    return Comprehensive3DSR(
        evidence=[*source.images, seg],
        content=_content(groups, source, version),
        series_instance_uid=hd.UID(),
        series_number=int(first.get("SeriesNumber") or 0) + 2 * SERIES_NUMBER_STEP,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name="grading",
        software_versions=version,
        is_complete=True,
        is_verified=False,
        series_description="Gluteal fat fraction and volume (grading)",
        coding_schemes=[own_scheme()],
    )


def _content(groups: list[_Group], source: DicomSource, version: str) -> MeasurementReport:
    device = DeviceObserverIdentifyingAttributes(
        uid=_DEVICE_UID, name="grading", manufacturer_name=MANUFACTURER, model_name=f"grading {version}"
    )
    return MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=ObserverContext(codes.DCM.Device, device)
        ),
        procedure_reported=codes.LN.MRIUnspecifiedBodyRegion,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
        # The library describes classic images only; frames of an enhanced one are named beside each segment.
        referenced_images=None if source.multi_frame else list(source.images),
    )


def _parameters(report: StudyReport) -> str:
    """What the numbers follow from besides the images: the segmenter, and the settings that change them."""
    settings = report.provenance.settings
    return f"segmentation: {report.provenance.segmentation}; contrast: {settings.contrast}"


def _group(
    graded: GradedMuscle,
    findings: Sequence[Finding],
    algorithm: AlgorithmIdentification,
    segment: Segment | None,
    seg: hd.seg.Segmentation,
) -> _Group:
    m = graded.measurement
    where = f"{SHORT[m.muscle]} {m.side.value}" + ("" if m.region is Region.WHOLE else f" {m.region.value}")
    site = FindingSite(
        sr_code(MUSCLE_CODES[m.muscle]),
        laterality=sr_code(SIDES[m.side]),
        topographical_modifier=None if m.region is Region.WHOLE else sr_code(REGIONS[m.region]),
    )
    measurements = list(_measurements(m)) or None
    evaluations = list(_evaluations(graded, findings)) or None
    if segment is None:
        return MeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(uid=hd.UID(), identifier=where),
            finding_type=sr_code(MUSCLE_CODES[m.muscle]),
            finding_sites=[site],
            algorithm_id=algorithm,
            measurements=measurements,
            qualitative_evaluations=evaluations,
        )
    return VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=segment.tracking_uid, identifier=where),
        referenced_segment=ReferencedSegment(
            sop_class_uid=seg.SOPClassUID,
            sop_instance_uid=seg.SOPInstanceUID,
            segment_number=segment.number,
            source_images=_images_of(segment, seg),
        ),
        finding_type=sr_code(MUSCLE_CODES[m.muscle]),
        finding_sites=[site],
        algorithm_id=algorithm,
        measurements=measurements,
        qualitative_evaluations=evaluations,
    )


def _images_of(segment: Segment, seg: hd.seg.Segmentation) -> list[SourceImageForSegmentation]:
    """The images that show a segment, as its frames name them."""
    frames: dict[tuple[str, str], list[int]] = {}
    for group in seg.PerFrameFunctionalGroupsSequence:
        if group.SegmentIdentificationSequence[0].ReferencedSegmentNumber == segment.number:
            for image in group.DerivationImageSequence[0].SourceImageSequence:
                key = (str(image.ReferencedSOPClassUID), str(image.ReferencedSOPInstanceUID))
                number = image.get("ReferencedFrameNumber")
                frames.setdefault(key, []).extend([] if number is None else [int(number)])
    return [
        SourceImageForSegmentation(sop_class, instance, numbers or None)
        for (sop_class, instance), numbers in frames.items()
    ]


def _measurements(m: MuscleMeasurement) -> Iterator[Measurement]:
    """Every number that is known; one that is not known has no item, never a zero."""
    covered_ml = m.covered_volume_ml if m.volume_ml is None and m.outline_usable else None
    error_ml = m.volume_se_ml if m.outline_usable else None
    volumes = (
        (VOLUME, m.volume_ml),
        (LEAN_VOLUME, m.lean_volume_ml),
        (COVERED_VOLUME, covered_ml),
        (VOLUME_SE, error_ml),
    )
    for name, value_ml in volumes:
        if value_ml is not None:
            yield _measurement(name, value_ml, CUBIC_CENTIMETRE)
    if m.max_csa_cm2 is not None:
        yield _measurement(AREA, m.max_csa_cm2, SQUARE_CENTIMETRE, derivation=MAXIMUM)
    if m.level_csa_cm2 is not None:
        yield _measurement(LEVEL_AREAS[m.muscle], m.level_csa_cm2, SQUARE_CENTIMETRE)
    method = FAT_METHODS[m.fat_method] if m.fat_method else None
    if m.fat_fraction is not None:
        yield _measurement(FAT_FRACTION, 100 * m.fat_fraction, PERCENT, method=method)
    if m.fat_fraction_se is not None:
        yield _measurement(FAT_FRACTION_SE, 100 * m.fat_fraction_se, PERCENT, method=method)
    if m.coverage is not None:
        yield _measurement(COVERAGE, 100 * m.coverage, PERCENT)


def _measurement(
    name: Code, value: float, unit: Code, *, derivation: Code | None = None, method: Code | None = None
) -> Measurement:
    return Measurement(
        name=sr_code(name),
        value=round(float(value), _DECIMALS) + 0.0,  # 0.0, not -0.0
        unit=sr_code(unit),
        derivation=sr_code(derivation) if derivation else None,
        method=sr_code(method) if method else None,
    )


def _evaluations(graded: GradedMuscle, findings: Sequence[Finding]) -> Iterator[QualitativeEvaluation]:
    for grade in graded.grades:
        yield from _stages(grade)
    for code in dict.fromkeys(f.code for f in findings):
        yield QualitativeEvaluation(sr_code(FINDING), sr_code(finding_code(code)))


def _stages(grade: Grade) -> Iterator[QualitativeEvaluation]:
    """The stage and each stage that the error leaves possible; nothing where there is no stage."""
    if grade.stage is None:
        return
    yield QualitativeEvaluation(
        sr_code(stage_name(grade.scale)), sr_code(stage_code(grade.scale, grade.stage))
    )
    for stage in grade.possible:
        yield QualitativeEvaluation(
            sr_code(possible_stage_name(grade.scale)), sr_code(stage_code(grade.scale, stage))
        )
