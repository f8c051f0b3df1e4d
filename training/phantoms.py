"""Digital pelves to train on: as label maps to paint, and as scans by the phantom's own physics."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.random_hips import random_hips
from grading.phantom import build_phantom, random_parameters
from training.anatomies import Anatomy, from_labels
from training.classes import class_of, side_of
from training.studies import LabelledStudy, labelled

TRAINING_SEED = 77  # evaluation and benchmarks draw their phantoms from other streams
_SPACING_MM = 2.5


def phantom_anatomies(count: int, seed: int = TRAINING_SEED) -> list[Anatomy]:
    """Label maps of `count` random people."""
    rng = np.random.default_rng(seed)
    people = [build_phantom(random_parameters(rng), _SPACING_MM) for _ in range(count)]
    return [from_labels(f"phantom{n}", np.asarray(p.labels), p.geometry) for n, p in enumerate(people)]


def phantom_studies(count: int, cache: Path, seed: int = TRAINING_SEED) -> Iterator[LabelledStudy]:
    """`count` T1 scans of random people with random fat, every voxel labelled; kept in `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    for hips in random_hips(seed, count, cache):
        known = np.unique(hips.labels)
        group, side = np.zeros(65536, dtype=np.int64), np.full(65536, -1, dtype=np.int64)
        group[known] = [class_of(int(n)) for n in known]
        side[known] = [side_of(int(n)) for n in known]
        yield labelled(hips.volume, group[hips.labels], side[hips.labels])
