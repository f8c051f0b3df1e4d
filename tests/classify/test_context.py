"""Volumes beside those of healthy adults."""

import pytest

from grading.anatomy import Muscle, Region, Sex, Side
from grading.classify.context import volume_context
from grading.measure import MuscleMeasurement


def medius(volume_ml, coverage=1.0, region=Region.WHOLE, muscle=Muscle.GLUTEUS_MEDIUS):
    return MuscleMeasurement(muscle, Side.LEFT, region, volume_ml=volume_ml, coverage=coverage)


def test_the_mean_of_the_group_is_its_middle():
    context = volume_context(medius(273.0), Sex.FEMALE)
    assert (context.z, context.percentile) == (0.0, pytest.approx(50))
    assert "women" in context.group
    assert "Belzunce" in context.group


def test_one_sd_below_is_the_16th_percentile():
    context = volume_context(medius(383.0 - 68.0), Sex.MALE)
    assert context.z == pytest.approx(-1)
    assert context.percentile == pytest.approx(15.9, abs=0.1)


@pytest.mark.parametrize(
    ("measured", "sex"),
    [
        (medius(300.0), None),
        (medius(None, coverage=0.8), Sex.FEMALE),
        (medius(300.0, coverage=0.99), Sex.FEMALE),
        (medius(100.0, region=Region.POSTERIOR), Sex.FEMALE),
        (medius(60.0, muscle=Muscle.TENSOR_FASCIAE_LATAE), Sex.FEMALE),
    ],
)
def test_there_is_none_without_sex_whole_muscle_or_published_values(measured, sex):
    assert volume_context(measured, sex) is None
