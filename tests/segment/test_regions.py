"""Regions of the glutei: where they lie, and that nothing but the muscle's shape decides it."""

import numpy as np
import pytest
from scipy import ndimage

from grading.anatomy import GLUTEI, REGIONS, SIDES, STRUCTURES, Muscle, Region, Side, label_of
from grading.phantom import bones
from grading.resample import resample
from grading.segment.levels import head_top_mm
from grading.segment.regions import divide
from grading.volume import Geometry, Segmentation
from tests.phantom.phantoms import healthy

MAXIMUS, MEDIUS, MINIMUS, TFL = Muscle
RIGHT, LEFT = Side.RIGHT, Side.LEFT
CASES = [(muscle, side) for muscle in GLUTEI for side in SIDES]


def segmented(labels: np.ndarray, geometry: Geometry) -> Segmentation:
    return Segmentation(labels, geometry, np.ones(labels.shape), "by hand")


def body() -> Segmentation:
    """The true labels of a healthy phantom, on its 3 mm grid."""
    return segmented(healthy().labels, healthy().geometry)


def volumes_ml(segmentation: Segmentation, muscle: Muscle, side: Side) -> np.ndarray:
    voxels = [np.count_nonzero(part.mask) for part in divide(segmentation, muscle, side)]
    return np.array(voxels) * segmentation.geometry.voxel_volume_ml


def shares(segmentation: Segmentation, muscle: Muscle, side: Side) -> np.ndarray:
    volumes = volumes_ml(segmentation, muscle, side)
    return volumes / volumes.sum()


def codes(segmentation: Segmentation, muscle: Muscle, side: Side) -> list[list[str]]:
    return [[f.code for f in part.findings] for part in divide(segmentation, muscle, side)]


def without(segmentation: Segmentation, *numbers: int) -> Segmentation:
    labels = np.where(np.isin(segmentation.labels, numbers), 0, segmentation.labels)
    return segmented(labels, segmentation.geometry)


FEMORA = tuple(label_of("femur", side) for side in SIDES)


@pytest.mark.parametrize(("muscle", "side"), CASES)
def test_the_regions_of_a_muscle_are_the_whole_of_it_and_do_not_overlap(muscle, side):
    segmentation = body()
    parts = divide(segmentation, muscle, side)
    assert tuple(part.region for part in parts) == REGIONS[muscle]
    covered = sum(part.mask.astype(int) for part in parts)
    np.testing.assert_array_equal(covered, segmentation.mask(muscle, side))


def test_tensor_fasciae_latae_has_no_regions():
    assert divide(body(), TFL, RIGHT) == ()


@pytest.mark.parametrize("muscle", [MEDIUS, MINIMUS])
def test_regions_follow_each_other_from_front_to_back(muscle):
    for side in SIDES:
        forward = [np.argwhere(part.mask)[:, 1].mean() for part in divide(body(), muscle, side)]
        assert forward == sorted(forward, reverse=True)
        assert shares(body(), muscle, side).min() > 0.15


@pytest.mark.parametrize("turn_deg", [0, 35, -35])
def test_thirds_of_an_even_arc_hold_a_third_each(turn_deg):
    """A plate of even thickness bent round a vertical axis, whichever way the arc faces."""
    geometry = Geometry((90, 90, 20), np.diag([2.0, 2, 4, 1]))
    x, y = (np.arange(90)[:, None] * 2 - 60.0, np.arange(90)[None, :] * 2 - 89.0)
    angle = np.degrees(np.arctan2(y, x)) - turn_deg
    plate = (np.abs(np.hypot(x, y) - 60) < 8) & (np.abs(angle) < 55)
    labels = np.where(plate[..., None], label_of(MEDIUS, RIGHT), np.zeros((1, 1, 20))).astype(np.uint16)
    np.testing.assert_allclose(shares(segmented(labels, geometry), MEDIUS, RIGHT), 1 / 3, atol=0.02)


def test_upper_maximus_ends_at_the_top_of_the_femoral_head():
    phantom = healthy()
    top_mm = bones.HEAD_CENTRE[2] * phantom.parameters.scale + bones.HEAD_RADIUS_MM
    for side in SIDES:
        upper, lower = divide(body(), MAXIMUS, side)
        border_mm = phantom.geometry.affine[2, 3] + 3.0 * (np.argwhere(upper.mask)[:, 2].min() - 0.5)
        assert border_mm == pytest.approx(top_mm, abs=4.0)
        assert np.argwhere(lower.mask)[:, 2].max() < np.argwhere(upper.mask)[:, 2].min()


