"""Digital pelves to train on: as label maps to paint, and as scans by the phantom's own physics."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.random_hips import random_protocol, random_sides
from grading.phantom import acquire, build_phantom, random_parameters, with_fat
from grading.series import SeriesInfo
from grading.volume import Geometry, Volume
from training.anatomies import Anatomy, from_labels
from training.classes import class_of, side_of
from training.studies import LabelledStudy, labelled

TRAINING_SEED = 77  # evaluation and benchmarks draw their phantoms from other streams
_SPACING_MM = 2.5
_SCAN_SPACING_MM = 2.0


def phantom_anatomies(count: int, seed: int = TRAINING_SEED) -> list[Anatomy]:
    """Label maps of `count` random people."""
    rng = np.random.default_rng(seed)
    people = [build_phantom(random_parameters(rng), _SPACING_MM) for _ in range(count)]
    return [from_labels(f"phantom{n}", np.asarray(p.labels), p.geometry) for n, p in enumerate(people)]


def phantom_studies(count: int, cache: Path, seed: int = TRAINING_SEED) -> Iterator[LabelledStudy]:
    """`count` T1 scans of random people, every voxel labelled; kept in `cache`.

    Each person is scanned twice: as built, where what is fatty is also wasted, and with other fat.
    """
    cache.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        kept = cache / f"{seed}-{number}.npz"
        if not kept.exists():
            _scan(kept, seed, number)
        with np.load(kept) as arrays:
            voxels, labels, affine = arrays["voxels"], arrays["labels"], arrays["affine"]
        volume = Volume(
            voxels,
            Geometry(voxels.shape, affine),
            np.ones(voxels.shape, dtype=bool),
            SeriesInfo(f"phantom-{seed}-{number}"),
        )
        known = np.unique(labels)
        group, side = np.zeros(65536, dtype=np.int64), np.full(65536, -1, dtype=np.int64)
        group[known] = [class_of(int(n)) for n in known]
        side[known] = [side_of(int(n)) for n in known]
        yield labelled(volume, group[labels], side[labels])


def _scan(path: Path, seed: int, number: int) -> None:
    rng = np.random.default_rng([seed, number])
    person = build_phantom(random_parameters(np.random.default_rng([seed, number // 2])), _SCAN_SPACING_MM)
    if number % 2:
        person = with_fat(person, *random_sides(rng))
    scan = acquire(person, random_protocol(rng))
    partial = path.with_suffix(".part.npz")
    geometry = scan.volume.geometry
    np.savez(partial, voxels=scan.volume.voxels, labels=scan.labels, affine=geometry.affine)
    partial.replace(path)
