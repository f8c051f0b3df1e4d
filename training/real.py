"""Real pelvis studies with a few outlined slices and full bone masks, as training patches."""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from torch import Tensor

from grading.io import read
from grading.resample import resample
from grading.segment.preprocess import antialias, normalise
from grading.volume import Geometry
from training.appearance import bias_field, slice_thickly
from training.classes import ANY, INDEX, NEITHER, NOT_BONE, class_of, side_of
from training.sample import Sample
from training.warp import PATCH_SPACING_MM, random_warp

HELD_OUT = ("pelvis13", "pelvis18")  # the last two by name: never trained on
_NOT_OUTLINED = 65535
_BONE_CLASSES = {1: "femur", 2: "hip_bone", 4: "sacrum"}  # numbers of bones.nii.gz; 3 is lumbar spine
_NO_SIDE = 2  # uint8 stand-in for "side unknown"


@dataclass(frozen=True, slots=True)
class RealStudy:
    """One study, blurred to the network's resolution but on its own grid.

    Attributes:
        image: float32 (i, j, k), normalised.
        code: uint8, 3 * group + side, where side is 0 left, 1 right, 2 unknown.
    """

    name: str
    geometry: Geometry
    image: Tensor
    code: Tensor


def load_study(folder: Path) -> RealStudy:
    """Read `folder`/dicom with `reader_labels.nii.gz` and `bones.nii.gz` beside it."""
    volume = read(folder / "dicom")
    labels = on_grid(folder / "reader_labels.nii.gz", volume.geometry)
    bones = on_grid(folder / "bones.nii.gz", volume.geometry)
    group, side = combine(labels, bones, volume.geometry)
    group[~volume.valid] = ANY
    image = antialias(normalise(volume.voxels, volume.valid), volume.geometry.spacing_mm, PATCH_SPACING_MM)
    code = 3 * group + np.where(side < 0, _NO_SIDE, side)
    return RealStudy(
        folder.name, volume.geometry, torch.from_numpy(image), torch.from_numpy(code.astype(np.uint8))
    )


def combine(labels: np.ndarray, bones: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Group and side per voxel from sparse outlines and full bone masks. Where they overlap, bone wins."""
    known = np.unique(labels)
    to_class = np.zeros(65536, dtype=np.int64)
    to_side = np.full(65536, -1, dtype=np.int64)
    for number in known[known != _NOT_OUTLINED]:
        to_class[number], to_side[number] = class_of(int(number)), side_of(int(number))
    group = np.where(labels == _NOT_OUTLINED, NOT_BONE, to_class[labels])
    group[labels == 0] = NEITHER
    side = np.where(labels == _NOT_OUTLINED, -1, to_side[labels])
    bony = bones > 0
    # A voxel of bone is that bone; the lumbar spine is no gluteal muscle and nothing else we name.
    for number, name in _BONE_CLASSES.items():
        group[bones == number] = INDEX[name]
    group[bones == 3] = INDEX["background"]
    side[bony] = -1
    axial = np.isin(bones, (3, 4))
    world_x = geometry.affine[0, 0] * np.arange(labels.shape[0]) + geometry.affine[0, 3]
    middle = world_x[np.argwhere(axial)[:, 0]].mean()
    right = np.broadcast_to((world_x > middle)[:, None, None], labels.shape)
    paired = np.isin(bones, (1, 2))
    side[paired] = right[paired]
    return group, side


def on_grid(path: Path, geometry: Geometry) -> np.ndarray:
    """Labels of a file on the image's grid, canonical axes."""
    image = nib.as_closest_canonical(nib.load(path))
    array = np.asarray(image.dataobj).astype(np.uint16)
    source = Geometry(array.shape, image.affine)
    return array if source.same_grid(geometry) else resample(array, source, geometry, order=0)


def sample(study: RealStudy, shape: tuple[int, int, int], rng: np.random.Generator) -> Sample:
    """A random patch of a real study: placed, bent, mirrored, and with its greys disturbed."""
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
    image = image * bias_field(tuple(image.shape), rng, 0.25)
    if rng.random() < 0.15:
        knots = rng.uniform(0, 1, 6).astype(np.float32)  # any contrast: an arbitrary smooth grey curve
        image = torch.from_numpy(np.interp(image.numpy(), np.linspace(0, 1.2, 6), knots).astype(np.float32))
    if rng.random() < 0.25:
        image = slice_thickly(image, rng)
    image = image.clamp_min(0) ** rng.uniform(0.8, 1.25)
    noise = torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
    image = (image + noise * rng.uniform(0, 0.05)).abs()
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
