"""The overview can be drawn of any study that has its images."""

import io
from unittest.mock import Mock

import numpy as np
import pytest
from ellipsoid_hip import grid, hips
from PIL import Image
from report_factory import report_of

from grading.fat import FatMap
from grading.report.numbers import write_numbers
from grading.report.overview import overview_png
from grading.report.study_report import StudyImages


@pytest.fixture(scope="module")
def images():
    volume, labels = hips(geometry=grid((4.0, 4.0, 8.0)), shading=0.0)
    fraction = np.zeros(volume.geometry.shape, dtype=np.float32)
    return StudyImages(volume, labels, FatMap(fraction, volume.valid, volume.geometry, "t1"))


def pictured(images, name="a $x$ <b>"):
    report = report_of(name)
    object.__setattr__(report, "images", images)
    return np.asarray(Image.open(io.BytesIO(overview_png(report))))


def test_the_overview_is_a_wide_picture_that_any_viewer_opens(images):
    height, width, channels = pictured(images).shape
    assert channels == 3
    assert width > 2 * height


def test_a_name_in_any_script_can_be_drawn(images):
    assert (pictured(images, "étude Ünal") == pictured(images, "etude Unal")).all()
    assert pictured(images, "检查").any()


def test_the_picture_says_which_error_stands_behind_each_plus_and_minus():
    """A muscle has its standard error, a difference between sides what error alone rarely exceeds."""
    pen = Mock()
    write_numbers(pen, (0, 0, 600, 700), report_of())
    said = " ".join(call.args[1] for call in pen.text.call_args_list)
    assert "20.0 ± 2.0" in said
    assert "-1.0 ± 5.0" in said
    assert "Muscles: ± standard error" in said
    assert "± what error alone exceeds once in 20 times" in " ".join(said.split())


def test_a_report_from_disk_has_no_picture():
    with pytest.raises(ValueError, match="without them"):
        overview_png(report_of())
