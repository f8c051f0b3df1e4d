"""A report is one value that can be written, read back and shown."""

import json

import pytest
from report_factory import absent, measured, report_of

from grading.anatomy import Muscle, Side
from grading.findings import FINDINGS, Finding
from grading.report.study_report import StudyReport


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


def test_what_a_notebook_shows_is_escaped():
    report = report_of("<script>alert(1)</script>", findings=(Finding("contrast_agent", "<b>x"),))
    shown = report._repr_html_()
    assert "<script>" not in shown
    assert "<b>x" not in shown
    assert "&lt;script&gt;" in shown


def test_a_report_without_any_stage_is_not_gradable():
    assert report_of().gradable
    assert not report_of(measurements=[absent(Muscle.GLUTEUS_MEDIUS, Side.LEFT)]).gradable


def test_the_frame_is_indexed_by_muscle_side_and_region():
    frame = report_of().to_frame()
    assert frame.loc[("gluteus_medius", "left", "whole"), "volume_ml"] == 100.0
