"""What a phantom is made of: sizes and states of a made-up person, and how such persons vary."""

from dataclasses import dataclass, field, replace

import numpy as np

from grading.anatomy import SIDES, Muscle, Side
from grading.errors import ConfigurationError

REFERENCE_VOLUME_ML: dict[Muscle, float] = {
    # healthy adults: midway between the men's and women's means of Belzunce 2022; TFL from the two
    # whole-body label maps the proportions were checked on
    Muscle.GLUTEUS_MAXIMUS: 655.0,
    Muscle.GLUTEUS_MEDIUS: 328.0,
    Muscle.GLUTEUS_MINIMUS: 84.0,
    Muscle.TENSOR_FASCIAE_LATAE: 60.0,
}


@dataclass(frozen=True, slots=True)
class MuscleState:
    """State of one muscle.

    Attributes:
        volume_scale: volume over that of a healthy muscle in a body of this size; 0.3-1.4.
        fat_fraction: mean fat within the muscle's border, 0-1.
        posterior_fat: where the fat lies: +1 mostly in the posterior part, -1 mostly anterior, 0 anywhere.
        patchiness: 0 = even streaks, 1 = patches of fat beside patches of muscle.
    """

    volume_scale: float = 1.0
    fat_fraction: float = 0.03
    posterior_fat: float = 0.0
    patchiness: float = 0.4

    def __post_init__(self) -> None:
        if not 0.0 <= self.fat_fraction <= 1.0:
            raise ConfigurationError(f"fat_fraction is {self.fat_fraction}; give a fraction from 0 to 1")
        if not 0.2 <= self.volume_scale <= 1.6:
            raise ConfigurationError(
                f"volume_scale is {self.volume_scale}; the shapes stay anatomical from 0.2 to 1.6"
            )


@dataclass(frozen=True, slots=True)
class SideParameters:
    """One half of the body.

    Attributes:
        maximus: state of gluteus maximus.
        medius: state of gluteus medius.
        minimus: state of gluteus minimus.
        tfl: state of tensor fasciae latae.
        other_fat_fraction: fat within every other muscle, 0-1.
        texture_seed: draws streaks, patches, vessels and bowel of this half.
    """

    maximus: MuscleState = MuscleState(fat_fraction=0.06)
    medius: MuscleState = MuscleState()
    minimus: MuscleState = MuscleState(fat_fraction=0.04, posterior_fat=-0.5)
    tfl: MuscleState = MuscleState()
    other_fat_fraction: float = 0.04
    texture_seed: int = 0

    def state(self, structure: str) -> MuscleState:
        """State of a structure: one of the four graded muscles, or any other."""
        states: dict[str, MuscleState] = {
            Muscle.GLUTEUS_MAXIMUS: self.maximus,
            Muscle.GLUTEUS_MEDIUS: self.medius,
            Muscle.GLUTEUS_MINIMUS: self.minimus,
            Muscle.TENSOR_FASCIAE_LATAE: self.tfl,
        }
        return states.get(structure, MuscleState(fat_fraction=self.other_fat_fraction))


@dataclass(frozen=True, slots=True)
class PhantomParameters:
    """A made-up person, from the lower lumbar spine to the thighs.

    Attributes:
        scale: size over the nominal adult (heads 180 mm apart), 0.85-1.15.
        width: extra factor on left-right sizes (a wide female pelvis > 1), 0.92-1.1.
        pelvic_tilt_deg: rotation of the pelvis about the axis through the femoral heads, forward positive.
        subcutaneous_mm: fat under the skin at the buttock, 5-80.
        fat_plane_mm: fat between neighbouring muscles, 1-6.
        fascia_mm: thickness of the fascia round every muscle, 0-1.2; deep fascia of the thigh has 0.56-1.11
            (Pirri 2021, PMC7930759).
        belly_mm: how far the abdomen bulges beyond a flat one.
        warp_mm: amplitude of a smooth, side-symmetric deformation that makes persons differ; 0-8.
        warp_seed: draws that deformation.
        left: left half of the body.
        right: right half of the body.
    """

    scale: float = 1.0
    width: float = 1.0
    pelvic_tilt_deg: float = 0.0
    subcutaneous_mm: float = 25.0
    fat_plane_mm: float = 2.5
    fascia_mm: float = 0.7
    belly_mm: float = 0.0
    warp_mm: float = 0.0
    warp_seed: int = 0
    left: SideParameters = field(default_factory=SideParameters)
    right: SideParameters = field(default_factory=SideParameters)

    def side(self, side: Side) -> SideParameters:
        """Parameters of one half of the body."""
        return self.left if side is Side.LEFT else self.right

    def mirrored(self) -> "PhantomParameters":
        """The same person with left and right exchanged."""
        return replace(self, left=self.right, right=self.left)


