"""Named levels: found where the anatomy is, whatever the grid, and not at all where the view ends there."""

from functools import cache

import numpy as np
import pytest
from scipy import ndimage

from grading.anatomy import SIDES, STRUCTURES, Muscle, Region, Side, label_of
from grading.fat import FatMap
from grading.field_of_view import csa_at_cm2
from grading.measure import measure
from grading.phantom import Phantom, Protocol, acquire, bones, build_phantom
from grading.resample import resample
from grading.segment.levels import ABOVE_HEAD_MM, LEVELS, head_top_mm, joint_bottom_mm, level_mm
from grading.series import SeriesInfo
from grading.volume import Geometry, Segmentation, Volume
from tests.phantom.phantoms import healthy

MAXIMUS, MEDIUS = Muscle.GLUTEUS_MAXIMUS, Muscle.GLUTEUS_MEDIUS
RIGHT, LEFT = Side.RIGHT, Side.LEFT
CASES = [(muscle, side) for muscle in LEVELS for side in SIDES]
EVERYTHING = slice(None)
GRIDS = {  # spacing, mm, and degrees by which the grid is turned about the front-back axis
    "coronal": ((2.0, 5.0, 2.0), 0.0),
    "axial": ((2.0, 2.0, 5.0), 0.0),
    "thick axial": ((2.0, 2.0, 8.0), 0.0),
    "sagittal": ((6.0, 2.0, 2.0), 0.0),
    "tilted coronal": ((2.0, 5.0, 2.0), 15.0),
}
LEVEL_MM = 3.0  # tolerance: a voxel of the phantom; half a slice of 5 mm
AREA = 0.03  # relative tolerance


def segmented(labels: np.ndarray, geometry: Geometry) -> Segmentation:
    return Segmentation(labels, geometry, np.broadcast_to(np.float32(1), labels.shape), "by hand")


def image(segmentation: Segmentation) -> Volume:
    shape = segmentation.geometry.shape
    return Volume(np.zeros(shape), segmentation.geometry, np.ones(shape, dtype=bool), SeriesInfo("blank"))


@cache
def body() -> Segmentation:
    """The true labels of a healthy phantom, on its 3 mm grid."""
    return segmented(healthy().labels, healthy().geometry)


@cache
def fine_body() -> Phantom:
    """The healthy phantom at 1.5 mm."""
    return build_phantom(spacing_mm=1.5)


@cache
def on_grid(name: str) -> Segmentation:
    """The same labels as a scan would show them."""
    spacing_mm, turn_deg = GRIDS[name]
    truth, turn = body(), np.radians(turn_deg)
    axes = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
    shape = tuple(
        round(1.1 * n * g / s)
        for n, g, s in zip(truth.geometry.shape, truth.geometry.spacing_mm, spacing_mm, strict=True)
    )
    affine = np.eye(4)
    affine[:3, :3] = axes * spacing_mm
    affine[:3, 3] = truth.geometry.centre_mm - affine[:3, :3] @ ((np.array(shape) - 1) / 2) + 0.7
    grid = Geometry(shape, affine)
    return segmented(resample(truth.labels, truth.geometry, grid, order=0), grid)


@cache
def true_level_mm(muscle: Muscle) -> float:
    """From the phantom's formulas and, slice by slice, from the gap between its bones."""
    if muscle is MAXIMUS:
        pole = bones.HEAD_CENTRE[2] * healthy().parameters.scale + bones.HEAD_RADIUS_MM
        return pole + ABOVE_HEAD_MM - 2.6
    return first_contact_mm(body(), LEFT)


def first_contact_mm(truth: Segmentation, side: Side) -> float:
    """World z of the lowest slice in which hip bone and sacrum come within 5 mm of one another."""
    sacrum, hip_bone = (truth.mask(name, side) for name in ("sacrum", "hip_bone"))
    step = truth.geometry.spacing_mm[2]
    for k in range(sacrum.shape[2]):
        if sacrum[..., k].any() and hip_bone[..., k].any():
            apart = ndimage.distance_transform_edt(~sacrum[..., k], sampling=step)[hip_bone[..., k]].min()
            if apart <= 5.0:
                return float(truth.geometry.affine[2, 3] + step * k)
    raise AssertionError("the phantom has a sacroiliac joint")


