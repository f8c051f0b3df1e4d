"""Synthesise a hip MRI from a label map: the network learns shapes and sides, not one scanner's greys."""

from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import norm
from torch import Tensor
from torch.nn import functional

from grading.segment.preprocess import normalise
from training.anatomies import DEEP, Anatomy
from training.appearance import Tissues, degrade, random_fat, random_tissues
from training.blobs import mottle, random_mass
from training.classes import ANY, BONES, GLUTEAL, INDEX, NOT_GLUTEAL
from training.sample import Sample
from training.warp import PATCH_SPACING_MM, random_warp, smooth_noise

_FAR_MM = 200.0  # "outside the label map" in the distance image
_ELSEWHERE = 0.08  # of all patches lie anywhere along the body
_TUMOUR = 0.1  # of all patches hold a mass
_THICKEST_FASCIA = 0.4  # share of a voxel next to muscle: 1 mm, dark in every contrast
ONE_HIP_MM = 200.0  # a narrower patch shows one hip


def synthesise(
    anatomy: Anatomy,
    shape: tuple[int, int, int],
    rng: np.random.Generator,
    contrast: Callable[[np.random.Generator], Tissues] = random_tissues,
    fat: Callable[[np.random.Generator, int], np.ndarray] = random_fat,
) -> Sample:
    """A random image of `anatomy` and what each voxel is.

    Args:
        anatomy: the body.
        shape: of the patch, voxels of `PATCH_SPACING_MM`.
        rng: draws everything.
        contrast: draws the signals of the tissues.
        fat: draws the fat fraction of every structure, see `random_fat`.
    """
    warp = random_warp(anatomy.geometry, _place(anatomy, shape, rng), shape, rng)
    tissue = warp.labels(anatomy.tissue, 255)
    unknown = tissue == 255
    tissue[unknown] = 0
    outside_mm = warp.image(anatomy.outside_mm - _FAR_MM) + _FAR_MM

    kind = anatomy.lookup("class")[tissue]
    side = anatomy.lookup("side")[tissue]
    if warp.mirrored:
        side = torch.where(side >= 0, 1 - side, side)
    kind = _atrophy(kind, side, rng)
    side[kind == 0] = -1
    tissues = contrast(rng)
    signal = _muscle_signal(tissue, side, tissues, fat(rng, len(anatomy.labels)), rng)
    image, distractor = _paint(anatomy, tissue, kind, side, outside_mm, tissues, signal, rng)
    if rng.random() < _TUMOUR:
        mass = random_mass(shape, rng) & (outside_mm <= 0)
        image = torch.where(mass, tissues.muscle * rng.uniform(0.7, 2.0) * mottle(shape, rng), image)
        kind[mass], side[mass] = 0, -1
    group = kind.clone()
    group[distractor] = NOT_GLUTEAL
    image, missing = degrade(image, unknown, rng)
    group[missing] = ANY
    side[missing] = -1
    scaled = normalise(image.numpy(), ~missing.numpy())
    return Sample(torch.from_numpy(scaled), group, side)


