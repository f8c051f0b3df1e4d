"""A reader's decisions are read as they were exported, kept, and honoured by the tables."""

import csv
import io

import pytest
from report_factory import report_of
from rich.console import Console

from grading.errors import ConfigurationError
from grading.report.decisions import Decision, Verdict, adopt_decisions, kept_decisions, read_decisions
from grading.report.folder import OutputFolder
from grading.report.summary import closing, decided


def file_of(tmp_path, *lines):
    path = tmp_path / "exported.csv"
    path.write_text("\n".join(["study,decision,note", *lines]) + "\n", encoding="utf-8")
    return path


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_decisions_are_read_with_their_notes(tmp_path):
    path = file_of(tmp_path, "a,good,", 'b,fix,"minimus, left"', "c,Reject,motion", "d,,")
    assert read_decisions(path) == {
        "a": Decision("a", Verdict.GOOD),
        "b": Decision("b", Verdict.FIX, "minimus, left"),
        "c": Decision("c", Verdict.REJECT, "motion"),
        "d": None,
    }


def test_an_apostrophe_against_formulas_is_no_part_of_the_note(tmp_path):
    (decision,) = read_decisions(file_of(tmp_path, "a,fix,'-3 mm off")).values()
    assert decision.note == "-3 mm off"


@pytest.mark.parametrize("line", ["a,maybe,", ",good,"])
def test_a_line_that_decides_nothing_is_refused_with_its_number(tmp_path, line):
    with pytest.raises(ConfigurationError, match="line 3"):
        read_decisions(file_of(tmp_path, "b,good,", line))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"index\.html"):
        read_decisions(tmp_path / "nowhere.csv")


def test_a_table_without_decisions_is_refused_and_takes_none_back(tmp_path):
    out, other = tmp_path / "out", tmp_path / "measurements.csv"
    adopt_decisions(out, file_of(tmp_path, "a,reject,metal"))
    for heading in ("study,muscle", "study;decision;note", ""):
        other.write_text(f"{heading}\na,gluteus_medius\n", encoding="utf-8")
        with pytest.raises(ConfigurationError, match="no column"):
            adopt_decisions(out, other)
    assert kept_decisions(out)["a"].verdict is Verdict.REJECT


def test_decisions_that_a_spreadsheet_saved_with_its_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "exported.csv"
    path.write_text("study,decision,note\na,good,\n", encoding="utf-8-sig")
    assert read_decisions(path) == {"a": Decision("a", Verdict.GOOD)}


def test_later_decisions_replace_earlier_ones_and_leave_the_others(tmp_path):
    out = tmp_path / "out"
    adopt_decisions(out, file_of(tmp_path, "a,fix,border", "b,reject,metal", "c,good,"))
    held = adopt_decisions(out, file_of(tmp_path, "a,good,mended", "c,,"))
    assert held == kept_decisions(out)
    assert {name: d.verdict for name, d in held.items()} == {"a": Verdict.GOOD, "b": Verdict.REJECT}


def test_rejected_studies_leave_the_tables_and_stay_accounted_for(tmp_path):
    folder = OutputFolder.open(tmp_path / "out")
    for name in "abc":
        folder.add(report_of(name))
    adopt_decisions(folder.path, file_of(tmp_path, "a,reject,=motion", "b,fix,left minimus"))
    folder.write_tables()
    for table in ("measurements.csv", "asymmetry.csv"):
        assert {row["study"] for row in rows(folder.path / table)} == {"b", "c"}
    summary = (folder.path / "summary.html").read_text()
    assert "2 graded. 1 more rejected by the reader and left out here." in summary
    studies = rows(folder.path / "studies.csv")
    assert [(r["study"], r["status"], r["decision"], r["note"]) for r in studies] == [
        ("a", "graded", "reject", "'=motion"),
        ("b", "graded", "fix", "left minimus"),
        ("c", "graded", "", ""),
    ]


def test_the_terminal_shows_no_numbers_of_a_study_that_it_calls_rejected(tmp_path):
    folder = OutputFolder.open(tmp_path / "out")
    for name in ("pelvis07", "pelvis08"):
        folder.add(report_of(name))
    adopt_decisions(folder.path, file_of(tmp_path, "pelvis08,reject,motion"))
    console = Console(record=True, file=io.StringIO(), width=100)
    console.print(closing(list(folder.entries.values()), folder, dicom=False))
    lines = [line.strip() for line in console.export_text().splitlines()]
    assert "pelvis07" in lines
    assert "pelvis08" not in lines
    assert "rejected by the reader, not in the tables: pelvis08" in lines


def test_what_is_to_fix_is_said_with_its_note():
    held = [Decision("a", Verdict.FIX, "[b]left"), Decision("b", Verdict.GOOD), Decision("c", Verdict.REJECT)]
    console = Console(record=True, file=io.StringIO(), width=100)
    console.print(decided(held, {"a", "b", "c"}))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines == ["to fix: a: [b]left", "rejected by the reader, not in the tables: c"]


def test_a_decision_on_a_name_that_no_study_has_is_not_said_to_hold():
    """A spreadsheet makes 0012 of the study's name 12."""
    console = Console(record=True, file=io.StringIO(), width=100)
    console.print(decided([Decision("12", Verdict.REJECT)], {"0012"}))
    assert console.export_text().strip() == "decided on, but no study in studies.csv has that name: 12"


def test_a_decision_taken_back_brings_the_study_back(tmp_path):
    folder = OutputFolder.open(tmp_path / "out")
    folder.add(report_of("a"))
    for line in ("a,reject,", "a,,"):
        adopt_decisions(folder.path, file_of(tmp_path, line))
        folder.write_tables()
    assert len(rows(folder.path / "measurements.csv")) == 8
