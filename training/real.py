"""Real pelvis studies with a few outlined slices and full bone masks."""

from collections.abc import Collection, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np

from grading.io import read
from grading.resample import resample
from grading.volume import Geometry, Volume
from training.classes import INDEX, NEITHER, NOT_BONE, classify

HELD_OUT = ("pelvis13", "pelvis18")  # the last two by name: never trained on
NOT_OUTLINED = 65535
_BONE_CLASSES = {1: "femur", 2: "hip_bone", 4: "sacrum"}  # numbers of bones.nii.gz; 3 is lumbar spine


def studies(data: Path, held_out: Collection[str]) -> Iterator[tuple[Volume, np.ndarray, np.ndarray]]:
    """Image, group and side of every outlined real study that is not held out."""
    for folder in sorted((data / "mri" / "pelvis_t1_coronal").iterdir()):
        if folder.name not in held_out:
            yield read_study(folder)


def read_study(folder: Path) -> tuple[Volume, np.ndarray, np.ndarray]:
    """Image of `folder`/dicom, group and side of its voxels by the label maps beside it."""
    volume = read(folder / "dicom")
    labels = on_grid(folder / "reader_labels.nii.gz", volume.geometry)
    bones = on_grid(folder / "bones.nii.gz", volume.geometry)
    return volume, *combine(labels, bones, volume.geometry)


def combine(labels: np.ndarray, bones: np.ndarray, geometry: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Group and side per voxel from sparse outlines and full bone masks. Where they overlap, bone wins."""
    group, side = classify(labels)
    group[labels == NOT_OUTLINED] = NOT_BONE
    group[labels == 0] = NEITHER
    side[labels == NOT_OUTLINED] = -1
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
