"""Fat fraction: what it reads on hips whose fat is known, and the laws it keeps."""

from dataclasses import replace
from functools import cache

import ellipsoid_hip as ellipsoids
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.anatomy import SIDES, Muscle, Region, Side, label_of
from grading.errors import GridMismatchError
from grading.fat import fat_map
from grading.fat.bias import BiasField
from grading.fat.references import lean_signal, mode, weighted_reference
from grading.masks import interior
from grading.measure import measure
from grading.volume import Volume

COARSE = ellipsoids.grid((3.0, 3.0, 5.0))
ONE = (Muscle.GLUTEUS_MEDIUS, Side.RIGHT)


def readings(volume, segmentation, **more):
    """Mean fraction inside every graded muscle."""
    fat = fat_map(volume, segmentation, **more)
    return {
        (muscle, side): float(fat.fraction[_inside(volume, segmentation, muscle, side)].mean(dtype=float))
        for muscle in Muscle
        for side in SIDES
    }


def _inside(volume, segmentation, muscle, side):
    return interior(segmentation.mask(muscle, side), volume.geometry, volume.series.slice_axis)


@pytest.mark.parametrize("shading", [0.0, 0.2, 0.4])
def test_healthy_muscle_reads_zero_within_one_point(shading):
    for place, read in readings(*ellipsoids.hips(0.0, shading=shading)).items():
        assert abs(read) < 0.01, place


