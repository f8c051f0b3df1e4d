"""A report is one value that can be written, read back and shown."""

import json
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from ellipsoid_hip import grid, hips
from report_factory import absent, measured, report_of

from grading.anatomy import Muscle, Side
from grading.fat import FatMap
from grading.findings import FINDINGS, Finding
from grading.report.study_report import StudyImages, StudyReport


def test_a_report_read_back_from_json_is_the_same_report():
    rows = [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, 1 / 3), absent(Muscle.GLUTEUS_MEDIUS, Side.RIGHT)]
    report = report_of(measurements=rows, findings=(Finding("contrast_agent", "said by the header"),))
    assert StudyReport.from_json(report.to_json()) == report


def test_json_says_what_each_finding_means():
    plain = json.loads(report_of(measurements=[absent(Muscle.GLUTEUS_MEDIUS, Side.LEFT)]).to_json())
    assert plain["meaning_of_findings"]["not_found"]["meaning"] == FINDINGS["not_found"].meaning


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": 99}', '{"format": 1}', '{"format": 1, "name": 5}']
)
def test_text_that_is_no_report_is_refused(text):
    with pytest.raises(ValueError):
        StudyReport.from_json(text)


def test_a_report_describes_itself_in_a_line():
    """It once was 40,000 characters, every number of every muscle."""
    assert repr(report_of()).startswith("StudyReport(name='study', series='05-t1_tse', findings=()")
    assert len(repr(report_of(findings=(Finding("single_slice"),)))) < 300


def test_what_a_notebook_shows_is_escaped():
    report = report_of("<script>alert(1)</script>", findings=(Finding("contrast_agent", "<b>x"),))
    shown = report._repr_html_()
    assert "<script>" not in shown
    assert "<b>x" not in shown
    assert "&lt;script&gt;" in shown


def test_a_notebook_says_what_stands_behind_the_plus_and_minus():
    shown = report_of()._repr_html_()
    assert "fat, % ± SE" in shown
    assert "volume, mL ± SE" in shown


def test_a_notebook_shows_the_picture_where_there_is_one():
    volume, labels = hips(geometry=grid((8.0, 8.0, 8.0)))
    fat = FatMap(np.zeros(volume.geometry.shape), volume.valid, volume.geometry, "t1")
    report = replace(report_of(), images=StudyImages(volume, labels, fat))
    assert "data:image/png;base64," in report._repr_html_()
    assert "<img" not in report.without_images()._repr_html_()


def test_a_plot_shows_each_muscle_and_side_where_its_fraction_is():
    rows = [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, 0.1), measured(Muscle.GLUTEUS_MEDIUS, Side.RIGHT, 0.6)]
    axes = report_of(measurements=[*rows, absent(Muscle.GLUTEUS_MINIMUS, Side.LEFT)]).plot()
    points = sorted(float(line.get_xdata()[0]) for line in axes.lines if line.get_marker() in {"o", "s"})
    plt.close(axes.figure)
    assert points == pytest.approx([10.0, 60.0])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["medius", "minimus"]


def test_a_report_without_any_stage_is_not_gradable():
    assert report_of().gradable
    assert not report_of(measurements=[absent(Muscle.GLUTEUS_MEDIUS, Side.LEFT)]).gradable


def test_the_frame_is_indexed_by_muscle_side_and_region():
    frame = report_of().to_frame()
    assert frame.loc[("gluteus_medius", "left", "whole"), "volume_ml"] == 100.0
