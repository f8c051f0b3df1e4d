"""Digital pelves to train on: as label maps to paint, and as scans by the phantom's own physics."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.random_hips import load, save, scanned
from grading.phantom import Phantom, build_phantom, random_parameters
from grading.volume import Volume
from training.anatomies import Anatomy, from_labels
from training.classes import classify

TRAINING_SEED = 77  # evaluation and benchmarks draw their phantoms from other streams
_SPACING_MM = 2.5
_SCAN_SPACING_MM = 1.5
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
        kept = cache / f"{name}.npz"
        if not kept.is_file():
            rng = np.random.default_rng([seed, number])
            save(scanned(name, _body(seed, person), rng, own_fat=own_fat), kept)
        hips = load(name, kept)
        yield hips.volume, *classify(hips.labels)


@lru_cache(maxsize=1)
def _body(seed: int, number: int) -> Phantom:
    return build_phantom(random_parameters(np.random.default_rng([seed, number])), _SCAN_SPACING_MM)
