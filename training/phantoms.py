"""Digital pelves to train on: as label maps to paint, and as scans by the phantom's own physics."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.random_hips import RandomHips, kept, random_body, scanned
from grading.phantom import build_phantom, random_parameters
from grading.volume import Volume
from training.anatomies import Anatomy, from_labels
from training.classes import classify

TRAINING_SEED = 78  # evaluation and benchmarks draw their phantoms from other streams
_SPACING_MM = 2.5
_SCANS_PER_BODY = 4


def phantom_anatomies(count: int, seed: int = TRAINING_SEED) -> list[Anatomy]:
    """Label maps of `count` random people."""
    rng = np.random.default_rng(seed)
    people = [build_phantom(random_parameters(rng), _SPACING_MM) for _ in range(count)]
    return [from_labels(f"phantom{n}", np.asarray(p.labels), p.geometry) for n, p in enumerate(people)]


def phantom_scans(
    count: int, cache: Path, seed: int = TRAINING_SEED
) -> Iterator[tuple[Volume, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """`count` T1 scans of random people with class and side of every voxel; kept in `cache`.

    Each person is scanned twice as built, where what is fatty is also wasted, and twice with other fat.
    """
    for number in range(count):
        person, own_fat = number // _SCANS_PER_BODY, number % 2 > 0
        name = f"{seed}-{person}-{number}-{'own' if own_fat else 'other'}-fat"
        hips = kept(name, cache, partial(_scanned, seed, person, number, own_fat))
        yield hips.volume, *classify(hips.labels)


def _scanned(seed: int, person: int, number: int, own_fat: bool, name: str) -> RandomHips:
    rng = np.random.default_rng([seed, number])
    return scanned(name, random_body(seed, person), rng, own_fat=own_fat)
