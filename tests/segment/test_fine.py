"""The fine pass: where it looks, what it is told, and that it answers for the glutei alone."""

import numpy as np
import pytest

from grading.anatomy import SIDES, STRUCTURES, Side
from grading.segment.coarse import Coarse
from grading.segment.fine import CONTEXT, MUSCLES, Hip, context, gluteal, look_closer
from grading.segment.fine_grid import fine_spacing_mm, slice_axis
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


def test_it_is_told_each_muscle_all_bone_and_all_other_muscle() -> None:
    rng = np.random.default_rng(0)
    probability = rng.dirichlet(np.ones(len(CLASSES)), 8).T.reshape(-1, 2, 2, 2).astype(np.float32)
    told = context(probability, CLASSES)
    assert told.shape == (CONTEXT, 2, 2, 2)
    np.testing.assert_allclose(told.sum(axis=0), 1 - probability[0], atol=1e-6)
    np.testing.assert_allclose(told[-2], probability[5:8].sum(axis=0), atol=1e-6)


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


@pytest.mark.parametrize(
    ("spacing_mm", "slices"),
    [
        ((0.9, 5.2, 0.9), 1),
        ((0.8, 0.8, 4.0), 2),
        ((6.0, 1.0, 1.0), 0),
        ((1.0, 1.0, 1.0), 1),
        ((1, 1.1, 1), 1),
    ],
)
def test_slices_lie_along_the_coarsest_axis(spacing_mm: tuple[float, float, float], slices: int) -> None:
    geometry = Geometry((10, 10, 10), np.diag([*spacing_mm, 1.0]))
    assert slice_axis(geometry) == slices
    seen_at = fine_spacing_mm(geometry, 1.0)
    assert seen_at[slices] == max(spacing_mm[slices], 2.5)
    assert np.delete(seen_at, slices).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("slices", range(3))
def test_slices_are_seen_as_they_were_scanned(slices: int) -> None:
    affine = np.diag([0.9, 0.9, 0.9, 1.0])
    affine[slices, slices] = 6.0
    shape = np.array([150, 60, 75]) * 1.0 / np.diag(affine)[:3]
    image = Geometry(tuple(shape.astype(int)), affine)
    voxels = np.random.default_rng(0).uniform(0, 1, image.shape).astype(np.float32)
    hips = look_closer(load_model("fine"), voxels, image, coarse())
    assert set(hips) == set(SIDES)
    for hip in hips.values():
        first = (hip.grid.affine[slices, 3] - affine[slices, 3]) / 6.0
        assert hip.grid.spacing_mm[slices] == 6.0
        assert first == pytest.approx(round(first), abs=1e-9)


def test_the_grid_of_a_mirrored_image_is_the_mirrored_grid() -> None:
    image = Geometry((150, 14, 83), np.diag([1.0, 4.3, 0.9, 1.0]))
    affine = image.affine.copy()
    affine[0, 3] = 147.5 - 149  # the mirror image in the middle of the coarse grid
    mirrored = Geometry(image.shape, affine)
    voxels = np.random.default_rng(0).uniform(0, 1, image.shape).astype(np.float32)
    hips = look_closer(load_model("fine"), voxels, image, coarse())
    others = look_closer(load_model("fine"), voxels[::-1], mirrored, coarse())
    for side, other in zip(SIDES, reversed(SIDES), strict=True):
        assert hips[side].grid.shape == others[other].grid.shape
        np.testing.assert_allclose(hips[side].probability, others[other].probability[:, ::-1], atol=1e-4)


def test_a_hip_that_reaches_beyond_the_image_is_drawn_within_it() -> None:
    wider = GRID.affine.copy()
    wider[:3, 3] -= 2.5
    grid = Geometry((SHAPE[0] + 2, SHAPE[1] + 2, SHAPE[2] + 2), wider)
    medius = np.zeros((1 + len(MUSCLES), *grid.shape), dtype=np.float32)
    medius[1 + MUSCLES.index("gluteus_medius")] = 1
    labels, confidence = _onto(GRID, coarse(), {Side.LEFT: Hip(grid, medius)})
    assert (labels[BLOCKS[Side.LEFT]] == STRUCTURES["gluteus_medius"].left).all()
    assert confidence[BLOCKS[Side.LEFT]].min() == 1
