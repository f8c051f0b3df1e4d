"""A wavering outline is doubted, a more wavering one is not measured, a drawn one is trusted."""

from dataclasses import replace
from functools import cache

import ellipsoid_hip as ellipsoids
import numpy as np
import pytest

from grading.anatomy import Muscle, Region, Side
from grading.fat import fat_map
from grading.findings import FINDINGS, Severity
from grading.measure import measure
from grading.segment.expected_dice import CONFIDENCE, DICE, DOUBTFUL, UNUSABLE, expected_dice, outline_doubts

ONE = (Muscle.GLUTEUS_MEDIUS, Side.RIGHT)
COARSE = ellipsoids.grid((3.0, 3.0, 5.0))


@cache
def wavering(dice):
    """Whole muscles of a hip whose right medius is outlined with the confidence that promises such a Dice."""
    volume, labels = ellipsoids.hips(0.2, geometry=COARSE)
    confidence = np.where(labels.mask(*ONE), np.interp(dice, DICE, CONFIDENCE), 1.0)
    segmentation = replace(labels, confidence=confidence.astype(np.float32))
    rows = measure(fat_map(volume, segmentation), segmentation, volume)
    return {(m.muscle, m.side): m for m in rows if m.region is Region.WHOLE}


@pytest.mark.parametrize(
    ("dice", "finding", "measured"),
    [
        (DOUBTFUL + 0.02, None, True),
        (DOUBTFUL - 0.02, "low_confidence", True),
        (UNUSABLE - 0.02, "outline_unusable", False),
    ],
)
def test_doubt_grows_into_refusal(dice, finding, measured):
    rows = wavering(dice)
    assert [f.code for f in rows[ONE].findings] == ([finding] if finding else [])
    assert (rows[ONE].fat_fraction is not None) is measured
    others = [m for key, m in rows.items() if key != ONE]
    assert all(m.fat_fraction is not None and not m.findings for m in others)


def test_severities_are_a_caution_and_a_stop():
    assert FINDINGS["low_confidence"].severity is Severity.CAUTION
    assert FINDINGS["outline_unusable"].severity is Severity.STOP


@pytest.mark.parametrize(
    ("dice", "said"), [(0.80, []), (0.60, ["low_confidence"]), (0.45, ["outline_unusable"])]
)
def test_an_outline_as_good_as_readers_agree_is_fine_and_one_that_is_half_wrong_is_not_measured(dice, said):
    assert [f.code for f in outline_doubts(dice, *ONE)] == said


def test_more_confidence_never_promises_less_overlap():
    assert list(CONFIDENCE) == sorted(CONFIDENCE)
    assert list(DICE) == sorted(DICE)
    assert DICE[0] >= 0
    assert DICE[-1] <= 1


def test_what_was_not_found_has_no_expected_overlap_and_what_a_person_drew_is_trusted():
    _, labels = ellipsoids.hips(0.2, geometry=COARSE)
    assert expected_dice(labels, *ONE) == DICE[-1]
    empty = replace(labels, labels=np.zeros_like(labels.labels))
    assert expected_dice(empty, *ONE) == 0


def test_a_doubtful_outline_widens_the_error_of_the_fat_fraction():
    sure, doubtful = (wavering(dice)[ONE] for dice in (1.0, DOUBTFUL))
    assert sure.fat_error.segmentation == 0
    assert doubtful.fat_error.segmentation > 0.01
    assert doubtful.fat_fraction_se > sure.fat_fraction_se
    assert doubtful.fat_fraction == sure.fat_fraction


def test_a_doubtful_outline_widens_the_error_of_the_volume_as_much_as_its_overlap_falls_short():
    sure, doubtful = (wavering(dice)[ONE] for dice in (1.0, DOUBTFUL))
    assert sure.volume_error.segmentation == 0
    assert doubtful.volume_error.segmentation == pytest.approx((1 - DOUBTFUL) * doubtful.volume_ml)
    assert doubtful.volume_error.border == sure.volume_error.border > 0
    assert doubtful.volume_se_ml > sure.volume_se_ml
    assert doubtful.volume_ml == sure.volume_ml
