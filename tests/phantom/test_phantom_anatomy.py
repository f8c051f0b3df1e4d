"""The phantom's body: mirror law, volumes, neighbourhood of muscles and bones, fat."""

import numpy as np
import pytest
from scipy import ndimage

from grading.anatomy import GLUTEI, SIDES, STRUCTURES, Muscle, Side, label_of
from grading.errors import ConfigurationError
from grading.phantom import MuscleState, Phantom, build_phantom, random_parameters
from grading.phantom.parameters import REFERENCE_VOLUME_ML
from grading.volume import Geometry
from tests.phantom.phantoms import ILL, SPACING_MM, anyone, healthy, ill

# healthy adults, mean (SD) mL of women and of men: Belzunce 2022
REFERENCE = {
    Muscle.GLUTEUS_MAXIMUS: ((577, 85), (734, 153)),
    Muscle.GLUTEUS_MEDIUS: ((273, 42), (383, 68)),
    Muscle.GLUTEUS_MINIMUS: ((71, 11), (96, 18)),
}


def mask(phantom: Phantom, structure: str, side: Side) -> np.ndarray:
    return phantom.labels == label_of(structure, side)


def volume_ml(phantom: Phantom, muscle: Muscle, side: Side) -> float:
    return int(mask(phantom, muscle, side).sum()) * phantom.geometry.voxel_volume_ml


def extent_mm(where: np.ndarray, geometry: Geometry) -> np.ndarray:
    points = np.argwhere(where) @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]
    return np.percentile(points, [1, 99], axis=0)


def swapped(labels: np.ndarray) -> np.ndarray:
    other = np.arange(2**16, dtype=np.uint16)
    for s in STRUCTURES.values():
        other[[s.left, s.right]] = s.right, s.left
    return other[labels]


def test_equal_sides_make_an_exactly_mirror_symmetric_body():
    phantom = healthy()
    np.testing.assert_array_equal(phantom.labels, swapped(phantom.labels[::-1]))
    np.testing.assert_array_equal(phantom.tissue, phantom.tissue[::-1])
    np.testing.assert_array_equal(phantom.fat_fraction, phantom.fat_fraction[::-1])
    centre = phantom.geometry.centre_mm[0]
    assert centre == pytest.approx(0, abs=1e-9)


def test_exchanging_the_sides_mirrors_the_body():
    mirrored = build_phantom(ILL.mirrored(), SPACING_MM)
    np.testing.assert_array_equal(mirrored.labels, swapped(ill().labels[::-1]))
    np.testing.assert_array_equal(mirrored.fat_fraction, ill().fat_fraction[::-1])


@pytest.mark.parametrize("muscle", GLUTEI)
@pytest.mark.parametrize("sex", [0, 1])
def test_healthy_gluteal_volumes_are_those_of_healthy_adults(muscle, sex):
    mean, deviation = REFERENCE[muscle][sex]
    assert abs(volume_ml(healthy(), muscle, Side.LEFT) - mean) <= 2 * deviation


@pytest.mark.parametrize("muscle", Muscle)
@pytest.mark.parametrize("side", SIDES)
def test_each_muscle_has_the_volume_asked_for(muscle, side):
    wanted = REFERENCE_VOLUME_ML[muscle] * ILL.side(side).state(muscle).volume_scale
    assert volume_ml(ill(), muscle, side) == pytest.approx(wanted, rel=0.05)


@pytest.mark.parametrize("muscle", Muscle)
@pytest.mark.parametrize("side", SIDES)
def test_each_muscle_has_the_fat_asked_for(muscle, side):
    fat = ill().fat_fraction[mask(ill(), muscle, side)].mean(dtype=np.float64)
    assert fat == pytest.approx(ILL.side(side).state(muscle).fat_fraction, abs=0.005)


