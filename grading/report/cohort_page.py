"""The page of a cohort: every study in one table to sort, filter and decide about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from grading.anatomy import SIDES, Muscle, Region
from grading.findings import FINDINGS, Severity
from grading.report.decisions import Decision, Verdict
from grading.report.entry import STATUS_WORDS, STATUSES, Entry
from grading.report.render import render
from grading.report.study_report import DISCLAIMER
from grading.report.tables import MEASUREMENT_COLUMNS, STUDY_COLUMNS, table_lines
from grading.report.words import LEADING, short_name


@dataclass(frozen=True, slots=True)
class FatCell:
    """Fat fraction of one muscle, percent, on the right and left; "" where not known; the larger sorts."""

    right: str
    left: str
    sort: float


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study: its texts, the files to show and open ("" where there is none), its decision so far.

    `method` is how its fat was measured, "" where it was not. The findings are those that weaken or withhold
    a number; mere notes stay in the tables.
    """

    name: str
    status: str
    reason: str
    report: str
    thumbnail: str
    method: str
    fat: tuple[FatCell, ...]
    findings: tuple[str, ...]
    decision: str
    note: str


def cohort_html(entries: Iterable[Entry], decisions: Mapping[str, Decision], out: Path) -> str:
    """The cohort page of the output folder `out`.

    Args:
        entries: what the tables say of each study.
        decisions: those that hold, by study.
        out: the folder, to see which pages and pictures are there.
    """
    rows = [_row(entry, decisions.get(entry.name), out) for entry in sorted(entries, key=lambda e: e.name)]
    return render(
        "index.html.jinja",
        notice=DISCLAIMER,
        rows=rows,
        several=len({row.method for row in rows} - {""}) > 1,
        muscles=[short_name(*place) for place in LEADING],
        statuses=[(status, sum(row.status == status for row in rows)) for status in STATUSES],
        status_words=STATUS_WORDS,
        verdicts=[verdict.value for verdict in Verdict],
    )


def _row(entry: Entry, decision: Decision | None, out: Path) -> StudyRow:
    (study,) = table_lines(entry.study, STUDY_COLUMNS)
    muscles = table_lines(entry.measurements, MEASUREMENT_COLUMNS)
    grave = [code for code in entry.codes if FINDINGS[code].severity is not Severity.NOTE]
    return StudyRow(
        name=entry.name,
        status=entry.status,
        reason=entry.reason,
        report=_link(out, entry.name, "report.html"),
        thumbnail=_link(out, entry.name, "thumbnail.png"),
        method=study["fat_method"],
        fat=tuple(_fat(muscles, muscle, region) for muscle, region in LEADING),
        findings=tuple(grave),
        decision=decision.verdict.value if decision else "",
        note=decision.note if decision else "",
    )


def _link(out: Path, study: str, file: str) -> str:
    """Address of a study's file as seen from the page; empty where there is no such file."""
    return f"studies/{quote(study, safe='')}/{file}" if (out / "studies" / study / file).is_file() else ""


def _fat(lines: Iterable[dict[str, str]], muscle: Muscle, region: Region) -> FatCell:
    found = {
        line["side"]: 100 * float(line["fat_fraction"])
        for line in lines
        if (line["muscle"], line["region"]) == (muscle, region) and line["fat_fraction"]
    }
    left, right = (f"{found[side]:z.0f}" if side in found else "" for side in SIDES)
    return FatCell(right, left, round(max(found.values(), default=-1.0), 2))
