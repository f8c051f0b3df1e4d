"""Findings: the codes a table may hold."""

import re

import pytest

from grading.anatomy import Muscle, Side
from grading.findings import FINDINGS, Finding, Severity


def test_a_code_can_stand_in_a_semicolon_list_of_a_csv_cell():
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", code) for code in FINDINGS)


def test_every_finding_explains_itself_in_a_sentence():
    for code, kind in FINDINGS.items():
        assert kind.meaning[0].isupper(), code
        assert kind.meaning.endswith("."), code


def test_no_finding_speaks_of_diagnosis_or_cause():
    forbidden = ("diagnos", "clinically", "denervat", "tear", "surg", "prognos", "patholog")
    for code, kind in FINDINGS.items():
        assert not any(word in kind.meaning.lower() for word in forbidden), code


def test_a_mistyped_code_is_an_error_not_a_new_finding():
    with pytest.raises(ValueError, match="not_fuond"):
        Finding("not_fuond")


def test_only_a_contradiction_about_the_side_raises_the_alarm():
    assert [c for c, kind in FINDINGS.items() if kind.severity is Severity.ALARM] == [
        "laterality_contradiction"
    ]


def test_a_finding_is_as_severe_as_its_kind():
    finding = Finding("not_found", "0 voxels", Muscle.GLUTEUS_MINIMUS, Side.LEFT)
    assert finding.severity is Severity.STOP
