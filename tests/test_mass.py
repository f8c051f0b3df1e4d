"""A ball without fat is no muscle; fat in streaks is."""

from dataclasses import replace

import numpy as np
import pytest
from ellipsoid_hip import segmented

from grading.anatomy import REGIONS, Muscle, Region, Side, label_of
from grading.fat import FatMap, fat_map
from grading.findings import Finding, says
from grading.io import read
from grading.mass import LARGEST_MM, possible_mass, widest_lean_ball_mm
from grading.measure import measure
from grading.segment import segment
from grading.series import SeriesInfo
from grading.volume import Geometry, Volume

MAXIMUS = Muscle.GLUTEUS_MAXIMUS
SPACINGS = ((1.0, 5.0, 1.0), (1.0, 1.0, 4.0), (2.0, 2.0, 2.0))


def slab(spacing_mm, extent_mm=(60.0, 150.0, 120.0)):
    """A muscle 60 mm thick that fills its box, and where its voxels lie, mm."""
    shape = tuple(round(e / s) for e, s in zip(extent_mm, spacing_mm, strict=True))
    where = np.indices(shape) * np.reshape(spacing_mm, (3, 1, 1, 1))
    return np.ones(shape, dtype=bool), where


@pytest.mark.parametrize("spacing_mm", SPACINGS)
def test_muscle_without_any_fat_has_room_for_a_ball_as_wide_as_itself(spacing_mm):
    mask, _ = slab(spacing_mm)
    ball = widest_lean_ball_mm(np.zeros(mask.shape, dtype=np.float32), mask, spacing_mm)
    assert ball == pytest.approx(60, abs=8)


@pytest.mark.parametrize("spacing_mm", SPACINGS)
@pytest.mark.parametrize("apart_mm", [15.0, 25.0])
def test_streaks_leave_no_more_room_than_lies_between_them(spacing_mm, apart_mm):
    mask, (_, _, z) = slab(spacing_mm)
    streaks = (z % apart_mm < max(2.0, spacing_mm[2])).astype(np.float32)
    assert widest_lean_ball_mm(streaks, mask, spacing_mm) <= apart_mm + 6


def test_noise_does_not_hide_a_mass_among_streaks():
    spacing_mm = (1.0, 5.0, 1.0)
    mask, (x, y, z) = slab(spacing_mm)
    fraction = (z % 15 < 2).astype(np.float32)
    fraction[np.hypot(np.hypot(x - 30, y - 75), z - 60) < 26] = 0
    fraction += np.random.default_rng(1).normal(0, 0.1, mask.shape)
    assert widest_lean_ball_mm(fraction, mask, spacing_mm) == pytest.approx(52, abs=8)


def test_what_lies_outside_the_muscle_or_carries_no_signal_is_no_room():
    mask, (x, _, _) = slab((2.0, 2.0, 2.0))
    fraction = np.where(x > 30, np.nan, 0.0).astype(np.float32)
    assert widest_lean_ball_mm(fraction, mask, (2.0, 2.0, 2.0)) == pytest.approx(30, abs=6)
    assert widest_lean_ball_mm(np.zeros_like(fraction), mask & (x < 20), (2.0, 2.0, 2.0)) <= 24


def test_a_wide_lean_ball_is_told_unless_the_other_side_has_its_like():
    left, right = Side.LEFT, Side.RIGHT
    (finding,) = possible_mass(MAXIMUS, right, {right: 70.0})
    assert (finding.code, finding.muscle, finding.side) == ("possible_mass", MAXIMUS, right)
    assert "70 mm" in finding.detail
    assert possible_mass(MAXIMUS, right, {left: 30.0, right: 70.0})
    assert not possible_mass(MAXIMUS, left, {left: 30.0, right: 70.0})
    assert not possible_mass(MAXIMUS, right, {left: 60.0, right: 70.0}), "a very muscular person"
    assert not possible_mass(MAXIMUS, right, {right: LARGEST_MM})


def test_the_tumours_known_are_told_from_the_widest_lean_ball_of_healthy_women():
    assert possible_mass(MAXIMUS, Side.RIGHT, {Side.RIGHT: 47.0})
    assert not possible_mass(MAXIMUS, Side.RIGHT, {Side.RIGHT: 31.0})


def block_of_maximus():
    """Maximus without a streak of fat, 60 mm wide on the right and 18 mm on the left, and its fat map."""
    labels = np.zeros((60, 40, 30), dtype=np.uint16)
    labels[36:56, 8:28, 5:25] = label_of(MAXIMUS, Side.RIGHT)  # 60 mm wide, no streak in it
    labels[4:24, 8:14, 5:25] = label_of(MAXIMUS, Side.LEFT)  # 18 mm
    volume = Volume(
        np.ones(labels.shape),
        Geometry(labels.shape, np.diag([3.0] * 3 + [1])),
        labels >= 0,
        SeriesInfo("hips"),
    )
    fat = FatMap(np.zeros(labels.shape), labels >= 0, volume.geometry, "t1")
    return fat, segmented(labels, volume.geometry), volume


def test_a_mass_in_one_muscle_is_told_in_every_row_of_it_and_in_no_other():
    told = [m for m in measure(*block_of_maximus()) if "possible_mass" in [f.code for f in m.findings]]
    assert [(m.muscle, m.side, m.region) for m in told] == [
        (MAXIMUS, Side.RIGHT, region) for region in (Region.WHOLE, *REGIONS[MAXIMUS])
    ]


def test_in_and_opposed_phase_tell_no_mass_since_muscle_that_is_all_fat_reads_as_lean():
    fat, labels, volume = block_of_maximus()
    folded = replace(fat, findings=(Finding("two_point_folds"),))
    assert not any(says(m.findings, "possible_mass") for m in measure(folded, labels, volume))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("image", "warned"),
    [
        ("hip_t1_axial_cropped/sts007/t1.nii.gz", {(MAXIMUS, Side.RIGHT)}),
        ("hip_t1_axial_cropped/sts031/t1.nii.gz", {(MAXIMUS, Side.RIGHT)}),
        pytest.param("pelvis_t1_coronal/pelvis13/dicom", set(), marks=pytest.mark.slow),
    ],
)
def test_a_real_tumour_that_is_called_maximus_is_told_and_healthy_muscle_is_not(real_data, image, warned):
    volume = read(real_data / "mri" / image)
    labels = segment(volume)
    rows = measure(fat_map(volume, labels), labels, volume)
    assert {(m.muscle, m.side) for m in rows if "possible_mass" in [f.code for f in m.findings]} == warned
