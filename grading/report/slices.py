"""Which planes of a study to show, and how bright: the same in the picture, the report and the notebook."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from grading.anatomy import GLUTEI, Muscle, Side
from grading.report.study_report import StudyImages
from grading.volume import BoolArray, Geometry, Volume

Scalar = TypeVar("Scalar", bound=np.generic)

SAGITTAL, CORONAL, AXIAL = range(3)
"""Canonical axes by the plane they are normal to."""

_WINDOW_PERCENT = (1.0, 99.7)  # grey window: the brightest 0.3 % is vessels and coil flare


@dataclass(frozen=True, slots=True)
class Slice:
    """One plane of the grid, as a radiologist looks at it.

    Attributes:
        title: what it shows.
        axis: the axis that is fixed.
        index: where it is fixed.
    """

    title: str
    axis: int
    index: int

    def cut(self, array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """The plane as a picture: rows from superior (axial: anterior) downwards.

        Columns run from the patient's right to the left; in a sagittal plane from anterior to posterior.
        """
        plane: npt.NDArray[Scalar] = np.take(array, self.index, axis=self.axis).T[::-1, ::-1]
        return plane

    def size_mm(self, geometry: Geometry) -> tuple[float, float]:
        """Width and height of the plane, mm."""
        columns, rows = (a for a in range(3) if a != self.axis)
        shape, spacing = geometry.shape, geometry.spacing_mm
        return shape[columns] * spacing[columns], shape[rows] * spacing[rows]


def key_slices(images: StudyImages) -> tuple[Slice, ...]:
    """The planes to show: coronal and axial, each where maximus and where medius with minimus are largest."""
    deep = (Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MINIMUS)
    wanted = (
        ("coronal, most of maximus", CORONAL, (Muscle.GLUTEUS_MAXIMUS,)),
        ("coronal, most of medius and minimus", CORONAL, deep),
        ("axial, most of maximus", AXIAL, (Muscle.GLUTEUS_MAXIMUS,)),
        ("axial, most of medius and minimus", AXIAL, deep),
    )
    return tuple(Slice(title, axis, _largest(images, axis, muscles)) for title, axis, muscles in wanted)


def grey_window(volume: Volume) -> tuple[float, float]:
    """Signal shown black and signal shown white; the second is larger."""
    shown = volume.voxels[::2, ::2, ::2][volume.valid[::2, ::2, ::2]]
    low, high = np.percentile(shown, _WINDOW_PERCENT) if shown.size else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-6))


def _largest(images: StudyImages, axis: int, muscles: tuple[Muscle, ...]) -> int:
    """Index along `axis` with most of `muscles`, or of all glutei where these are absent, or the middle.

    Each muscle counts as a share of itself, so that a small one is not outvoted.
    """
    others = tuple(a for a in range(3) if a != axis)
    for candidates in (muscles, GLUTEI):
        score = np.zeros(images.segmentation.geometry.shape[axis])
        for muscle in candidates:
            area = _both_sides(images, muscle).sum(axis=others)
            score += area / max(area.sum(), 1)
        if score.any():
            return int(score.argmax())
    return images.segmentation.geometry.shape[axis] // 2


def _both_sides(images: StudyImages, muscle: Muscle) -> BoolArray:
    return images.segmentation.mask(muscle, Side.LEFT) | images.segmentation.mask(muscle, Side.RIGHT)