def true_csa_cm2(muscle: Muscle, side: Side, level: float) -> float:
    """Area of the fine phantom's labels, between its slices by linear interpolation."""
    areas = body().mask(muscle, side).sum(axis=(0, 1)) * 0.09
    return float(np.interp(level, body().geometry.affine[2, 3] + 3.0 * np.arange(areas.size), areas))


def cut(segmentation: Segmentation, box: tuple[slice, slice, slice]) -> Segmentation:
    affine = segmentation.geometry.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [s.start or 0 for s in box]
    labels = segmentation.labels[box]
    return segmented(labels, Geometry(labels.shape, affine))


def without(segmentation: Segmentation, *names: str) -> Segmentation:
    numbers = [label_of(name, side) for name in names for side in SIDES]
    labels = np.where(np.isin(segmentation.labels, numbers), 0, segmentation.labels)
    return segmented(labels, segmentation.geometry)


def slice_at(segmentation: Segmentation, z: float) -> int:
    """Index along axis 2 of an upright grid."""
    return round((z - segmentation.geometry.affine[2, 3]) / segmentation.geometry.spacing_mm[2])


@pytest.mark.parametrize(("muscle", "side"), CASES)
@pytest.mark.parametrize("grid", GRIDS)
def test_the_level_is_where_the_anatomy_has_it_on_any_grid(grid, muscle, side):
    assert level_mm(on_grid(grid), muscle, side) == pytest.approx(true_level_mm(muscle), abs=LEVEL_MM)


@pytest.mark.parametrize(("muscle", "side"), CASES)
@pytest.mark.parametrize("grid", GRIDS)
def test_the_section_at_the_level_has_the_area_of_the_true_muscle_there(grid, muscle, side):
    segmentation = on_grid(grid)
    found = csa_at_cm2(
        segmentation.mask(muscle, side), image(segmentation), level_mm(segmentation, muscle, side)
    )
    assert found == pytest.approx(true_csa_cm2(muscle, side, true_level_mm(muscle)), rel=AREA)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plane", "slice_mm", "level_tolerance_mm", "area_tolerance"),
    [
        ("coronal", 5.0, 3.0, 0.03),
        ("axial", 5.0, 3.0, 0.03),
        ("sagittal", 6.0, 4.5, 0.06),
        ("axial", 8.0, 7.5, 0.07),
    ],
)
def test_scans_of_a_fine_body_find_its_level_and_area(plane, slice_mm, level_tolerance_mm, area_tolerance):
    """Against the bones' own outermost slices at 1.5 mm: what holds, which is less where slices are thick."""
    body = fine_body()
    axial = plane == "axial"
    protocol = Protocol(
        plane,
        2.0,
        slice_mm,
        fov_mm=(280.0, 360.0) if plane == "sagittal" else (420.0, 280.0 if axial else 360.0),
        slices=round((320.0 if axial else 420.0 if plane == "sagittal" else 240.0) / slice_mm),
    )
    scan = acquire(body, protocol)
    found = segmented(scan.labels, scan.volume.geometry)
    heights = body.geometry.affine[2, 3] + 1.5 * np.arange(body.labels.shape[2])
    truth = segmented(body.labels, body.geometry)
    for muscle, side in CASES:
        if muscle is MAXIMUS:
            level = heights[truth.mask("femur", side).any(axis=(0, 1))].max() + ABOVE_HEAD_MM - 2.6
        else:
            level = first_contact_mm(truth, side)
        area = np.interp(level, heights, truth.mask(muscle, side).sum(axis=(0, 1)) * 0.0225)
        z = level_mm(found, muscle, side)
        assert z == pytest.approx(level, abs=level_tolerance_mm)
        assert csa_at_cm2(found.mask(muscle, side), scan.volume, z) == pytest.approx(area, rel=area_tolerance)


def test_the_level_above_the_head_holds_no_head_and_the_slice_below_it_does():
    axial = on_grid("axial")
    for side in SIDES:
        k = slice_at(axial, level_mm(axial, MAXIMUS, side))
        femur = axial.mask("femur", side).any(axis=(0, 1))
        assert not femur[k]
        assert femur[k - 1]


