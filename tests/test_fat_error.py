"""What the stated error of a fat fraction is made of, on muscles whose voxels are set one by one."""

from dataclasses import replace
from statistics import NormalDist

import ellipsoid_hip as ellipsoids
import numpy as np
import pytest

from grading.anatomy import Muscle, Region, Side
from grading.asymmetry import compare
from grading.fat import FatMap, Reference, fat_map, read_fat
from grading.fat.partial_volume import PartialVolume, Share, read_partial_volume
from grading.fat.references import bootstrap_error, robust_spread, weighted_reference
from grading.fat.zones import MuscleZones, Zone, zones_of
from grading.masks import bounding_box
from grading.measure import measure

SHAPE = (30, 26, 14)
GRID = ellipsoids.grid((1.0, 1.0, 5.0), (30.0, 26.0, 70.0))
MASK = np.zeros(SHAPE, dtype=bool)
MASK[4:26, 4:22, 2:12] = True
BOX = bounding_box(MASK)
ZONES = zones_of(MASK, BOX, GRID, 2)
CLEAN = PartialVolume(Share(0.0, 0.0), Share(0.0, 0.0))


def a_map(fraction, references=(), beside=CLEAN):
    """A map of these fractions (a number: everywhere), all of them valid."""
    fractions = np.broadcast_to(np.asarray(fraction, dtype=np.float32), SHAPE)
    return FatMap(fractions, np.ones(SHAPE, dtype=bool), GRID, "t1", references, (), beside)


def read(fat, dice=1.0, side=Side.LEFT):
    return read_fat(fat, BOX, ZONES, MASK[BOX], side, dice)


def test_the_error_of_noise_is_the_spread_of_repeated_measurements():
    random = np.random.default_rng(0)
    repeated = [read(a_map(random.normal(0.3, 0.2, SHAPE))) for _ in range(100)]
    assert np.std([r.fraction for r in repeated]) == pytest.approx(repeated[0].error.noise, rel=0.2)


@pytest.mark.parametrize("slope", [(0.01, 0.0, 0.0), (0.0, 0.01, 0.0), (0.0, 0.0, 0.05)])
def test_an_outline_may_be_off_by_most_of_a_pixel_whichever_way_the_fat_rises(slope):
    """One pixel is 1 mm; fat rises by one point over it, across slices of 5 mm by five."""
    where = np.indices(SHAPE) - 10
    rising = 0.3 + sum(rise * along for rise, along in zip(slope, where, strict=True))
    assert 0.005 < read(a_map(rising)).error.outline <= 0.01


@pytest.mark.parametrize("truth", [0.0, 0.3, 0.9])
def test_the_error_of_the_references_is_what_a_standard_error_of_each_changes(truth):
    muscle, fat = (200.0, 2.0, 3.0), (480.0, 5.0, 14.0)  # signal, its error, its spread from place to place
    references = (Reference("fat", Side.LEFT, *fat, 99), Reference("muscle", None, *muscle, 99))
    signal = muscle[0] + truth * (fat[0] - muscle[0])

    def off(of_muscle, of_fat):
        lean, lipid = muscle[0] + of_muscle, fat[0] + of_fat
        return (signal - lean) / (lipid - lean) - truth

    error = read(a_map(truth, references)).error
    assert error.references == pytest.approx(np.hypot(off(2.0, 0), off(0, 5.0)), rel=0.05, abs=1e-6)
    assert error.shading == pytest.approx(np.hypot(off(3.0, 0), off(0, 14.0 / 2)), rel=0.05, abs=1e-6)
    borrowed = read(a_map(truth, references), side=Side.RIGHT).error
    assert borrowed.shading == pytest.approx(np.hypot(off(3.0, 0), off(0, 14.0)), rel=0.05, abs=1e-6)


def blurred(truth, rim=0.1, end=0.2):
    """A muscle of even fat whose outer zones hold these shares of pure fat from beside it."""
    fraction = np.full(SHAPE, truth)
    for zone, share in ((Zone.RIM, rim), (Zone.END, end)):
        fraction[BOX][zone == ZONES] = share + (1 - share) * truth
    return fraction


@pytest.mark.parametrize("truth", [0.0, 0.3, 0.9])
def test_fat_from_beside_the_muscle_is_taken_off_its_outer_zones(truth):
    beside = PartialVolume(Share(0.1, 0.0), Share(0.2, 0.0))
    assert read(a_map(blurred(truth), beside=beside)).fraction == pytest.approx(truth, abs=1e-6)


@pytest.mark.parametrize("truth", [0.0, 0.6])
def test_the_error_of_that_correction_is_what_a_standard_error_of_the_shares_changes(truth):
    rim, end = Share(0.1, 0.01), Share(0.2, 0.02)
    wrong = (PartialVolume(Share(0.11, 0), end), PartialVolume(rim, Share(0.22, 0)))
    off = [read(a_map(blurred(truth), beside=shares)).fraction - truth for shares in wrong]
    error = read(a_map(blurred(truth), beside=PartialVolume(rim, end))).error.partial_volume
    assert error == pytest.approx(np.hypot(*off), rel=0.05)


