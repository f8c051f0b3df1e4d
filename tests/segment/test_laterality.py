"""One side per body of muscle, and the right one, on phantoms cropped to one hip or labelled wrongly."""

from dataclasses import replace

import numpy as np
import pytest

from grading.anatomy import GLUTEI, SIDES, STRUCTURES, Muscle, Side, label_of
from grading.quality import check_laterality
from grading.segment.laterality import both_hips_in_view, settle_sides, side_of_hip
from grading.series import SeriesInfo
from grading.settings import Settings
from grading.volume import Geometry, Segmentation, Volume
from tests.phantom.phantoms import healthy

MAXIMUS = Muscle.GLUTEUS_MAXIMUS
KNOWN = [number for s in STRUCTURES.values() for number in (s.left, s.right)]
CROPS = {  # what a protocol for one hip shows, mm from the patient's middle: side, from, to
    "right hip with sacrum": (Side.RIGHT, -30.0, 220.0),
    "right hip": (Side.RIGHT, 15.0, 220.0),
    "left hip": (Side.LEFT, -220.0, -15.0),
    "left hip with the right buttock's edge": (Side.LEFT, -220.0, 30.0),
}


def body() -> tuple[np.ndarray, Geometry]:
    """True labels of a healthy phantom, the structures that a segmenter knows."""
    labels = healthy().labels
    return np.where(np.isin(labels, KNOWN), labels, 0).astype(np.uint16), healthy().geometry


def cropped(name: str) -> tuple[np.ndarray, Geometry, Side]:
    labels, geometry = body()
    side, low, high = CROPS[name]
    x = geometry.affine[0, 3] + geometry.affine[0, 0] * np.arange(labels.shape[0])
    kept = np.flatnonzero((x >= low) & (x <= high))
    affine = geometry.affine.copy()
    affine[0, 3] = x[kept[0]]
    part = labels[kept[0] : kept[-1] + 1]
    return part, Geometry(part.shape, affine), side


def exchanged(labels: np.ndarray) -> np.ndarray:
    swap = np.arange(65536, dtype=np.uint16)
    for structure in STRUCTURES.values():
        swap[structure.left], swap[structure.right] = structure.right, structure.left
    return swap[labels]


def on_side(labels: np.ndarray, side: Side) -> int:
    return int(np.isin(labels, [label_of(muscle, side) for muscle in Muscle]).sum())


def without(labels: np.ndarray, *structures: str) -> np.ndarray:
    numbers = [label_of(name, side) for name in structures for side in SIDES]
    return np.where(np.isin(labels, numbers), 0, labels).astype(np.uint16)


def test_a_whole_pelvis_has_two_hips_and_a_crop_has_one():
    assert both_hips_in_view(*body())
    for name in CROPS:
        labels, geometry, _ = cropped(name)
        assert not both_hips_in_view(labels, geometry), name


@pytest.mark.parametrize("missing", [(), ("sacrum",), ("femur",), ("hip_bone",), ("sacrum", "femur")])
@pytest.mark.parametrize("name", list(CROPS)[:3])
def test_the_side_of_one_hip_follows_from_its_anatomy_whatever_the_labels_say(name, missing):
    labels, geometry, side = cropped(name)
    assert side_of_hip(without(labels, *missing), geometry) is side
    assert side_of_hip(exchanged(without(labels, *missing)), geometry) is side


def test_muscles_alone_do_not_tell_the_side():
    labels, geometry, _ = cropped("right hip")
    muscles = np.where(np.isin(labels, [label_of(m, s) for m in Muscle for s in SIDES]), labels, 0)
    assert side_of_hip(muscles.astype(np.uint16), geometry) is None


