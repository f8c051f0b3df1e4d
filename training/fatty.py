"""Fat in one piece: parts of muscles turned to fat within their fascia.

The fascia of a muscle lies outside of what a label map calls muscle; a reader draws along its outer edge, so
in an outlined study it lies inside.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from grading.segment.fine import MUSCLES
from training.bodies import FASCIA_MM
from training.classes import INDEX
from training.warp import smooth_noise

_CHANCE = (0.4, 0.4, 0.3, 0.4)  # of each muscle; more, and the fat beside a lean minimus is called minimus
_SHORTEST_MM = (10, 10, 25, 10)  # of a piece; a short one in a thin muscle may be a sheet along its border
_LONGEST_MM = 60
_LEAST_CONTRAST = 1.3  # fat over muscle; what is darker is no T1 image
_LEAST_ML = 4.7  # of a muscle, so that it has an inside


def with_fat_pieces(
    image: Tensor,
    target: Tensor,
    told: Tensor,
    rng: np.random.Generator,
    spacing_mm: float,
    *,
    outlined: bool,
) -> tuple[Tensor, Tensor]:
    """The same patch with some muscles partly, or wholly, turned to fat, each within its fascia.

    Where there is fat the coarse pass is made less sure of the muscle, as it is on such images. Where nobody
    outlined the muscles, between the labelled slices of a study, the coarse pass says where they are.

    Args:
        image: (i, j, k).
        target: int64 (i, j, k), 0 none, then the number of a muscle, above those nobody knows.
        told: probabilities of the coarse pass, muscle `n` in row n - 1, (rows, i, j, k).
        rng: draws everything.
        spacing_mm: of a voxel.
        outlined: by a reader, whose outlines take the fascia in.

    Returns:
        The image and what the coarse pass told, shapes as given; neither is changed in place.
    """
    unknown = target > len(MUSCLES)
    muscles = [(target == n) | (unknown & (told[n - 1] > 0.5)) for n in range(1, len(MUSCLES) + 1)]
    fat = _fat_level(image, target == 0, (target > 0) & ~unknown)
    if fat is None:
        return image, told
    told = told.clone()
    for row, muscle, amount in _pieces_of(enumerate(muscles), rng, spacing_mm):
        image = _turned(image, fat, muscle, amount, rng, spacing_mm, outlined=outlined)
        told[row] *= 1 - float(rng.uniform(0, 0.9)) * amount
    return image, told


def with_fatty_muscles(
    image: Tensor, group: Tensor, side: Tensor, rng: np.random.Generator, spacing_mm: float
) -> Tensor:
    """The same patch of a fully labelled scan with some gluteal muscles turned to fat, as `with_fat_pieces`.

    Args:
        image: (i, j, k).
        group: int64 (i, j, k), rows of `training.classes.group_table`.
        side: 0 left, 1 right, -1 unknown, (i, j, k).
        rng: draws everything.
        spacing_mm: of a voxel.
    """
    muscles = [
        (row, (group == INDEX[name]) & (side == which))
        for row, name in enumerate(MUSCLES)
        for which in (0, 1)
    ]
    fat = _fat_level(image, group == 0, torch.stack([muscle for _, muscle in muscles]).any(0))
    if fat is None:
        return image
    for _, muscle, amount in _pieces_of(muscles, rng, spacing_mm):
        image = _turned(image, fat, muscle, amount, rng, spacing_mm, outlined=False)
    return image


def _turned(
    image: Tensor,
    fat: float,
    muscle: Tensor,
    amount: Tensor,
    rng: np.random.Generator,
    spacing_mm: float,
    *,
    outlined: bool,
) -> Tensor:
    """The image with an amount of fat, mottled a little, in a muscle, and with its fascia round it."""
    if outlined:
        amount = amount * _within_rim(muscle, float(rng.uniform(0.2, 0.9)))
    else:
        lean = float(image[muscle].median())
        beside = functional.max_pool3d(amount[None, None], 3, stride=1, padding=1)[0, 0] * ~muscle
        mixed = image > (lean + fat) / 2  # with a little of the muscle that is no longer there
        image = torch.lerp(image, torch.where(mixed, fat, image), beside)
        fascia = float(rng.uniform(*FASCIA_MM)) / spacing_mm
        image = torch.lerp(image, image.clamp_max(lean), fascia * beside)
    texture = 1 + 0.05 * smooth_noise(tuple(image.shape), (2, 2, 2), rng)
    return torch.lerp(image, fat * texture, amount)


def _fat_level(image: Tensor, beside: Tensor, muscle: Tensor) -> float | None:
    """Median of what is bright beside the muscles; None where that is hardly brighter than they are."""
    if not beside.any() or not muscle.any():
        return None
    low, high = np.percentile(image[beside][::7].numpy(), (5, 98))
    fat = float(image[beside & (image >= (low + high) / 2)].median())
    return fat if fat >= _LEAST_CONTRAST * float(image[muscle].median()) else None


def _within_rim(muscle: Tensor, rim: float) -> Tensor:
    """1 inside a muscle, 0 in its rim, whose width runs with `rim` from nothing (0) to a voxel (1)."""
    depth = functional.avg_pool3d(muscle.float()[None, None], 3, stride=1, padding=1)[0, 0]
    return ((depth - rim) / (1 - rim)).clamp(0, 1)


def _pieces_of(
    muscles: Iterable[tuple[int, Tensor]], rng: np.random.Generator, spacing_mm: float
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Row in `MUSCLES`, mask and amount of fat for each muscle whose turn it is."""
    for row, muscle in muscles:
        if rng.random() < _CHANCE[row] and int(muscle.sum()) * spacing_mm**3 > 1000 * _LEAST_ML:
            yield row, muscle, _pieces(muscle, rng, spacing_mm, _SHORTEST_MM[row])


def _pieces(muscle: Tensor, rng: np.random.Generator, spacing_mm: float, shortest_mm: float) -> Tensor:
    """How much of each voxel of a muscle turns to fat: pieces of `shortest_mm` or more."""
    cell = float(rng.uniform(shortest_mm, _LONGEST_MM)) / spacing_mm
    noise = smooth_noise(tuple(muscle.shape), (cell, cell, cell), rng)
    cut = float(np.quantile(noise[muscle][::7].numpy(), 1 - rng.uniform(0.1, 1.0)))
    sharpness = float(rng.uniform(2, 12))
    return muscle * torch.sigmoid((noise - cut) * sharpness) * float(rng.uniform(0.7, 1.0))
