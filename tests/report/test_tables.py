"""The tables keep to their columns, say nothing they do not know, and run nothing in a spreadsheet."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_factory import absent, measured, report_of

from grading.anatomy import SIDES, Muscle, Side
from grading.asymmetry import Asymmetry
from grading.findings import Finding
from grading.report.study_report import StudyFailure
from grading.report.tables import (
    ASYMMETRY_COLUMNS,
    MEASUREMENT_COLUMNS,
    STUDY_COLUMNS,
    asymmetry_rows,
    csv_text,
    measurement_rows,
    study_rows,
)

CONTRACT = """study, series, muscle, side, region, volume_ml, lean_volume_ml, max_csa_cm2,
level_csa_cm2, fat_fraction, fat_fraction_se, fat_method, coverage, excluded_fraction, quartile,
quartile_possible, goutallier, goutallier_possible, gradable, findings"""
ASYMMETRY_CONTRACT = """study, muscle, volume_asymmetry_percent, volume_error_percent,
fat_fraction_difference, fat_fraction_error, exceeds_error, exceeds_normal, common_slab_mm, findings"""


def written(reports):
    return list(csv.DictReader(io.StringIO(csv_text(measurement_rows(reports), MEASUREMENT_COLUMNS))))


def test_columns_begin_with_those_promised_in_that_order():
    promised = tuple(name.strip() for name in CONTRACT.split(","))
    assert MEASUREMENT_COLUMNS[: len(promised)] == promised
    promised = tuple(name.strip() for name in ASYMMETRY_CONTRACT.split(","))
    assert ASYMMETRY_COLUMNS[: len(promised)] == promised


def test_a_muscle_that_was_not_found_has_empty_cells_never_zeros():
    (row,) = written([report_of(measurements=[absent(Muscle.GLUTEUS_MINIMUS, Side.LEFT)])])
    for column in ("volume_ml", "fat_fraction", "coverage", "quartile", "quartile_possible", "goutallier"):
        assert row[column] == ""
    assert row["gradable"] == "false"
    assert row["findings"] == "not_found"


def test_stages_are_whole_numbers_and_possible_stages_a_list():
    (row,) = written([report_of(measurements=[measured(Muscle.GLUTEUS_MEDIUS, Side.RIGHT, 0.245)])])
    assert (row["quartile"], row["quartile_possible"], row["gradable"]) == ("1", "1|2", "true")


def test_a_verdict_that_is_not_known_is_in_no_selection_of_a_notebook():
    known = Asymmetry(Muscle.GLUTEUS_MEDIUS, 30.0, 5.0, 0.2, 0.05, True, True, True)
    table = replace(report_of(), asymmetries=(known, Asymmetry(Muscle.GLUTEUS_MINIMUS))).asymmetry
    for beyond in (table["exceeds_error"], table["fat_exceeds_error"], table["exceeds_normal"]):
        assert list(table[beyond]["muscle"]) == ["gluteus_medius"]
        assert table[~beyond].empty


def test_rows_are_sorted_by_study_and_keep_the_order_of_muscles():
    rows = written([report_of("b"), report_of("a")])
    assert [row["study"] for row in rows] == ["a"] * 8 + ["b"] * 8
    assert [(r["muscle"], r["side"]) for r in rows[:3]] == [
        ("gluteus_maximus", "left"), ("gluteus_maximus", "right"), ("gluteus_medius", "left"),
    ]  # fmt: skip


def test_a_row_carries_the_studys_cautions_but_not_its_notes():
    findings = (Finding("laterality_contradiction"), Finding("contrast_agent"))
    row = written([report_of(findings=findings)])[0]
    assert row["findings"] == "laterality_contradiction"


def test_a_comparison_carries_the_cautions_of_both_muscles_and_of_the_study_but_not_their_notes():
    medius, maximus = Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MAXIMUS
    doubts = {
        (medius, Side.LEFT): ("low_confidence", "fractions_disagree"),
        (medius, Side.RIGHT): ("possible_mass",),
    }
    rows = [
        measured(m, side, findings=tuple(Finding(code, "", m, side) for code in doubts.get((m, side), ())))
        for m in (maximus, medius)
        for side in SIDES
    ]
    of_study = (Finding("laterality_contradiction"), Finding("contrast_agent"))
    compared = asymmetry_rows([report_of("a", rows, findings=of_study)])
    found = {row["muscle"]: row["findings"] for row in compared}
    assert found[medius] == "low_confidence;laterality_contradiction;possible_mass"
    assert found[maximus] == "laterality_contradiction"


def test_a_difference_of_fat_says_how_fat_was_measured():
    dixon = [measured(Muscle.GLUTEUS_MEDIUS, side, fat_method="dixon") for side in SIDES]
    methods = {row["muscle"]: row["fat_method"] for row in asymmetry_rows([report_of("a", dixon)])}
    assert methods["gluteus_medius"] == "dixon"
    report = report_of("a", dixon)
    unknown = replace(report, asymmetries=(Asymmetry(Muscle.GLUTEUS_MEDIUS),))
    assert [row["fat_method"] for row in asymmetry_rows([unknown])] == [None]


def test_volume_beyond_its_error_does_not_stand_for_fat_beyond_its_own():
    larger = Asymmetry(Muscle.GLUTEUS_MEDIUS, 20.0, 5.0, 0.01, 0.05, True, False, True)
    (row,) = asymmetry_rows([replace(report_of(), asymmetries=(larger,))])
    verdicts = [row[name] for name in ("exceeds_error", "volume_exceeds_error", "fat_exceeds_error")]
    assert verdicts == [True, True, False]


def test_numbers_have_a_point_fixed_decimals_and_no_negative_zero():
    m = measured(Muscle.GLUTEUS_MAXIMUS, Side.LEFT, fat_fraction=-0.00001, volume_ml=1234.5678)
    (row,) = written([report_of(measurements=[m])])
    assert row["fat_fraction"] == "0.0000"
    assert row["volume_ml"] == "1234.57"


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_no_text_starts_a_formula_or_a_new_row(text):
    (failure,) = study_rows([StudyFailure("study", "failed", text)])
    table = csv_text([failure], STUDY_COLUMNS)
    assert table.count("\n") == 2
    (row,) = csv.DictReader(io.StringIO(table))
    assert not row["reason"].startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("name", ["=cmd()", "@SUM(A1)", "+1", "-1"])
def test_a_study_named_like_a_formula_stays_text(name):
    (row, *_) = written([report_of(name)])
    assert row["study"] == f"'{name}"


def test_every_study_has_a_row_that_says_what_became_of_it():
    nothing = report_of("b", [absent(Muscle.GLUTEUS_MAXIMUS, Side.LEFT)])
    rows = study_rows([StudyFailure("c", "failed", "gap of 8.0 mm"), nothing, report_of("a")])
    assert [(r["study"], r["status"]) for r in rows] == [
        ("a", "graded"),
        ("b", "not_gradable"),
        ("c", "failed"),
    ]
    assert rows[0]["seconds"] == 2.0
    assert rows[2]["reason"] == "gap of 8.0 mm"
    assert "measurements.csv" in str(rows[1]["reason"])


def test_frames_hold_the_same_columns_unrounded_with_missing_stages_missing():
    report = report_of(
        measurements=[
            measured(Muscle.GLUTEUS_MAXIMUS, Side.LEFT, 0.123456789),
            absent(Muscle.GLUTEUS_MAXIMUS, Side.RIGHT),
        ]
    )
    table = report.measurements
    assert tuple(table.columns) == MEASUREMENT_COLUMNS
    assert table["fat_fraction"][0] == 0.123456789
    assert table["quartile"].isna().tolist() == [False, True]
    assert str(table["quartile"].dtype) == "Int64"
    assert tuple(report.asymmetry.columns) == ASYMMETRY_COLUMNS
    assert len(asymmetry_rows([report])) == 4
