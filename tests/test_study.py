"""One study, from whatever it is given as, becomes one report."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ellipsoid_hip import cropped, dixon, mirrored
from hip_files import coronal_hips, write_dicom, write_mask, write_nifti

import grading
from grading.anatomy import Muscle, Side
from grading.errors import ConfigurationError, SegmentationError, SeriesNotFound
from grading.settings import Settings

KEY = ["muscle", "side", "region"]
NAMED = ["study", "series"]


@pytest.fixture(scope="module")
def hips():
    return coronal_hips()


@pytest.fixture(scope="module")
def report(hips):
    volume, labels = hips
    return grading.grade_study(volume, segmentation=labels, name="hips")


def values(report) -> pd.DataFrame:
    return report.measurements.drop(columns=NAMED).set_index(KEY)


def test_the_fatty_side_is_the_right_one_and_graded_higher(report):
    rows = report.to_frame()
    fatty, lean = (rows.loc[("gluteus_maximus", side, "whole")] for side in ("right", "left"))
    assert abs(fatty.fat_fraction - 0.4) < 0.05
    assert abs(lean.fat_fraction) < 0.05
    assert (fatty.quartile, lean.quartile) == (2, 1)
    assert fatty.volume_ml == pytest.approx(lean.volume_ml, rel=1e-3)
    difference = report.asymmetry.set_index("muscle").fat_fraction_difference["gluteus_maximus"]
    assert difference == pytest.approx(lean.fat_fraction - fatty.fat_fraction)


def test_a_report_says_how_it_was_made(report):
    made = report.provenance
    assert made.segmentation == "true labels"
    assert len(made.inputs[0].digest) == 64
    assert set(made.seconds) == {"read", "segment", "measure", "grade"}


def test_dicom_and_nifti_of_any_orientation_give_the_same_table(hips, tmp_path):
    volume, labels = hips
    masks = write_mask(labels, tmp_path / "masks", "one")
    settings = Settings(masks=next(masks.iterdir()))
    sources = [
        write_dicom(volume, tmp_path / "dicom"),
        write_nifti(volume, tmp_path / "ras", "t1"),
        write_nifti(volume, tmp_path / "psl", "t1", "PSL"),
    ]
    first, *others = (grading.grade_study(source, settings=settings) for source in sources)
    for other in others:
        pd.testing.assert_frame_equal(values(other), values(first), rtol=1e-6, atol=1e-6)


def test_a_mirrored_patient_gives_the_same_numbers_with_sides_swapped(hips, report):
    volume, labels = mirrored(*hips)
    other = values(grading.grade_study(volume, segmentation=labels))
    swapped = other.rename(index={"left": "right", "right": "left"}, level="side")
    numbers = ["volume_ml", "fat_fraction", "fat_fraction_se", "quartile", "goutallier", "coverage"]
    expected = values(report)[numbers]
    pd.testing.assert_frame_equal(swapped[numbers].loc[expected.index], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("method", "assumed"), [("network 1", True), ("rater 1, ITK-SNAP", False)])
def test_one_hip_leaves_the_other_side_unknown_and_says_where_its_side_was_assumed(hips, method, assumed):
    volume, labels = hips
    middle = volume.geometry.shape[0] // 2
    part, part_labels = cropped(volume, labels, (slice(middle, None), slice(None), slice(None)))
    report = grading.grade_study(part, segmentation=replace(part_labels, method=method))
    rows = report.to_frame()
    assert rows.loc[("gluteus_medius", "left", "whole"), "findings"].startswith("not_found")
    assert np.isnan(rows.loc[("gluteus_medius", "left", "whole"), "fat_fraction"])
    codes = {finding.code for finding in report.findings}
    assert "one_side_in_view" in codes
    assert ("side_assumed" in codes) is assumed


def test_water_and_fat_images_are_graded_by_dixon():
    water, fat, labels = dixon({(Muscle.GLUTEUS_MAXIMUS, Side.LEFT): 0.5})
    report = grading.grade_study(water, fat=fat, segmentation=labels)
    graded = report.find(Muscle.GLUTEUS_MAXIMUS, Side.LEFT)
    assert graded.measurement.fat_method == "dixon"
    assert graded.measurement.fat_fraction == pytest.approx(0.5, abs=0.05)
    assert len(report.provenance.inputs) == 2


def test_several_studies_are_refused_by_name(hips, tmp_path):
    volume, _ = hips
    write_nifti(volume, tmp_path, "a_t1")
    write_nifti(volume, tmp_path, "b_t1")
    with pytest.raises(ConfigurationError, match=r"2 studies.*grade_folder"):
        grading.grade_study(tmp_path)


def test_an_empty_folder_and_a_missing_mask_are_said(hips, tmp_path):
    with pytest.raises(SeriesNotFound):
        grading.grade_study(tmp_path)
    volume, labels = hips
    masks = write_mask(labels, tmp_path / "masks", "somebody")
    with pytest.raises(SegmentationError, match="no label map for study 'hips'"):
        grading.grade_study(volume, name="hips", settings=Settings(masks=masks))


def test_labels_in_numbers_of_another_scheme_are_refused_not_called_out_of_view(hips):
    volume, labels = hips
    numbered = replace(labels, labels=(labels.labels > 0).astype(np.uint16))
    with pytest.raises(SegmentationError, match="no label is a gluteal muscle"):
        grading.grade_study(volume, segmentation=numbered)


def test_voxels_without_a_place_in_the_patient_are_refused_with_what_to_give_instead(hips):
    volume, labels = hips
    for source, given, says in (
        (volume.voxels, {}, "the source is a ndarray; give a path"),
        (volume, {"segmentation": labels.labels}, r"a ndarray; make grading\.Segmentation\(labels"),
        (volume, {"segmentation": "mine.nii.gz"}, r"a str; .*Settings\(masks="),
        (volume, {"fat": volume.voxels}, "`fat` is a ndarray"),
    ):
        with pytest.raises(ConfigurationError, match=says):
            grading.grade_study(source, **given)


def test_an_unknown_scale_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigurationError, match="heiberg"):
        grading.grade_study(tmp_path, settings=Settings(scales=("heiberg",)))
