"""A fat fraction with its error as a stage, and the stages that the error leaves possible."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from grading.classify.scale import Scale
from grading.findings import Finding, Severity, says
from grading.measure import MuscleMeasurement

POSSIBLE = 0.10  # chance from which a stage is named as possible [clinical definitions]


@dataclass(frozen=True, slots=True)
class Grade:
    """Stage of one muscle on one scale.

    Attributes:
        scale: the scale's name.
        stage: number (or letters) of the stage; None when the muscle is not gradable.
        possible: every stage with at least `POSSIBLE` chance, and the stage itself, from least to most fat;
            where voxels of more than half fat read as their complement (in/opposed phase), every stage
            from that of the fraction to that of its complement.
        chances: chance of every stage of the scale, from the measurement's standard error; () when not known.
        source: citation of the scale.
        edges: fat fractions between its stages.
    """

    scale: str
    stage: int | str | None
    possible: tuple[int | str, ...]
    chances: tuple[float, ...]
    source: str
    edges: tuple[float, ...] = ()


def grade(measurement: MuscleMeasurement, scale: Scale) -> Grade:
    """Stage `measurement` on `scale`.

    The true fraction is taken as normal about the measured one with its standard error s, so a stage on
    the far side of an edge at distance d has the chance Phi(-d / s).
    """
    fraction, error = measurement.fat_fraction, measurement.fat_fraction_se
    edges = tuple(edge.fat_fraction for edge in scale.edges)
    stopped = any(finding.severity is Severity.STOP for finding in measurement.findings)
    if fraction is None or stopped or not math.isfinite(fraction):
        return Grade(scale.name, None, (), (), scale.source, edges)
    index, chances = _index(fraction, scale), _chances(fraction, error, scale)
    possible = {index} | _likely(chances)
    if _folds(measurement.findings):
        possible |= {_index(1 - fraction, scale)} | _likely(_chances(1 - fraction, error, scale))
        possible, chances = set(range(min(possible), max(possible) + 1)), ()
    numbers = [stage.number for stage in scale.stages]
    return Grade(
        scale.name, numbers[index], tuple(numbers[i] for i in sorted(possible)), chances, scale.source, edges
    )


def _folds(findings: Sequence[Finding]) -> bool:
    """Whether voxels over one half were read as their complement, so that the truth lies between the two."""
    return says(findings, "two_point_folds")


def _index(fraction: float, scale: Scale) -> int:
    """Place of a fraction's stage among the scale's."""
    return sum(
        fraction >= edge.fat_fraction if edge.belongs_above else fraction > edge.fat_fraction
        for edge in scale.edges
    )


def _likely(chances: Sequence[float]) -> set[int]:
    return {i for i, chance in enumerate(chances) if chance >= POSSIBLE}


def _chances(fraction: float, error: float | None, scale: Scale) -> tuple[float, ...]:
    """Chance of every stage; () where there is no error to tell it from."""
    if not error:
        return ()
    below = [0.0, *(_phi((edge.fat_fraction - fraction) / error) for edge in scale.edges), 1.0]
    return tuple(upper - lower for lower, upper in pairwise(below))


def _phi(z: float) -> float:
    """Chance that a standard normal value lies below `z`."""
    return 0.5 * math.erfc(-z / math.sqrt(2))
