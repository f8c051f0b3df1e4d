"""Volume, cross-section, coverage and their errors on ellipsoid muscles."""

from dataclasses import replace

import ellipsoid_hip as ellipsoids
import numpy as np
import pytest

from grading.anatomy import REGIONS, SIDES, Muscle, Region, Side, label_of
from grading.asymmetry import compare
from grading.fat import FatMap, fat_map
from grading.findings import Finding
from grading.measure import measure
from grading.series import SeriesInfo
from grading.volume import Volume
from grading.volume_error import VolumeError

MEDIUS, MAXIMUS = Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MAXIMUS
ONE = (MEDIUS, Side.RIGHT)
COARSE = ellipsoids.grid((3.0, 3.0, 5.0))
EVERYTHING = slice(None)


def rows(volume, segmentation):
    """Measurements of whole muscles by muscle and side."""
    found = measure(fat_map(volume, segmentation), segmentation, volume)
    return {(m.muscle, m.side): m for m in found if m.region is Region.WHOLE}


def regions(volume, segmentation, muscle, side):
    """Measurements of one muscle's regions."""
    found = measure(fat_map(volume, segmentation), segmentation, volume)
    return [m for m in found if (m.muscle, m.side) == (muscle, side) and m.region is not Region.WHOLE]


def codes(measurement):
    return [f.code for f in measurement.findings]


@pytest.mark.parametrize("absent", [False, True])
def test_every_muscle_and_region_on_both_sides_has_a_row_in_the_order_of_the_tables(absent):
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    if absent:
        labels = ellipsoids.segmented(np.where(labels.mask(*ONE), 0, labels.labels), COARSE)
    found = measure(fat_map(volume, labels), labels, volume)
    assert [(m.muscle, m.side, m.region) for m in found] == [
        (muscle, side, region)
        for muscle in Muscle
        for side in SIDES
        for region in (Region.WHOLE, *REGIONS[muscle])
    ]


def test_an_ellipsoid_has_its_volume_its_lean_volume_and_its_cross_section():
    m = rows(*ellipsoids.hips({ONE: 0.4}))[ONE]
    true_ml = ellipsoids.ellipsoid_ml(MEDIUS)
    assert m.volume_ml == pytest.approx(true_ml, rel=0.03)
    assert m.lean_volume_ml == pytest.approx(0.6 * true_ml, rel=0.06)
    assert m.max_csa_cm2 == pytest.approx(np.pi * 1.6 * 2.6, rel=0.03)
    assert m.coverage == 1.0
    assert m.findings == ()


def test_regions_share_out_volume_and_fat_of_the_whole():
    volume, labels = ellipsoids.hips({ONE: 0.4})
    whole, parts = rows(volume, labels)[ONE], regions(volume, labels, *ONE)
    volumes = [part.volume_ml for part in parts]
    assert sum(volumes) == pytest.approx(whole.volume_ml)
    assert volumes[0] == pytest.approx(volumes[2], rel=0.02), "an ellipsoid is as thick in front as behind"
    assert np.average([p.fat_fraction for p in parts], weights=volumes) == pytest.approx(0.4, abs=0.03)
    assert all(codes(part) == ["region_by_geometry"] for part in parts)


def test_fat_of_one_half_is_read_in_that_half_alone():
    volume, labels = ellipsoids.hips(0.0, snr=50, shading=0.0)
    mask = labels.mask(Muscle.GLUTEUS_MINIMUS, Side.RIGHT)
    behind = mask & (np.arange(mask.shape[1])[None, :, None] < np.argwhere(mask)[:, 1].mean())
    fatty = replace(volume, voxels=np.where(behind, 1.7 * volume.voxels, volume.voxels))
    anterior, posterior = regions(fatty, labels, Muscle.GLUTEUS_MINIMUS, Side.RIGHT)
    assert anterior.fat_fraction == pytest.approx(0.0, abs=0.04)
    assert posterior.fat_fraction == pytest.approx(0.5, abs=0.1)
    assert codes(anterior) == ["region_by_geometry", "anterior_often_fatty"]


def test_regions_of_a_muscle_that_is_cut_have_fat_but_no_whole_volume():
    volume, labels = ellipsoids.hips(0.0)
    parts = regions(*ellipsoids.cropped(volume, labels, (EVERYTHING, EVERYTHING, slice(0, 20))), *ONE)
    for part in parts:
        assert part.volume_ml is None
        assert part.covered_volume_ml > 0
        assert part.coverage < 1
        assert part.fat_fraction == pytest.approx(0.0, abs=0.03)
        assert codes(part) == ["cut_by_field_of_view", "region_by_geometry"]


