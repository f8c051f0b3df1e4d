"""Things that are no anatomy: a mass in a muscle, a bottle, noise. The network must not call them muscle."""

import numpy as np
import torch
from torch import Tensor

from grading.segment.preprocess import normalise
from training.appearance import bias_field
from training.sample import Sample
from training.warp import smooth_noise


def random_mass(shape: tuple[int, int, int], rng: np.random.Generator) -> Tensor:
    """A bumpy ellipsoid of 2-12 cm somewhere in the patch, bool (i, j, k)."""
    return _ellipsoid(shape, rng, rng.uniform(4, 24, 3))


def mottle(shape: tuple[int, int, int], rng: np.random.Generator) -> Tensor:
    """Grey texture around 1."""
    cell = rng.uniform(2, 8)
    return 1 + rng.uniform(0, 0.25) * smooth_noise(shape, (cell, cell, cell), rng)


def nonsense(shape: tuple[int, int, int], rng: np.random.Generator) -> Sample:
    """Noise with up to a dozen blobs in it, all of it background."""
    image = torch.full(shape, float(rng.uniform(0, 0.2)))
    for _ in range(rng.integers(0, 13)):
        blob = _ellipsoid(shape, rng, rng.uniform(5, 60, 3))
        image = torch.where(blob, float(rng.uniform(0, 1)) * mottle(shape, rng), image)
    image = image * bias_field(shape, rng)
    image = image + float(10 ** rng.uniform(-2.5, 0)) * torch.from_numpy(
        rng.standard_normal(shape, dtype=np.float32)
    )
    scaled = normalise(image.abs().numpy(), np.ones(shape, dtype=bool))
    nothing = torch.zeros(shape, dtype=torch.int64)
    return Sample(torch.from_numpy(scaled), nothing, nothing - 1)


def _ellipsoid(shape: tuple[int, int, int], rng: np.random.Generator, radii: np.ndarray) -> Tensor:
    axes = [
        (torch.arange(n, dtype=torch.float32) - float(rng.uniform(0, n))) / float(r)
        for n, r in zip(shape, radii, strict=True)
    ]
    i, j, k = torch.meshgrid(*axes, indexing="ij")
    bumps = 0.3 * smooth_noise(shape, (8, 8, 8), rng)
    return i**2 + j**2 + k**2 + bumps < 1
