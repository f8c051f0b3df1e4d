"""SEG and SR hold the same voxels, sides and numbers as the report, in the patient's own study."""

import dataclasses
from pathlib import Path

import numpy as np
import pydicom
import pytest
from report_factory import absent, measured, report_of

import grading
from grading.anatomy import SIDES, Muscle, Region, Side, label_of
from grading.errors import ConfigurationError, InputError
from grading.fat.values import FatMap
from grading.findings import Finding
from grading.report.dicom_objects import DICOM_FILES, SEG_FILE, SR_FILE, with_dicom, write_dicom
from grading.report.study_report import StudyImages, StudyReport
from grading.terminology import FAT_FRACTION, LEVEL_AREAS, MUSCLE_CODES, REGIONS
from grading.terminology import SIDES as SIDE_CODES
from grading.volume import Segmentation, Volume
from tests.io.dicom_factory import AXIAL, CORONAL, SAGITTAL, enhanced, image, save, slices, uid
from tests.report.dicom_decode import coded, groups, items, labels_of, number

pytest.importorskip("highdicom", reason="DICOM output needs the extra: pip install 'grading[dicom]'")

FRAME_OF_REFERENCE = uid("frame of reference")
LABELS = [label_of(m, s) for m in Muscle for s in SIDES]
OBLIQUE = (0.96, 0.28, 0.0, 0.0, 0.0, -1.0)


def study(volume: Volume, method: str = "masks: musclemap", **report: object) -> StudyReport:
    """A report of `volume` with every label scattered over it, so that no flip or shift goes unseen.

    It holds one row of measurements where none are given: each is slow to write.
    """
    labels = np.random.default_rng(1).choice([0, 6151, *LABELS], volume.geometry.shape).astype(np.uint16)
    segmentation = Segmentation(labels, volume.geometry, np.ones(labels.shape), method)
    nothing = np.zeros(labels.shape)
    fat = FatMap(
        fraction=nothing,
        valid=nothing.astype(bool),
        geometry=volume.geometry,
        method="t1",
    )
    one = {"measurements": [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT)]}
    return dataclasses.replace(report_of(**{**one, **report}), images=StudyImages(volume, segmentation, fat))


def classic(folder: Path, **series: object) -> Volume:
    instances = slices(image(), FrameOfReferenceUID=FRAME_OF_REFERENCE, **series)
    return grading.read(save(instances, folder / "dicom"))


def written(report: StudyReport, folder: Path) -> tuple[pydicom.Dataset, pydicom.Dataset]:
    write_dicom(report, folder)
    return pydicom.dcmread(folder / SEG_FILE), pydicom.dcmread(folder / SR_FILE)


def muscles_only(report: StudyReport) -> np.ndarray:
    labels = report.images.segmentation.labels
    return np.where(np.isin(labels, LABELS), labels, 0)


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL, OBLIQUE], ids=str)
def test_the_segmentation_lies_voxel_for_voxel_where_it_lay_in_any_plane(tmp_path, orientation):
    report = study(classic(tmp_path, orientation=orientation))
    seg, _ = written(report, tmp_path)
    assert np.array_equal(labels_of(seg, report.images.volume.geometry), muscles_only(report))


def test_slices_stored_from_back_to_front_change_nothing(tmp_path):
    instances = slices(image(), orientation=CORONAL, FrameOfReferenceUID=FRAME_OF_REFERENCE)[::-1]
    report = study(grading.read(save(instances, tmp_path / "dicom")))
    seg, _ = written(report, tmp_path)
    assert np.array_equal(labels_of(seg, report.images.volume.geometry), muscles_only(report))