def test_maximus_that_blank_slices_cut_has_no_upper_and_lower_part_without_a_femoral_head():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    valid = np.broadcast_to(np.arange(COARSE.shape[2]) < 14, COARSE.shape)
    shown = ellipsoids.segmented(np.where(valid, labels.labels, 0), COARSE)
    for part in regions(replace(volume, valid=valid), shown, MAXIMUS, Side.RIGHT):
        assert "region_undefined" in codes(part)
        assert part.fat_fraction is None


def test_thick_coronal_slices_give_the_same_axial_cross_section():
    geometry = ellipsoids.grid((1.5, 5.0, 1.5))
    m = rows(*ellipsoids.hips(0.0, geometry=geometry, slice_axis=1))[ONE]
    assert m.max_csa_cm2 == pytest.approx(np.pi * 1.6 * 2.6, rel=0.05)


def test_a_muscle_that_is_absent_has_no_number_and_a_reason():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    without = np.where(labels.mask(*ONE), 0, labels.labels).astype(np.uint16)
    m = rows(volume, ellipsoids.segmented(without, COARSE))[ONE]
    assert m.volume_ml is None
    assert m.covered_volume_ml is None
    assert m.fat_fraction is None
    assert m.coverage is None
    assert [f.code for f in m.findings] == ["not_found"]


def test_a_missing_reference_leaves_volume_but_no_fat():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    bare = replace(volume, voxels=np.where(labels.labels > 0, volume.voxels, 5.0))
    m = rows(bare, labels)[ONE]
    assert m.volume_ml is not None
    assert m.fat_fraction is None
    assert m.fat_fraction_se is None
    assert m.lean_volume_ml is None
    assert [f.code for f in m.findings] == ["no_fat_reference"]


def test_a_muscle_cut_above_has_no_whole_volume_and_says_where_it_is_cut():
    volume, labels = ellipsoids.hips(0.0)
    m = rows(*ellipsoids.cropped(volume, labels, (EVERYTHING, EVERYTHING, slice(0, 20))))[ONE]
    seen = np.count_nonzero(labels.mask(*ONE)[..., :20]) / np.count_nonzero(labels.mask(*ONE))
    assert m.volume_ml is None
    assert m.lean_volume_ml is None
    assert m.covered_volume_ml == pytest.approx(seen * ellipsoids.ellipsoid_ml(MEDIUS), rel=0.03)
    assert m.cut_faces == ("superior",)
    assert m.coverage < 1
    assert m.fat_fraction == pytest.approx(0.0, abs=0.02)
    (finding,) = m.findings
    assert finding.code == "cut_by_field_of_view"
    assert "superior" in finding.detail


def test_a_lateral_cut_names_the_side_and_coverage_follows_the_shape():
    volume, labels = ellipsoids.hips(0.0)
    last = int(np.flatnonzero(labels.mask(*ONE).any(axis=(1, 2)))[-1])
    kept = slice(0, last - 3)
    m = rows(*ellipsoids.cropped(volume, labels, (kept, EVERYTHING, EVERYTHING)))[ONE]
    truth = np.count_nonzero(labels.mask(*ONE)[kept]) / np.count_nonzero(labels.mask(*ONE))
    assert m.cut_faces == ("lateral right",)
    assert m.coverage == pytest.approx(truth, abs=0.05)


def test_padding_cuts_as_the_edge_of_the_image_does_but_a_void_inside_does_not():
    volume, labels = ellipsoids.hips(0.0)
    valid = volume.valid.copy()
    valid[..., 20:] = False
    assert rows(replace(volume, valid=valid), labels)[ONE].cut_faces == ("superior",)
    valid = volume.valid.copy()
    i, j, k = (int(n) for n in np.argwhere(labels.mask(*ONE)).mean(axis=0))
    valid[i - 3 : i + 3, j - 3 : j + 3, k - 1 : k + 2] = False
    m = rows(replace(volume, valid=valid), labels)[ONE]
    assert m.cut_faces == ()
    assert m.excluded_fraction == pytest.approx(6 * 6 * 3 / np.count_nonzero(labels.mask(*ONE)))


def test_a_muscle_without_signal_in_most_voxels_is_not_measured():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    mask = labels.mask(*ONE)
    valid = volume.valid.copy()
    valid[mask] = np.arange(np.count_nonzero(mask)) % 3 == 0
    m = rows(replace(volume, valid=valid), labels)[ONE]
    assert m.fat_fraction is None
    assert "mostly_excluded" in [f.code for f in m.findings]


def test_a_mask_of_a_few_voxels_has_a_volume_but_no_fat():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    small = labels.labels.copy()
    where = np.argwhere(labels.mask(*ONE))
    small[tuple(where[60:].T)] = 0
    m = rows(volume, ellipsoids.segmented(small, COARSE))[ONE]
    assert m.volume_ml == pytest.approx(60 * COARSE.voxel_volume_ml)
    assert m.fat_fraction is None
    assert [f.code for f in m.findings] == ["too_small"]


