"""The fine pass: where it looks, what it is told, and that it answers for the glutei alone."""

import numpy as np
import pytest

from grading.anatomy import SIDES, STRUCTURES, Side
from grading.segment.coarse import Coarse
from grading.segment.fine import CONTEXT, MUSCLES, TRUST, Hip, context, gluteal, look_closer
from grading.segment.model import load_model
from grading.segment.network import _onto
from grading.volume import Geometry

CLASSES = ("background", *MUSCLES, "hip_bone", "sacrum", "femur", "iliopsoas")
SHAPE = (60, 24, 30)
GRID = Geometry(SHAPE, np.diag([2.5, 2.5, 2.5, 1.0]))
IMAGE = np.random.default_rng(0).uniform(0, 1, SHAPE).astype(np.float32)
BLOCKS = {Side.LEFT: np.s_[6:16, 8:16, 8:20], Side.RIGHT: np.s_[44:54, 8:16, 8:20]}


def coarse(sides: tuple[Side, ...] = SIDES) -> Coarse:
    """A block of maximus on each side, a femur between, all as sure as can be."""
    probability = np.zeros((len(CLASSES), *SHAPE), dtype=np.float32)
    for side in sides:
        probability[CLASSES.index("gluteus_maximus")][BLOCKS[side]] = 1
    probability[CLASSES.index("femur")][28:32, 8:16, 8:20] = 1
    probability[0] = 1 - probability[1:].sum(axis=0)
    right = np.broadcast_to((np.arange(SHAPE[0]) >= SHAPE[0] / 2)[:, None, None], SHAPE)
    return Coarse(GRID, probability, right.astype(np.float32), CLASSES)


def test_it_is_told_each_muscle_all_bone_and_all_other_muscle_less_surely() -> None:
    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.ones(len(CLASSES)), 8).T.reshape(-1, 2, 2, 2).astype(np.float32)
    told = context(probability, CLASSES)
    assert told.shape == (CONTEXT, 2, 2, 2)
    none = 1 - told.sum(axis=0)
    bone, rest = probability[5:8].sum(axis=0), probability[8]
    odds = np.stack([*probability[1:5], bone, rest]) / probability[0]
    np.testing.assert_allclose(told / none, odds**TRUST, rtol=1e-4)


def test_what_the_coarse_pass_is_quite_sure_of_it_is_told_as_sure() -> None:
    answer = coarse()
    told = context(answer.probability, CLASSES)
    np.testing.assert_array_equal(told[0], answer.probability[CLASSES.index("gluteus_maximus")])


@pytest.mark.parametrize("sides", [SIDES, (Side.LEFT,), (Side.RIGHT,), ()])
def test_it_looks_at_the_hips_that_the_coarse_pass_saw(sides: tuple[Side, ...]) -> None:
    hips = look_closer(load_model("fine"), IMAGE, GRID, coarse(sides))
    assert set(hips) == set(sides)
    for side, hip in hips.items():
        block = np.argwhere(coarse(sides).probability[CLASSES.index("gluteus_maximus")] == 1)
        low, high = hip.grid.corners_mm().min(axis=0), hip.grid.corners_mm().max(axis=0)
        inside = block[(block[:, 0] > SHAPE[0] / 2) == (side is Side.RIGHT)] * 2.5
        assert (inside >= low).all()
        assert (inside <= high).all()
        np.testing.assert_allclose(hip.probability.sum(axis=0), 1, atol=1e-5)


def test_specks_do_not_stretch_the_box() -> None:
    seen = coarse()
    seen.probability[3, 1, 1, 1] = 1
    assert not gluteal(seen, Side.LEFT)[1, 1, 1]
    assert gluteal(seen, Side.LEFT)[BLOCKS[Side.LEFT]].all()


def test_glutei_come_from_the_fine_pass_and_everything_else_from_the_coarse() -> None:
    nothing = np.zeros((1 + len(MUSCLES), *SHAPE), dtype=np.float32)
    nothing[0] = 1
    medius = np.zeros_like(nothing)
    medius[1 + MUSCLES.index("gluteus_medius")] = 1
    labels, _ = _onto(GRID, coarse(), {Side.LEFT: Hip(GRID, nothing), Side.RIGHT: Hip(GRID, medius)})
    assert (labels[BLOCKS[Side.LEFT]] == 0).all()
    assert (labels[BLOCKS[Side.RIGHT]] == STRUCTURES["gluteus_medius"].right).all()
    assert (labels[30:32, 8:16, 8:20] == STRUCTURES["femur"].right).all()
    assert not np.isin(labels, STRUCTURES["gluteus_maximus"].left).any()
