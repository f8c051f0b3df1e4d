"""The sentence on how fat is distributed: what it says, and when it keeps silent."""

import pytest

from grading.anatomy import SIDES, Muscle, Region, Side
from grading.classify.pattern import RULES, Pattern, pattern
from grading.measure import MuscleMeasurement

MAXIMUS, MEDIUS, MINIMUS = Muscle.GLUTEUS_MAXIMUS, Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MINIMUS
TFL = Muscle.TENSOR_FASCIAE_LATAE


def hips(fatty=(), *, error=0.02, extra=(), sides=SIDES):
    """Measurements with 60 % fat in the muscles named as (muscle, side) and 5 % in the others."""
    return [
        MuscleMeasurement(
            m,
            s,
            covered_volume_ml=300.0,
            fat_fraction=0.6 if (m, s) in fatty else 0.05,
            fat_fraction_se=error,
        )
        for m in Muscle
        for s in sides
    ] + list(extra)


def on(side, *muscles):
    return [(m, side) for m in muscles]


def test_healthy_hips_have_fat_in_no_muscle():
    assert pattern(hips()).sentence == "Fat of a quarter or more in no muscle."


def test_the_muscles_of_the_superior_gluteal_nerve_are_named_with_the_spared_one():
    result = pattern(hips(on(Side.RIGHT, MEDIUS, MINIMUS, TFL)))
    assert "on the right only" in result.sentence
    assert "superior gluteal nerve) and spares maximus" in result.sentence
    assert "anatomy" in result.sources[0]


def test_maximus_alone_follows_the_inferior_gluteal_nerve():
    assert "inferior gluteal nerve" in pattern(hips(on(Side.LEFT, MAXIMUS))).sentence


def test_both_sides_are_described_each_for_itself():
    sentence = pattern(hips(on(Side.LEFT, *Muscle) + on(Side.RIGHT, MEDIUS))).sentence
    assert "on both sides" in sentence
    assert "left: all gluteal muscles" in sentence
    assert "right: medius alone" in sentence


def test_a_distribution_without_a_rule_is_listed():
    assert "gluteus maximus, gluteus minimus" in pattern(hips(on(Side.LEFT, MAXIMUS, MINIMUS))).sentence


@pytest.mark.parametrize(("fat", "says"), [(0.05, "spared"), (0.7, "fatty as well")])
def test_posterior_minimus_is_spoken_of_where_minimus_is_fatty(fat, says):
    posterior = MuscleMeasurement(
        MINIMUS, Side.LEFT, Region.POSTERIOR, fat_fraction=fat, fat_fraction_se=0.02
    )
    sentence = pattern(hips(on(Side.LEFT, MINIMUS), extra=[posterior])).sentence
    assert f"posterior minimus is {says}" in sentence
    assert "posterior" not in pattern(hips(on(Side.LEFT, MEDIUS), extra=[posterior])).sentence


def test_a_muscle_that_may_lie_on_either_side_of_the_edge_withholds_the_sentence():
    result = pattern(hips(error=0.2))
    assert result.sentence is None
    assert "not certain for gluteus maximus left" in result.reason


def test_one_hip_in_view_is_said():
    assert "the one side in view" in pattern(hips(on(Side.LEFT, MEDIUS), sides=[Side.LEFT])).sentence


def test_a_side_whose_fat_is_withheld_is_in_view_all_the_same():
    withheld = [MuscleMeasurement(m, Side.RIGHT, covered_volume_ml=300.0) for m in Muscle]
    result = pattern(hips(on(Side.LEFT, MEDIUS), sides=[Side.LEFT]) + withheld)
    assert result.sentence is None
    assert "not certain for gluteus maximus right, gluteus medius right" in result.reason


def test_nothing_graded_says_nothing():
    for covered_ml in (None, 300.0):
        rows = [MuscleMeasurement(m, Side.LEFT, covered_volume_ml=covered_ml) for m in Muscle]
        assert pattern(rows) == Pattern(None, "no muscle is graded")


def test_no_rule_speaks_of_a_cause():
    for rule in RULES:
        for word in ("denervat", "tear", "due to", "because", "injur", "significant"):
            assert word not in rule.words
        assert rule.source


@pytest.mark.parametrize("fat", [None, 0.25])
@pytest.mark.parametrize(
    "fatty", [(), (MAXIMUS,), (MEDIUS, MINIMUS), (MEDIUS,), tuple({MAXIMUS, MEDIUS, MINIMUS})]
)
def test_a_tensor_that_is_not_known_is_never_called_spared(fat, fatty):
    rows = [m for m in hips(on(Side.LEFT, *fatty)) if m.muscle is not TFL]
    rows += [MuscleMeasurement(TFL, side, fat_fraction=fat, fat_fraction_se=0.05) for side in SIDES]
    sentence = pattern(rows).sentence
    assert sentence is not None
    assert "tensor" not in sentence
    assert "no muscle" not in sentence
    assert "only" not in sentence


def test_the_side_that_is_spared_may_have_a_tensor_that_is_not_known_and_the_other_a_fatty_one():
    rows = [m for m in hips(on(Side.LEFT, TFL)) if (m.muscle, m.side) != (TFL, Side.RIGHT)]
    sentence = pattern(rows).sentence
    assert sentence.startswith(
        "Fat of a quarter or more on the left, in no gluteus on the other (left: tensor"
    )