def test_the_other_sides_head_stands_in_and_is_said_to():
    one = without(body(), label_of("femur", RIGHT))
    np.testing.assert_allclose(volumes_ml(one, MAXIMUS, RIGHT), volumes_ml(body(), MAXIMUS, RIGHT))
    assert codes(one, MAXIMUS, RIGHT) == [["region_by_geometry", "region_level_assumed"]] * 2
    assert codes(one, MAXIMUS, LEFT) == [["region_by_geometry"]] * 2


def test_without_any_femur_the_level_is_an_estimate_within_a_few_centimetres():
    bare = without(body(), *FEMORA)
    assert codes(bare, MAXIMUS, LEFT) == [["region_by_geometry", "region_level_assumed"]] * 2
    lowest = [np.argwhere(divide(s, MAXIMUS, LEFT)[0].mask)[:, 2].min() for s in (bare, body())]
    assert abs(lowest[0] - lowest[1]) * body().geometry.spacing_mm[2] < 30


def test_a_femur_in_view_down_to_the_knee_still_shows_the_top_of_its_head():
    """The shaft runs 90 mm towards the other knee, so that it ends medially of the head."""
    labels = np.zeros((60, 20, 130), dtype=np.uint16)  # 3 mm voxels
    labels[35:50, 5:18, 108:123] = label_of("femur", RIGHT)  # the head, up to 369 mm
    labels[47:55, 5:18, 100:115] = label_of("femur", RIGHT)  # the greater trochanter
    for level in range(100):
        start = 15 + round(30 * level / 100)
        labels[start : start + 8, 8:15, level] = label_of("femur", RIGHT)
    labels[10:30, 0:4, 90:128] = label_of(MAXIMUS, RIGHT)
    upper, _ = divide(segmented(labels, Geometry(labels.shape, np.diag([3.0, 3, 3, 1]))), MAXIMUS, RIGHT)
    assert 3 * np.argwhere(upper.mask)[:, 2].min() == pytest.approx(369, abs=4)


@pytest.mark.parametrize("above", [True, False])
def test_a_maximus_cut_above_or_below_without_a_femur_has_no_regions(above):
    bare = without(body(), *FEMORA)
    height = int(np.argwhere(bare.mask(MAXIMUS, LEFT))[:, 2].mean())
    shown = bare.labels[..., :height] if above else bare.labels[..., height:]
    cut = segmented(shown, Geometry(shown.shape, bare.geometry.affine))
    parts = divide(cut, MAXIMUS, LEFT)
    assert [[f.code for f in part.findings] for part in parts] == [["region_undefined"]] * 2
    assert not any(part.mask.any() for part in parts)


@pytest.mark.parametrize("above", [True, False])
def test_blank_slices_end_the_view_as_the_edge_of_the_image_does(above):
    bare = without(body(), *FEMORA)
    height = int(np.argwhere(bare.mask(MAXIMUS, LEFT))[:, 2].mean())
    shown = (np.arange(bare.labels.shape[2]) < height) == above
    valid = np.broadcast_to(shown, bare.labels.shape)
    padded = segmented(np.where(valid, bare.labels, 0), bare.geometry)
    parts = divide(padded, MAXIMUS, LEFT, valid)
    assert [[f.code for f in part.findings] for part in parts] == [["region_undefined"]] * 2


def test_a_femur_that_ends_at_blank_slices_does_not_show_the_top_of_its_head():
    one = without(body(), label_of("femur", RIGHT))
    head = np.argwhere(one.mask("femur", LEFT))[:, 2].max() - 10
    valid = np.broadcast_to(np.arange(one.labels.shape[2]) < head, one.labels.shape)
    padded = segmented(np.where(valid, one.labels, 0), one.geometry)
    assert head_top_mm(padded, LEFT, valid) is None
    assert head_top_mm(one, LEFT, np.ones_like(valid)) == head_top_mm(one, LEFT) is not None


