"""Settings as people write them in a notebook."""

from pathlib import Path

import pytest

import grading
from grading.anatomy import Side


def test_texts_and_lists_are_the_paths_sides_and_tuples_they_stand_for():
    written = grading.Settings(
        masks="masks", participants="people.tsv", side="left", affected="right",
        scales=["quartile", Path("mine.toml")], goutallier_edges=[0.1, 0.3],
    )  # fmt: skip
    meant = grading.Settings(
        masks=Path("masks"), participants=Path("people.tsv"), side=Side.LEFT, affected=Side.RIGHT,
        scales=("quartile", "mine.toml"), goutallier_edges=(0.1, 0.3),
    )  # fmt: skip
    assert written == meant
    assert hash(written) == hash(meant)
    assert written.affected is Side.RIGHT, "a text is on neither side, and turns the sign of a difference"
    assert grading.Settings(scales="quartile").scales == ("quartile",)


def test_a_word_that_is_no_side_is_refused():
    with pytest.raises(grading.ConfigurationError, match="affected 'lft'; choose left or right"):
        grading.Settings(affected="lft")


@pytest.mark.parametrize(
    ("choice", "says"),
    [
        ({"segmenter": "netwrk"}, "unknown segmenter 'netwrk'; choose one of network"),
        ({"segmenter": "masks"}, "segmenter 'masks' takes label maps"),
        ({"goutallier_edges": 0.05}, "two fat fractions"),
        ({"goutallier_edges": (0.05,)}, "two fat fractions"),
        ({"goutallier_edges": ("few", "many")}, "two fat fractions"),
    ],
)
def test_a_choice_that_cannot_work_is_refused_when_it_is_made_not_once_for_each_study(choice, says):
    with pytest.raises(grading.ConfigurationError, match=says):
        grading.Settings(**choice)
