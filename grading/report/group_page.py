"""The page that sums up a group: OUT/summary.html, drawn as plain SVG without a script."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from grading.findings import FINDINGS
from grading.report.entry import STATUS_WORDS, STATUSES, Entry
from grading.report.group import (
    FAR,
    FEWEST,
    Distribution,
    Outlier,
    Place,
    distributions,
    findings,
    outliers,
    reasons,
    stages,
    ticks,
)
from grading.report.render import render
from grading.report.study_report import DISCLAIMER
from grading.report.study_rows import SEVERITY_WORDS
from grading.report.words import short_name

MOST_OUTLIERS, MOST_NAMES = 30, 12
"""Rows of the list to look at first, and studies named for each reason or finding; the tables hold all."""

_QUANTITIES = {"fat_fraction": ("Fat fraction, %", 100.0), "volume_ml": ("Volume, mL", 1.0)}
_STAGES = {"quartile": "1234", "goutallier": "01234"}
_WIDTH, _LEFT, _ROW, _TOP = 760, 210, 24, 10  # of a chart, px


@dataclass(frozen=True, slots=True)
class Line:
    """One muscle and side in a chart: places in px, dots with the names of their studies.

    `quartiles` are the numbers of the box, in the chart's unit.
    """

    label: str
    middle: float
    box: tuple[float, float, float]
    dots: tuple[tuple[float, str], ...]
    count: int
    quartiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A row per muscle and side over one axis."""

    title: str
    height: float
    lines: tuple[Line, ...]
    ticks: tuple[tuple[float, str], ...]


def summary_html(entries: Sequence[Entry], rejected: int = 0) -> str:
    """The page for all entries of an output folder but the `rejected` ones, of which it says how many."""
    groups = {quantity: distributions(entries, quantity) for quantity in _QUANTITIES}
    far = outliers([group for some in groups.values() for group in some], MOST_OUTLIERS)
    several = _several(group.place for group in groups["fat_fraction"])
    return render(
        "summary.html.jinja",
        notice=DISCLAIMER,
        total=len(entries),
        rejected=rejected,
        statuses=[(STATUS_WORDS[s], sum(entry.status == s for entry in entries)) for s in STATUSES],
        charts=[_chart(quantity, some) for quantity, some in groups.items() if some],
        stages=[
            (scale, list(numbers), [_stage_row(*row, numbers, several=several) for row in counts.items()])
            for scale, numbers in _STAGES.items()
            if (counts := stages(entries, scale))
        ],
        outliers=[_outlier_row(outlier, several=several) for outlier in far],
        enough=any(len(group.values) >= FEWEST for some in groups.values() for group in some),
        fewest=FEWEST,
        rule=f"more than {FAR:g} robust standard deviations from the median of at least {FEWEST} studies",
        findings=[
            (
                SEVERITY_WORDS[FINDINGS[code].severity],
                code,
                FINDINGS[code].meaning,
                len(studies),
                [(_page_of(study), study) for study in studies[:MOST_NAMES]],
            )
            for code, studies in findings(entries).items()
        ],
        reasons=[
            (STATUS_WORDS[reason.status], len(reason.studies), reason.text, reason.studies[:MOST_NAMES])
            for reason in reasons(entries)
        ],
        width=_WIDTH,
        left=_LEFT,
    )


def _chart(quantity: str, groups: Sequence[Distribution]) -> Chart:
    title, factor = _QUANTITIES[quantity]
    marks = ticks(max(group.values[-1].number for group in groups))
    several = _several(group.place for group in groups)
    lowest = min(0.0, *(group.values[0].number for group in groups))  # noise may read a little below no fat
    scale = (_WIDTH - _LEFT - 20) / ((marks[-1] - lowest) or 1.0)

    def x(number: float) -> float:
        return round(_LEFT + (number - lowest) * scale, 1)

    lines = tuple(
        Line(
            label=_label(group.place, several=several),
            middle=_TOP + _ROW * (row + 0.5),
            box=tuple(map(x, group.quartiles())),  # type: ignore[arg-type]  # three in, three out
            dots=tuple((x(v.number), f"{v.study}: {factor * v.number:z.1f}") for v in group.values),
            count=len(group.values),
            quartiles=tuple(f"{factor * number:z.1f}" for number in group.quartiles()),
        )
        for row, group in enumerate(groups)
    )
    return Chart(
        title, _TOP + _ROW * len(groups), lines, tuple((x(mark), f"{factor * mark:g}") for mark in marks)
    )


def _page_of(study: str) -> str:
    """Address of a study's report as seen from the page."""
    return f"studies/{quote(study, safe='')}/report.html"


def _several(places: Iterable[Place]) -> bool:
    """Whether fat was measured in more than one way, so that each row has to say how."""
    return len({place.method for place in places}) > 1


def _label(place: Place, *, several: bool) -> str:
    name = f"{short_name(place.muscle, place.region)} {place.side}"
    return f"{name}, {place.method}" if several and place.method else name


def _stage_row(
    place: Place, counts: Mapping[str, int], numbers: str, *, several: bool
) -> tuple[str, list[int]]:
    return _label(place, several=several), [counts.get(number, 0) for number in numbers]


def _outlier_row(outlier: Outlier, *, several: bool) -> tuple[str, str, str, str, str]:
    """Link, study, muscle and side, value, distance."""
    group, value = outlier.distribution, outlier.value
    title, factor = _QUANTITIES[group.quantity]
    said = f"{title.split(',')[0].lower()} {factor * value.number:z.1f}{title.split(',')[1]}"
    place = _label(group.place, several=several)
    return _page_of(value.study), value.study, place, said, f"{outlier.deviations:+.1f}"