def test_mirroring_the_patient_gives_each_side_the_others_level_and_area():
    straight = on_grid("coronal")
    swap = np.arange(65536, dtype=np.uint16)
    for structure in STRUCTURES.values():
        swap[structure.left], swap[structure.right] = structure.right, structure.left
    mirror = segmented(swap[straight.labels[::-1]], straight.geometry)
    for muscle, side in CASES:
        level = level_mm(straight, muscle, side)
        assert level_mm(mirror, muscle, side.other) == level
        assert csa_at_cm2(mirror.mask(muscle, side.other), image(mirror), level) == csa_at_cm2(
            straight.mask(muscle, side), image(straight), level
        )


def test_muscles_without_a_named_level_have_none():
    assert [level_mm(body(), muscle, LEFT) for muscle in Muscle if muscle not in LEVELS] == [None, None]


@pytest.mark.parametrize(("bone", "muscle"), [("femur", MAXIMUS), ("sacrum", MEDIUS), ("hip_bone", MEDIUS)])
def test_without_the_bone_there_is_no_level(bone, muscle):
    assert level_mm(without(body(), bone), muscle, LEFT) is None


@pytest.mark.parametrize("blank", [False, True])
def test_a_head_that_reaches_the_upper_face_does_not_show_its_top(blank):
    k = slice_at(body(), bones.HEAD_CENTRE[2] + 15)
    box = (EVERYTHING, EVERYTHING, slice(0, k))
    seen = np.broadcast_to(np.arange(body().labels.shape[2]) < k, body().labels.shape)
    if blank:  # as padding of the same extent
        padded = segmented(np.where(seen, body().labels, 0), body().geometry)
        assert level_mm(padded, MAXIMUS, LEFT, seen) is None
    else:
        assert level_mm(cut(body(), box), MAXIMUS, LEFT) is None


@pytest.mark.parametrize("axis", [0, 1])
def test_a_head_that_a_side_of_the_view_halves_does_not_show_its_top(axis):
    head = np.argwhere(body().mask("femur", RIGHT))
    head = head[head[:, 2] > slice_at(body(), 0)]
    middle = round((0.0 - body().geometry.affine[1, 3]) / 3) if axis else int(np.quantile(head[:, 0], 0.2))
    box = [EVERYTHING] * 3
    box[axis] = slice(middle + 4, None)
    assert head_top_mm(body(), RIGHT) is not None
    assert head_top_mm(cut(body(), tuple(box)), RIGHT) is None


def test_a_joint_whose_lower_end_is_close_to_the_lower_face_may_reach_lower():
    level = joint_bottom_mm(body(), LEFT)
    for below_mm, known in ((-6.0, False), (6.0, False), (30.0, True)):
        seen = cut(body(), (EVERYTHING, EVERYTHING, slice(slice_at(body(), level - below_mm), None)))
        found = joint_bottom_mm(seen, LEFT)
        assert found == (level if known else None)


def test_specks_of_sacrum_beside_the_hip_bone_do_not_lower_the_level():
    labels = body().labels.copy()
    i, j, k = np.argwhere(body().mask("hip_bone", LEFT) & (np.arange(labels.shape[2]) < 40))[-1]
    labels[i - 1 : i + 2, j - 1 : j + 2, k] = label_of("sacrum", LEFT)
    assert joint_bottom_mm(segmented(labels, body().geometry), LEFT) == joint_bottom_mm(body(), LEFT)


def test_whole_maximus_and_medius_have_an_area_at_the_level_and_nothing_else_does():
    valid = np.ones(body().labels.shape, dtype=bool)
    fat = FatMap(np.zeros(valid.shape), valid, body().geometry, "dixon")
    rows = measure(fat, body(), image(body()))
    known = [(m.muscle, m.side, m.region) for m in rows if m.level_csa_cm2 is not None]
    assert known == [(muscle, side, Region.WHOLE) for muscle, side in CASES]


def test_a_maximus_cut_behind_at_its_level_has_no_area_there():
    behind = int(np.argwhere(body().mask(MAXIMUS, LEFT))[:, 1].mean())
    after = cut(body(), (EVERYTHING, slice(behind, None), EVERYTHING))
    for side in SIDES:
        level = level_mm(after, MAXIMUS, side)
        assert level is not None
        assert csa_at_cm2(after.mask(MAXIMUS, side), image(after), level) is None
