"""Cross-sections at a level: the plane's area for any slices, or nothing where the view does not show it."""

from dataclasses import replace

import ellipsoid_hip as ellipsoids
import numpy as np
import pytest

from grading.anatomy import Muscle
from grading.field_of_view import csa_at_cm2, view_of
from grading.series import SeriesInfo
from grading.volume import Geometry, Volume

MEDIUS = Muscle.GLUTEUS_MEDIUS
CENTRE, HALF = ellipsoids.MUSCLES_MM[MEDIUS]
EXTENT_MM = (260.0, 160.0, 130.0)
EVERYTHING = slice(None)
GRIDS = {
    "axial": (1.0, 1.0, 5.0),
    "coronal": (1.0, 5.0, 1.0),
    "sagittal": (5.0, 1.0, 1.0),
    "isotropic": (2.0, 2.0, 2.0),
}


def true_cm2(level_mm):
    """Area of the ellipsoid's section."""
    return np.pi * HALF[0] * HALF[1] * (1 - ((level_mm - CENTRE[2]) / HALF[2]) ** 2) / 100


def blank(geometry):
    return Volume(
        np.zeros(geometry.shape), geometry, np.ones(geometry.shape, dtype=bool), SeriesInfo("blank")
    )


def turned(geometry, degrees, axis):
    """The grid turned about a world axis through its centre."""
    one, other = (a for a in range(3) if a != axis)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.eye(3)
    turn[[one, one, other, other], [one, other, one, other]] = cos, -sin, sin, cos
    affine = geometry.affine.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, 3] = geometry.centre_mm - affine[:3, :3] @ ((np.array(geometry.shape) - 1) / 2)
    return Geometry(geometry.shape, affine)


def labelled(geometry):
    """The right medius on this grid, and an image there."""
    index = np.indices(geometry.shape, dtype=np.float32)
    world = np.tensordot(geometry.affine[:3, :3], index, 1) + geometry.affine[:3, 3].reshape(3, 1, 1, 1)
    offset = (world - np.reshape(CENTRE, (3, 1, 1, 1))) / np.reshape(HALF, (3, 1, 1, 1))
    return (offset**2).sum(axis=0) < 1, blank(geometry)


@pytest.mark.parametrize("level_mm", [-20.0, 1.3, 17.7])
@pytest.mark.parametrize("plane", GRIDS)
def test_an_ellipsoid_has_the_area_of_its_section_whatever_the_slices(plane, level_mm):
    mask, volume = labelled(ellipsoids.grid(GRIDS[plane], EXTENT_MM))
    assert csa_at_cm2(mask, volume, level_mm) == pytest.approx(true_cm2(level_mm), rel=0.04)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("plane", ["axial", "coronal"])
def test_oblique_slices_give_the_same_section(plane, axis):
    mask, volume = labelled(turned(ellipsoids.grid(GRIDS[plane], EXTENT_MM), 20.0, axis))
    assert csa_at_cm2(mask, volume, 1.3) == pytest.approx(true_cm2(1.3), rel=0.04)


def test_no_section_is_larger_than_the_largest():
    mask, volume = labelled(ellipsoids.grid(GRIDS["axial"], EXTENT_MM))
    largest = view_of(mask, volume).max_csa_cm2
    assert all(csa_at_cm2(mask, volume, level) <= largest for level in np.arange(-30.0, 40.0, 1.7))


def test_between_axial_slices_the_area_is_interpolated_and_not_that_of_the_nearest():
    mask, volume = labelled(ellipsoids.grid(GRIDS["axial"], EXTENT_MM))
    z = volume.geometry.affine[2, 3] + 5.0 * np.arange(mask.shape[2])
    areas = mask.sum(axis=(0, 1)) * 0.01
    level = z[20] + 1.5
    assert csa_at_cm2(mask, volume, level) == pytest.approx(0.7 * areas[20] + 0.3 * areas[21])


def cropped(mask, volume, box):
    """The part of both inside a box of voxel indices, where it lay in the world."""
    part, _ = ellipsoids.cropped(volume, ellipsoids.segmented(mask.astype(np.uint16), volume.geometry), box)
    return mask[box], part


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("high", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_a_section_that_a_side_of_the_view_cuts_is_not_known(axis, high, padded):
    mask, volume = labelled(ellipsoids.grid(GRIDS["axial"], EXTENT_MM))
    middle = int(np.argwhere(mask)[:, axis].mean())
    box = [EVERYTHING] * 3
    box[axis] = slice(None, middle) if high else slice(middle, None)
    if padded:
        valid = np.zeros_like(volume.valid)
        valid[tuple(box)] = True
        mask, volume = mask & valid, replace(volume, valid=valid)
    else:
        mask, volume = cropped(mask, volume, tuple(box))
    assert csa_at_cm2(mask, volume, 1.3) is None


def test_a_muscle_that_the_view_cuts_elsewhere_keeps_its_section():
    mask, volume = labelled(ellipsoids.grid(GRIDS["axial"], EXTENT_MM))
    whole = csa_at_cm2(mask, volume, 1.3)
    above = round((25.0 - volume.geometry.affine[2, 3]) / 5.0)
    assert csa_at_cm2(*cropped(mask, volume, (EVERYTHING, EVERYTHING, slice(0, above))), 1.3) == whole


@pytest.mark.parametrize("level_mm", [-60.0, 60.0])
def test_a_muscle_that_does_not_reach_the_plane_has_no_section_there_rather_than_none_of_its_area(level_mm):
    mask, volume = labelled(ellipsoids.grid(GRIDS["axial"], EXTENT_MM))
    assert csa_at_cm2(mask, volume, level_mm) is None


def test_a_plane_beyond_the_outermost_slice_is_not_in_view():
    mask, volume = labelled(ellipsoids.grid(GRIDS["axial"], EXTENT_MM))
    mask, volume = cropped(mask, volume, (EVERYTHING, EVERYTHING, slice(0, 16)))
    last_mm = volume.geometry.affine[2, 3] + 5.0 * 15
    assert csa_at_cm2(mask, volume, last_mm) is not None
    assert csa_at_cm2(mask, volume, last_mm + 0.5) is None


def test_a_plane_that_leaves_tilted_slices_within_the_muscle_is_not_in_view():
    mask, volume = labelled(turned(ellipsoids.grid(GRIDS["axial"], EXTENT_MM), 20.0, 1))
    k = np.argwhere(mask)[:, 2]
    mask, volume = cropped(mask, volume, (EVERYTHING, EVERYTHING, slice(0, int(k.mean()) + 1)))
    assert csa_at_cm2(mask, volume, 1.3) is None
