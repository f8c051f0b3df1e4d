"""Hips that were imaged one by one: each is graded, as a study of its own.

Two images have references of their own and seldom one grid, so their sides are not compared.
"""

from collections.abc import Sequence
from dataclasses import replace

from grading.findings import Finding
from grading.io.choose import choose
from grading.io.elsewhere import OTHER_PART, shown_instead
from grading.io.found import SeriesFound, StudyFound


def by_hip(name: str, series: Sequence[SeriesFound], place: str, contrast: str) -> tuple[StudyFound, ...]:
    """The study of these series, and after it one of the hip that its graded series does not show.

    Args:
        name: of the study.
        series: of the study, sorted by name.
        place: as of `StudyFound`.
        contrast: as of `choose`.
    """
    told, chosen, problem = choose(series, contrast)
    study = StudyFound(name, told, chosen, problem, place)
    if not chosen:
        return (study,)
    parts = {s.info.name: _other_hip(s, chosen[0]) for s in series}
    others, other, _ = choose([s for s in series if parts[s.info.name]], contrast)
    if not other:
        return (study,)
    part = parts[other[0].info.name]
    own = tuple(s for s in told if not parts[s.info.name])
    there, here = _apart(part, other[0]), _apart(shown_instead(chosen[0], other[0]), chosen[0])
    return (
        replace(study, series=_with(there, own), chosen=_with(there, chosen)),
        StudyFound(
            f"{name}_{part.removeprefix('the ').replace(' ', '_')}",
            _with(here, others),
            _with(here, other),
            place=f"{place} {part}",
            hip_of=name,
        ),
    )


def _other_hip(series: SeriesFound, graded: SeriesFound) -> str:
    """The hip that a series shows in place of the graded one, in words; "" where it shows none."""
    part = shown_instead(series, graded) if series.affine and series.problem is None else ""
    return "" if part == OTHER_PART else part


def _apart(part: str, series: SeriesFound) -> Finding:
    return Finding("other_hip_apart", f"{series.info.name} shows {part}, which is a study of its own")


def _with(finding: Finding, series: Sequence[SeriesFound]) -> tuple[SeriesFound, ...]:
    """The series, with a finding added to those that are graded."""
    return tuple(replace(s, findings=(*s.findings, finding)) if s.chosen else s for s in series)