def random_parameters(rng: np.random.Generator) -> PhantomParameters:
    """A random person: any adult size, lean to obese, healthy to end-stage on one or both sides.

    Ranges follow adults seen at hip MRI; a third of the persons is healthy on both sides, a third affected on
    one, a third on both.
    """
    scale = float(np.clip(rng.normal(1.0, 0.05), 0.87, 1.14))
    obesity = float(rng.gamma(2.5, 12.0))
    affected = {0: (0.0, 0.0), 1: (0.0, 1.0), 2: (1.0, 1.0)}[int(rng.integers(3))]
    if rng.random() < 0.5:
        affected = affected[::-1]
    ageing = float(rng.beta(1.2, 4.0))  # what both sides share
    build = {muscle: float(np.clip(rng.normal(1.0, 0.14), 0.7, 1.35)) for muscle in Muscle}
    sides = {
        side: _random_side(rng, hurt * float(rng.beta(1.5, 1.5)), ageing, build)
        for side, hurt in zip(SIDES, affected, strict=True)
    }
    return PhantomParameters(
        scale=scale,
        width=float(np.clip(rng.normal(1.0, 0.035), 0.92, 1.1)),
        pelvic_tilt_deg=float(np.clip(rng.normal(0, 6), -14, 14)),
        subcutaneous_mm=float(np.clip(8 + obesity, 6, 80)),
        fat_plane_mm=float(np.clip(1.5 + 2.0 * rng.random() + obesity / 40, 1.2, 5.0)),
        belly_mm=float(np.clip(obesity * rng.uniform(0, 0.8), 0, 45)),
        warp_mm=float(rng.uniform(1, 6)),
        warp_seed=int(rng.integers(2**31)),
        fascia_mm=float(rng.uniform(0.2, 1.1)),
        left=sides[Side.LEFT],
        right=sides[Side.RIGHT],
    )


def _random_side(
    rng: np.random.Generator, injury: float, ageing: float, build: dict[Muscle, float]
) -> SideParameters:
    states = {}
    for muscle in Muscle:
        spared = rng.random() < (0.15 if muscle in (Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MINIMUS) else 0.6)
        damage = 0.2 * injury * rng.random() if spared else injury * rng.uniform(0.5, 1.0)
        fat = float(np.clip(0.02 + 0.4 * ageing * rng.random() + 0.9 * damage**1.3, 0.0, 0.9))
        states[muscle] = MuscleState(
            volume_scale=float(np.clip(build[muscle] * rng.normal(1.0, 0.04) * (1 - 0.6 * damage), 0.3, 1.4)),
            fat_fraction=fat,
            posterior_fat=float(rng.uniform(-0.8, 0.8)),
            patchiness=float(rng.uniform(0.1, 0.9)),
        )
    return SideParameters(
        maximus=states[Muscle.GLUTEUS_MAXIMUS],
        medius=states[Muscle.GLUTEUS_MEDIUS],
        minimus=states[Muscle.GLUTEUS_MINIMUS],
        tfl=states[Muscle.TENSOR_FASCIAE_LATAE],
        other_fat_fraction=float(np.clip(0.02 + 0.3 * ageing * rng.random(), 0, 0.4)),
        texture_seed=int(rng.integers(2**31)),
    )