def test_an_enhanced_image_is_referred_to_by_the_frames_that_were_read(tmp_path):
    instance = enhanced(image(), orientation=CORONAL, frame_types=("WATER", "FAT"), order=[3, 0, 5, 1, 4, 2])
    instance.FrameOfReferenceUID = FRAME_OF_REFERENCE
    path = save([instance], tmp_path / "dicom")
    (names,) = [[s.info.name for s in found.series] for found in _discover(path)]
    report = study(grading.read(path, series=next(name for name in names if "FAT" in name)))
    seg, sr = written(report, tmp_path)
    assert np.array_equal(labels_of(seg, report.images.volume.geometry), muscles_only(report))
    for group in seg.PerFrameFunctionalGroupsSequence:
        frame = group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedFrameNumber
        source = instance.PerFrameFunctionalGroupsSequence[frame - 1]
        assert source.MRImageFrameTypeSequence[0].FrameType[2] == "FAT"
        theirs = source.PlanePositionSequence[0].ImagePositionPatient
        assert group.PlanePositionSequence[0].ImagePositionPatient == theirs
    (referred,) = {item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in items(sr, "121233")}
    assert referred == instance.SOPInstanceUID


def test_an_enhanced_image_may_say_its_plane_and_pixel_size_frame_by_frame(tmp_path):
    instance = enhanced(image(), orientation=CORONAL)
    instance.FrameOfReferenceUID = FRAME_OF_REFERENCE
    shared = instance.SharedFunctionalGroupsSequence[0]
    for keyword in ("PlaneOrientationSequence", "PixelMeasuresSequence"):
        for group in instance.PerFrameFunctionalGroupsSequence:
            setattr(group, keyword, getattr(shared, keyword))
        delattr(shared, keyword)
    report = study(grading.read(save([instance], tmp_path / "dicom")))
    seg, _ = written(report, tmp_path)
    assert np.array_equal(labels_of(seg, report.images.volume.geometry), muscles_only(report))


def test_a_stack_spread_over_several_multi_frame_files_is_refused(tmp_path):
    halves = [enhanced(image((12, 10, 3), seed=k), origin=(-50.0, -40.0, 30.0 + 12 * k)) for k in range(2)]
    for half in halves:
        half.FrameOfReferenceUID = FRAME_OF_REFERENCE
    volume = grading.read(save(halves, tmp_path / "dicom"))
    assert volume.geometry.shape[2] == 6
    with pytest.raises(InputError, match="spread over 2 multi-frame files"):
        write_dicom(study(volume), tmp_path)


def _discover(path: Path):
    from grading.io.discover import discover

    return discover([path])


def test_a_name_that_is_not_as_the_standard_asks_is_kept_and_not_quoted(tmp_path, recwarn):
    instances = slices(image(), FrameOfReferenceUID=FRAME_OF_REFERENCE, PatientName="JaneDoe")
    seg, _ = written(study(grading.read(save(instances, tmp_path / "dicom"))), tmp_path)
    assert seg.PatientName == "JaneDoe"
    assert [str(warning.message) for warning in recwarn] == []


def test_each_segment_names_its_muscle_its_side_and_who_drew_it(tmp_path):
    volume = classic(tmp_path)
    by_hand, _ = written(study(volume), tmp_path)
    by_network, _ = written(study(volume, "network 0.1 (sha256 1a2b3c4d)"), tmp_path)
    assert {item.SegmentAlgorithmType for item in by_hand.SegmentSequence} == {"MANUAL"}
    assert {item.SegmentAlgorithmType for item in by_network.SegmentSequence} == {"AUTOMATIC"}
    for item in by_network.SegmentSequence:
        identification = item.SegmentationAlgorithmIdentificationSequence[0]
        assert "network 0.1 (sha256 1a2b3c4d)" in identification.AlgorithmName
    assert len({item.SegmentLabel for item in by_hand.SegmentSequence}) == len(LABELS)


def test_both_objects_belong_to_the_patient_and_study_of_the_images(tmp_path):
    seg, sr = written(study(classic(tmp_path)), tmp_path)
    for made in (seg, sr):
        assert (made.PatientName, made.PatientID) == ("Doe^Jane", "PID-4711")
        assert made.StudyInstanceUID == uid("study")
    assert seg.FrameOfReferenceUID == FRAME_OF_REFERENCE
    assert len({seg.SeriesInstanceUID, sr.SeriesInstanceUID, uid("series")}) == 3


