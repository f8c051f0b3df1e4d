"""Checks across image, header and segmentation that no single step can make."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grading.anatomy import SIDES, Muscle, Region, Side
from grading.fat import FatMap
from grading.findings import Finding
from grading.measure import MuscleMeasurement
from grading.segment.base import is_users_own
from grading.segment.laterality import side_of_hip
from grading.settings import Settings
from grading.volume import Segmentation, Volume

REFERENCE_MISMATCH = 0.15  # relative left-right difference of subcutaneous fat left after shading correction
DISAGREEMENT = 0.15  # between mean fat fraction and share of fat voxels; fat in streaks keeps them closer
PLAUSIBLE_ML = {  # a fifth of the smaller mean to the larger mean + 4 SD, healthy adults [Belzunce 2022, R]
    Muscle.GLUTEUS_MAXIMUS: (115.0, 1350.0),
    Muscle.GLUTEUS_MEDIUS: (55.0, 655.0),
    Muscle.GLUTEUS_MINIMUS: (14.0, 170.0),
}


def check_study(fat: FatMap, measurements: Sequence[MuscleMeasurement]) -> tuple[Finding, ...]:
    """What the numbers of one study say about each other; findings name a muscle where they concern one.

    Returns:
        `one_side_in_view`, `reference_mismatch` for the study; `implausible_volume`, `fractions_disagree`
        for a muscle.
    """
    sides = sorted({m.side for m in measurements if m.covered_volume_ml})
    findings = []
    if len(sides) == 1:
        findings.append(Finding("one_side_in_view", f"{sides[0].value} only"))
    left, right = (fat.reference("fat", side) for side in SIDES)
    if left and right and left.signal + right.signal > 0:
        mismatch = 2 * abs(left.signal - right.signal) / (left.signal + right.signal)
        if mismatch > REFERENCE_MISMATCH:
            findings.append(Finding("reference_mismatch", f"by {mismatch:.0%}"))
    for m in measurements:
        findings += _check_muscle(m)
    return tuple(findings)


def _check_muscle(m: MuscleMeasurement) -> list[Finding]:
    findings = []
    low, high = (0.0, float("inf"))
    if m.region is Region.WHOLE:
        low, high = PLAUSIBLE_ML.get(m.muscle, (low, high))
    known = m.volume_ml if m.volume_ml is not None else m.covered_volume_ml
    if known is not None and (known > high or (m.volume_ml is not None and known < low)):
        detail = f"{known:.0f} mL, expected {low:.0f} to {high:.0f}"
        findings.append(Finding("implausible_volume", detail, m.muscle, m.side, m.region))
    if m.fat_fraction is not None and m.threshold_fraction is not None:
        difference = m.fat_fraction - m.threshold_fraction
        if abs(difference) > DISAGREEMENT:
            detail = f"mean {m.fat_fraction:z.0%}, share of fat voxels {m.threshold_fraction:.0%}"
            findings.append(Finding("fractions_disagree", detail, m.muscle, m.side, m.region))
    return findings


def add_findings(measurement: MuscleMeasurement, observed: Sequence[Finding]) -> MuscleMeasurement:
    """The measurement with those of the findings that speak of its muscle, side and region."""
    own = [
        f
        for f in observed
        if f.muscle is measurement.muscle
        and f.side in (None, measurement.side)
        and f.region in (None, measurement.region)
    ]
    return replace(measurement, findings=tuple(dict.fromkeys((*measurement.findings, *own))))


def check_laterality(volume: Volume, segmentation: Segmentation, settings: Settings) -> tuple[Finding, ...]:
    """Whether header, request and anatomy agree about which side is which.

    Returns:
        `laterality_contradiction` where a muscle labelled left lies to the right of the one labelled right,
        or where the one hip in view is not the one that the header or the request names or that the anatomy
        shows; `side_assumed` where one hip is in view and nothing tells its side.
    """
    centres = {muscle: _centres(segmentation, muscle) for muscle in Muscle}
    sides = {side for places in centres.values() for side in places}
    if len(sides) == len(SIDES):
        exchanged = [  # axis 0 grows towards the patient's right
            muscle.value.replace("_", " ")
            for muscle, places in centres.items()
            if len(places) == len(SIDES) and places[Side.LEFT] >= places[Side.RIGHT]
        ]
        if not exchanged:
            return ()
        detail = f"labelled left but to the right of the one labelled right: {', '.join(exchanged)}"
        return (Finding("laterality_contradiction", detail),)
    if not sides:
        return ()
    (found,) = sides
    told = {
        "header": volume.series.laterality,
        "request": settings.side,
        "anatomy (what lies medial of what)": side_of_hip(segmentation.labels, segmentation.geometry),
    }
    against = [who for who, side in told.items() if side is not None and side is not found]
    if against:
        detail = f"the one hip in view was labelled {found.value}; by the {' and the '.join(against)} it is "
        return (Finding("laterality_contradiction", detail + found.other.value),)
    if not is_users_own(segmentation.method) and not any(told.values()):
        return (Finding("side_assumed", f"taken to be the {found.value} one"),)
    return ()


def _centres(segmentation: Segmentation, muscle: Muscle) -> dict[Side, float]:
    """Mean index along axis 0 of one muscle, for each side that has it."""
    centres = {}
    for side in SIDES:
        profile = np.count_nonzero(segmentation.mask(muscle, side), axis=(1, 2))
        if profile.any():
            centres[side] = float(np.average(np.arange(profile.size), weights=profile))
    return centres
