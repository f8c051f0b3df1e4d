"""Fat fraction from what is not an ordinary T1 or Dixon pair, and from T1 images that go wrong."""

from dataclasses import replace

import ellipsoid_hip as ellipsoids
import numpy as np
import pytest

from grading.anatomy import SIDES, Muscle, Side, label_of
from grading.errors import GridMismatchError, MeasurementError, UnsupportedContrast
from grading.fat import fat_map
from grading.io.padding import clean
from grading.measure import measure
from grading.series import Role
from grading.study import grade_study

COARSE = ellipsoids.grid((3.0, 3.0, 5.0))
MEDIUS = Muscle.GLUTEUS_MEDIUS
ONE = (MEDIUS, Side.RIGHT)


def rows(volume, labels, **more):
    """Whole muscles by muscle and side."""
    found = measure(fat_map(volume, labels, **more), labels, volume)
    return {(m.muscle, m.side): m for m in found if m.region == "whole"}


def codes(fat):
    return [f.code for f in fat.findings]


def as_role(volume, role, voxels=None):
    voxels = volume.voxels if voxels is None else voxels
    return replace(volume, voxels=voxels, series=replace(volume.series, role=role))


@pytest.mark.parametrize("role", [Role.T1_FAT_SUPPRESSED, Role.STIR])
def test_an_image_with_fat_suppressed_is_declined(role):
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    with pytest.raises(UnsupportedContrast, match="suppresses fat"):
        fat_map(as_role(volume, role), labels)


@pytest.mark.parametrize("role", [Role.T2, Role.PD, Role.DWI, Role.CT, Role.IN_PHASE, Role.WATER])
def test_an_image_of_another_contrast_is_declined_by_name(role):
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    with pytest.raises(UnsupportedContrast, match=f"is {role.value.replace('_', ' ')}; a fat fraction takes"):
        fat_map(as_role(volume, role), labels)


@pytest.fixture(scope="module")
def pair():
    return ellipsoids.dixon({ONE: 0.4})


@pytest.mark.parametrize("scale", [1, 100, 1000])
def test_a_ready_map_reads_the_same_on_any_known_scale(pair, scale):
    water, fat, labels = pair
    fraction = np.where(water.voxels + fat.voxels > 50, fat.voxels / (water.voxels + fat.voxels), 0)
    ready = as_role(water, Role.FAT_FRACTION, (fraction * scale).astype(np.float32))
    result = fat_map(ready, labels)
    assert codes(result) == ["fat_fraction_scale"]
    assert result.method == "dixon"
    assert rows(ready, labels)[ONE].fat_fraction == pytest.approx(0.4, abs=0.02)


def test_a_ready_map_on_an_unknown_scale_is_declined_with_the_number_it_reads(pair):
    water, fat, labels = pair
    odd = as_role(
        water, Role.FAT_FRACTION, (20 * fat.voxels / (water.voxels + fat.voxels)).astype(np.float32)
    )
    with pytest.raises(UnsupportedContrast, match=r"reads 1\d"):
        fat_map(odd, labels)


def test_in_and_opposed_phase_read_up_to_one_half_and_say_that_they_fold(pair):
    water, fat, labels = pair
    both = as_role(water, Role.IN_PHASE, water.voxels + fat.voxels)
    opposed = as_role(water, Role.OPPOSED_PHASE, np.abs(water.voxels - fat.voxels))
    result = fat_map(both, labels, fat=opposed)
    assert codes(result) == ["two_point_folds"]
    assert rows(both, labels, fat=opposed)[ONE].fat_fraction == pytest.approx(0.4, abs=0.02)
    assert np.nanmax(result.fraction) <= 0.5
    assert rows(both, labels, fat=opposed)[ONE].threshold_fraction is None, "no voxel reads as fat, none is 0"
    part, _ = ellipsoids.cropped(opposed, labels, (slice(None), slice(2, None), slice(None)))
    with pytest.raises(GridMismatchError, match="one acquisition"):
        fat_map(both, labels, fat=part)