def _place(anatomy: Anatomy, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Middle of the patch (world mm): among the glutei, on one hip if it is narrow, seldom elsewhere."""
    low, high = anatomy.glutei_mm.copy()
    if rng.random() < _ELSEWHERE:  # a thigh or a belly is no hip, and must not become one
        heights = anatomy.geometry.corners_mm()[:, 2]
        low[2], high[2] = heights.min(), heights.max()
    reach = np.array([0.3, 0.25, 0.35]) * (high - low)
    centre: np.ndarray = (low + high) / 2 + rng.uniform(-1, 1, 3) * reach
    if shape[0] * PATCH_SPACING_MM < ONE_HIP_MM:
        centre[0] = (low[0] + high[0]) / 2 + rng.choice([-1, 1]) * rng.uniform(0.2, 0.45) * (high[0] - low[0])
    return centre


def _atrophy(kind: Tensor, side: Tensor, rng: np.random.Generator) -> Tensor:
    """Shave muscles by one or two voxels, each with its own luck; what is shaved becomes fat."""
    for index in GLUTEAL:
        for which in (0, 1):
            if rng.random() > (0.4 if index == INDEX["gluteus_minimus"] else 0.15):
                continue
            mask = (kind == index) & (side == which)
            kept = mask
            for _ in range(rng.integers(1, 3)):
                kept = ~_dilate(~kept) & kept
            if int(kept.sum()) > 0.25 * int(mask.sum()):
                kind = torch.where(mask & ~kept, 0, kind)
    return kind


def _dilate(mask: Tensor) -> Tensor:
    """Grow by one voxel along each axis (6-neighbourhood)."""
    grown = mask.float()[None, None]
    result = grown
    for axis in range(3):
        size = [1, 1, 1]
        size[axis] = 3
        result = torch.maximum(
            result, functional.max_pool3d(grown, size, stride=1, padding=[s // 2 for s in size])
        )
    return result[0, 0] > 0


def _paint(
    anatomy: Anatomy,
    tissue: Tensor,
    kind: Tensor,
    side: Tensor,
    outside_mm: Tensor,
    tissues: Tissues,
    muscle_signal: Tensor,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Noise-free image and the mask of muscle-like distractors that no label names."""
    shape = tuple(kind.shape)
    bone = torch.isin(kind, torch.tensor(BONES))
    muscle = (kind > 0) & ~bone
    inside = outside_mm <= 0
    near = _dilate(_dilate(muscle))

    image = torch.full(shape, tissues.fat)
    image *= 1 + 0.04 * smooth_noise(shape, (2, 2, 2), rng)
    deep = (kind == 0) & inside & (~near | (torch.tensor(anatomy.labels)[tissue] == DEEP) & ~_dilate(muscle))
    organs = smooth_noise(shape, tuple(rng.uniform(6, 18, 3)), rng)
    levels = torch.tensor(tissues.organs)
    cuts = torch.tensor(np.sort(rng.uniform(-1.2, 1.2, len(levels) - 1)).astype(np.float32))
    image = torch.where(deep, levels[torch.bucketize(organs, cuts)], image)

    distractor = torch.zeros(shape, dtype=torch.bool)
    if rng.random() < 0.5:
        bundle = smooth_noise(
            shape, tuple(rng.permutation([rng.uniform(6, 12), rng.uniform(8, 16), 30.0])), rng
        )
        distractor = (kind == 0) & inside & ~_dilate(muscle) & (bundle > rng.uniform(0.6, 1.6))
    meat = muscle | distractor
    image = torch.where(meat, muscle_signal, image)
    image = torch.where(bone, tissues.marrow * (1 + 0.1 * smooth_noise(shape, (3, 3, 3), rng)), image)

    identity = kind * 3 + side
    border = torch.zeros(shape, dtype=torch.bool)
    for axis in range(3):
        change = identity.diff(dim=axis) != 0
        ahead = [0, 0, 0, 0, 0, 0]
        ahead[2 * (2 - axis) + 1] = 1
        behind = [0, 0, 0, 0, 0, 0]
        behind[2 * (2 - axis)] = 1
        border |= functional.pad(change, ahead) | functional.pad(change, behind)
    plane = torch.sigmoid(smooth_noise(shape, (8, 8, 8), rng) + rng.normal(-0.3, 1.0)) * rng.uniform(0.2, 0.9)
    image = torch.where(border & meat, image + plane * (tissues.fat - image), image)
    wrapped = _dilate(muscle) & (kind == 0) & ~distractor
    image = torch.where(wrapped, image * (1 - rng.uniform(0, _THICKEST_FASCIA)), image)
    cortex = rng.uniform(0.1, 0.8)
    image = torch.where(border & bone, image + cortex * (tissues.cortex - image), image)

    thickness = rng.uniform(5, 60) * (1 + 0.3 * smooth_noise(shape, (25, 25, 25), rng)).clamp(0.3, 2.0)
    skin = (outside_mm > thickness - PATCH_SPACING_MM) & (kind == 0)
    image = torch.where(skin, tissues.skin, image)
    return torch.where((outside_mm > thickness) & (kind == 0), tissues.air, image), distractor


def _muscle_signal(
    tissue: Tensor, side: Tensor, tissues: Tissues, fat_fraction: np.ndarray, rng: np.random.Generator
) -> Tensor:
    """Muscle with its own fat in streaks."""
    shape = tuple(tissue.shape)
    fraction = fat_fraction.ravel()
    key = tissue * 3 + side + 1
    softness = rng.uniform(0.15, 0.9)
    threshold = norm.ppf(1 - fraction) * np.sqrt(1 + softness**2)
    cells = rng.permutation([rng.uniform(1.0, 2.0), rng.uniform(1.5, 4), rng.uniform(4, 14)])
    streaks = smooth_noise(shape, tuple(cells), rng)
    if rng.random() < 0.5:
        cell = rng.uniform(4, 20)
        share = rng.uniform(0.3, 0.9)  # of the fat's pattern that is patches of 1 to 5 cm
        streaks = np.sqrt(1 - share) * streaks + np.sqrt(share) * smooth_noise(shape, (cell, cell, cell), rng)
    fat = torch.sigmoid((streaks - torch.from_numpy(threshold.astype(np.float32))[key]) * 1.7 / softness)
    lean = tissues.muscle * np.exp(rng.normal(0, 0.05, fraction.size)).astype(np.float32)
    base = torch.from_numpy(lean.astype(np.float32))[key]
    return base + fat * (tissues.fat - base)
