"""The overview shows the right side on the left, the muscles where they are largest, in true proportion."""

import io

import numpy as np
import pytest
from ellipsoid_hip import grid, hips, segmented
from matplotlib.image import imread
from report_factory import report_of

from grading.anatomy import Muscle, Side
from grading.fat import FatMap
from grading.report.overview import key_slices, overview_png
from grading.report.study_report import StudyImages


@pytest.fixture(scope="module")
def images():
    volume, labels = hips(geometry=grid((4.0, 4.0, 8.0)), shading=0.0)
    fraction = np.zeros(volume.geometry.shape, dtype=np.float32)
    return StudyImages(volume, labels, FatMap(fraction, volume.valid, volume.geometry, "t1"))


def pictured(images):
    report = report_of("a $x$ <b>")
    object.__setattr__(report, "images", images)
    return imread(io.BytesIO(overview_png(report)), format="png")[..., :3]


def test_key_slices_pass_through_the_largest_muscles(images):
    maximus = images.segmentation.mask(Muscle.GLUTEUS_MAXIMUS, Side.LEFT)
    coronal, _, axial, _ = key_slices(images)
    assert (coronal.axis, axial.axis) == (1, 2)
    assert maximus.sum(axis=(0, 2))[coronal.index] == maximus.sum(axis=(0, 2)).max()
    assert maximus.sum(axis=(0, 1))[axial.index] == maximus.sum(axis=(0, 1)).max()


def test_an_image_without_muscles_still_has_slices(images):
    empty = segmented(np.zeros(images.volume.geometry.shape), images.volume.geometry)
    slices = key_slices(StudyImages(images.volume, empty, images.fat))
    assert [s.index for s in slices] == [images.volume.geometry.shape[s.axis] // 2 for s in slices]


def test_a_plane_has_its_true_proportions(images):
    coronal = key_slices(images)[0]
    _, width, _, height = coronal.extent_mm(images.volume)
    assert width == pytest.approx(330, abs=4)
    assert height == pytest.approx(130, abs=8)


def test_the_patients_right_is_on_the_pictures_left(images):
    fraction = images.fat.fraction.copy()
    fraction[images.segmentation.mask(Muscle.GLUTEUS_MAXIMUS, Side.RIGHT)] = 1.0
    fatty = FatMap(fraction, images.volume.valid, images.volume.geometry, "t1")
    changed = np.abs(pictured(StudyImages(images.volume, images.segmentation, fatty)) - pictured(images)).sum(
        axis=2
    )
    panel = slice(400, 780)  # the first fat-fraction panel, pixels
    columns = np.flatnonzero(changed[:, panel].sum(axis=0))
    assert columns.size
    assert columns.max() < (panel.stop - panel.start) / 2


def test_a_report_from_disk_has_no_picture():
    with pytest.raises(ValueError, match="without them"):
        overview_png(report_of())
