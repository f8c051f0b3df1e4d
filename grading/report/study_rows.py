"""What a row of the report's tables shows: texts, and the interval of the fat fraction as a bar."""

from dataclasses import dataclass

from grading.anatomy import Muscle, Region
from grading.asymmetry import TWO_SIDED_95, Asymmetry
from grading.findings import FINDINGS, Severity
from grading.report.palette import COLOURS
from grading.report.study_report import GradedMuscle, StudyReport
from grading.report.words import (
    DASH,
    SHORT,
    findings_by_code,
    leading_rows,
    name_of,
    signed,
    stage_words,
    words,
)

SEVERITY_WORDS = {
    Severity.ALARM: "settle first",
    Severity.STOP: "withheld",
    Severity.CAUTION: "caution",
    Severity.NOTE: "note",
}
"""What a finding does to the number beside it, the gravest first."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A fat fraction on an axis from 0 to 100 %; everything in percent, cut at the ends of the axis.

    Attributes:
        at: the measured fraction.
        low, high: ends of its 95 % interval.
        edges: fat fractions between the stages of the report's first scale.
        text: the same for those who do not see it.
    """

    at: float
    low: float
    high: float
    edges: tuple[float, ...]
    text: str


@dataclass(frozen=True, slots=True)
class MuscleRow:
    """One muscle or region on one side.

    Attributes:
        name, side: what it is.
        leads: whether the row is the one to read first, posterior minimus.
        colour: of the muscle in the pictures.
        fat: fat fraction and standard error, percent.
        bar: the same as a picture; None where it is not known.
        stages: on each scale of the report, with the stages that the error leaves possible.
        volume: mL, after ">" where the field of view cuts the muscle.
        in_view: share of the muscle in view, percent.
        findings: codes of what limits the row, without mere notes.
    """

    name: str
    side: str
    leads: bool
    colour: str
    fat: str
    bar: Bar | None
    stages: tuple[str, ...]
    volume: str
    in_view: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SidesRow:
    """One muscle, left against right: differences with their errors, and the two verdicts in words."""

    name: str
    colour: str
    fat: str
    fat_exceeds_error: str
    volume: str
    volume_exceeds_error: str
    exceeds_normal: str
    compared: str


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One kind of finding: what it does to the numbers, what it means, where it holds and the details."""

    severity: str
    code: str
    meaning: str
    where: str
    details: tuple[str, ...]


def muscle_rows(report: StudyReport) -> list[MuscleRow]:
    """The rows that are read first, see `leading_rows`."""
    return [_muscle_row(report, graded) for graded in leading_rows(report)]


def sides_rows(report: StudyReport) -> list[SidesRow]:
    """Left against right, a row per muscle."""
    return [_sides_row(a) for a in report.asymmetries]


def finding_rows(report: StudyReport) -> list[FindingRow]:
    """Every kind of finding in the report, the gravest first."""
    details: dict[str, dict[str, None]] = {}
    of_muscles = (f for g in report.muscles for f in g.measurement.findings)
    of_sides = (f for a in report.asymmetries for f in a.findings)
    for finding in (*report.findings, *of_muscles, *of_sides):
        said = (
            finding.detail and finding.severity is not Severity.NOTE
        )  # the detail of a note is in the tables
        details.setdefault(finding.code, {}).update({finding.detail: None} if said else {})
    rows = [
        FindingRow(
            SEVERITY_WORDS[FINDINGS[code].severity], code, FINDINGS[code].meaning, where, tuple(details[code])
        )
        for code, where in findings_by_code(report).items()
    ]
    order = list(SEVERITY_WORDS.values())
    return sorted(rows, key=lambda row: order.index(row.severity))


def _muscle_row(report: StudyReport, graded: GradedMuscle) -> MuscleRow:
    m, text = graded.measurement, words(graded)
    return MuscleRow(
        name=name_of(m),
        side=m.side.value,
        leads=(m.muscle, m.region) == (Muscle.GLUTEUS_MINIMUS, Region.POSTERIOR),
        colour=COLOURS[m.muscle],
        fat=text.fat,
        bar=_bar(graded),
        stages=tuple(stage_words(grade) for grade in graded.grades),
        volume=text.volume,
        in_view=DASH if m.coverage is None else f"{100 * m.coverage:.0f}",
        findings=tuple(
            dict.fromkeys(f.code for f in report.findings_of(graded) if f.severity is not Severity.NOTE)
        ),
    )


def _bar(graded: GradedMuscle) -> Bar | None:
    m = graded.measurement
    if m.fat_fraction is None:
        return None
    reach = TWO_SIDED_95 * (m.fat_fraction_se or 0.0)
    at = 100 * m.fat_fraction
    low, high = (_on_axis(100 * end) for end in (m.fat_fraction - reach, m.fat_fraction + reach))
    text = f"fat fraction {at:z.1f} %"
    if m.fat_fraction_se is not None:
        text += f", 95 % interval {low:.1f} to {high:.1f} %"
    edges = graded.grades[0].edges if graded.grades else ()
    return Bar(_on_axis(at), low, high, tuple(round(100 * e, 2) for e in edges), text)


def _on_axis(percent: float) -> float:
    return round(min(max(percent, 0.0), 100.0), 2)


def _sides_row(a: Asymmetry) -> SidesRow:
    slab = "whole muscles" if a.common_slab_mm is None else f"common slab, {a.common_slab_mm:.0f} mm"
    return SidesRow(
        name=SHORT[a.muscle],
        colour=COLOURS[a.muscle],
        fat=signed(a.fat_fraction_difference, a.fat_fraction_error, 100),
        fat_exceeds_error=_verdict(a.fat_exceeds_error),
        volume=signed(a.volume_asymmetry_percent, a.volume_error_percent, 1),
        volume_exceeds_error=_verdict(a.volume_exceeds_error),
        exceeds_normal=_verdict(a.exceeds_normal),
        compared=DASH if a.volume_asymmetry_percent is None and a.common_slab_mm is None else slab,
    )


def _verdict(exceeds: bool | None) -> str:
    return DASH if exceeds is None else ("yes" if exceeds else "no")
