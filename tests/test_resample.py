"""Resampling in physical space."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.resample import resample
from grading.volume import Geometry


def grid(shape, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), turn=0.0) -> Geometry:
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ np.diag(spacing)
    affine[:3, 3] = origin
    return Geometry(shape, affine)


def world(geometry: Geometry) -> np.ndarray:
    """World coordinates of every voxel centre, shape (i, j, k, 3)."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in geometry.shape], indexing="ij"), axis=-1)
    return index @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]


def slope(geometry: Geometry) -> np.ndarray:
    """A signal that is linear in the world, so that linear interpolation of it is exact."""
    return (world(geometry) @ np.array([2.0, -3.0, 0.5]) + 7).astype(np.float32)


def ball(geometry: Geometry, radius_mm: float) -> np.ndarray:
    return (np.linalg.norm(world(geometry) - 20.0, axis=-1) <= radius_mm).astype(np.uint16)


SOURCE = grid((20, 24, 12), spacing=(1.0, 1.5, 4.0), origin=(-9, 5, 30))


@pytest.mark.parametrize("order", [0, 1])
def test_resampling_onto_the_same_grid_changes_nothing(order):
    values = np.random.default_rng(0).normal(size=SOURCE.shape).astype(np.float32)
    assert resample(values, SOURCE, SOURCE, order=order) == pytest.approx(values, abs=1e-6 * order)


@pytest.mark.parametrize("turn", [0.0, 17.0])
def test_a_linear_signal_is_reproduced_exactly_inside_the_source(turn):
    target = grid((6, 6, 20), spacing=(0.7, 0.9, 1.1), origin=(0, 15, 36), turn=turn)
    result = resample(slope(SOURCE), SOURCE, target, order=1, outside=np.nan)
    assert np.isfinite(result).all(), "the target lies inside the source"
    assert result == pytest.approx(slope(target), abs=1e-3)


@pytest.mark.parametrize("turn", [0.0, 17.0])
@pytest.mark.parametrize("order", [0, 1])
def test_beyond_half_a_voxel_outside_the_source_there_is_only_the_outside_value(turn, order):
    target = grid((40, 40, 40), spacing=(2, 2, 2), origin=(-40, -30, 20), turn=turn)
    result = resample(np.ones(SOURCE.shape, np.float32), SOURCE, target, order=order, outside=-5)
    index = (world(target) - SOURCE.affine[:3, 3]) @ np.linalg.inv(SOURCE.affine[:3, :3]).T
    beyond = ((index < -0.5) | (index > np.array(SOURCE.shape) - 0.5)).any(axis=-1)
    assert (result[beyond] == -5).all()
    assert (result[~beyond] == 1).all()


def test_nearest_neighbour_invents_no_label_and_keeps_the_number_type():
    labels = np.random.default_rng(1).choice(np.array([0, 6121, 6122], np.uint16), size=SOURCE.shape)
    result = resample(labels, SOURCE, grid((30, 30, 30), origin=(-5, 8, 31), turn=9.0), order=0)
    assert result.dtype == np.uint16
    assert set(np.unique(result)) <= {0, 6121, 6122}


@settings(max_examples=20, deadline=None)
@given(
    spacing=st.tuples(*[st.floats(0.8, 3.0)] * 3),
    shift=st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    turn=st.sampled_from([0.0, 12.0]),
)
def test_a_ball_keeps_its_volume_within_three_percent(spacing, shift, turn):
    fine = grid((80, 80, 80), spacing=(0.5, 0.5, 0.5))
    size = tuple(int(50 / s) + 1 for s in spacing)
    origin = np.array(shift) + (np.array([4, -4, 0]) if turn else 0)
    target = grid(size, spacing=spacing, origin=origin, turn=turn)
    source_ml = ball(fine, 15).sum() * fine.voxel_volume_ml
    result_ml = resample(ball(fine, 15), fine, target, order=0).sum() * target.voxel_volume_ml
    assert result_ml == pytest.approx(source_ml, rel=0.03)


@given(axis=st.integers(0, 2))
def test_mirrored_input_gives_mirrored_output(axis):
    values = np.random.default_rng(2).normal(size=SOURCE.shape).astype(np.float32)
    target = grid((15, 15, 15), spacing=(1.3, 2.2, 2.7), origin=(-9, 5, 30))

    def mirrored(geometry: Geometry) -> Geometry:
        flip = np.eye(4)
        flip[axis, axis] = -1
        turned = np.eye(4)
        turned[axis, axis], turned[axis, 3] = -1, geometry.shape[axis] - 1
        return Geometry(geometry.shape, flip @ geometry.affine @ turned)

    plain = resample(values, SOURCE, target, order=1)
    mirror = resample(np.flip(values, axis), mirrored(SOURCE), mirrored(target), order=1)
    assert np.flip(mirror, axis) == pytest.approx(plain, abs=1e-5)
