"""A muscle beside those of other people, where something is published: context, never a verdict."""

import math
from dataclasses import dataclass

from grading.anatomy import Muscle, Region, Sex
from grading.io.participants import Person
from grading.measure import MuscleMeasurement


@dataclass(frozen=True, slots=True)
class Reference:
    """Volume of one muscle of one side in a group of healthy adults, mL."""

    mean_ml: float
    sd_ml: float


MEN = "healthy men, 32 years, n = 31 (Belzunce 2022) [R]"
WOMEN = "healthy women, 33 years, n = 20 (Belzunce 2022) [R]"
GROUPS: dict[Sex, tuple[str, dict[Muscle, Reference]]] = {
    Sex.MALE: (
        MEN,
        {
            Muscle.GLUTEUS_MAXIMUS: Reference(734, 153),
            Muscle.GLUTEUS_MEDIUS: Reference(383, 68),
            Muscle.GLUTEUS_MINIMUS: Reference(96, 18),
        },
    ),
    Sex.FEMALE: (
        WOMEN,
        {
            Muscle.GLUTEUS_MAXIMUS: Reference(577, 85),
            Muscle.GLUTEUS_MEDIUS: Reference(273, 42),
            Muscle.GLUTEUS_MINIMUS: Reference(71, 11),
        },
    ),
}


# Volume per lean body mass of the same adults, mL/kg; no spread is published (Belzunce 2022) [R].
PER_LEAN_MASS = {Muscle.GLUTEUS_MAXIMUS: 12.6, Muscle.GLUTEUS_MEDIUS: 6.3, Muscle.GLUTEUS_MINIMUS: 1.6}

# Fat on T1 in old age (Davis 2022, n = 19) [R]: without and with fall risk, per cent.
OLD_YEARS = 70
OLD_WOMEN = "women of 70 years and more, by fuzzy c-means on T1, another method, n = 19 (Davis 2022) [R]"
OLD_WOMEN_FAT = {
    Muscle.GLUTEUS_MAXIMUS: (19.7, 33.6),
    Muscle.GLUTEUS_MEDIUS: (19.5, 33.2),
    Muscle.GLUTEUS_MINIMUS: (19.5, 33.2),
}


@dataclass(frozen=True, slots=True)
class Context:
    """Where a muscle lies among other people's.

    Attributes:
        z: distance of the volume from the group's mean in its standard deviations.
        percentile: share of the group below, 0-100, taking volumes as normally distributed.
        group: who they were, with the source.
        of_expected: volume over what healthy adults have for the same lean body mass; None where height or
            weight is not known.
        fat: fat fractions published for such people, in words; None where there are none.
    """

    z: float | None = None
    percentile: float | None = None
    group: str | None = None
    of_expected: float | None = None
    fat: str | None = None


NO_CONTEXT = Context()


def lean_body_mass_kg(person: Person) -> float | None:
    """Lean body mass from sex, height and weight (Boer 1984, Am J Physiol 247:F632) [V].

    Returns:
        kg; None where one of the three is not known, or the formula leaves its range.
    """
    if person.sex is None or person.height_cm is None or person.weight_kg is None:
        return None
    if person.sex is Sex.MALE:
        mass = 0.407 * person.weight_kg + 0.267 * person.height_cm - 19.2
    else:
        mass = 0.252 * person.weight_kg + 0.473 * person.height_cm - 48.3
    return mass if 0 < mass <= person.weight_kg else None


def context(m: MuscleMeasurement, person: Person) -> Context:
    """A whole muscle beside published values of other people; empty where none apply."""
    if person.sex is None or m.region is not Region.WHOLE or m.muscle not in PER_LEAN_MASS:
        return NO_CONTEXT
    fat = _fat_in_old_age(m, person)
    if m.volume_ml is None or m.coverage != 1.0:
        return Context(fat=fat)
    group, muscles = GROUPS[person.sex]
    reference = muscles[m.muscle]
    z = (m.volume_ml - reference.mean_ml) / reference.sd_ml
    lean_mass = lean_body_mass_kg(person)
    of_expected = m.volume_ml / (PER_LEAN_MASS[m.muscle] * lean_mass) if lean_mass else None
    return Context(z, 50 * math.erfc(-z / math.sqrt(2)), group, of_expected, fat)


def _fat_in_old_age(m: MuscleMeasurement, person: Person) -> str | None:
    old = person.age_years is not None and person.age_years >= OLD_YEARS
    if not old or person.sex is not Sex.FEMALE or m.fat_fraction is None or m.fat_method != "t1":
        return None
    steady, falling = OLD_WOMEN_FAT[m.muscle]
    return f"{steady} % without, {falling} % with fall risk: {OLD_WOMEN}"