def test_the_report_holds_the_numbers_of_the_table_with_their_units(tmp_path):
    rows = [
        measured(m, s, fat=0.1 + 0.05 * i + 0.4 * (s is Side.LEFT))
        for i, m in enumerate(Muscle)
        for s in SIDES
    ]
    _, sr = written(study(classic(tmp_path), measurements=rows), tmp_path)
    by_place = {(coded(g, "363698007")[0], coded(g, "272741003")[0]): g for g in groups(sr)}
    assert len(by_place) == len(rows)
    for row in rows:
        group = by_place[MUSCLE_CODES[row.muscle].value, SIDE_CODES[row.side].value]
        assert number(group, "118565006") == pytest.approx(row.volume_ml, abs=0.005)
        assert number(group, "volume-se") == pytest.approx(row.volume_se_ml, abs=0.005)
        assert number(group, "131184002") == pytest.approx(row.max_csa_cm2, abs=0.005)
        assert number(group, FAT_FRACTION.value) == pytest.approx(100 * row.fat_fraction, abs=0.005)
        units = {
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue
            for concept in ("118565006", "131184002", FAT_FRACTION.value)
            for item in items(group, concept)
        }
        assert units == {"cm3", "cm2", "%"}


def test_the_report_holds_the_area_at_the_named_level_beside_the_largest(tmp_path):
    rows = [measured(m, Side.LEFT, level_csa_cm2=15.0) for m in LEVEL_AREAS]
    _, sr = written(study(classic(tmp_path), measurements=rows), tmp_path)
    for group, code in zip(groups(sr), LEVEL_AREAS.values(), strict=True):
        assert number(group, code.value) == 15.0
        assert number(group, "131184002") == 20.0


def test_the_report_holds_the_stage_and_the_stages_that_the_error_leaves_possible(tmp_path):
    row = measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, fat=0.24)
    _, sr = written(study(classic(tmp_path), measurements=[row]), tmp_path)
    (group,) = groups(sr)
    assert coded(group, "quartile-stage") == ["quartile-1"]
    assert coded(group, "quartile-possible") == ["quartile-1", "quartile-2"]
    assert coded(group, "ff-t1") == []
    assert "ff-t1" in coded(group, "370129005")


def test_what_is_not_known_has_no_number_but_its_finding(tmp_path):
    cut = measured(
        Muscle.GLUTEUS_MAXIMUS,
        Side.RIGHT,
        volume_ml=None,
        lean_volume_ml=None,
        coverage=0.7,
        findings=(Finding("cut_by_field_of_view"),),
    )
    rows = [cut, absent(Muscle.GLUTEUS_MINIMUS, Side.RIGHT)]
    _, sr = written(study(classic(tmp_path), measurements=rows), tmp_path)
    truncated, missing = groups(sr)
    assert number(truncated, "118565006") is None
    assert number(truncated, "covered-volume") == 100.0
    assert number(truncated, "volume-se") == 1.0
    assert coded(truncated, "finding") == ["cut_by_field_of_view"]
    assert coded(missing, "finding") == ["not_found"]
    assert not [item for item in missing.ContentSequence if item.ValueType == "NUM"]


def test_a_fraction_a_hair_below_zero_is_zero_without_a_sign(tmp_path):
    row = measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, fat=-1e-7)
    _, sr = written(study(classic(tmp_path), measurements=[row]), tmp_path)
    (group,) = groups(sr)
    assert str(number(group, FAT_FRACTION.value)) == "0.0"


def test_a_region_is_its_muscle_with_a_modifier(tmp_path):
    rows = [
        dataclasses.replace(measured(Muscle.GLUTEUS_MINIMUS, Side.LEFT), region=region)
        for region in (Region.WHOLE, Region.POSTERIOR)
    ]
    _, sr = written(study(classic(tmp_path), measurements=rows), tmp_path)
    whole, posterior = groups(sr)
    assert coded(whole, "106233006") == []
    assert coded(posterior, "106233006") == [REGIONS[Region.POSTERIOR].value]
    assert list(items(whole, "121191")), "the whole muscle refers to its segment"
    assert not list(items(posterior, "121191"))