def test_fat_gathers_in_the_part_it_is_sent_to():
    where = mask(ill(), Muscle.GLUTEUS_MINIMUS, Side.RIGHT)
    front = np.argwhere(where)[:, 1]
    fat = ill().fat_fraction[where]
    posterior = front < np.median(front)
    assert fat[posterior].mean() > fat[~posterior].mean() + 0.1


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 9))])
def test_anyone_has_all_muscles_with_the_asked_fat_and_one_piece_each(seed):
    phantom = anyone(seed)
    for muscle in Muscle:
        for side in SIDES:
            where = mask(phantom, muscle, side)
            wanted = phantom.parameters.side(side).state(muscle).fat_fraction
            assert phantom.fat_fraction[where].mean(dtype=np.float64) == pytest.approx(wanted, abs=0.005)
            pieces, count = ndimage.label(where, np.ones((3, 3, 3)))
            largest = np.bincount(pieces.ravel())[1:].max()
            assert count and largest >= 0.97 * where.sum(), (muscle, side)


@pytest.mark.parametrize("phantom", [healthy, ill, lambda: anyone(0)])
def test_muscles_lie_under_the_skin_and_never_reach_the_edge_of_the_grid_or_the_air(phantom):
    muscle = np.isin(phantom().labels, [label_of(m, s) for m in Muscle for s in SIDES])
    air = phantom().labels == 0
    assert not (ndimage.binary_dilation(muscle) & air).any()
    edge = np.ones(muscle.shape, dtype=bool)
    edge[1:-1, 1:-1, 1:-1] = False
    assert not (muscle & edge).any()


def test_medius_and_minimus_lie_on_the_outside_of_the_iliac_wing():
    bone, lateral = mask(healthy(), "hip_bone", Side.RIGHT), {}
    for muscle in (Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MINIMUS):
        where = mask(healthy(), muscle, Side.RIGHT)
        assert (ndimage.binary_dilation(where, iterations=2) & bone).any()
        lateral[muscle] = np.argwhere(where)[:, 0].mean()
    assert lateral[Muscle.GLUTEUS_MEDIUS] > lateral[Muscle.GLUTEUS_MINIMUS] > np.argwhere(bone)[:, 0].mean()


def test_fat_parts_medius_from_minimus():
    medius, minimus = (mask(healthy(), m, Side.LEFT) for m in (Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MINIMUS))
    touching = (ndimage.binary_dilation(minimus) & medius).sum()
    border = (ndimage.binary_dilation(minimus, iterations=2) & medius).sum()
    assert border > 0
    assert touching < 0.5 * border


def test_muscles_extend_as_far_as_in_adults():
    """Axial lengths of Belzunce 2022, +- a quarter: theirs follow the muscle, these the body's axis."""
    for muscle, length in {
        Muscle.GLUTEUS_MAXIMUS: 179,
        Muscle.GLUTEUS_MEDIUS: 165,
        Muscle.GLUTEUS_MINIMUS: 122,
    }.items():
        low, high = extent_mm(mask(healthy(), muscle, Side.RIGHT), healthy().geometry)
        assert high[2] - low[2] == pytest.approx(length, rel=0.25)


def test_the_right_side_lies_at_greater_x():
    for structure in ("femur", "hip_bone", *Muscle):
        low, high = extent_mm(mask(healthy(), structure, Side.RIGHT), healthy().geometry)
        assert 0 < low[0] < high[0]


def test_spacing_changes_a_volume_by_less_than_two_percent():
    finer = build_phantom(healthy().parameters, 2.0)
    for muscle in Muscle:
        coarse_ml = volume_ml(healthy(), muscle, Side.RIGHT)
        assert volume_ml(finer, muscle, Side.RIGHT) == pytest.approx(coarse_ml, rel=0.02)


def test_impossible_states_are_refused_with_the_range():
    with pytest.raises(ConfigurationError, match="from 0 to 1"):
        MuscleState(fat_fraction=1.2)
    with pytest.raises(ConfigurationError, match=r"0\.2 to 1\.6"):
        MuscleState(volume_scale=3.0)


def test_random_people_differ_and_repeat():
    first, again, second = (random_parameters(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != second


def test_random_people_span_health_to_end_stage():
    people = [random_parameters(np.random.default_rng(seed)) for seed in range(200)]
    fat = np.array([p.right.minimus.fat_fraction for p in people])
    assert fat.min() < 0.06
    assert fat.max() > 0.7
    assert min(p.subcutaneous_mm for p in people) < 15
    assert max(p.subcutaneous_mm for p in people) > 60