@pytest.mark.parametrize(
    ("role", "fat_role"),
    [
        (Role.OPPOSED_PHASE, Role.IN_PHASE),
        (Role.FAT, Role.WATER),
        (Role.WATER, Role.IN_PHASE),
        (Role.IN_PHASE, Role.FAT),
        (Role.WATER, Role.WATER),
    ],
)
def test_images_that_are_no_pair_in_this_order_are_declined_by_name(pair, role, fat_role):
    water, fat, labels = pair
    words = [r.value.replace("_", " ") for r in (role, fat_role)]
    with pytest.raises(UnsupportedContrast, match=f"pair of {words[0]} and {words[1]} images"):
        fat_map(as_role(water, role), labels, fat=as_role(fat, fat_role))


def with_metal(volume, labels):
    """A screw head beside the right medius: a void, and its signal piled up next to it."""
    voxels = volume.voxels.copy()
    centre = np.argwhere(labels.mask(*ONE)).mean(axis=0) + np.array([0, 5, 0])
    distance = np.linalg.norm(
        (np.indices(voxels.shape).transpose(1, 2, 3, 0) - centre) * volume.geometry.spacing_mm, axis=-1
    )
    voxels[distance < 14] = 2
    voxels[(distance >= 14) & (distance < 20)] = 4 * ellipsoids.FAT_SIGNAL
    return replace(volume, voxels=voxels)


def test_in_and_opposed_phase_exchanged_are_found_out(pair):
    water, fat, labels = pair
    bright = as_role(water, Role.OPPOSED_PHASE, water.voxels + fat.voxels)
    dark = as_role(water, Role.IN_PHASE, np.abs(water.voxels - fat.voxels))
    with pytest.raises(MeasurementError, match="exchanged"):
        fat_map(dark, labels, fat=bright)


def test_marrow_does_not_hide_that_an_opposed_phase_image_is_of_another_scan(pair):
    """A third brighter, it makes lean muscle read -16 %; labelled marrow, a third of all, reads 40."""
    water, fat, labels = pair
    both = as_role(water, Role.IN_PHASE, water.voxels + fat.voxels)
    bones = {label_of("iliopsoas", side): label_of("femur", side) for side in SIDES}
    bones |= {label_of(Muscle.GLUTEUS_MEDIUS, side): label_of("hip_bone", side) for side in SIDES}
    named = labels.labels.copy()
    opposed = 1.3 * np.abs(water.voxels - fat.voxels)
    for muscle, bone in bones.items():
        named[labels.labels == muscle] = bone
        opposed[labels.labels == muscle] = 60
    with pytest.raises(MeasurementError, match="exchanged, or of different scans"):
        fat_map(both, replace(labels, labels=named), fat=as_role(water, Role.OPPOSED_PHASE, opposed))


def test_metal_is_left_out_with_a_margin_and_counted_and_the_rest_reads_right():
    volume, labels = ellipsoids.hips({ONE: 0.3}, shading=0.0)
    disturbed = with_metal(volume, labels)
    assert codes(fat_map(disturbed, labels)) == ["metal_artefact"]
    found, clean = rows(disturbed, labels), rows(volume, labels)
    assert 0.1 < found[ONE].excluded_fraction <= 0.5
    assert found[ONE].fat_fraction == pytest.approx(clean[ONE].fat_fraction, abs=0.03)
    assert "partly_excluded" in [f.code for f in found[ONE].findings]
    for muscle in Muscle:
        assert found[muscle, Side.LEFT].excluded_fraction == 0
        assert found[muscle, Side.LEFT].fat_fraction == pytest.approx(
            clean[muscle, Side.LEFT].fat_fraction, abs=0.01
        )


@pytest.mark.parametrize("noise", [0.0, 18.0])
def test_voids_of_metal_on_both_sides_are_no_lean_muscle(noise):
    """Both minimi hold nothing but noise: two muscles that agree, darker than all others."""
    volume, labels = ellipsoids.hips(0.0, shading=0.0)
    voxels, random = volume.voxels.copy(), np.random.default_rng(0)
    for side in SIDES:
        void = labels.mask(Muscle.GLUTEUS_MINIMUS, side)
        voxels[void] = random.rayleigh(noise, np.count_nonzero(void)) if noise else 0.0
    read = rows(replace(volume, voxels=voxels), labels)
    for side in SIDES:
        assert read[MEDIUS, side].fat_fraction == pytest.approx(0.0, abs=0.03)
        assert read[Muscle.GLUTEUS_MINIMUS, side].fat_fraction is None