@pytest.mark.parametrize("truth", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_one_fatty_muscle_reads_its_fat_and_leaves_the_others_lean(truth):
    for place, read in readings(*ellipsoids.hips({ONE: truth})).items():
        assert abs(read - (truth if place == ONE else 0.0)) < 0.03, place


@pytest.mark.parametrize("truth", [0.2, 0.6])
def test_a_wholly_fatty_side_is_no_shading(truth):
    fractions = {(muscle, Side.RIGHT): truth for muscle in Muscle}
    for (muscle, side), read in readings(*ellipsoids.hips(fractions)).items():
        assert abs(read - fractions.get((muscle, side), 0.0)) < 0.03, (muscle, side)


def test_every_gluteus_on_both_sides_may_be_fatty_while_others_are_lean():
    for place, read in readings(*ellipsoids.hips(0.8)).items():
        assert abs(read - 0.8) < 0.03, place


def test_fat_in_streaks_reads_as_much_as_fat_spread_evenly():
    volume, labels = ellipsoids.hips(0.3, streaks=True, geometry=COARSE)
    truth = readings(*ellipsoids.hips(0.3, streaks=True, snr=1e6, shading=0.0, geometry=COARSE))
    for place, read in readings(volume, labels).items():
        assert abs(read - truth[place]) < 0.02, place


def test_thick_coronal_slices_read_as_axial_ones_do():
    geometry = ellipsoids.grid((1.5, 5.0, 2.0))
    read = readings(*ellipsoids.hips({ONE: 0.4}, geometry=geometry, slice_axis=1))
    assert abs(read[ONE] - 0.4) < 0.03


def test_one_hip_filling_the_view_reads_right_without_the_other_side():
    volume, labels = ellipsoids.cropped(
        *ellipsoids.hips({ONE: 0.4}), (slice(85, None), slice(None), slice(None))
    )
    fat = fat_map(volume, labels)
    assert abs(float(fat.fraction[_inside(volume, labels, *ONE)].mean()) - 0.4) < 0.03
    assert {r.side for r in fat.references} == {Side.RIGHT, None}


def test_padding_and_voids_have_no_fraction():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    valid = volume.valid.copy()
    valid[:4] = False
    fat = fat_map(replace(volume, valid=valid), labels)
    assert np.isnan(fat.fraction[:4]).all()
    assert np.isfinite(fat.fraction[fat.valid]).all()


def test_muscle_in_air_has_no_fat_reference_and_no_number():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    bare = np.where(labels.labels > 0, volume.voxels, 5.0)
    fat = fat_map(replace(volume, voxels=bare), labels)
    assert [f.code for f in fat.findings] == ["no_fat_reference"]
    assert np.isnan(fat.fraction).all()


def test_a_single_muscle_is_never_its_own_lean_reference():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    only = ellipsoids.segmented(np.where(labels.mask(*ONE), labels.labels, 0).astype(np.uint16), COARSE)
    fat = fat_map(volume, only)
    assert [f.code for f in fat.findings] == ["no_muscle_reference"]
    assert np.isnan(fat.fraction).all()


def labelled_alone(names, truth):
    """What is said where only these muscles are labelled, and how fatty the right medius reads."""
    volume, labels = ellipsoids.hips(truth, geometry=COARSE)
    numbers = [label_of(name, side) for name in names for side in SIDES]
    only = np.where(np.isin(labels.labels, numbers), labels.labels, 0)
    fat = fat_map(volume, ellipsoids.segmented(only, COARSE))
    return [f.code for f in fat.findings], float(fat.fraction[_inside(volume, labels, *ONE)].mean())


def test_one_muscle_on_both_sides_is_its_own_lean_reference_and_is_said_to_be():
    codes, read = labelled_alone([Muscle.GLUTEUS_MEDIUS], 0.25)
    assert abs(read) < 0.05, "a quarter fat on both sides, and nothing leaner to tell it from"
    assert codes == ["lean_reference_alone"]
    codes, read = labelled_alone([Muscle.GLUTEUS_MEDIUS, "iliopsoas"], 0.25)
    assert read == pytest.approx(0.25, abs=0.04)
    assert codes == []


def test_labels_on_another_grid_are_refused():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    part, _ = ellipsoids.cropped(volume, labels, (slice(1, None), slice(None), slice(None)))
    with pytest.raises(GridMismatchError, match="resample"):
        fat_map(part, labels)


@cache
def one_fatty():
    """Coarse hips with one fatty muscle, and what they read."""
    volume, labels = ellipsoids.hips({ONE: 0.4}, geometry=COARSE)
    return volume, labels, readings(volume, labels)


@settings(max_examples=3, deadline=None)
@given(gain=st.floats(1e-3, 1e4))
def test_scanner_gain_changes_no_fraction(gain):
    volume, labels, read = one_fatty()
    louder = replace(volume, voxels=(volume.voxels * np.float32(gain)).astype(np.float32))
    assert readings(louder, labels) == pytest.approx(read, abs=2e-3)


@settings(max_examples=3, deadline=None)
@given(truth=st.floats(0.0, 0.9), seed=st.integers(0, 9))
def test_mirroring_the_patient_swaps_the_sides_and_changes_nothing_else(truth, seed):
    volume, labels = ellipsoids.hips({ONE: truth}, geometry=COARSE, seed=seed)
    straight = readings(volume, labels)
    mirrored = readings(*ellipsoids.mirrored(volume, labels))
    for (muscle, side), read in straight.items():
        assert mirrored[muscle, side.other] == pytest.approx(read, abs=1e-4)


def test_the_lean_signal_is_the_lowest_that_muscles_share():
    signal, _, _ = weighted_reference(*lean_signal([150.0, 300.0, 201.0, 199.0, 280.0, 290.0, 285.0]))
    assert signal == pytest.approx(200.0)
    assert lean_signal([100.0, 200.0, 400.0]) is None


def test_no_rounding_lets_a_muscle_in_or_out_of_the_lean_reference():
    others = [95.0, 98.0, 100.0, 101.0, 103.0, 107.0]
    at = np.linspace(90.0, 130.0, 1001)  # steps of 0.04
    read = np.array([weighted_reference(*lean_signal([*others, value])) for value in at])
    assert np.abs(np.diff(read, axis=0)).max() < 0.04
    assert read[-1] == pytest.approx(weighted_reference(*lean_signal(others)))


@settings(max_examples=10, deadline=None)
@given(gain=st.floats(0.01, 100), offset=st.floats(-50, 50))
def test_a_mode_scales_and_shifts_with_its_values(gain, offset):
    values = np.random.default_rng(0).normal(100, 10, 5000)
    assert mode(gain * values + offset) == pytest.approx(
        gain * mode(values) + offset, rel=1e-3, abs=0.2 * gain
    )


def test_a_field_without_coefficients_changes_nothing():
    assert (BiasField(np.zeros((5, 5, 5)), (4, 3, 2)).gain() == 1).all()


def _swapped(water: Volume, fat: Volume, rows: slice) -> tuple[Volume, Volume]:
    w, f = water.voxels.copy(), fat.voxels.copy()
    w[rows], f[rows] = fat.voxels[rows], water.voxels[rows]
    return replace(water, voxels=w), replace(fat, voxels=f)


def test_dixon_reads_fat_over_fat_and_water_whatever_the_gain():
    water, fat, labels = ellipsoids.dixon({ONE: 0.4})
    read = readings(water, labels, fat=fat)
    assert abs(read[ONE] - 0.4) < 0.01
    assert abs(read[Muscle.GLUTEUS_MAXIMUS, Side.LEFT]) < 0.05  # magnitude noise never reads below zero
    louder = readings(
        replace(water, voxels=7 * water.voxels), labels, fat=replace(fat, voxels=7 * fat.voxels)
    )
    assert louder == pytest.approx(read, abs=1e-5)


def test_exchanged_fat_and_water_are_withheld_on_the_side_they_concern():
    water, fat, labels = ellipsoids.dixon(0.0)
    half = water.geometry.shape[0] // 2
    swapped = _swapped(water, fat, slice(half, None))
    result = fat_map(swapped[0], labels, fat=swapped[1])
    assert [(f.code, f.side) for f in result.findings] == [("water_fat_swap", Side.RIGHT)]
    assert np.isnan(result.fraction[labels.mask(Muscle.GLUTEUS_MEDIUS, Side.RIGHT)]).all()
    assert np.isfinite(result.fraction[labels.mask(Muscle.GLUTEUS_MEDIUS, Side.LEFT)]).all()


def test_dixon_air_has_no_fraction():
    water, fat, labels = ellipsoids.dixon(0.0)
    assert np.isnan(fat_map(water, labels, fat=fat).fraction[:3]).mean() > 0.9


def test_a_fat_image_on_another_grid_is_refused():
    water, fat, labels = ellipsoids.dixon(0.0)
    other, _ = ellipsoids.cropped(fat, labels, (slice(None), slice(2, None), slice(None)))
    with pytest.raises(GridMismatchError, match="one acquisition"):
        fat_map(water, labels, fat=other)


def test_a_side_without_fat_of_its_own_is_known_less_well_than_with_it():
    volume, labels = ellipsoids.hips({ONE: 0.4}, geometry=COARSE)
    middle = volume.geometry.shape[0] // 2
    muscle = np.isin(labels.labels, np.unique(labels.labels[labels.labels > 0]))
    bare = volume.voxels.copy()
    bare[middle:][~muscle[middle:]] = 5.0  # nothing under the skin of the right side
    errors = []
    for image in (volume, replace(volume, voxels=bare)):
        fat = fat_map(image, labels)
        (row,) = [
            m for m in measure(fat, labels, image) if (m.muscle, m.side, m.region) == (*ONE, Region.WHOLE)
        ]
        errors.append(row.fat_error)
    assert [(f.code, f.side) for f in fat.findings] == [("fat_reference_other_side", Side.RIGHT)]
    assert errors[1].shading > errors[0].shading
    assert errors[1].references > 0


def test_fat_seen_in_one_place_is_not_known_exactly():
    volume, labels = ellipsoids.hips(0.0, snr=1e6, shading=0.0)
    labelled = np.argwhere(labels.labels > 0)
    level = slice(int(labelled[:, 2].mean()), int(labelled[:, 2].mean()) + 4)
    fat = fat_map(*ellipsoids.cropped(volume, labels, (slice(None), slice(40, 60), level)))
    for reference in fat.references:
        assert reference.standard_error > 0 or reference.tissue != "fat"
