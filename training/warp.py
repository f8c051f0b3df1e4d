"""Random placement of an anatomy in the network's patch: affine, elastic, mirrored, off-centre."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from grading.volume import Geometry

PATCH_SPACING_MM = 2.5
_LARGEST_BEND = 0.15  # standard deviation of the elastic shift, in cells; from about .3 on space would fold


@dataclass(frozen=True, slots=True)
class Warp:
    """Where each patch voxel comes from: world points (i, j, k, 3), and their place in a source's arrays.

    `grid` holds the normalised source coordinates (1, i, j, k, 3) for grid_sample.
    """

    world: Tensor
    grid: Tensor
    mirrored: bool

    def onto(self, source: Geometry, shift_mm: Tensor | float = 0.0) -> "Warp":
        """The same patch in the arrays of another grid, its points shifted by (i, j, k, 3) or not at all."""
        return Warp(self.world, _normalised(self.world + shift_mm, source), self.mirrored)

    def image(self, values: Tensor) -> Tensor:
        """Trilinear values at the patch voxels; zero outside. `values` float ([channels,] i, j, k)."""
        flat = values.reshape(1, -1, *values.shape[-3:])
        sampled = functional.grid_sample(
            flat, self.grid, mode="bilinear", padding_mode="zeros", align_corners=True
        )
        return sampled.reshape(*values.shape[:-3], *sampled.shape[-3:])

    def labels(self, values: Tensor, outside: int) -> Tensor:
        """Nearest labels at the patch voxels; `outside` beyond the source. `values` uint8 (i, j, k)."""
        shifted = (values.float() - outside)[None, None]  # zero padding then means `outside`
        sampled = functional.grid_sample(
            shifted, self.grid, mode="nearest", padding_mode="zeros", align_corners=True
        )[0, 0]
        return sampled.round().long() + outside


def _normalised(world: Tensor, source: Geometry) -> Tensor:
    inverse = np.linalg.inv(source.affine)
    index = world @ torch.from_numpy(inverse[:3, :3].T.astype(np.float32)) + torch.from_numpy(
        inverse[:3, 3].astype(np.float32)
    )
    size = torch.tensor(source.shape, dtype=torch.float32)
    return (2 * index / (size - 1) - 1).flip(-1)[None]


def smooth_noise(
    shape: tuple[int, ...], cell: tuple[float, float, float], rng: np.random.Generator
) -> Tensor:
    """Unit-variance noise with features of about `cell` voxels, shape (i, j, k)."""
    coarse = [max(2, round(n / c) + 1) for n, c in zip(shape, cell, strict=True)]
    noise = torch.from_numpy(rng.standard_normal(coarse).astype(np.float32))
    field = functional.interpolate(noise[None, None], size=shape, mode="trilinear", align_corners=True)[0, 0]
    return (field - field.mean()) / field.std().clamp_min(1e-6)


def random_warp(
    source: Geometry,
    centre_mm: np.ndarray,
    shape: tuple[int, int, int],
    rng: np.random.Generator,
    *,
    strength: float = 1.0,
    spacing_mm: float = PATCH_SPACING_MM,
) -> Warp:
    """A random patch around `centre_mm` (RAS+ world) of the source grid.

    Args:
        source: grid of the arrays to be sampled; axes near canonical.
        centre_mm: world point that lands near the middle of the patch.
        shape: patch size in voxels.
        strength: 1 for label maps, less for real images, whose anatomy is already varied.
        spacing_mm: size of a patch voxel.
    """
    angles = np.deg2rad(rng.normal(0, 7 * strength, 3))
    rotation = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        rotation = rotation @ turn
    scale = np.exp(rng.normal(0, 0.07 * strength) + rng.normal(0, 0.08 * strength, 3))
    mirrored = bool(rng.random() < 0.5)
    matrix = rotation @ np.diag(1 / scale)
    if mirrored:
        matrix = matrix @ np.diag([-1.0, 1, 1])
    axes = [(torch.arange(n, dtype=torch.float32) - (n - 1) / 2) * spacing_mm for n in shape]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    cell_mm = rng.uniform(30, 80)
    cell = cell_mm / spacing_mm
    amplitude = cell_mm * rng.uniform(0, _LARGEST_BEND) * strength
    bend = torch.stack([smooth_noise(shape, (cell, cell, cell), rng) for _ in range(3)], dim=-1)
    points = points + amplitude * bend
    world = points @ torch.from_numpy(matrix.T.astype(np.float32)) + torch.from_numpy(
        centre_mm.astype(np.float32)
    )
    return Warp(world, _normalised(world, source), mirrored)