def test_a_share_is_the_lower_quartile_of_the_muscles_and_its_error_their_standard_deviation():
    shares = np.array([NormalDist(0.15, 0.03).inv_cdf(p) for p in (np.arange(40) + 0.5) / 40])
    fraction = np.zeros((40, 300, 1), dtype=np.float32)
    fraction[:, :150] = shares[:, None, None]
    zones = np.repeat([Zone.RIM, Zone.CORE], 150).astype(np.uint8)[None, :, None]
    muscles = [
        MuscleZones("gluteus_medius", Side.LEFT, (slice(n, n + 1), slice(300), slice(1)), zones)
        for n in range(40)
    ]
    share = read_partial_volume(fraction, np.ones(fraction.shape, dtype=bool), muscles).rim
    assert share.value == pytest.approx(NormalDist(0.15, 0.03).inv_cdf(0.25), abs=0.002)
    assert share.error == pytest.approx(0.03, rel=0.05)


def test_fat_in_streaks_is_counted_by_its_voxels_and_as_much_fine_fat_by_none():
    random = np.random.default_rng(0)
    streaks = read(a_map(random.random(SHAPE) < 0.3))
    assert streaks.threshold_fraction == pytest.approx(0.3, abs=0.03)
    assert read(a_map(0.3)).threshold_fraction == 0.0
    assert read(a_map(0.7)).threshold_fraction == 1.0


def test_a_wrong_outline_changes_the_fraction_by_less_than_its_wrong_share():
    assert 0 < read(a_map(0.3), dice=0.8).error.segmentation < 0.2


def test_the_error_of_a_mean_is_that_of_statistics_however_it_is_found():
    values = np.random.default_rng(0).normal(200, 10, 50)
    expected = values.std(ddof=1) / np.sqrt(50)
    assert bootstrap_error(values, 0) == pytest.approx(expected, rel=0.15)
    assert weighted_reference(values, np.ones(50)) == pytest.approx(
        (values.mean(), expected, values.std(ddof=1))
    )
    without_the_rest = np.where(np.arange(50) < 20, 1.0, 0.0)
    assert weighted_reference(values, without_the_rest) == pytest.approx(
        weighted_reference(values[:20], np.ones(20))
    )


def test_a_spread_is_a_standard_deviation_that_a_few_odd_places_do_not_widen():
    values = np.array([NormalDist(200, 10).inv_cdf(p) for p in (np.arange(99) + 0.5) / 99])
    assert robust_spread(values) == pytest.approx(10, rel=0.03)
    assert robust_spread(np.append(values, [900, 950, 1000])) == pytest.approx(10, rel=0.1)


def test_a_dixon_side_without_fat_of_its_own_is_judged_by_the_other_side():
    water, fat, labels = ellipsoids.dixon(0.4)
    bare = labels.labels == 0
    bare[: bare.shape[0] // 2] = False
    images = [replace(v, voxels=np.where(bare, 3.0, v.voxels)) for v in (water, fat)]
    found = fat_map(images[0], labels, fat=images[1])
    assert [(f.code, f.side) for f in found.findings] == [("swap_not_checked", Side.RIGHT)]
    errors = []
    for side in (Side.LEFT, Side.RIGHT):
        mask = labels.mask(Muscle.GLUTEUS_MEDIUS, side)
        box = bounding_box(mask)
        zones = zones_of(mask, box, water.geometry, 2)
        errors.append(read_fat(found, box, zones, mask[box], side, 1.0).error.references)
    assert errors[1] == pytest.approx(errors[0], rel=0.01)
    assert errors[0] > 0.01


@pytest.mark.parametrize("blanked_air", [False, True])
def test_noise_that_a_dixon_fat_image_never_averages_out_is_in_the_error_of_lean_muscle(blanked_air):
    """Lean muscle reads 4 % of noise as fat; where air is blanked, subcutaneous fat bounds it."""
    water, fat, labels = ellipsoids.dixon(0.0, snr=20.0)
    if blanked_air:
        air = water.voxels + fat.voxels < 150
        water, fat = (replace(v, voxels=np.where(air, 0, v.voxels)) for v in (water, fat))
    fractions = fat_map(water, labels, fat=fat)
    measurements = measure(fractions, labels, water)
    for m in measurements:
        if m.region is Region.WHOLE:
            assert 0.03 < m.fat_fraction < 1.96 * m.fat_fraction_se < 0.2
    for sides in compare(measurements, labels, fractions, water):
        assert abs(sides.fat_fraction_difference) < sides.fat_fraction_error < 0.02, (
            "both sides read it alike"
        )


def test_a_clean_dixon_pair_has_little_error():
    water, fat, labels = ellipsoids.dixon(0.4, snr=200.0)
    fractions = fat_map(water, labels, fat=fat)
    whole = [m for m in measure(fractions, labels, water) if m.region is Region.WHOLE]
    assert all(abs(m.fat_fraction - 0.4) < 0.02 and m.fat_fraction_se < 0.03 for m in whole)
