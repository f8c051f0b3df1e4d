"""Left against right: signs, errors, verdicts and the common slab."""

from dataclasses import replace

import ellipsoid_hip as ellipsoids
import numpy as np
import pytest

from grading.anatomy import SIDES, Muscle, Region, Side, label_of
from grading.asymmetry import Asymmetry, compare
from grading.fat import FatMap, fat_map
from grading.findings import FINDINGS, Finding
from grading.measure import MuscleMeasurement, measure
from grading.series import SeriesInfo
from grading.volume import Geometry, Volume

MEDIUS = Muscle.GLUTEUS_MEDIUS
COARSE = ellipsoids.grid((3.0, 3.0, 5.0))


def compared(volume, segmentation):
    """Asymmetry by muscle."""
    fat = fat_map(volume, segmentation)
    found = compare(measure(fat, segmentation, volume), segmentation, fat, volume)
    return {a.muscle: a for a in found}


def shrunk(labels, muscle, side, keep):
    """Labels without the part of one muscle for which `keep` is False."""
    cut = labels.labels.copy()
    cut[labels.mask(muscle, side) & ~keep] = 0
    return ellipsoids.segmented(cut, labels.geometry)


def test_equal_sides_exceed_nothing():
    result = compared(*ellipsoids.hips(0.0, geometry=COARSE))
    assert list(result) == list(Muscle)
    for a in result.values():
        assert a.volume_asymmetry_percent == pytest.approx(0.0)
        assert a.exceeds_error is False
        assert a.exceeds_normal is False
        assert a.common_slab_mm is None