def test_a_measurement_refers_to_its_own_segment(tmp_path):
    rows = [measured(m, s) for m in Muscle for s in SIDES]
    seg, sr = written(study(classic(tmp_path), measurements=rows), tmp_path)
    assert len(groups(sr)) == len(rows)
    kinds = {int(s.SegmentNumber): s for s in seg.SegmentSequence}
    for group in groups(sr):
        (reference,) = items(group, "121191")
        target = reference.ReferencedSOPSequence[0]
        segment = kinds[int(target.ReferencedSegmentNumber)]
        assert target.ReferencedSOPInstanceUID == seg.SOPInstanceUID
        assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == coded(group, "363698007")[0]
        assert segment.TrackingUID == next(items(group, "112040")).UID


def test_nifti_and_arrays_are_refused_with_the_reason(tmp_path):
    volume = dataclasses.replace(classic(tmp_path), slices=())
    with pytest.raises(InputError, match=r"no DICOM objects from .* leave out --dicom"):
        write_dicom(study(volume), tmp_path)
    assert not [name for name in DICOM_FILES if (tmp_path / name).exists()]


def test_images_without_a_frame_of_reference_are_refused_by_name(tmp_path):
    volume = grading.read(save(slices(image()), tmp_path / "dicom"))
    with pytest.raises(InputError, match="no FrameOfReferenceUID"):
        write_dicom(study(volume), tmp_path)


def test_images_that_are_gone_are_refused_without_naming_the_file(tmp_path):
    volume = classic(tmp_path)
    for path in (tmp_path / "dicom").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="still where they were") as refusal:
        write_dicom(study(volume), tmp_path)
    assert "IM0000" not in str(refusal.value)


def test_a_missing_library_is_said_with_the_command_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setattr("grading.report.dicom_objects.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'grading\[dicom\]'"):
        write_dicom(study(classic(tmp_path)), tmp_path)


def test_a_header_that_the_library_stumbles_over_becomes_a_finding_that_quotes_nothing(tmp_path, monkeypatch):
    def stumble(*_):
        raise ValueError("invalid value 'Doe^Jane' for PatientName")

    monkeypatch.setattr("grading.report.dicom_seg.dicom_seg", stumble)
    report = with_dicom(study(classic(tmp_path)), tmp_path)
    (finding,) = report.findings
    assert finding.code == "dicom_not_written"
    assert "ValueError" in finding.detail
    assert "Doe" not in finding.detail
    assert not [name for name in DICOM_FILES if (tmp_path / name).exists()]


def test_an_old_object_does_not_outlive_a_refusal(tmp_path):
    volume = classic(tmp_path)
    write_dicom(study(volume), tmp_path)
    report = with_dicom(study(dataclasses.replace(volume, slices=())), tmp_path)
    assert [finding.code for finding in report.findings] == ["dicom_not_written"]
    assert not [name for name in DICOM_FILES if (tmp_path / name).exists()]


def test_findings_of_the_study_stand_beside_every_muscle(tmp_path):
    report = study(
        classic(tmp_path),
        measurements=[measured(Muscle.GLUTEUS_MEDIUS, side) for side in SIDES],
        findings=(Finding("laterality_contradiction"), Finding("contrast_agent")),
    )
    _, sr = written(report, tmp_path)
    assert [coded(group, "finding") for group in groups(sr)] == [["laterality_contradiction"]] * 2


def test_labels_of_any_other_making_count_as_drawn_by_a_person(tmp_path):
    seg, _ = written(study(classic(tmp_path), "rater 1, ITK-SNAP"), tmp_path)
    assert {item.SegmentAlgorithmType for item in seg.SegmentSequence} == {"MANUAL"}
