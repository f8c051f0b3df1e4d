"""Scanning the phantom: contrast, slice profile, noise, shading, Dixon, and what it says is true."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from grading.anatomy import SIDES, Muscle, Side, label_of
from grading.errors import ConfigurationError
from grading.phantom import MuscleState, Protocol, Tissue, acquire, build_phantom
from grading.phantom.labels import BLADDER, DEEP_FAT, SUBCUTANEOUS_FAT
from grading.phantom.tissue import fat, water
from grading.series import Role
from tests.phantom.phantoms import ILL, NOISELESS, SPACING_MM, healthy, ill, scan_of_the_ill


def signal(label: int) -> float:
    scan = scan_of_the_ill()
    return float(np.median(scan.volume.voxels[scan.labels == label]))


def test_on_t1_fat_is_brightest_and_fluid_darker_than_muscle():
    muscle = signal(label_of(Muscle.GLUTEUS_MAXIMUS, Side.LEFT))
    assert signal(SUBCUTANEOUS_FAT) > 2 * muscle
    assert muscle > signal(BLADDER)
    assert signal(0) < 0.1 * muscle


@pytest.mark.parametrize("field_strength_t", [1.5, 3.0])
def test_fat_to_muscle_ratio_of_clinical_t1_is_between_1_4_and_3(field_strength_t):
    for tr_ms, te_ms in ((450, 8), (560, 11), (800, 15)):
        muscle = water(field_strength_t)[Tissue.MUSCLE].spin_echo(tr_ms, te_ms)
        assert 1.4 <= fat(field_strength_t).spin_echo(tr_ms, te_ms) / muscle <= 3.2


def test_a_fatty_muscle_is_as_much_brighter_as_it_holds_fat():
    scan = scan_of_the_ill()
    protocol, relaxation = NOISELESS, water(1.5)[Tissue.MUSCLE]
    lean = (
        1000
        * relaxation.spin_echo(protocol.tr_ms, protocol.te_ms)
        / fat(1.5).spin_echo(protocol.tr_ms, protocol.te_ms)
    )
    truth = scan.truth.set_index(["muscle", "side"])
    for muscle in (Muscle.GLUTEUS_MAXIMUS, Muscle.GLUTEUS_MEDIUS):
        mean = scan.volume.voxels[scan.labels == label_of(muscle, Side.RIGHT)].mean()
        fraction = (mean - lean) / (1000 - lean)
        assert fraction == pytest.approx(truth.loc[(muscle, "right"), "fat_fraction_on_grid"], abs=0.03)


def test_labels_on_thick_slices_keep_the_volume():
    truth = scan_of_the_ill().truth
    np.testing.assert_allclose(truth["volume_on_grid_ml"], truth["volume_ml"], rtol=0.06)


def test_partial_volume_adds_fat_at_the_border_and_never_hides_it():
    truth = scan_of_the_ill().truth
    added = truth["fat_fraction_on_grid"] - truth["fat_fraction"]
    assert (added > -0.02).all()
    assert (added < 0.15).all()


def test_truth_names_every_muscle_and_side_and_full_coverage():
    truth = scan_of_the_ill().truth
    assert list(zip(truth["muscle"], truth["side"], strict=True)) == [(m, s) for m in Muscle for s in SIDES]
    assert (truth["coverage"] == 1).all()


def test_a_narrow_field_of_view_lowers_coverage():
    truth = acquire(healthy(), replace(NOISELESS, in_plane_mm=3.0, slices=20)).truth.set_index(
        ["muscle", "side"]
    )
    assert 0.2 < truth.loc[("gluteus_maximus", "left"), "coverage"] < 0.9


@pytest.mark.parametrize("plane", ["coronal", "axial", "sagittal"])
def test_every_plane_stacks_along_its_axis(plane):
    fov, slices = {"coronal": ((360, 300), 30), "axial": ((360, 240), 40), "sagittal": ((240, 300), 60)}[
        plane
    ]
    protocol = replace(NOISELESS, plane=plane, in_plane_mm=3.0, slice_mm=6.0, fov_mm=fov, slices=slices)
    scan = acquire(healthy(), protocol)
    axis = {"sagittal": 0, "coronal": 1, "axial": 2}[plane]
    assert scan.volume.geometry.spacing_mm == tuple(6.0 if a == axis else 3.0 for a in range(3))
    assert scan.volume.series.slice_axis == axis
    x = np.argwhere(scan.labels == label_of("femur", Side.RIGHT)) @ scan.volume.geometry.affine[0, :3]
    assert (x + scan.volume.geometry.affine[0, 3]).min() > 0


def test_a_noiseless_scan_of_a_symmetric_body_is_symmetric():
    voxels = acquire(healthy(), replace(NOISELESS, in_plane_mm=3.0, textured=True)).volume.voxels
    np.testing.assert_allclose(voxels, voxels[::-1], atol=0.05)


@pytest.mark.slow
def test_fascia_shows_the_border_of_a_muscle_that_is_all_fat_and_changes_no_truth():
    end_stage = replace(ILL.right, minimus=MuscleState(fat_fraction=1.0))
    scans = [
        acquire(build_phantom(replace(ILL, right=end_stage, fascia_mm=mm), SPACING_MM), NOISELESS)
        for mm in (0.0, 0.9)
    ]
    minimus = scans[0].labels == label_of(Muscle.GLUTEUS_MINIMUS, Side.RIGHT)
    layer = ndimage.binary_dilation(minimus) & (scans[0].labels == DEEP_FAT)
    bare, wrapped = (scan.volume.voxels for scan in scans)
    assert wrapped[layer].mean() < 0.9 * bare[layer].mean()
    inside = ndimage.binary_erosion(minimus)
    assert wrapped[inside].mean() == pytest.approx(bare[inside].mean(), rel=0.03)
    known = ["volume_ml", "fat_fraction", "coverage"]
    pd.testing.assert_frame_equal(scans[0].truth[known], scans[1].truth[known])


def test_noise_has_the_asked_ratio_and_repeats_with_its_seed():
    protocol = replace(NOISELESS, in_plane_mm=3.0, slices=16, snr=20.0, seed=4)
    noisy, again = acquire(healthy(), protocol), acquire(healthy(), protocol)
    clean = acquire(healthy(), replace(protocol, snr=np.inf))
    np.testing.assert_array_equal(noisy.volume.voxels, again.volume.voxels)
    where = clean.labels == label_of(Muscle.GLUTEUS_MAXIMUS, Side.LEFT)
    lean = np.percentile(clean.volume.voxels[where], 10)
    spread = (noisy.volume.voxels - clean.volume.voxels)[where].std()
    assert lean / spread == pytest.approx(20, rel=0.1)


def test_shading_stays_within_its_amplitude():
    protocol = replace(NOISELESS, in_plane_mm=3.0, slice_mm=10.0, slices=20)
    flat, shaded = (acquire(healthy(), replace(protocol, bias=bias)).volume.voxels for bias in (0.0, 0.3))
    ratio = shaded[flat > 100] / flat[flat > 100]
    assert 1 / 1.31 < ratio.min() < 0.95
    assert 1.05 < ratio.max() < 1.31


def test_dixon_gives_water_and_fat_images_whose_ratio_is_the_fat():
    scan = acquire(ill(), replace(NOISELESS, in_plane_mm=3.0, contrast="dixon"))
    assert scan.volume.series.role is Role.WATER
    assert scan.fat is not None
    assert scan.fat.series.role is Role.FAT
    for muscle, fraction in ((Muscle.GLUTEUS_MEDIUS, 0.45), (Muscle.GLUTEUS_MAXIMUS, 0.06)):
        where = scan.labels == label_of(muscle, Side.RIGHT)
        share = scan.fat.voxels[where] / (scan.fat.voxels[where] + scan.volume.voxels[where])
        assert share.mean() == pytest.approx(fraction, abs=0.09)
    subcutaneous = scan.labels == SUBCUTANEOUS_FAT
    assert np.median(scan.fat.voxels[subcutaneous]) > 10 * np.median(scan.volume.voxels[subcutaneous])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"plane": "oblique"}, "choose one of sagittal, coronal, axial"),
        ({"contrast": "t2"}, "choose t1 or dixon"),
        ({"slices": 0}, "must be positive"),
    ],
)
def test_an_impossible_protocol_is_refused(change, message):
    with pytest.raises(ConfigurationError, match=message):
        replace(Protocol(), **change)


def test_a_field_without_known_relaxation_is_refused():
    with pytest.raises(ConfigurationError, match=r"1\.5 and 3 T"):
        acquire(healthy(), replace(NOISELESS, field_strength_t=7.0))