@pytest.mark.parametrize("name", ["right hip", "left hip"])
def test_one_hip_that_was_given_two_sides_gets_the_one_it_has(name):
    labels, geometry, side = cropped(name)
    mixed = labels.copy()
    mixed[: labels.shape[0] // 2] = exchanged(labels)[: labels.shape[0] // 2]
    np.testing.assert_array_equal(settle_sides(mixed, geometry), labels)
    assert on_side(settle_sides(mixed, geometry), side.other) == 0


def test_the_edge_of_the_other_buttock_is_taken_out():
    labels, geometry, side = cropped("left hip with the right buttock's edge")
    assert on_side(labels, side.other) > 0
    settled = settle_sides(labels, geometry)
    assert on_side(settled, side.other) == 0
    assert on_side(settled, side) == on_side(labels, side)


def test_the_request_comes_before_the_anatomy_and_the_header_after_it():
    labels, geometry, side = cropped("right hip")
    assert on_side(settle_sides(labels, geometry, requested=side.other), side) == 0
    assert on_side(settle_sides(exchanged(labels), geometry, named=side.other), side.other) == 0


def test_a_request_against_the_anatomy_loses_no_muscle():
    labels, geometry, side = cropped("right hip with sacrum")
    assert on_side(settle_sides(labels, geometry, requested=side.other), side.other) >= on_side(labels, side)


def test_without_bones_the_header_tells_the_side_and_without_that_the_majority():
    labels, geometry, side = cropped("right hip")
    muscles = without(labels, "hip_bone", "femur", "sacrum")
    muscles[: labels.shape[0] // 3] = exchanged(muscles)[: labels.shape[0] // 3]
    assert on_side(settle_sides(muscles, geometry, named=Side.LEFT), Side.RIGHT) == 0
    assert on_side(settle_sides(muscles, geometry), side.other) == 0


def test_a_strip_of_a_muscle_called_after_the_wrong_side_is_given_back():
    labels, geometry = body()
    wrong = labels.copy()
    for muscle in GLUTEI:
        where = np.argwhere(labels == label_of(muscle, Side.RIGHT))
        front = where[where[:, 1] > np.quantile(where[:, 1], 0.8)]
        wrong[tuple(front.T)] = label_of(muscle, Side.LEFT)
    assert (wrong != labels).sum() > 1000
    assert (settle_sides(wrong, geometry) != labels).sum() < 5  # specks that nothing connects to the muscle


def test_buttocks_that_touch_keep_their_sides():
    labels, geometry = body()
    middle = labels.shape[0] // 2
    level, back = (int(n) for n in np.argwhere(labels == label_of(MAXIMUS, Side.LEFT)).mean(axis=0)[[2, 1]])
    labels[middle - 40 : middle, back, level] = label_of(MAXIMUS, Side.LEFT)
    labels[middle : middle + 40, back, level] = label_of(MAXIMUS, Side.RIGHT)
    np.testing.assert_array_equal(settle_sides(labels, geometry), labels)


def test_sound_labels_of_both_hips_are_left_alone():
    labels, geometry = body()
    np.testing.assert_array_equal(settle_sides(labels, geometry), labels)


# --- what a reader is told ----------------------------------------------------------------------------------


def told(labels: np.ndarray, geometry: Geometry, *, header: Side | None = None, request: Side | None = None):
    volume = Volume(
        np.ones(labels.shape), geometry, np.ones(labels.shape, bool), SeriesInfo("hip", laterality=header)
    )
    segmentation = Segmentation(labels, geometry, np.ones(labels.shape), "network")
    findings = check_laterality(volume, segmentation, replace(Settings(), side=request))
    return [(f.code, f.detail) for f in findings]


def test_one_hip_whose_label_header_and_anatomy_agree_needs_no_word():
    labels, geometry, side = cropped("left hip")
    assert told(labels, geometry, header=side) == []
    assert told(labels, geometry) == []


@pytest.mark.parametrize(("who", "name"), [("header", "header"), ("request", "request")])
def test_a_name_against_the_anatomy_is_a_contradiction(who, name):
    labels, geometry, side = cropped("left hip")
    ((code, detail),) = told(labels, geometry, **{who: side.other})
    assert code == "laterality_contradiction"
    assert name in detail
    assert detail.endswith("it is right")


def test_labels_against_the_anatomy_are_a_contradiction():
    labels, geometry, _ = cropped("right hip")
    ((code, detail),) = told(exchanged(labels), geometry)
    assert code == "laterality_contradiction"
    assert "anatomy" in detail


def test_one_hip_of_muscles_alone_without_a_name_is_said_to_be_assumed():
    labels, geometry, _ = cropped("right hip")
    muscles = without(labels, "hip_bone", "femur", "sacrum")
    assert [code for code, _ in told(muscles, geometry)] == ["side_assumed"]
