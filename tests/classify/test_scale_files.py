"""Scales from files: the user's own beside those that come with the program."""

import json
import re

import pytest

from grading.classify.scale_files import scales_of_file
from grading.classify.scales import chosen_scales, scale
from grading.errors import ConfigurationError
from grading.settings import Settings

OWN = {
    "name": "thirds",
    "title": "thirds",
    "variant": "ours",
    "stages": [["a", "little"], ["b", "some"], ["c", "much"]],
    "edges": [0.33, {"at": 0.67, "owner": "lower"}],
    "calibrated": False,
    "source": "our reading room",
}
TOML = """
[[scale]]
name = "thirds"
title = "thirds"
variant = "ours"
stages = [["a", "little"], ["b", "some"], ["c", "much"]]
edges = [0.33, { at = 0.67, owner = "lower" }]
calibrated = false
source = "our reading room"
"""


def test_the_documented_file_is_a_scale(repository, tmp_path):
    page = (repository / "docs" / "measuring.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "mine.toml").write_text(example, encoding="utf-8")
    (found,) = scales_of_file(tmp_path / "mine.toml", Settings())
    assert [stage.number for stage in found.stages] == ["a", "b", "c"]


@pytest.fixture
def own_file(tmp_path):
    def write(**changes):
        path = tmp_path / "own.json"
        content = {k: v for k, v in {**OWN, **changes}.items() if v is not None}
        path.write_text(json.dumps({"scale": [content]}))
        return path

    return write


def test_toml_and_json_say_the_same(own_file, tmp_path):
    (tmp_path / "own.toml").write_text(TOML)
    assert scales_of_file(own_file(), Settings()) == scales_of_file(tmp_path / "own.toml", Settings())


def test_a_scale_of_the_user_stands_beside_the_others(own_file):
    found = chosen_scales(Settings(scales=("quartile", str(own_file()))))
    assert [each.name for each in found] == ["quartile", "thirds"]
    assert [stage.number for stage in found[1].stages] == ["a", "b", "c"]
    assert [edge.belongs_above for edge in found[1].edges] == [True, False]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"edges": [0.5, 0.2]}, "rising"),
        ({"edges": [0.5, 1.2]}, "rising"),
        ({"edges": [0.5]}, "3 stages need 2"),
        ({"edges": ["heiberg", 0.7]}, "heiberg"),
        ({"edges": [0.3, {"at": 0.5, "owner": "nobody"}]}, "nobody"),
        ({"stages": [[1.5, "a"], ["b", "b"], ["c", "c"]]}, "1.5"),
        ({"source": None}, "lacks source"),
        ({"colour": "red"}, "does not know colour"),
        ({"name": "../x"}, "small letters"),
    ],
)
def test_a_file_that_is_not_in_order_says_what_is_wrong(own_file, changes, says):
    with pytest.raises(ConfigurationError, match=says):
        scales_of_file(own_file(**changes), Settings())


def test_a_file_that_is_absent_empty_or_broken_says_so(tmp_path):
    for name, text, says in (
        ("no.toml", None, "check the path"),
        ("e.json", "{}", "no scale"),
        ("b.toml", "[", "b."),
    ):
        if text is not None:
            (tmp_path / name).write_text(text)
        with pytest.raises(ConfigurationError, match=says):
            scales_of_file(tmp_path / name, Settings())


def test_a_scale_of_the_user_never_stands_in_the_column_of_a_published_one(own_file):
    with pytest.raises(ConfigurationError, match="'quartile' comes with the program"):
        chosen_scales(Settings(scales=(str(own_file(name="quartile")),)))


def test_two_scales_of_one_name_are_refused(own_file):
    with pytest.raises(ConfigurationError, match="quartile"):
        chosen_scales(Settings(scales=("quartile", "quartile")))
    with pytest.raises(ConfigurationError, match="thirds"):
        chosen_scales(Settings(scales=(str(own_file()), str(own_file()))))


def test_the_settable_goutallier_edges_move_every_scale_built_on_them():
    settings = Settings(goutallier_edges=(0.03, 0.20))
    assert [e.fat_fraction for e in scale("goutallier", settings).edges] == [0.03, 0.20, 0.45, 0.55]
    assert scale("goutallier_fuchs", settings).edges[0].fat_fraction == 0.20
    assert scale("quartile", settings) == scale("quartile")


def test_goutallier_edges_out_of_order_are_refused():
    with pytest.raises(ConfigurationError, match="rising"):
        scale("goutallier", Settings(goutallier_edges=(0.3, 0.2)))
