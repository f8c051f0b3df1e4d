"""Geometry, Volume and Segmentation: where voxels lie, and that nobody changes them in passing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.anatomy import Muscle, Side
from grading.errors import GridMismatchError
from grading.fat import FatMap
from grading.series import SeriesInfo
from grading.volume import GRID_TOLERANCE_MM, Geometry, Segmentation, Volume


def rotation(axis: int, degrees: float) -> np.ndarray:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    i, j = [a for a in range(3) if a != axis]
    matrix[[i, i, j, j], [i, j, i, j]] = cosine, -sine, sine, cosine
    return matrix


def grid(shape=(30, 20, 10), spacing=(1.0, 2.0, 5.0), turn=None, origin=(3.0, -7.0, 11.0)) -> Geometry:
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) @ np.diag(spacing)
    affine[:3, 3] = origin
    return Geometry(shape, affine)


angles = st.floats(-180, 180)
spacings = st.tuples(*[st.floats(0.3, 8)] * 3)


@given(spacing=spacings, axis=st.integers(0, 2), angle=angles)
def test_spacing_and_voxel_volume_do_not_depend_on_how_the_patient_lies(spacing, axis, angle):
    geometry = grid(spacing=spacing, turn=rotation(axis, angle))
    assert geometry.spacing_mm == pytest.approx(spacing)
    assert geometry.voxel_volume_ml == pytest.approx(np.prod(spacing) / 1000)


def test_the_centre_is_the_middle_of_the_corners():
    geometry = grid(turn=rotation(0, 20) @ rotation(2, 30))
    assert geometry.centre_mm == pytest.approx(geometry.corners_mm().mean(axis=0))


def test_corners_of_an_upright_grid_span_voxel_centres():
    corners = grid(shape=(3, 2, 5), spacing=(1, 1, 2), origin=(0, 0, 0)).corners_mm()
    assert corners.min(axis=0) == pytest.approx([0, 0, 0])
    assert corners.max(axis=0) == pytest.approx([2, 1, 8])


@given(shift=st.floats(0, 1))
def test_two_grids_are_the_same_within_header_rounding_only(shift):
    here, there = grid(), grid(origin=(3.0, -7.0, 11.0 + shift))
    assert here.distance_mm(there) == pytest.approx(shift, abs=1e-9)
    if abs(shift - GRID_TOLERANCE_MM) > 1e-9:
        assert here.same_grid(there) == (shift < GRID_TOLERANCE_MM)


def test_a_small_rotation_that_moves_far_corners_makes_another_grid():
    assert not grid().same_grid(grid(turn=rotation(2, 0.5)))


def test_grids_of_different_shape_are_never_the_same():
    assert not grid(shape=(30, 20, 10)).same_grid(grid(shape=(30, 20, 11)))


def test_values_are_read_only_and_do_not_lock_the_callers_array():
    voxels = np.ones((3, 3, 3), np.float32)
    volume = Volume(
        voxels, Geometry((3, 3, 3), np.eye(4)), np.ones((3, 3, 3), bool), SeriesInfo(name="series")
    )
    with pytest.raises(ValueError, match="read-only"):
        volume.voxels[0, 0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        volume.geometry.affine[0, 0] = 5
    voxels += 1  # still the caller's own


def test_an_image_describes_itself_in_a_few_lines_and_without_its_voxels():
    shape = (30, 20, 10)
    image = np.zeros(shape, dtype=np.float32)
    volume = Volume(image, grid(shape), np.ones(shape, dtype=bool), SeriesInfo("05-t1"))
    labels = Segmentation(np.zeros(shape, dtype=np.uint16), grid(shape), image, "true labels")
    fat = FatMap(image, volume.valid, volume.geometry, "t1")
    for value, part in ((volume, "'05-t1'"), (labels, "'true labels'"), (fat, "'t1'")):
        assert part in repr(value)
        assert repr(value).count("array(") == 1  # the affine
        assert len(repr(value)) < 800


def test_voxels_off_their_grid_are_refused_with_the_shapes():
    with pytest.raises(GridMismatchError, match=r"\(3, 3, 3\).*\(3, 3, 4\)"):
        Volume(
            np.ones((3, 3, 3), np.float32),
            Geometry((3, 3, 4), np.eye(4)),
            np.ones((3, 3, 4), bool),
            SeriesInfo(name="series"),
        )


def test_a_mask_holds_one_muscle_on_one_side():
    labels = np.zeros((4, 4, 4), np.uint16)
    labels[0], labels[1], labels[2] = 6121, 6122, 6111
    segmentation = Segmentation(
        labels, Geometry((4, 4, 4), np.eye(4)), np.ones((4, 4, 4), np.float32), "masks: test"
    )
    mask = segmentation.mask(Muscle.GLUTEUS_MAXIMUS, Side.LEFT)
    assert mask.sum() == 16
    assert mask[0].all()
    assert segmentation.mask("femur", Side.LEFT).sum() == 0


def test_a_part_of_a_grid_lies_where_it_lay():
    affine = np.array([[0, -2, 0, 5], [1, 0, 0, -3], [0, 0, 4.0, 7], [0, 0, 0, 1]])
    part = Geometry((6, 7, 8), affine).part((slice(1, 5), slice(2, 7), slice(0, 3)))
    assert part.shape == (4, 5, 3)
    np.testing.assert_allclose(part.corners_mm()[0], (affine @ [1, 2, 0, 1])[:3])
    np.testing.assert_allclose(part.corners_mm()[-1], (affine @ [4, 6, 2, 1])[:3])
