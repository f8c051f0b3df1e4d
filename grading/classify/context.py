"""A muscle's volume beside that of healthy adults of the same sex: context, never a verdict."""

import math
from dataclasses import dataclass

from grading.anatomy import Muscle, Region, Sex
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


@dataclass(frozen=True, slots=True)
class Context:
    """Where a volume lies among healthy adults.

    Attributes:
        z: distance from the group's mean in its standard deviations.
        percentile: share of the group below, 0-100, taking volumes as normally distributed.
        group: who they were, with the source.
    """

    z: float
    percentile: float
    group: str


def volume_context(m: MuscleMeasurement, sex: Sex | None) -> Context | None:
    """Volume of a whole muscle beside its reference group.

    No fat fraction has one: published T1 values of the glutei give no spread for healthy adults.

    Returns:
        None when the sex is not known, the field of view cuts the muscle, it is only a region, or no
        reference is published for it (tensor fasciae latae).
    """
    if sex is None or m.region is not Region.WHOLE or m.volume_ml is None or m.coverage != 1.0:
        return None
    group, muscles = GROUPS[sex]
    if m.muscle not in muscles:
        return None
    reference = muscles[m.muscle]
    z = (m.volume_ml - reference.mean_ml) / reference.sd_ml
    return Context(z, 50 * math.erfc(-z / math.sqrt(2)), group)
