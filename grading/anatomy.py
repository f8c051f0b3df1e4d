"""The one table of anatomy: muscles, bones, sides, regions and their label numbers.

Label numbers are MuscleMap's (https://github.com/MuscleMap/MuscleMap): odd = left, even = right.
Sides are always the patient's.
"""

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Side of the patient's body, never of the picture."""

    LEFT = "left"
    RIGHT = "right"

    @property
    def other(self) -> "Side":
        """The opposite side."""
        return Side.RIGHT if self is Side.LEFT else Side.LEFT


class Sex(StrEnum):
    """Sex of a person, for comparison with published values of healthy adults."""

    FEMALE = "female"
    MALE = "male"


class Muscle(StrEnum):
    """The muscles that are measured and graded, in the order of every table."""

    GLUTEUS_MAXIMUS = "gluteus_maximus"
    GLUTEUS_MEDIUS = "gluteus_medius"
    GLUTEUS_MINIMUS = "gluteus_minimus"
    TENSOR_FASCIAE_LATAE = "tensor_fasciae_latae"


class Region(StrEnum):
    """Part of a muscle that a measurement speaks of."""

    WHOLE = "whole"
    ANTERIOR = "anterior"
    MIDDLE = "middle"
    POSTERIOR = "posterior"
    UPPER = "upper"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Structure:
    """One anatomical structure and its label numbers; a midline structure has left == right."""

    name: str
    left: int
    right: int

    def label(self, side: Side | str) -> int:
        """Label number on `side`, which may be given as its text.

        Raises:
            ValueError: `side` is neither left nor right.
        """
        return self.left if Side(side) is Side.LEFT else self.right


STRUCTURES: dict[str, Structure] = {
    s.name: s
    for s in (
        Structure("gluteus_minimus", 6101, 6102),
        Structure("gluteus_medius", 6111, 6112),
        Structure("gluteus_maximus", 6121, 6122),
        Structure("tensor_fasciae_latae", 6131, 6132),
        Structure("iliopsoas", 6143, 6144),  # own numbers: MuscleMap splits iliacus (614x) and psoas (512x)
        Structure("hip_bone", 6151, 6152),
        Structure("sacrum", 6160, 6160),
        Structure("femur", 6171, 6172),
        Structure("erector_spinae", 5111, 5112),
        Structure("piriformis", 6181, 6182),
        Structure("other_muscle", 7001, 7002),  # own numbers: any skeletal muscle not named above
    )
}

SIDES: tuple[Side, ...] = (Side.LEFT, Side.RIGHT)
GLUTEI: tuple[Muscle, ...] = (Muscle.GLUTEUS_MAXIMUS, Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MINIMUS)
REGIONS: dict[Muscle, tuple[Region, ...]] = {  # parts that are measured beside the whole, in table order
    Muscle.GLUTEUS_MAXIMUS: (Region.UPPER, Region.LOWER),
    Muscle.GLUTEUS_MEDIUS: (Region.ANTERIOR, Region.MIDDLE, Region.POSTERIOR),
    Muscle.GLUTEUS_MINIMUS: (Region.ANTERIOR, Region.POSTERIOR),
    Muscle.TENSOR_FASCIAE_LATAE: (),
}


def label_of(structure: str, side: Side | str) -> int:
    """Label number of a structure (a `Muscle` or a name in `STRUCTURES`) on one side.

    Raises:
        KeyError: the structure is not in the table.
        ValueError: `side` is neither left nor right.
    """
    if structure not in STRUCTURES:
        raise KeyError(f"no structure {str(structure)!r}; there are {', '.join(STRUCTURES)}")
    return STRUCTURES[str(structure)].label(side)