def test_the_sign_is_left_minus_right_for_volume_and_fat():
    volume, labels = ellipsoids.hips({(MEDIUS, Side.RIGHT): 0.4})
    keep = np.zeros(labels.labels.shape, dtype=bool)
    keep[..., : labels.labels.shape[2] // 2] = True
    a = compared(volume, shrunk(labels, MEDIUS, Side.RIGHT, keep))[MEDIUS]
    assert a.volume_asymmetry_percent > 50
    assert a.exceeds_normal is True
    assert a.fat_fraction_difference == pytest.approx(-0.4, abs=0.03)
    assert a.fat_exceeds_error is True
    assert a.exceeds_error is True


def test_a_muscle_on_one_side_only_is_not_compared():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    nothing = np.zeros(labels.labels.shape, dtype=bool)
    a = compared(volume, shrunk(labels, MEDIUS, Side.LEFT, nothing))[MEDIUS]
    assert a.volume_asymmetry_percent is None
    assert a.fat_fraction_difference is None
    assert a.exceeds_error is None
    assert a.exceeds_normal is None
    assert [f.code for f in a.findings] == ["not_comparable"]


def test_muscles_cut_above_are_compared_on_the_levels_both_show():
    volume, labels = ellipsoids.hips(0.0)
    part = (slice(None), slice(None), slice(0, 20))
    a = compared(*ellipsoids.cropped(volume, labels, part))[MEDIUS]
    assert a.volume_asymmetry_percent == pytest.approx(0.0)
    assert a.common_slab_mm == pytest.approx(51.0, abs=4.0)  # from the muscle's lower end to the cut
    assert "common_slab" in [f.code for f in a.findings]


def test_muscles_cut_at_the_side_are_not_compared():
    volume, labels = ellipsoids.hips(0.0)
    last = int(np.flatnonzero(labels.mask(MEDIUS, Side.RIGHT).any(axis=(1, 2)))[-1])
    part = (slice(0, last - 3), slice(None), slice(None))
    a = compared(*ellipsoids.cropped(volume, labels, part))[MEDIUS]
    assert a.volume_asymmetry_percent is None
    assert a.fat_fraction_difference is not None
    assert "not_comparable" in [f.code for f in a.findings]
    assert FINDINGS["not_comparable"].meaning.startswith("Volumes")  # for fat stands beside it


def test_mirroring_the_patient_changes_every_sign_and_no_size():
    volume, labels = ellipsoids.hips({(MEDIUS, Side.RIGHT): 0.4}, geometry=COARSE)
    keep = np.zeros(labels.labels.shape, dtype=bool)
    keep[..., : labels.labels.shape[2] // 2] = True
    labels = shrunk(labels, MEDIUS, Side.RIGHT, keep)
    straight, mirrored = compared(volume, labels), compared(*ellipsoids.mirrored(volume, labels))
    for muscle, a in straight.items():
        b = mirrored[muscle]
        assert b.volume_asymmetry_percent == pytest.approx(-a.volume_asymmetry_percent)
        assert b.volume_error_percent == pytest.approx(a.volume_error_percent)
        assert b.fat_fraction_difference == pytest.approx(-a.fat_fraction_difference, abs=2e-4)
        assert b.exceeds_error == a.exceeds_error


def test_fat_of_muscles_cut_above_is_compared_on_the_levels_both_show():
    volume, labels = ellipsoids.hips(0.0, snr=1e4, shading=0.0)
    fatty = volume.voxels.copy()
    low = labels.mask(MEDIUS, Side.RIGHT)
    low[..., 14:] = False  # fat only below the slab that both sides show
    fatty[low] = ellipsoids.FAT_SIGNAL
    keep = np.zeros(labels.labels.shape, dtype=bool)
    keep[..., 14:] = True
    shown = shrunk(labels, MEDIUS, Side.LEFT, keep)
    valid = volume.valid.copy()
    valid[: valid.shape[0] // 2, :, :14] = False  # the view ends there on the left
    result = compared(replace(volume, voxels=fatty, valid=valid), shown)[MEDIUS]
    assert result.common_slab_mm is not None
    assert abs(result.fat_fraction_difference) < 0.03


def test_fat_is_not_compared_where_unlike_shares_carry_signal():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    valid = volume.valid.copy()
    some = np.argwhere(labels.mask(MEDIUS, Side.RIGHT))
    valid[tuple(some[: len(some) // 4].T)] = False
    a = compared(replace(volume, valid=valid), labels)[MEDIUS]
    assert a.fat_fraction_difference is None
    assert "fat_not_comparable" in [f.code for f in a.findings]


def test_the_affected_side_is_compared_with_the_other():
    a = Asymmetry(MEDIUS, volume_asymmetry_percent=40.0, fat_fraction_difference=-0.3)  # 120 and 80 mL
    right, left = replace(a, affected=Side.RIGHT), replace(a, affected=Side.LEFT)
    assert right.affected_volume_percent == pytest.approx(-100 / 3)
    assert left.affected_volume_percent == pytest.approx(50)
    assert (right.affected_fat_difference, left.affected_fat_difference) == (0.3, -0.3)
    assert a.affected_volume_percent is None


def test_an_outline_not_to_be_trusted_is_not_compared_and_the_row_says_so():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    confidence = np.where(labels.mask(MEDIUS, Side.RIGHT), 0.5, 1.0).astype(np.float32)
    doubted = replace(labels, confidence=confidence)
    fat = fat_map(volume, doubted)
    rows = measure(fat, doubted, volume)
    (a,) = [a for a in compare(rows, doubted, fat, volume) if a.muscle is MEDIUS]
    assert a.volume_asymmetry_percent is None
    assert a.fat_fraction_difference is None
    assert a.exceeds_error is None
    assert a.exceeds_normal is None
    details = {f.code: f.detail for f in a.findings}
    assert details["not_comparable"] == "outline not to be trusted on the right"
    assert details["fat_not_comparable"] == "not known: right, outline_unusable"
    (row,) = [m for m in rows if (m.muscle, m.side, m.region) == (MEDIUS, Side.RIGHT, Region.WHOLE)]
    assert (row.volume_ml, row.lean_volume_ml, row.max_csa_cm2) == (None, None, None)


# --- errors and verdicts, on rows made by hand ------------------------------------------------------------


def prisms(left=slice(5, 25), right=slice(5, 25), view_left=slice(0, 30), view_right=slice(0, 30)):
    """Medius of both sides as upright prisms of 20 by 20 mm without fat, in slices of 4 mm.

    The muscles reach through the slices `left` and `right`; the image shows `view_left` and `view_right`.
    """
    shape = (40, 14, 30)
    labels, valid = np.zeros(shape, dtype=np.uint16), np.zeros(shape, dtype=bool)
    valid[:20, :, view_left] = valid[20:, :, view_right] = True
    labels[4:14, 2:12, left] = label_of(MEDIUS, Side.LEFT)
    labels[26:36, 2:12, right] = label_of(MEDIUS, Side.RIGHT)
    geometry = Geometry(shape, np.diag([2.0, 2.0, 4.0, 1.0]))
    volume = Volume(np.ones(shape), geometry, valid, SeriesInfo("prisms"))
    fat = FatMap(np.zeros(shape), valid, geometry, "t1")
    return volume, ellipsoids.segmented(np.where(valid, labels, 0), geometry), fat


def compared_prisms(confidence=1.0, **extents):
    volume, labels, fat = prisms(**extents)
    doubted = replace(labels, confidence=np.full(labels.labels.shape, confidence, dtype=np.float32))
    rows = [m for m in measure(fat, doubted, volume) if m.muscle is MEDIUS]
    return compare(rows, doubted, fat, volume)[0]


def of_rows(volumes_ml, errors_ml=(1.0, 1.0), fractions=(0.2, 0.2), errors=(0.01, 0.01), lost=(0.0, 0.0)):
    """Left against right of two whole muscles with these numbers."""
    rows = [
        MuscleMeasurement(
            MEDIUS, side, volume_ml=ml, covered_volume_ml=ml, volume_se_ml=ml_error,
            fat_fraction=fraction, fat_fraction_se=error, coverage=1.0, excluded_fraction=excluded,
        )
        for side, ml, ml_error, fraction, error, excluded in zip(
            SIDES, volumes_ml, errors_ml, fractions, errors, lost, strict=True
        )
    ]  # fmt: skip
    volume, labels, fat = prisms()
    return compare(rows, labels, fat, volume)[0]


@pytest.mark.parametrize(
    ("volumes_ml", "errors_ml"), [((80.0, 80.0), (1.0, 3.0)), ((120.0, 60.0), (6.0, 1.0))]
)
def test_errors_of_measurement_alone_exceed_the_stated_error_once_in_twenty_times(volumes_ml, errors_ml):
    random = np.random.default_rng(0)
    truth = of_rows(volumes_ml)
    beyond = []
    for _ in range(800):
        found = of_rows(
            random.normal(volumes_ml, errors_ml), errors_ml, random.normal(0.2, (0.01, 0.03)), (0.01, 0.03)
        )
        off = abs(found.volume_asymmetry_percent - truth.volume_asymmetry_percent)
        beyond.append((off > found.volume_error_percent, found.fat_exceeds_error))
    assert np.mean(beyond, axis=0) == pytest.approx(0.05, abs=0.03)


def test_single_muscles_of_healthy_people_differ_by_up_to_twelve_percent():
    assert of_rows((111.0, 100.0)).exceeds_normal is False  # 10.4 %
    assert of_rows((115.0, 100.0)).exceeds_normal is True  # 14.0 %
    assert of_rows((100.0, 115.0)).exceeds_normal is True


def test_a_difference_of_fat_alone_or_of_volume_alone_exceeds_error():
    assert of_rows((100.0, 100.0), fractions=(0.2, 0.5)).exceeds_error is True
    assert of_rows((100.0, 150.0)).exceeds_error is True
    assert of_rows((100.0, 100.0)).exceeds_error is False


def test_rests_that_lost_like_shares_are_compared_and_those_that_lost_a_fifth_more_are_not():
    for lost, compared_fat in (
        ((0.1, 0.2), True),
        ((0.3, 0.3), True),
        ((0.0, 0.2), False),
        ((0.3, 0.1), False),
    ):
        found = of_rows((100.0, 100.0), lost=lost)
        assert (found.fat_fraction_difference is not None) is compared_fat


def test_a_symmetric_person_shown_unevenly_above_and_below_has_no_asymmetry():
    a = compared_prisms(view_left=slice(8, 20), view_right=slice(10, 17))
    assert a.common_slab_mm == pytest.approx(28.0)
    assert a.volume_asymmetry_percent == pytest.approx(0.0)
    a = compared_prisms(view_left=slice(8, 17), view_right=slice(10, 20))
    assert a.common_slab_mm == pytest.approx(28.0)


def test_the_lower_end_of_a_longer_muscle_counts_where_only_the_upper_ends_are_cut():
    shown = {"view_left": slice(0, 20), "view_right": slice(0, 20)}
    a = compared_prisms(left=slice(2, 25), right=slice(8, 25), **shown)
    assert a.volume_asymmetry_percent == pytest.approx(100 * (18 - 12) / 15)
    upside_down = {"view_left": slice(10, 30), "view_right": slice(10, 30)}
    a = compared_prisms(left=slice(5, 28), right=slice(5, 22), **upside_down)
    assert a.volume_asymmetry_percent == pytest.approx(100 * (18 - 12) / 15)


@pytest.mark.parametrize(
    ("left_top", "right_top", "higher"),
    [(20, 16, "left"), (16, 19, "right"), (18, 16, None), (20, None, None)],
)
@pytest.mark.parametrize("shown", [slice(0, 30), slice(0, 23)])
def test_levels_of_hips_that_lie_at_unlike_heights_are_compared_with_a_word_of_caution(
    left_top, right_top, higher, shown
):
    volume, labels, fat = prisms(view_left=shown, view_right=shown)
    with_femora = labels.labels.copy()
    for side, columns, top in (
        (Side.LEFT, slice(15, 19), left_top),
        (Side.RIGHT, slice(21, 25), right_top),
    ):
        with_femora[columns, 2:12, :top] = label_of("femur", side) if top else 0
    labels = ellipsoids.segmented(with_femora, labels.geometry)
    (a,) = compare([m for m in measure(fat, labels, volume) if m.muscle is MEDIUS], labels, fat, volume)
    told = {f.code: f.detail for f in a.findings}
    cut = shown.stop < 25
    assert ("common_slab" in told) is cut
    assert ("unlike_levels" in told) is (cut and higher is not None)
    if cut and higher:
        assert told["unlike_levels"].startswith(f"the {higher} femoral head lies 1")


def test_half_of_a_muscle_is_outlined_as_well_as_the_whole_of_it():
    whole = compared_prisms(confidence=0.92)
    half = compared_prisms(confidence=0.92, view_left=slice(0, 15), view_right=slice(0, 18))
    assert half.common_slab_mm == pytest.approx(40.0)
    assert half.volume_error_percent == pytest.approx(whole.volume_error_percent)


def test_fat_that_folds_at_one_half_is_not_compared_and_the_row_says_so():
    volume, labels, fat = prisms()
    folded = replace(fat, findings=(Finding("two_point_folds"),))
    rows = [m for m in measure(folded, labels, volume) if m.muscle is MEDIUS]
    (a,) = compare(rows, labels, folded, volume)
    assert rows[0].fat_fraction == pytest.approx(0.0)
    assert a.volume_asymmetry_percent == pytest.approx(0.0)
    assert (a.fat_fraction_difference, a.fat_exceeds_error) == (None, None)
    assert [f.code for f in a.findings] == ["fat_not_comparable"]


def fattier_below(fat):
    """The map with muscle of half fat below the middle slice and none above it."""
    fraction = np.where(np.arange(fat.fraction.shape[2]) < 15, 0.5, 0.0)
    return replace(fat, fraction=np.broadcast_to(fraction, fat.fraction.shape))


def test_fat_of_levels_that_only_one_side_shows_is_not_compared_with_that_of_others():
    volume, labels, fat = prisms(view_left=slice(0, 14), view_right=slice(16, 30))
    fat = fattier_below(fat)
    (a,) = compare([m for m in measure(fat, labels, volume) if m.muscle is MEDIUS], labels, fat, volume)
    assert a.fat_fraction_difference is None
    assert a.exceeds_error is None
    assert [(f.code, f.detail) for f in a.findings] == [
        (code, "no level is in view on both sides") for code in ("not_comparable", "fat_not_comparable")
    ]


def test_fat_of_muscles_cut_at_the_side_too_is_compared_on_the_levels_both_show():
    volume, labels, fat = prisms(view_left=slice(0, 15), view_right=slice(0, 25))
    valid = fat.valid.copy()
    valid[:8] = False  # the left muscle is cut at its side as well
    shown = ellipsoids.segmented(np.where(valid, labels.labels, 0), fat.geometry)
    fat = replace(fattier_below(fat), valid=valid)
    seen = replace(volume, valid=valid)
    (a,) = compare([m for m in measure(fat, shown, seen) if m.muscle is MEDIUS], shown, fat, seen)
    assert a.volume_asymmetry_percent is None
    assert a.fat_fraction_difference == pytest.approx(0.0, abs=0.01)
    assert a.common_slab_mm == pytest.approx(40.0)
