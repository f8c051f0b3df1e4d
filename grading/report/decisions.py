"""What a reader decided about each study after looking at it: good, fix or reject, with a note.

The cohort page exports them as CSV; in the output folder they stand in `decisions.csv` and are honoured
whenever the tables are written: rejected studies leave the tables, those to fix are listed.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from grading.errors import ConfigurationError
from grading.report.files import make_folder, write_whole
from grading.report.tables import csv_lines, csv_text

DECISIONS_FILE = "decisions.csv"
DECISION_COLUMNS = ("study", "decision", "note")


class Verdict(StrEnum):
    """What is to become of a study."""

    GOOD = "good"
    FIX = "fix"  # measured again with a corrected label map
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Decision:
    """A reader's decision about the study of that name."""

    study: str
    verdict: Verdict
    note: str = ""


def read_decisions(path: Path) -> dict[str, Decision | None]:
    """The decisions in a CSV file with the columns study, decision and note, by study.

    Returns:
        None for a study whose decision cell is empty: the reader took an earlier one back.

    Raises:
        ConfigurationError: the file cannot be read, or says something else.
    """
    try:
        table = csv.DictReader(path.read_text("utf-8-sig").splitlines())
        lines = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(
            f"cannot read the decisions in {path}: {error}; export them from index.html"
        ) from error
    if missing := [name for name in DECISION_COLUMNS[:2] if name not in (table.fieldnames or ())]:
        raise ConfigurationError(
            f"{path} has no column {' nor '.join(missing)}; export the decisions from index.html, whose "
            f"columns are {', '.join(DECISION_COLUMNS)}, separated by commas"
        )
    decisions: dict[str, Decision | None] = {}
    for number, line in enumerate(lines, start=2):
        study, word = _text(line.get("study")), (line.get("decision") or "").strip().lower()
        if not study or word not in {"", *Verdict}:
            raise ConfigurationError(
                f"{path} line {number}: study {study!r}, decision {word!r}; each line needs a study, and "
                f"{', '.join(Verdict)} or nothing as its decision"
            )
        decisions[study] = Decision(study, Verdict(word), _text(line.get("note"))) if word else None
    return decisions


def kept_decisions(out: Path) -> dict[str, Decision]:
    """The decisions in an output folder, by study; none where there is no such file.

    Raises:
        ConfigurationError: the file is there and cannot be read.
    """
    path = out / DECISIONS_FILE
    found = read_decisions(path) if path.is_file() else {}
    return {study: decision for study, decision in found.items() if decision is not None}


def rejected(decided: Mapping[str, Decision]) -> set[str]:
    """Names of the studies that leave the tables."""
    return {study for study, decision in decided.items() if decision.verdict is Verdict.REJECT}


def merged_decisions(out: Path, file: Path | None) -> dict[str, Decision]:
    """The decisions that hold once those in `file` are taken over into an output folder; nothing is written.

    Raises:
        ConfigurationError: either cannot be read.
    """
    merged: Mapping[str, Decision | None] = {**kept_decisions(out), **(read_decisions(file) if file else {})}
    return {study: decision for study, decision in sorted(merged.items()) if decision is not None}


def adopt_decisions(out: Path, file: Path) -> dict[str, Decision]:
    """Take the decisions in `file` over into an output folder; those on other studies stay.

    Returns:
        All decisions that now hold, by study.

    Raises:
        ConfigurationError: either cannot be read, or the folder cannot be written.
    """
    held = merged_decisions(out, file)
    rows = [{"study": d.study, "decision": d.verdict.value, "note": d.note} for d in held.values()]
    write_whole(make_folder(out) / DECISIONS_FILE, csv_text(rows, DECISION_COLUMNS).encode())
    return held


def with_decision(line: str, decision: Decision | None) -> str:
    """A line of CSV with the decision and its note as two more cells."""
    row = {"decision": decision.verdict.value, "note": decision.note} if decision else {}
    return line.removesuffix("\n") + "," + csv_lines([row], DECISION_COLUMNS[1:])


def _text(cell: str | None) -> str:
    """A cell without the apostrophe that keeps a spreadsheet from running it as a formula."""
    text = (cell or "").strip()
    return text[1:] if text[:1] == "'" and text[1:2] in tuple("=+-@") else text
