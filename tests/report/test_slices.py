"""Key slices pass through the muscles and are laid out as a radiologist looks at them."""

from dataclasses import replace

import numpy as np
import pytest
from ellipsoid_hip import grid, hips, segmented

from grading.anatomy import Muscle, Side
from grading.fat import FatMap
from grading.report.slices import AXIAL, CORONAL, SAGITTAL, Slice, grey_window, key_slices
from grading.report.study_report import StudyImages


@pytest.fixture(scope="module")
def images():
    volume, labels = hips(geometry=grid((4.0, 4.0, 8.0)), shading=0.0)
    fraction = np.zeros(volume.geometry.shape, dtype=np.float32)
    return StudyImages(volume, labels, FatMap(fraction, volume.valid, volume.geometry, "t1"))


def test_key_slices_pass_through_the_largest_muscles(images):
    maximus = images.segmentation.mask(Muscle.GLUTEUS_MAXIMUS, Side.LEFT)
    coronal, _, axial, _ = key_slices(images)
    assert (coronal.axis, axial.axis) == (CORONAL, AXIAL)
    assert maximus.sum(axis=(0, 2))[coronal.index] == maximus.sum(axis=(0, 2)).max()
    assert maximus.sum(axis=(0, 1))[axial.index] == maximus.sum(axis=(0, 1)).max()


def test_an_image_without_muscles_still_has_slices(images):
    empty = segmented(np.zeros(images.volume.geometry.shape), images.volume.geometry)
    slices = key_slices(StudyImages(images.volume, empty, images.fat))
    assert [s.index for s in slices] == [images.volume.geometry.shape[s.axis] // 2 for s in slices]


def test_a_plane_has_its_true_proportions(images):
    width, height = key_slices(images)[0].size_mm(images.volume.geometry)
    assert width == pytest.approx(330, abs=4)
    assert height == pytest.approx(130, abs=8)


@pytest.mark.parametrize(
    ("axis", "leftward", "upward"),
    [(CORONAL, 0, 2), (AXIAL, 0, 1), (SAGITTAL, 1, 2)],
    ids=["coronal", "axial", "sagittal"],
)
def test_planes_are_in_radiological_convention(axis, leftward, upward):
    """Right of the patient (sagittal: anterior) to the left; superior (axial: anterior) at the top."""
    index = np.indices((3, 4, 5))
    plane = Slice("", axis, 1)
    across, upwards = plane.cut(index[leftward]), plane.cut(index[upward])
    assert (across[:, 0] == across.max()).all()
    assert (across[:, -1] == 0).all()
    assert (upwards[0] == upwards.max()).all()
    assert (upwards[-1] == 0).all()


def test_padding_does_not_set_the_grey_window(images):
    voxels, valid = images.volume.voxels.copy(), images.volume.valid.copy()
    voxels[:30], valid[:30] = 1e6, False
    padded = replace(images.volume, voxels=voxels, valid=valid)
    _, white = grey_window(padded)
    assert white < 1e4
