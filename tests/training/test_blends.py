"""Between two bodies lies a body: half as much wider, and at the end of the way the other one's shape."""

import numpy as np
import pytest

pytest.importorskip("torch")

from grading.anatomy import SIDES, Muscle, Side, label_of
from grading.volume import Geometry
from training.anatomies import from_labels
from training.blends import blend, blends

STEP_MM = 4.0
SHAPE = (90, 40, 70)
ELLIPSOIDS_MM = {  # centre of the right one, from the middle of the pelvis, and half axes
    "hip_bone": ((55.0, 0.0, -10.0), (18.0, 20.0, 55.0)),
    "femur": ((85.0, 0.0, -60.0), (14.0, 14.0, 40.0)),
    Muscle.GLUTEUS_MAXIMUS: ((70.0, -45.0, -15.0), (40.0, 18.0, 60.0)),
    Muscle.GLUTEUS_MEDIUS: ((95.0, 0.0, 25.0), (18.0, 30.0, 50.0)),
}


def a_body(name: str, *, wider: float, place_mm: float = 0.0):
    """Ellipsoids whose places and extents across are `wider` times the usual ones."""
    affine = np.diag([STEP_MM] * 3 + [1.0])
    affine[:3, 3] = place_mm - STEP_MM * (np.array(SHAPE) - 1) / 2
    points = np.moveaxis(np.indices(SHAPE), 0, -1) * STEP_MM - STEP_MM * (np.array(SHAPE) - 1) / 2
    labels = np.zeros(SHAPE, dtype=np.uint16)
    for structure, (centre, half_axes) in ELLIPSOIDS_MM.items():
        for side, sign in ((Side.RIGHT, 1), (Side.LEFT, -1)):
            across = np.array([wider, 1, 1])
            from_centre = (points - across * [sign * centre[0], *centre[1:]]) / (across * half_axes)
            labels[(from_centre**2).sum(-1) < 1] = label_of(structure, side)
    return from_labels(name, labels, Geometry(SHAPE, affine))


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Ellipsoids need neither the grid nor the patience of a body."""
    monkeypatch.setattr("training.blends._GRID_MM", 10.0)
    monkeypatch.setattr("training.blends._STEPS", 25)


@pytest.fixture(scope="module")
def narrow():
    return a_body("narrow", wider=1.0)


@pytest.fixture(scope="module")
def wide():
    return a_body("wide", wider=1.3, place_mm=500.0)


def labels_of(body) -> np.ndarray:
    return np.array(body.labels)[body.tissue.numpy()]


def volume_ml(labels, structure, side) -> float:
    return (labels == label_of(structure, side)).sum() * STEP_MM**3 / 1000


def test_the_whole_way_leads_to_the_other_body(narrow, wide):
    labels, geometry = blend(narrow, wide, 1.0)
    there = labels_of(wide)
    shift = np.rint((geometry.affine[:3, 3] - wide.geometry.affine[:3, 3]) / STEP_MM).astype(int)
    found = np.roll(labels, shift, axis=(0, 1, 2))
    for structure in ELLIPSOIDS_MM:
        for side in SIDES:
            one, other = (array == label_of(structure, side) for array in (found, there))
            assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.85, (structure, side)


def test_half_the_way_lies_in_between(narrow, wide):
    labels, _ = blend(narrow, wide, 0.5)
    for muscle in (Muscle.GLUTEUS_MAXIMUS, Muscle.GLUTEUS_MEDIUS):
        for side in SIDES:
            size = volume_ml(labels_of(narrow), muscle, side)
            assert 1.07 * size < volume_ml(labels, muscle, side) < 1.23 * size, (muscle, side)


def test_no_way_is_the_body_itself(narrow, wide):
    labels, _ = blend(narrow, wide, 0.0)
    assert (labels == labels_of(narrow)).mean() > 0.999


def test_every_pair_is_blended_both_ways_once(narrow, wide, tmp_path, monkeypatch):
    made = blends([narrow, wide], tmp_path)
    assert [body.name for body in made] == ["narrow-wide-0.50", "wide-narrow-0.50"]
    monkeypatch.setattr("training.blends.blend", None)  # kept: not made again
    again = blends([narrow, wide], tmp_path)
    assert all((one.tissue == other.tissue).all() for one, other in zip(made, again, strict=True))
