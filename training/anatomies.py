"""Label maps without an image: the bodies that training images are synthesised from."""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from scipy import ndimage
from skimage.morphology import convex_hull_image
from torch import Tensor

from grading.volume import Geometry
from training.classes import class_of, side_of

_BELOW_MM, _ABOVE_MM = 250.0, 110.0  # kept around the glutei
HELD_OUT_BODY = "vhf"  # never trained on
DEEP, SUBCUTANEOUS = 9100, 9101  # tissue numbers of the label maps


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A body ready for synthesis.

    Attributes:
        name: file stem or phantom seed.
        geometry: its grid, RAS+.
        tissue: uint8 (i, j, k), compact index into `labels`.
        labels: label number of each compact index; index 0 is background.
        outside_mm: float32 (i, j, k), distance outside the body's lean envelope; <= 0 within.
        glutei_mm: world bounding box of the glutei, shape (2, 3).
    """

    name: str
    geometry: Geometry
    tissue: Tensor
    labels: tuple[int, ...]
    outside_mm: Tensor
    glutei_mm: np.ndarray

    def lookup(self, what: str) -> Tensor:
        """Class ("class") or side ("side") of each compact index, int64."""
        rule = {"class": class_of, "side": side_of}[what]
        return torch.tensor([rule(n) for n in self.labels])

    def around_glutei_mm(self, below: float, above: float, beside: float) -> np.ndarray:
        """Their box, wider by so much below, above and on the other four sides: world mm, shape (2, 3)."""
        wider: np.ndarray = self.glutei_mm + np.array([[-beside, -beside, -below], [beside, beside, above]])
        return wider


def from_labels(name: str, labels: np.ndarray, geometry: Geometry) -> Anatomy:
    """An anatomy from a label array in canonical axes."""
    gluteal = (labels >= 6101) & (labels <= 6122)
    where = np.argwhere(gluteal)
    low, high = where.min(0), where.max(0)
    below, above = (int(margin / geometry.spacing_mm[2]) for margin in (_BELOW_MM, _ABOVE_MM))
    bottom, top = max(0, low[2] - below), min(labels.shape[2], high[2] + above)
    labels = labels[:, :, bottom:top]
    affine = geometry.affine.copy()
    affine[:3, 3] += affine[:3, 2] * bottom
    geometry = Geometry(labels.shape, affine)
    corners = np.array([[*low[:2], low[2] - bottom], [*high[:2], high[2] - bottom]])
    box = corners @ affine[:3, :3].T + affine[:3, 3]
    lean = (labels > 0) & (labels != SUBCUTANEOUS)
    numbers, compact = np.unique(labels, return_inverse=True)
    if numbers[0] != 0:
        raise ValueError(f"{name}: label map has no background")
    return Anatomy(
        name,
        geometry,
        torch.from_numpy(compact.reshape(labels.shape).astype(np.uint8)),
        tuple(int(n) for n in numbers),
        torch.from_numpy(_distance_outside(lean, labels, geometry)),
        box,
    )


def load(path: Path) -> Anatomy:
    """Read one label map (NIfTI, MuscleMap numbers)."""
    image = nib.as_closest_canonical(nib.load(path))
    labels = np.asarray(image.dataobj).astype(np.uint16)
    return from_labels(path.name.removesuffix(".nii.gz"), labels, Geometry(labels.shape, image.affine))


def bodies(data: Path) -> list[Anatomy]:
    """Every label map of a real body but the one held out."""
    paths = sorted((data / "anatomies").glob("*.nii.gz"))
    return [load(path) for path in paths if HELD_OUT_BODY not in path.name]


def _distance_outside(lean: np.ndarray, labels: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Distance (mm) outside the lean envelope: its convex hull per axial slice, per leg below the pelvis."""
    envelope = np.zeros_like(lean)
    pelvic = np.isin(labels, (6151, 6152, 6160)).any(axis=(0, 1))
    lowest = int(np.argmax(pelvic)) if pelvic.any() else 0
    middle = lean.shape[0] // 2
    for k in range(lean.shape[2]):
        parts = (np.s_[:],) if k >= lowest else (np.s_[:middle], np.s_[middle:])
        for part in parts:
            if lean[part, :, k].sum() > 10:
                envelope[part, :, k] = convex_hull_image(lean[part, :, k])
    distance = ndimage.distance_transform_edt(~envelope, sampling=geometry.spacing_mm)
    return np.asarray(distance, dtype=np.float32)
