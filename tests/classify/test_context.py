"""Volumes beside those of healthy adults."""

import pytest

from grading.anatomy import Muscle, Region, Sex, Side
from grading.classify.context import GROUPS, NO_CONTEXT, PER_LEAN_MASS, context, lean_body_mass_kg
from grading.io.participants import Person
from grading.measure import MuscleMeasurement

WOMAN = Person(Sex.FEMALE)


def medius(volume_ml, coverage=1.0, region=Region.WHOLE, muscle=Muscle.GLUTEUS_MEDIUS, **fat):
    return MuscleMeasurement(muscle, Side.LEFT, region, volume_ml=volume_ml, coverage=coverage, **fat)


def test_the_mean_of_the_group_is_its_middle():
    found = context(medius(273.0), WOMAN)
    assert (found.z, found.percentile) == (0.0, pytest.approx(50))
    assert "women" in found.group
    assert "Belzunce" in found.group


def test_one_sd_below_is_the_16th_percentile():
    found = context(medius(383.0 - 68.0), Person(Sex.MALE))
    assert found.z == pytest.approx(-1)
    assert found.percentile == pytest.approx(15.9, abs=0.1)


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
    assert context(measured, Person(sex)) == NO_CONTEXT


def test_lean_body_mass_follows_the_published_example():
    assert lean_body_mass_kg(Person(Sex.MALE, height_cm=180, weight_kg=80)) == pytest.approx(61.4, abs=0.05)
    assert lean_body_mass_kg(Person(Sex.FEMALE, height_cm=165, weight_kg=62)) == pytest.approx(45.4, abs=0.05)
    assert lean_body_mass_kg(Person(Sex.FEMALE, height_cm=165)) is None
    assert lean_body_mass_kg(Person(Sex.FEMALE, height_cm=40, weight_kg=60)) is None, "no adult"
    assert lean_body_mass_kg(Person(Sex.MALE, height_cm=200, weight_kg=30)) is None, "more lean than there is"


def test_a_volume_is_put_beside_what_the_lean_body_mass_lets_expect():
    person = Person(Sex.FEMALE, height_cm=165, weight_kg=62)
    expected = 6.3 * lean_body_mass_kg(person)
    assert context(medius(0.8 * expected), person).of_expected == pytest.approx(0.8)
    assert context(medius(300.0), WOMAN).of_expected is None


def test_fat_has_a_reference_only_for_women_of_seventy_and_more_and_only_on_t1():
    old = Person(Sex.FEMALE, age_years=70)
    assert "19.5 %" in context(medius(200.0, fat_fraction=0.1, fat_method="t1"), old).fat
    assert context(medius(200.0, fat_fraction=0.1, fat_method="dixon"), old).fat is None
    assert context(medius(200.0, fat_fraction=0.1, fat_method="t1"), Person(Sex.MALE, 70)).fat is None
    assert context(medius(200.0, fat_fraction=0.1, fat_method="t1"), Person(Sex.FEMALE, 69)).fat is None


@pytest.mark.parametrize(("sex", "kg"), [(Sex.MALE, 60.0), (Sex.FEMALE, 45.0)])
def test_every_muscle_of_a_group_tells_the_lean_body_mass_of_an_adult(sex, kg):
    _, muscles = GROUPS[sex]
    for muscle, reference in muscles.items():
        assert reference.mean_ml / PER_LEAN_MASS[muscle] == pytest.approx(kg, rel=0.05), muscle


def test_healthy_adults_differ_by_a_tenth_to_a_quarter_of_the_mean_in_every_muscle():
    for _, muscles in GROUPS.values():
        for muscle, reference in muscles.items():
            assert 0.1 < reference.sd_ml / reference.mean_ml < 0.25, muscle
