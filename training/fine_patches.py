"""Patches of one hip for the fine network: image, what the coarse pass thought there, and what is true."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from grading.anatomy import SIDES, Side
from grading.segment.coarse import Coarse, look
from grading.segment.fine import MUSCLES, context, gluteal
from grading.segment.fine_grid import fine_spacing_mm, slice_axis
from grading.segment.model import Model
from grading.segment.preprocess import antialias, normalise
from grading.volume import Geometry, Volume
from training.classes import ANY, INDEX, NOT_BONE, group_table
from training.fatty import with_fat_pieces
from training.sample import each_twice
from training.studies import contrasted, disturbed, noisy
from training.warp import random_bend, random_warp

IN_PLANE_MM = 1.0
UNKNOWN = len(MUSCLES) + 1
SHAPES = ((28, 160, 224), (36, 160, 272), (32, 144, 240))  # slices, then what they show: a hip
_WANDER_MM = 1.5  # the coarse answer is bent against the image, so that the image is believed
_EVERY = 50  # of a muscle's voxels one may be the middle of a patch
_JITTER_MM = 15.0  # beside it
_FATTY = 0.35  # of all patches show fat in one piece
_AS_SCANNED = 0.75  # of all patches show slices as they are; the others are cut at any angle
_EASY = 0.02  # weight, beside its share of error, of a muscle that the coarse pass finds without any


@dataclass(frozen=True, slots=True)
class FineSample:
    """One patch of a hip shown as a left one, slices first.

    Attributes:
        channels: image and context, float32 (1 + CONTEXT, slices, i, j).
        target: int64 (slices, i, j).
    """

    channels: Tensor
    target: Tensor

    def again(self, rng: np.random.Generator) -> "FineSample":
        """The same patch with another contrast: noise enough is in it already."""
        image = contrasted(self.channels[0], rng)
        return FineSample(torch.cat([image[None], self.channels[1:]]), self.target)


@dataclass(frozen=True, slots=True)
class CoarselySeen:
    """A labelled scan with the coarse network's answer.

    Attributes:
        geometry: grid of image and target.
        image: float32 (i, j, k), normalised, blurred to the voxel size of the fine network.
        target: uint8 (i, j, k); 0 none of `MUSCLES`, then their number, `UNKNOWN` where nobody looked.
        grid: of the context.
        context: uint8 (CONTEXT, i, j, k), probabilities in 1/255.
        muscles: side and world points (points, 3), mm, of each muscle of each side that was seen.
    """

    geometry: Geometry
    image: Tensor
    target: Tensor
    grid: Geometry
    context: Tensor
    muscles: list[tuple[Side, np.ndarray]]


def coarsely_seen(model: Model, volume: Volume, group: np.ndarray) -> CoarselySeen | None:
    """A scan to draw patches from; None where the coarse pass saw no hip.

    Args:
        model: the coarse network.
        volume: the scan.
        group: (i, j, k), rows of `group_table()`.
    """
    image = normalise(volume.voxels, volume.valid)
    coarse = look(model, image, volume.geometry)
    muscles = list(_muscle_points(coarse))
    if not muscles:
        return None
    group = np.where(volume.valid, group, ANY)
    spacing_mm = fine_spacing_mm(volume.geometry, IN_PLANE_MM)
    smooth = antialias(image, volume.geometry.spacing_mm, spacing_mm)
    told = np.round(context(coarse.probability, coarse.classes) * 255).astype(np.uint8)
    return CoarselySeen(
        volume.geometry,
        torch.from_numpy(smooth),
        torch.from_numpy(_target_table()[group]),
        coarse.grid,
        torch.from_numpy(told),
        muscles,
    )


def _muscle_points(coarse: Coarse) -> Iterator[tuple[Side, np.ndarray]]:
    best = coarse.probability.argmax(axis=0)
    for side in SIDES:
        hip = gluteal(coarse, side)
        for name in MUSCLES:
            where = np.argwhere(hip & (best == coarse.classes.index(name)))[::_EVERY]
            if len(where):
                yield side, where @ coarse.grid.affine[:3, :3].T + coarse.grid.affine[:3, 3]


def _target_table() -> np.ndarray:
    """Fine class of each group: a gluteal muscle, none of them, or unknown."""
    table = np.zeros(len(group_table()), dtype=np.uint8)
    for number, name in enumerate(MUSCLES, 1):
        table[INDEX[name]] = number
    table[[ANY, NOT_BONE]] = UNKNOWN
    return table


def difficulty(seen: CoarselySeen) -> list[float]:
    """How often to show each of `muscles`: the share of it that is no muscle, and that of all left out."""
    true, told = seen.target.numpy(), seen.context[: len(MUSCLES)].numpy().max(axis=0)
    muscle = np.argwhere((true > 0) & (true < UNKNOWN))[::_EVERY]
    world = muscle @ seen.geometry.affine[:3, :3].T + seen.geometry.affine[:3, 3]
    missed = float(np.mean(told[_nearest(seen.grid, world)] < 128)) if len(world) else 0.0
    return [
        _EASY + missed + float(np.mean(true[_nearest(seen.geometry, points)] == 0))
        for _, points in seen.muscles
    ]


def _nearest(grid: Geometry, points_mm: np.ndarray) -> tuple[np.ndarray, ...]:
    """Indices of the voxels of `grid` nearest to world points (points, 3)."""
    inverse = np.linalg.inv(grid.affine)
    voxel = np.rint(points_mm @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    return tuple(voxel.clip(0, np.array(grid.shape) - 1).T)


def patch(
    seen: CoarselySeen,
    side: Side,
    points: np.ndarray,
    shape: tuple[int, int, int],
    rng: np.random.Generator,
) -> FineSample:
    """A random patch of one hip, bent, and with its greys disturbed.

    Args:
        seen: the scan.
        side: of the hip; a right one is shown mirrored.
        points: one of which (mm) lies near the middle of the patch, (points, 3).
        shape: slices, and voxels within them.
        rng: draws everything.
    """
    slices = slice_axis(seen.geometry)
    spacing_mm = fine_spacing_mm(seen.geometry, IN_PLANE_MM)
    i, j, k = np.insert(shape[1:], slices, shape[0])
    centre = points[rng.integers(len(points))] + rng.normal(0, _JITTER_MM, 3)
    warp = random_warp(
        seen.geometry,
        centre,
        (i, j, k),
        rng,
        strength=0.7,
        spacing_mm=spacing_mm,
        slices=slices if rng.random() < _AS_SCANNED else None,
        mirrored=side is Side.RIGHT,
    )
    wander = random_bend((i, j, k), rng.uniform(10, 40), rng, spacing_mm) * abs(rng.normal(0, _WANDER_MM))
    told = warp.onto(seen.grid, wander).image(seen.context.float() / 255).movedim(1 + slices, 1)
    target = warp.labels(seen.target, UNKNOWN).movedim(slices, 0)
    missing = warp.image(torch.ones(seen.geometry.shape)).movedim(slices, 0) < 0.5
    image = warp.image(seen.image).movedim(slices, 0)
    step_mm = (spacing_mm[slices], IN_PLANE_MM, IN_PLANE_MM)
    if rng.random() < _FATTY:
        image, told = with_fat_pieces(image, target, told, rng, step_mm)
    image = noisy(disturbed(image, rng, step_mm), rng) * rng.uniform(0.85, 1.15)
    image[missing] = 0
    target[missing] = UNKNOWN
    return FineSample(torch.cat([image[None], told]), target)


class FinePatches(IterableDataset[FineSample]):
    """An endless, seeded stream of patches; each comes once as it is and, later, once in another guise."""

    def __init__(self, pools: Iterable[tuple[list[CoarselySeen], float]], seed: int) -> None:
        chosen = [(scans, share) for scans, share in pools if scans and share > 0]
        self.pools = [[(scan, *muscle) for scan in scans for muscle in scan.muscles] for scans, _ in chosen]
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
            scan, side, points = muscles[rng.choice(len(muscles), p=weights / weights.sum())]
            yield patch(scan, side, points, SHAPES[rng.integers(len(SHAPES))], rng)
