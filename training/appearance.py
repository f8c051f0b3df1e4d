"""Random contrast and random scanner: what an image of given tissues may look like."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.warp import PATCH_SPACING_MM, smooth_noise


@dataclass(frozen=True, slots=True)
class Tissues:
    """Mean signals, fat of a T1 image being 1."""

    fat: float
    muscle: float
    marrow: float
    cortex: float
    skin: float
    air: float
    organs: tuple[float, ...]


def t1(rng: np.random.Generator) -> Tissues:
    """T1 spin echo: muscle-to-fat ratios of T1 TSE lie between 1 / 3.5 and 1 / 1.5."""
    u = rng.uniform
    organs = (1.0, u(0.2, 0.6), u(0.1, 0.7), u(0.8, 1.0), u(0.05, 0.4))
    return Tissues(1.0, u(0.28, 0.65), u(0.55, 1.0), u(0.02, 0.2), u(0.2, 0.7), u(0, 0.04), organs)


def any_contrast(rng: np.random.Generator) -> Tissues:
    """Muscle and fat of any two different greys, everything else of any."""
    u = rng.uniform
    muscle = u(0.1, 1.0)
    fat = muscle
    while abs(fat - muscle) < 0.15:
        fat = u(0.03, 1.0)
    organs = (fat, u(0, 1), u(0, 1), u(0, 1), u(0, 1))
    marrow = float(np.clip(fat + rng.normal(0, 0.15), 0.02, 1))
    return Tissues(fat, muscle, marrow, u(0, 0.3), u(0, 1), u(0, 0.05), organs)


def random_tissues(rng: np.random.Generator) -> Tissues:
    """T1 spin echo in three of five images, any other contrast else."""
    return t1(rng) if rng.random() < 0.6 else any_contrast(rng)


def random_fat(rng: np.random.Generator, structures: int) -> np.ndarray:
    """Fat fraction of every structure: without side, on the left, on the right; shape (structures, 3)."""
    healthy, fatty = rng.uniform(0, 0.12, (structures, 3)), rng.uniform(0.1, 0.9, (structures, 3))
    return np.where(rng.random((structures, 3)) < rng.choice([0.1, 0.3, 0.6]), fatty, healthy)


def bias_field(
    shape: tuple[int, ...],
    rng: np.random.Generator,
    largest: float = 0.35,
    spacing_mm: float = PATCH_SPACING_MM,
) -> Tensor:
    """Smooth multiplicative shading with features of 7-20 cm."""
    cell = rng.uniform(70, 200) / spacing_mm
    return torch.exp(rng.uniform(0, largest) * smooth_noise(shape, (cell, cell, cell), rng))


def slice_thickly(image: Tensor, rng: np.random.Generator, spacing_mm: float = PATCH_SPACING_MM) -> Tensor:
    """Average along one axis into slices of 3-8 mm and interpolate back, as thick slices are resampled."""
    axis = int(rng.choice([0, 1, 1, 1, 2, 2]))
    spacing = rng.uniform(3.0, 8.0) / spacing_mm
    count = image.shape[axis]
    moved = image.movedim(axis, -1)
    flat = moved.reshape(1, -1, count)
    slices = max(4, round(count / spacing))
    thick = functional.interpolate(flat, size=slices, mode="area")
    back = functional.interpolate(thick, size=count, mode="linear", align_corners=False)
    return back.reshape(moved.shape).movedim(-1, axis).contiguous()


def degrade(image: Tensor, unknown: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Shading, slices, noise, gamma and a cut field of view.

    Returns:
        The image (>= 0) and the mask of voxels that are not image (zero there).
    """
    shape = tuple(image.shape)
    image = image * bias_field(shape, rng)
    if rng.random() < 0.8:
        image = slice_thickly(image, rng)
    sigma = 10 ** rng.uniform(-2.5, -1.0)
    noise = torch.from_numpy(rng.standard_normal((2, *shape), dtype=np.float32)) * sigma
    image = torch.hypot(image + noise[0], noise[1])
    image = image ** rng.uniform(0.75, 1.3)
    missing = unknown.clone()
    for axis in range(3):
        for face in (0, 1):
            if rng.random() < 0.15:
                depth = int(rng.uniform(0, 0.3) * shape[axis])
                chosen = [slice(None)] * 3
                chosen[axis] = slice(0, depth) if face == 0 else slice(shape[axis] - depth, None)
                missing[tuple(chosen)] = True
    image[missing] = 0
    return image, missing