def test_healthy_hips_hold_no_metal():
    assert codes(fat_map(*ellipsoids.hips(0.0, geometry=COARSE))) == []


def test_tendon_and_vessels_inside_a_muscle_do_not_pull_its_fat_down():
    volume, labels = ellipsoids.hips({ONE: 0.3}, geometry=COARSE)
    voxels = volume.voxels.copy()
    where = np.argwhere(labels.mask(*ONE))
    dark = where[(where[:, 0] == int(np.median(where[:, 0])))]
    voxels[tuple(dark.T)] = 5
    read = rows(replace(volume, voxels=voxels), labels)[ONE]
    assert read.fat_fraction == pytest.approx(0.3, abs=0.03)
    assert read.excluded_fraction > 0.05


def test_when_no_muscle_is_lean_the_error_grows_and_it_is_said_or_the_number_is_withheld():
    for fat, expected in ((0.0, None), (0.45, "lean_reference_doubtful"), (0.75, "no_muscle_reference")):
        volume, labels = ellipsoids.hips(0.0, geometry=COARSE, shading=0.0)
        muscle = labels.labels > 0
        brighter = volume.voxels + np.where(
            muscle, fat * (ellipsoids.FAT_SIGNAL - ellipsoids.MUSCLE_SIGNAL), 0
        )
        result = fat_map(replace(volume, voxels=brighter.astype(np.float32)), labels)
        assert codes(result) == ([expected] if expected else [])
        m = {(m.muscle, m.side): m for m in measure(result, labels, volume)}[MEDIUS, Side.LEFT]
        if expected == "lean_reference_doubtful":
            assert m.fat_fraction_se > 0.1
        if expected == "no_muscle_reference":
            assert m.fat_fraction is None


def test_contrast_agent_that_brightens_all_muscle_alike_changes_no_fraction():
    lean = rows(*ellipsoids.hips({ONE: 0.4}, geometry=COARSE, shading=0.0))
    volume, labels = ellipsoids.hips({ONE: 0.4}, geometry=COARSE, shading=0.0)
    share = np.clip((ellipsoids.FAT_SIGNAL - volume.voxels) / 280, 0, 1) * (labels.labels > 0)
    enhanced = rows(replace(volume, voxels=(volume.voxels + 40 * share).astype(np.float32)), labels)
    for side in SIDES:
        assert enhanced[MEDIUS, side].fat_fraction == pytest.approx(lean[MEDIUS, side].fat_fraction, abs=0.02)


def test_a_water_image_that_is_zero_in_fat_measures_what_a_noisy_one_does():
    water, fat, labels = ellipsoids.dixon({ONE: 1.0})
    clipped = np.where(water.voxels < 80, 0, water.voxels)  # air and fat alike
    sharp = replace(water, voxels=clipped, valid=clean(clipped, None, 2, "w")[1])
    assert not sharp.valid[labels.mask(*ONE)].all()
    report = grade_study(sharp, fat=fat, segmentation=labels)
    row = report.find(*ONE).measurement
    assert row.coverage == 1.0
    assert row.excluded_fraction == pytest.approx(0.0, abs=0.02)
    assert row.fat_fraction == pytest.approx(0.97, abs=0.05)


def test_dixon_images_whose_fat_reads_low_are_measured_and_say_so(pair):
    water, fat, labels = pair
    leaked = 0.4 * fat.voxels
    low = replace(fat, voxels=fat.voxels - leaked)
    result = fat_map(replace(water, voxels=water.voxels + leaked), labels, fat=low)
    assert [(f.code, f.side) for f in result.findings] == [("fat_reads_low", side) for side in SIDES]
    assert np.isfinite(result.fraction[labels.mask(*ONE)]).all()


@pytest.mark.parametrize(("echo_time_ms", "found"), [(1.2, []), (82.0, ["dixon_long_echo"])])
def test_a_dixon_pair_of_a_long_echo_carries_its_caution(pair, echo_time_ms, found):
    water, fat, labels = pair
    timed = replace(water, series=replace(water.series, echo_time_ms=echo_time_ms))
    assert codes(fat_map(timed, labels, fat=fat)) == found
