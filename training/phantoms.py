"""Digital pelves to train on: as label maps to paint, and as scans by the phantom's own physics."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.random_hips import SPACING_MM, RandomHips, kept, random_body, scanned
from grading.anatomy import Muscle
from grading.phantom import (
    MuscleState,
    Phantom,
    PhantomParameters,
    SideParameters,
    build_phantom,
    random_parameters,
)
from grading.volume import Volume
from training.anatomies import Anatomy, from_labels
from training.classes import classify

TRAINING_SEED = 78  # evaluation and benchmarks draw their phantoms from other streams
_SPACING_MM = 2.5
SCANS_PER_BODY = 4
_WASTED = 0.6  # share of the graded muscles of a person with wasted muscles
WASTED_SCALE, _WASTED_FAT = (0.3, 0.8), (0.2, 0.9)  # of a healthy muscle's volume; within the border


def phantom_anatomies(count: int, seed: int = TRAINING_SEED) -> list[Anatomy]:
    """Label maps of `count` random people."""
    rng = np.random.default_rng(seed)
    people = [build_phantom(random_parameters(rng), _SPACING_MM) for _ in range(count)]
    return [from_labels(f"phantom{n}", np.asarray(p.labels), p.geometry) for n, p in enumerate(people)]


def phantom_scans(
    count: int, cache: Path, seed: int = TRAINING_SEED, *, wasted: bool = False
) -> Iterator[tuple[Volume, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """T1 scans of random people as `people_scanned`, with class and side of every voxel."""
    for hips in people_scanned(count, cache, seed, wasted=wasted):
        yield hips.volume, *classify(hips.labels)


def people_scanned(count: int, cache: Path | None, seed: int, *, wasted: bool) -> Iterator[RandomHips]:
    """`count` T1 scans of random people; kept in `cache`.

    Each person is scanned twice as built, where what is fatty is also wasted, and twice with other fat.

    Args:
        count: scans.
        cache: folder that keeps them; None: nothing is kept.
        seed: draws the people.
        wasted: people most of whose graded muscles are small and fatty, rare among random ones.
    """
    body = wasted_body if wasted else random_body
    for number in range(count):
        person, own_fat = number // SCANS_PER_BODY, number % 2 > 0
        name = f"{'wasted-' * wasted}{seed}-{person}-{number}-{'own' if own_fat else 'other'}-fat"
        yield kept(name, cache, partial(_scanned, body, seed, person, number, own_fat))


def _scanned(
    body: Callable[[int, int], Phantom], seed: int, person: int, number: int, own_fat: bool, name: str
) -> RandomHips:
    rng = np.random.default_rng([seed, number])
    return scanned(name, body(seed, person), rng, own_fat=own_fat)


@lru_cache(maxsize=1)
def wasted_body(seed: int, number: int) -> Phantom:
    """A person with wasted muscles, the same for the same numbers."""
    return build_phantom(wasted_person(seed, number), SPACING_MM)


def wasted_person(seed: int, number: int) -> PhantomParameters:
    """A random person most of whose graded muscles are small and fatty, on both sides."""
    rng = np.random.default_rng([seed, number, 1])
    person = random_parameters(rng)
    return replace(person, left=_wasted(person.left, rng), right=_wasted(person.right, rng))


def _wasted(side: SideParameters, rng: np.random.Generator) -> SideParameters:
    states = {muscle: _wasted_state(side.state(muscle), rng) for muscle in Muscle}
    return replace(
        side,
        maximus=states[Muscle.GLUTEUS_MAXIMUS],
        medius=states[Muscle.GLUTEUS_MEDIUS],
        minimus=states[Muscle.GLUTEUS_MINIMUS],
        tfl=states[Muscle.TENSOR_FASCIAE_LATAE],
    )


def _wasted_state(state: MuscleState, rng: np.random.Generator) -> MuscleState:
    if rng.random() >= _WASTED:
        return state
    scale, fat = float(rng.uniform(*WASTED_SCALE)), float(rng.uniform(*_WASTED_FAT))
    return replace(state, volume_scale=scale, fat_fraction=fat)
