"""The table of anatomy."""

import pytest

from grading.anatomy import GLUTEI, STRUCTURES, Muscle, Side, label_of


def test_every_label_number_belongs_to_one_structure_and_side():
    pairs = [(s.left, s.right) for s in STRUCTURES.values()]
    numbers = [n for left, right in pairs for n in {left, right}]
    assert len(numbers) == len(set(numbers))
    assert 0 not in numbers, "0 is background"
    assert max(numbers) < 2**16 - 1, "label maps are uint16 and 65535 means not outlined"


def test_left_is_odd_and_right_the_next_even_number_as_in_musclemap():
    for structure in STRUCTURES.values():
        if structure.left != structure.right:
            assert structure.left % 2 == 1
            assert structure.right == structure.left + 1


def test_every_graded_muscle_has_a_label_on_each_side():
    assert {label_of(m, s) for m in Muscle for s in Side} == {6101, 6102, 6111, 6112, 6121, 6122, 6131, 6132}


def test_the_glutei_are_the_muscles_named_gluteus():
    assert set(GLUTEI) == {muscle for muscle in Muscle if muscle.startswith("gluteus")}


def test_the_other_side_of_the_other_side_is_the_side():
    assert Side.LEFT.other is Side.RIGHT
    assert all(side.other.other is side for side in Side)


def test_a_structure_outside_the_table_is_an_error_that_names_those_in_it():
    with pytest.raises(KeyError, match=r"biceps_brachii.*gluteus_minimus"):
        label_of("biceps_brachii", Side.LEFT)


def test_a_side_as_text_is_that_side_and_another_word_is_none():
    assert all(label_of(muscle, side.value) == label_of(muscle, side) for muscle in Muscle for side in Side)
    with pytest.raises(ValueError, match="lft"):
        label_of(Muscle.GLUTEUS_MEDIUS, "lft")
