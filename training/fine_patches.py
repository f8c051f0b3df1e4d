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
_TRUST = (0.45, 1.45)  # powers of what the coarse pass told, so that its sureness is not relied on
_EVERY = 50  # of a muscle's voxels one may be the middle of a patch
_JITTER_MM = 15.0  # beside it
_FATTY = 0.35  # of all patches show fat in one piece
_EASY = 0.02  # weight, beside its share of error, of a muscle that the coarse pass finds without any


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
        outlined: by a reader, see `training.fatty`.
    """

    geometry: Geometry
    image: Tensor
    target: Tensor
    grid: Geometry
    context: Tensor
    muscles_mm: list[np.ndarray]
    outlined: bool


def coarsely_seen(model: Model, volume: Volume, group: np.ndarray, *, outlined: bool) -> CoarselySeen | None:
    """A scan to draw patches from; None where the coarse pass saw no hip.

    Args:
        model: the coarse network.
        volume: the scan.
        group: (i, j, k), rows of `group_table()`.
        outlined: by a reader, not made with its labels.
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
        outlined,
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


def difficulty(seen: CoarselySeen) -> list[float]:
    """How often to show each of `muscles_mm`: the share of it that is no muscle, and that of all left out."""
    true, told = seen.target.numpy(), seen.context[: len(MUSCLES)].numpy().max(axis=0)
    muscle = np.argwhere((true > 0) & (true < UNKNOWN))[::_EVERY]
    world = muscle @ seen.geometry.affine[:3, :3].T + seen.geometry.affine[:3, 3]
    missed = float(np.mean(told[_nearest(seen.grid, world)] < 128)) if len(world) else 0.0
    return [
        _EASY + missed + float(np.mean(true[_nearest(seen.geometry, points)] == 0))
        for points in seen.muscles_mm
    ]


def _nearest(grid: Geometry, points_mm: np.ndarray) -> tuple[np.ndarray, ...]:
    """Indices of the voxels of `grid` nearest to world points (points, 3)."""
    inverse = np.linalg.inv(grid.affine)
    voxel = np.rint(points_mm @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    return tuple(voxel.clip(0, np.array(grid.shape) - 1).T)


def patch(
    seen: CoarselySeen, points: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator
) -> FineSample:
    """A random patch of one hip: placed near one of `points` (mm), bent, and with its greys disturbed."""
    centre = points[rng.integers(len(points))] + rng.normal(0, _JITTER_MM, 3)
    warp = random_warp(seen.geometry, centre, shape, rng, strength=0.7, spacing_mm=FINE_SPACING_MM)
    cell = rng.uniform(10, 40) / FINE_SPACING_MM
    bend = torch.stack([smooth_noise(shape, (cell, cell, cell), rng) for _ in range(3)], dim=-1)
    shift = bend * abs(rng.normal(0, _WANDER_MM))
    told = _told(warp.onto(seen.grid, shift).image(seen.context.float() / 255), float(rng.uniform(*_TRUST)))
    target = warp.labels(seen.target, UNKNOWN)
    missing = warp.image(torch.ones(seen.geometry.shape)) < 0.5
    image = warp.image(seen.image)
    if rng.random() < _FATTY:
        image, told = with_fat_pieces(image, target, told, rng, FINE_SPACING_MM, outlined=seen.outlined)
    image = disturbed(image, rng, FINE_SPACING_MM) * rng.uniform(0.85, 1.15)
    image[missing] = 0
    target[missing] = UNKNOWN
    return FineSample(torch.cat([image[None], told]), target)


def _told(told: Tensor, power: float) -> Tensor:
    """Probabilities (CONTEXT, i, j, k) surer or less sure than they are: to a power, with what they leave."""
    shares = torch.cat([(1 - told.sum(0, keepdim=True)).clamp_min(0), told]) ** power
    return shares[1:] / shares.sum(0).clamp_min(1e-6)


class FinePatches(IterableDataset[FineSample]):
    """An endless, seeded stream of patches; each comes once as it is and, later, once mirrored."""

    def __init__(self, pools: Iterable[tuple[list[CoarselySeen], float]], seed: int) -> None:
        chosen = [(scans, share) for scans, share in pools if scans and share > 0]
        self.pools = [[(scan, points) for scan in scans for points in scan.muscles_mm] for scans, _ in chosen]
        self.weights = [
            np.array([weight for scan in scans for weight in difficulty(scan)]) for scans, _ in chosen
        ]
        self.shares = np.array([share for _, share in chosen])
        self.seed = seed

    def __iter__(self) -> Iterator[FineSample]:
        torch.set_num_threads(1)
        rng = np.random.default_rng(self.seed)
        yield from each_twice(self._stream(rng), rng)

    def _stream(self, rng: np.random.Generator) -> Iterator[FineSample]:
        while True:
            number = rng.choice(len(self.pools), p=self.shares / self.shares.sum())
            muscles, weights = self.pools[number], self.weights[number]
            scan, points = muscles[rng.choice(len(muscles), p=weights / weights.sum())]
            yield patch(scan, points, SHAPES[rng.integers(len(SHAPES))], rng)
