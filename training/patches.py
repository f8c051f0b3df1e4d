"""The stream of training patches, from every source in its share."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import IterableDataset

from training import anatomies, bodies, real
from training.anatomies import Anatomy
from training.blends import blends
from training.blobs import nonsense
from training.phantoms import TRAINING_SEED, phantom_anatomies, phantom_scans
from training.sample import Sample, each_twice
from training.studies import LabelledStudy, labelled, sample
from training.synthesis import synthesise

SHAPES = ((96, 80, 112), (128, 64, 96), (96, 96, 80), (80, 96, 96), (112, 64, 112), (144, 64, 80))
NARROW = ((60, 80, 104), (70, 70, 112), (76, 96, 72))  # one hip
ONE_HIP_SHARE = 0.2  # of all patches
SCANS_PER_BODY = 32  # of each real body
SCANS_PER_BLEND = 8  # of each body between two of them
NONSENSE_SHARE = 0.04  # of all patches hold no body at all


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a network is trained on. Shares count in proportion to their sum, 1 as they stand.

    Attributes:
        data: folder of real images and label maps, see README.
        cache: folder that keeps scans of phantoms and of bodies.
        real_share: of patches from outlined real studies (0: what an unseen scanner would get).
        scan_share: from scans of phantoms, with wasted muscles or without.
        body_share: from scans of real bodies, and of bodies between two of them, by the phantom's physics.
        map_phantom_share: from label maps of phantoms, painted.
        map_body_share: from label maps of real bodies and of those between, painted.
        phantoms: label maps of phantoms.
        scans: scans of phantoms.
        wasted: scans of phantoms with wasted muscles, beside them.
        held_out: names of real studies that are kept out.
    """

    data: Path
    cache: Path
    real_share: float = 0.35
    scan_share: float = 0.2
    body_share: float = 0.33
    map_phantom_share: float = 0.0
    map_body_share: float = 0.12
    phantoms: int = 10
    scans: int = 80
    wasted: int = 96
    held_out: tuple[str, ...] = real.HELD_OUT


class Patches(IterableDataset[Sample]):
    """An endless, seeded stream of patches; each comes once as it is and, later, once mirrored."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        self.recipe, self.seed = recipe, seed

    def __iter__(self) -> Iterator[Sample]:
        torch.set_num_threads(1)
        rng = np.random.default_rng(self.seed)
        sources = _sources(self.recipe)
        pools = [pool for pool, share in sources if share > 0]
        shares = np.array([share for _, share in sources if share > 0])
        yield from each_twice(_stream(pools, shares / shares.sum(), rng), rng)


def _stream(
    pools: list[list[Anatomy] | list[LabelledStudy]], shares: np.ndarray, rng: np.random.Generator
) -> Iterator[Sample]:
    while True:
        shapes = NARROW if rng.random() < ONE_HIP_SHARE else SHAPES
        shape = shapes[rng.integers(len(shapes))]
        if rng.random() < NONSENSE_SHARE:
            yield nonsense(shape, rng)
        else:
            pool = pools[rng.choice(len(pools), p=shares)]
            yield _patch(pool[rng.integers(len(pool))], shape, rng)


def _patch(source: Anatomy | LabelledStudy, shape: tuple[int, int, int], rng: np.random.Generator) -> Sample:
    return synthesise(source, shape, rng) if isinstance(source, Anatomy) else sample(source, shape, rng)


def _sources(recipe: Recipe) -> list[tuple[list[Anatomy] | list[LabelledStudy], float]]:
    """Every pool of sources and its share of the patches; a pool without a share is not loaded."""
    sources: list[tuple[list[Anatomy] | list[LabelledStudy], float]] = []
    if recipe.real_share > 0:
        studies = [labelled(*study) for study in real.studies(recipe.data, recipe.held_out)]
        sources.append((studies, recipe.real_share))
    if recipe.scan_share > 0:
        scanned = phantom_scans(recipe.scans, recipe.cache)
        wasted = phantom_scans(recipe.wasted, recipe.cache, wasted=True)
        scans = [labelled(*scan) for scan in chain(scanned, wasted)]
        sources.append((scans, recipe.scan_share))
    people = anatomies.bodies(recipe.data)
    between = blends(people, recipe.cache.with_name("blends"))
    if recipe.body_share > 0:
        scanned = bodies.labelled_scans(people, SCANS_PER_BODY, TRAINING_SEED, recipe.cache)
        more = bodies.labelled_scans(between, SCANS_PER_BLEND, TRAINING_SEED, recipe.cache)
        scans = [labelled(*scan) for scan in chain(scanned, more)]
        sources.append((scans, recipe.body_share))
    if recipe.map_phantom_share > 0:
        sources.append((phantom_anatomies(recipe.phantoms), recipe.map_phantom_share))
    sources.append(([*people, *between], recipe.map_body_share))
    return sources
