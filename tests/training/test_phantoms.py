"""People with wasted muscles: what training and evaluation draw of them."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the [training] extra")

from grading.anatomy import SIDES, Muscle
from grading.phantom import MuscleState
from training.phantoms import WASTED_SCALE, wasted_person


def _muscles(people: int) -> list[MuscleState]:
    persons = [wasted_person(5, number) for number in range(people)]
    return [p.side(side).state(muscle) for p in persons for side in SIDES for muscle in Muscle]


def test_most_graded_muscles_are_small_and_most_small_ones_are_fatty():
    states = _muscles(40)
    small = [state for state in states if state.volume_scale < WASTED_SCALE[1]]
    assert 0.5 < len(small) / len(states) < 0.8
    assert np.mean([state.fat_fraction > 0.2 for state in small]) > 0.85


def test_small_muscles_go_down_to_a_third_and_hold_any_amount_of_fat():
    small = [state for state in _muscles(40) if state.volume_scale < WASTED_SCALE[1]]
    assert min(state.volume_scale for state in small) < 0.35
    assert min(state.fat_fraction for state in small) < 0.25
    assert max(state.fat_fraction for state in small) > 0.85


def test_the_same_numbers_draw_the_same_person():
    assert wasted_person(5, 3) == wasted_person(5, 3)
    assert wasted_person(5, 3) != wasted_person(5, 4)