def lean_map(labels, valid=None, findings=()):
    """A fat map without any fat on the grid of these labels."""
    valid = np.ones(labels.labels.shape, dtype=bool) if valid is None else valid
    return FatMap(np.zeros(valid.shape), valid, labels.geometry, "dixon", findings=findings)


def test_what_stops_one_side_stops_no_muscle_of_the_other():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    fat = lean_map(labels, findings=(Finding("water_fat_swap", side=Side.RIGHT),))
    for m in (m for m in measure(fat, labels, volume) if m.region is Region.WHOLE):
        assert (m.fat_fraction is None) == (m.side is Side.RIGHT)
        assert ("water_fat_swap" in codes(m)) == (m.side is Side.RIGHT)


@pytest.mark.parametrize(
    ("lost", "code", "measured"),
    [(0.05, None, True), (0.4, "partly_excluded", True), (0.6, "mostly_excluded", False)],
)
def test_a_muscle_is_measured_on_what_carries_signal_while_that_is_most_of_it(lost, code, measured):
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    mask = labels.mask(*ONE)
    valid = np.ones(mask.shape, dtype=bool)
    valid[mask] = np.random.default_rng(0).random(np.count_nonzero(mask)) > lost
    (m,) = [
        m
        for m in measure(lean_map(labels, valid), labels, volume)
        if (m.muscle, m.side, m.region) == (*ONE, "whole")
    ]
    assert m.excluded_fraction == pytest.approx(lost, abs=0.03)
    assert codes(m) == ([code] if code else [])
    assert (m.fat_fraction is not None) is measured


def test_a_muscle_outlined_on_some_slices_has_fat_but_no_whole_volume_nor_share_in_view():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    some = replace(labels, findings=(Finding("partly_outlined"),))
    found = measure(lean_map(some), some, volume)
    for m in (m for m in found if m.region is Region.WHOLE):
        assert m.fat_fraction == pytest.approx(0.0)
        assert m.covered_volume_ml > 0
        assert (m.volume_ml, m.lean_volume_ml, m.max_csa_cm2, m.coverage) == (None, None, None, None)
    for a in compare(found, some, lean_map(some), volume):
        assert a.volume_asymmetry_percent is None
        assert a.fat_fraction_difference == pytest.approx(0.0)
        assert a.findings[0].detail == "outlined in part only on the left and the right"


def test_a_volume_may_be_off_by_half_a_voxel_of_border_all_round():
    labels = np.zeros((40, 30, 12), dtype=np.uint16)
    labels[5:35, 5:25, 3:9] = label_of(MEDIUS, Side.RIGHT)  # 30 by 20 pixels of 1 mm, six slices of 5 mm
    segmentation = ellipsoids.segmented(labels, ellipsoids.grid((1.0, 1.0, 5.0), (40.0, 30.0, 60.0)))
    volume = Volume(np.ones(labels.shape), segmentation.geometry, labels >= 0, SeriesInfo("block"))
    (m,) = [
        m
        for m in measure(lean_map(segmentation), segmentation, volume)
        if (m.muscle, m.side, m.region) == (*ONE, "whole")
    ]
    assert m.volume_ml == pytest.approx(30 * 20 * 30 / 1000)
    assert m.volume_se_ml == pytest.approx((31 * 21 - 30 * 20) * 30 / 1000, rel=0.1)
    assert VolumeError(3.0, 4.0).total == pytest.approx(5.0), "two independent sources"


@pytest.mark.parametrize("truth", [0.0, 0.5])
def test_the_standard_error_covers_the_true_error_of_most_muscles(truth):
    found = [
        m
        for seed in range(3)
        for m in rows(*ellipsoids.hips(truth, geometry=COARSE, snr=15, seed=seed)).values()
    ]
    errors = [abs(m.fat_fraction - truth) / m.fat_fraction_se for m in found]
    assert np.mean(np.array(errors) < 1.96) >= 0.8


def test_mirroring_the_patient_swaps_every_row():
    volume, labels = ellipsoids.hips({ONE: 0.4}, geometry=COARSE)
    box = (slice(5, None), EVERYTHING, slice(3, None))
    straight = rows(*ellipsoids.cropped(volume, labels, box))
    mirrored = rows(*ellipsoids.mirrored(*ellipsoids.cropped(volume, labels, box)))
    for (muscle, side), m in straight.items():
        other = mirrored[muscle, side.other]
        assert other.covered_volume_ml == m.covered_volume_ml
        assert other.max_csa_cm2 == m.max_csa_cm2
        assert other.coverage == m.coverage
        assert other.fat_fraction == pytest.approx(m.fat_fraction, abs=1e-4)
        assert other.fat_fraction_se == pytest.approx(m.fat_fraction_se, abs=1e-4)
        assert [f.code for f in other.findings] == [f.code for f in m.findings]