def test_anterior_minimus_carries_its_caveat_and_nothing_else_does():
    marked = {
        (muscle, part.region)
        for muscle in GLUTEI
        for part in divide(body(), muscle, LEFT)
        if "anterior_often_fatty" in [f.code for f in part.findings]
    }
    assert marked == {(MINIMUS, Region.ANTERIOR)}


def test_an_absent_muscle_has_empty_regions():
    absent = without(body(), label_of(MINIMUS, LEFT))
    assert [part.mask.any() for part in divide(absent, MINIMUS, LEFT)] == [False, False]


# --- nothing but the shape decides ----------------------------------------------------------------------


def regrown(segmentation: Segmentation, change) -> Segmentation:
    """Every gluteus changed by `change` (bool mask to bool mask), bones as they were."""
    labels = segmentation.labels.copy()
    for muscle, side in CASES:
        mask = segmentation.mask(muscle, side)
        labels[mask] = 0
        labels[change(mask) & (labels == 0)] = label_of(muscle, side)
    return segmented(labels, segmentation.geometry)


@pytest.mark.parametrize("change", [ndimage.binary_erosion, ndimage.binary_dilation])
def test_a_border_drawn_a_voxel_further_in_or_out_moves_no_share_by_more_than_a_few_percent(change):
    other = regrown(body(), change)
    for muscle, side in CASES:
        moved = shares(other, muscle, side) - shares(body(), muscle, side)
        assert np.abs(moved).max() < 0.05, (muscle, side, moved)


def test_a_ragged_border_moves_no_region_by_more_than_a_few_percent():
    random = np.random.default_rng(0)

    def ragged(mask):
        doubt = ndimage.binary_dilation(mask) & ~ndimage.binary_erosion(mask)
        return np.where(doubt, random.random(mask.shape) < 0.5, mask)

    other = regrown(body(), ragged)
    for muscle, side in CASES:
        expected = shares(body(), muscle, side)
        np.testing.assert_allclose(shares(other, muscle, side), expected, rtol=0.05, err_msg=str(muscle))


def test_mirroring_the_patient_mirrors_every_region_exactly():
    segmentation = body()
    swap = np.arange(65536, dtype=np.uint16)
    for structure in STRUCTURES.values():
        swap[structure.left], swap[structure.right] = structure.right, structure.left
    affine = segmentation.geometry.affine.copy()
    affine[0, 3] = -(affine[0, 3] + affine[0, 0] * (segmentation.labels.shape[0] - 1)) + 17.3
    mirror = segmented(swap[segmentation.labels[::-1]], Geometry(segmentation.labels.shape, affine))
    for muscle, side in CASES:
        for part, image in zip(
            divide(segmentation, muscle, side), divide(mirror, muscle, side.other), strict=True
        ):
            np.testing.assert_array_equal(image.mask[::-1], part.mask)


@pytest.mark.parametrize("spacing_mm", [(3.0, 6.0, 3.0), (4.5, 4.5, 4.5), (2.0, 2.0, 5.0)])
@pytest.mark.parametrize("turn_deg", [0, 30])
def test_grid_and_obliquity_move_no_share_by_more_than_three_points(spacing_mm, turn_deg):
    segmentation = body()
    geometry = segmentation.geometry
    turn = np.radians(turn_deg)
    axes = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    shape = tuple(
        round(1.2 * n * g / s)
        for n, g, s in zip(geometry.shape, geometry.spacing_mm, spacing_mm, strict=True)
    )
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing_mm
    affine[:3, 3] = geometry.centre_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    grid = Geometry(shape, affine)
    other = segmented(resample(segmentation.labels, geometry, grid, order=0), grid)
    for muscle, side in CASES:
        np.testing.assert_allclose(
            shares(other, muscle, side), shares(segmentation, muscle, side), atol=0.03, err_msg=str(muscle)
        )


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 9), (2, 1, 1)])
@pytest.mark.parametrize("muscle", [MEDIUS, MINIMUS])
def test_a_few_stray_voxels_are_divided_without_complaint(muscle, shape):
    labels = np.zeros((20, 20, 20), dtype=np.uint16)
    labels[tuple(slice(5, 5 + n) for n in shape)] = label_of(muscle, LEFT)
    geometry = Geometry(labels.shape, np.diag([1.0, 1, 3, 1]))
    parts = divide(segmented(labels, geometry), muscle, LEFT)
    assert sum(np.count_nonzero(part.mask) for part in parts) == np.prod(shape)
