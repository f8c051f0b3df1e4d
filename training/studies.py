"""Studies with an image and (some) labels, as training patches."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from grading.segment.preprocess import antialias, normalise
from grading.volume import Geometry, Volume
from training.appearance import bias_field, slice_thickly
from training.classes import ANY, NOT_BONE
from training.fatty import with_fatty_muscles
from training.sample import Sample
from training.warp import PATCH_SPACING_MM, random_warp

_FATTY = 0.5  # of the patches of fully labelled scans show fat in one piece
_NO_SIDE = 2  # uint8 stand-in for "side unknown"


@dataclass(frozen=True, slots=True)
class LabelledStudy:
    """One scan, blurred to the network's resolution but on its own grid.

    Attributes:
        image: float32 (i, j, k), normalised.
        code: uint8, 3 * group + side, where side is 0 left, 1 right, 2 unknown.
    """

    name: str
    geometry: Geometry
    image: Tensor
    code: Tensor


def labelled(volume: Volume, group: np.ndarray, side: np.ndarray) -> LabelledStudy:
    """A study from its image and what each voxel is.

    Args:
        volume: the image.
        group: (i, j, k), rows of `group_table()`.
        side: (i, j, k), 0 left, 1 right, -1 unknown.
    """
    group = np.where(volume.valid, group, ANY)
    image = antialias(normalise(volume.voxels, volume.valid), volume.geometry.spacing_mm, PATCH_SPACING_MM)
    code = (3 * group + np.where(side < 0, _NO_SIDE, side)).astype(np.uint8)
    return LabelledStudy(volume.series.name, volume.geometry, torch.from_numpy(image), torch.from_numpy(code))


def sample(study: LabelledStudy, shape: tuple[int, int, int], rng: np.random.Generator) -> Sample:
    """A random patch of a study: placed, bent, mirrored, and with its greys disturbed."""
    geometry = study.geometry
    extent = np.asarray(geometry.shape) * geometry.spacing_mm
    room = np.maximum(extent - np.asarray(shape) * PATCH_SPACING_MM, 0) / 2 + 20
    centre = geometry.centre_mm + rng.uniform(-1, 1, 3) * room
    warp = random_warp(geometry, centre, shape, rng, strength=0.7)
    image = warp.image(study.image)
    code = warp.labels(study.code, 3 * ANY + _NO_SIDE)
    group, side = code // 3, code % 3
    side = torch.where(side == _NO_SIDE, -1, side)
    if warp.mirrored:
        side = torch.where(side >= 0, 1 - side, side)
    missing = warp.image(torch.ones(geometry.shape)) < 0.5
    if rng.random() < _FATTY and not (group == NOT_BONE).any():
        image = with_fatty_muscles(image, group, side, rng, PATCH_SPACING_MM)
    image = disturbed(image, rng)
    for axis in range(3):
        if rng.random() < 0.15:  # a field of view that ends early
            depth = int(rng.uniform(0, 0.25) * shape[axis])
            chosen = [slice(None)] * 3
            chosen[axis] = slice(0, depth) if rng.random() < 0.5 else slice(shape[axis] - depth, None)
            missing[tuple(chosen)] = True
    image[missing] = 0
    group[missing] = ANY
    side[missing] = -1
    return Sample(torch.from_numpy(normalise(image.numpy(), ~missing.numpy())), group, side)


def disturbed(image: Tensor, rng: np.random.Generator, spacing_mm: float = PATCH_SPACING_MM) -> Tensor:
    """The same patch from another scanner: shading, now and then other greys or thicker slices, noise."""
    image = image * bias_field(tuple(image.shape), rng, 0.25, spacing_mm)
    if rng.random() < 0.15:
        knots = rng.uniform(0, 1, 6).astype(np.float32)  # any contrast: an arbitrary smooth grey curve
        image = torch.from_numpy(np.interp(image.numpy(), np.linspace(0, 1.2, 6), knots).astype(np.float32))
    if rng.random() < 0.25:
        image = slice_thickly(image, rng, spacing_mm)
    image = image.clamp_min(0) ** rng.uniform(0.8, 1.25)
    noise = torch.from_numpy(rng.standard_normal(tuple(image.shape), dtype=np.float32))
    return (image + noise * rng.uniform(0, 0.05)).abs()
