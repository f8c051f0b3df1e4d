"""What tissues are made of, and how bright they are on a spin-echo image."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from grading.errors import ConfigurationError


class Tissue(IntEnum):
    """What a voxel of the phantom is made of."""

    AIR = 0
    MUSCLE = 1
    FAT = 2
    CORTEX = 3
    MARROW = 4
    CARTILAGE = 5
    SKIN = 6
    FLUID = 7
    ORGAN = 8
    VESSEL = 9
    DISC = 10
    GAS = 11
    NERVE = 12
    TENDON = 13
    FASCIA = 14


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Relaxation times at one field strength and proton density relative to muscle water."""

    t1_ms: float
    t2_ms: float
    density: float = 1.0

    def spin_echo(self, tr_ms: float, te_ms: float) -> float:
        """Signal of a spin echo, density (1 - exp(-TR/T1)) exp(-TE/T2)."""
        return float(self.density * (1 - np.exp(-tr_ms / self.t1_ms)) * np.exp(-te_ms / self.t2_ms))


# Water component of each tissue. Muscle, fat and marrow: Gold 2004 (AJR 183:343) and de Bazelaire 2004
# (Radiology 230:652) as summarised in the project's clinical notes; the rest rounded from the same papers.
# Cortex, tendon and fast flow give next to no signal: their density stands for that.
_COLLAGEN = Relaxation(600, 8, 0.25)
_WATER_1_5_T = {
    Tissue.MUSCLE: Relaxation(1130, 35),
    Tissue.CORTEX: Relaxation(500, 10, 0.06),
    Tissue.MARROW: Relaxation(900, 50, 0.8),
    Tissue.CARTILAGE: Relaxation(1060, 42, 0.75),
    Tissue.SKIN: Relaxation(900, 30, 0.8),
    Tissue.FLUID: Relaxation(3500, 800),
    Tissue.ORGAN: Relaxation(950, 75, 1.0),
    Tissue.VESSEL: Relaxation(1400, 200, 0.25),
    Tissue.DISC: Relaxation(1000, 70, 0.75),
    Tissue.NERVE: Relaxation(950, 60, 0.9),
    Tissue.TENDON: _COLLAGEN,
    Tissue.FASCIA: _COLLAGEN,
}
_LENGTHENING_AT_3_T = 1.2  # T1 of water, 3 T over 1.5 T, mean over tissues (de Bazelaire 2004)
_MUSCLE_3_T = Relaxation(1420, 32)
_FAT = {1.5: Relaxation(288, 165, 0.95), 3.0: Relaxation(382, 68, 1.0)}
FIELD_STRENGTHS_T = tuple(_FAT)


def water(field_strength_t: float) -> dict[Tissue, Relaxation]:
    """Water component of every tissue that has one, at 1.5 or 3 T."""
    fat(field_strength_t)
    if field_strength_t == FIELD_STRENGTHS_T[0]:
        return dict(_WATER_1_5_T)
    longer = {
        tissue: Relaxation(r.t1_ms * _LENGTHENING_AT_3_T, r.t2_ms, r.density)
        for tissue, r in _WATER_1_5_T.items()
    }
    return {**longer, Tissue.MUSCLE: _MUSCLE_3_T}


def fat(field_strength_t: float) -> Relaxation:
    """Fat component of every tissue, at 1.5 or 3 T.

    Raises:
        ConfigurationError: no relaxation times are known at this field.
    """
    if field_strength_t not in _FAT:
        known = " and ".join(f"{f:g}" for f in FIELD_STRENGTHS_T)
        raise ConfigurationError(f"field strength {field_strength_t:g} T is not tabled; choose {known} T")
    return _FAT[field_strength_t]


def fat_content(tissue: Tissue) -> float:
    """Fat share of a tissue other than muscle, 0-1 (marrow: adult pelvis, mostly yellow)."""
    return {Tissue.FAT: 1.0, Tissue.MARROW: 0.62}.get(tissue, 0.0)
