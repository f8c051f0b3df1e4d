"""Patches of one hip for the fine network: image, what the coarse pass thought there, and what is true."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from grading.anatomy import SIDES
from grading.segment.coarse import Coarse, look
from grading.segment.fine import MUSCLES, context, gluteal
from grading.segment.model import Model
from grading.segment.preprocess import antialias, normalise
from grading.volume import Geometry, Volume
from training.classes import ANY, INDEX, NOT_BONE, group_table
from training.fatty import with_fat_pieces
from training.sample import each_twice
from training.studies import disturbed
from training.warp import random_warp, smooth_noise

FINE_SPACING_MM = 1.5
UNKNOWN = len(MUSCLES) + 1
SHAPES = ((72, 88, 104), (64, 104, 96), (80, 80, 104), (72, 104, 88))
_WANDER_MM = 1.5  # the coarse answer is bent against the image, so that the image is believed
_EVERY = 50  # of a muscle's voxels one may be the middle of a patch
_JITTER_MM = 15.0  # beside it
_FATTY = 0.35  # of all patches show fat in one piece


@dataclass(frozen=True, slots=True)
class FineSample:
    """One patch: image and context float32 (1 + CONTEXT, i, j, k), target int64 (i, j, k)."""

    channels: Tensor
    target: Tensor

    def mirrored(self) -> "FineSample":
        """The mirror image of the patient."""
        return FineSample(self.channels.flip(1), self.target.flip(0))


@dataclass(frozen=True, slots=True)
class CoarselySeen:
    """A labelled scan with the coarse network's answer.

    Attributes:
        geometry: grid of image and target.
        image: float32 (i, j, k), normalised, blurred to the fine voxel size.
        target: uint8 (i, j, k); 0 none of `MUSCLES`, then their number, `UNKNOWN` where nobody looked.
        grid: of the context.
        context: uint8 (CONTEXT, i, j, k), probabilities in 1/255.
        muscles_mm: world points (points, 3) within one muscle of one side, for each that was seen.
    """

    geometry: Geometry
    image: Tensor
    target: Tensor
    grid: Geometry
    context: Tensor
    muscles_mm: list[np.ndarray]


def coarsely_seen(model: Model, volume: Volume, group: np.ndarray) -> CoarselySeen | None:
    """A scan to draw patches from; None where the coarse pass saw no hip.

    Args:
        model: the coarse network.
        volume: the scan.
        group: (i, j, k), rows of `group_table()`.
    """
    image = normalise(volume.voxels, volume.valid)
    coarse = look(model, image, volume.geometry)
    muscles_mm = list(_muscle_points(coarse))
    if not muscles_mm:
        return None
    group = np.where(volume.valid, group, ANY)
    smooth = antialias(image, volume.geometry.spacing_mm, FINE_SPACING_MM)
    told = np.round(context(coarse.probability, coarse.classes) * 255).astype(np.uint8)
    return CoarselySeen(
        volume.geometry,
        torch.from_numpy(smooth),
        torch.from_numpy(_target_table()[group]),
        coarse.grid,
        torch.from_numpy(told),
        muscles_mm,
    )


def _muscle_points(coarse: Coarse) -> Iterator[np.ndarray]:
    best = coarse.probability.argmax(axis=0)
    for side in SIDES:
        hip = gluteal(coarse, side)
        for name in MUSCLES:
            where = np.argwhere(hip & (best == coarse.classes.index(name)))[::_EVERY]
            if len(where):
                yield where @ coarse.grid.affine[:3, :3].T + coarse.grid.affine[:3, 3]


def _target_table() -> np.ndarray:
    """Fine class of each group: a gluteal muscle, none of them, or unknown."""
    table = np.zeros(len(group_table()), dtype=np.uint8)
    for number, name in enumerate(MUSCLES, 1):
        table[INDEX[name]] = number
    table[[ANY, NOT_BONE]] = UNKNOWN
    return table


def patch(seen: CoarselySeen, shape: tuple[int, int, int], rng: np.random.Generator) -> FineSample:
    """A random patch of one hip: placed, bent, and with its greys disturbed."""
    points = seen.muscles_mm[rng.integers(len(seen.muscles_mm))]
    centre = points[rng.integers(len(points))] + rng.normal(0, _JITTER_MM, 3)
    warp = random_warp(seen.geometry, centre, shape, rng, strength=0.7, spacing_mm=FINE_SPACING_MM)
    cell = rng.uniform(10, 40) / FINE_SPACING_MM
    bend = torch.stack([smooth_noise(shape, (cell, cell, cell), rng) for _ in range(3)], dim=-1)
    shift = bend * abs(rng.normal(0, _WANDER_MM))
    told = warp.onto(seen.grid, shift).image(seen.context.float() / 255)
    target = warp.labels(seen.target, UNKNOWN)
    missing = warp.image(torch.ones(seen.geometry.shape)) < 0.5
    image = warp.image(seen.image)
    if rng.random() < _FATTY:
        image, told = with_fat_pieces(image, target, told, rng, FINE_SPACING_MM)
    image = disturbed(image, rng, FINE_SPACING_MM) * rng.uniform(0.85, 1.15)
    image[missing] = 0
    target[missing] = UNKNOWN
    return FineSample(torch.cat([image[None], told]), target)


class FinePatches(IterableDataset[FineSample]):
    """An endless, seeded stream of patches; each comes once as it is and, later, once mirrored."""

    def __init__(self, pools: Iterable[tuple[list[CoarselySeen], float]], seed: int) -> None:
        self.pools = [(scans, share) for scans, share in pools if scans and share > 0]
        self.seed = seed

    def __iter__(self) -> Iterator[FineSample]:
        torch.set_num_threads(1)
        rng = np.random.default_rng(self.seed)
        shares = np.array([share for _, share in self.pools])
        yield from each_twice(self._stream(shares / shares.sum(), rng), rng)

    def _stream(self, shares: np.ndarray, rng: np.random.Generator) -> Iterator[FineSample]:
        while True:
            scans, _ = self.pools[rng.choice(len(shares), p=shares)]
            yield patch(scans[rng.integers(len(scans))], SHAPES[rng.integers(len(SHAPES))], rng)
