"""The images that travel inside the HTML report: cropped to the muscles and light enough to send by mail."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grading.anatomy import SIDES, Muscle, label_of
from grading.io.nifti_write import nifti_bytes
from grading.masks import Box, bounding_box
from grading.report.slices import grey_window
from grading.report.study_report import StudyImages
from grading.resample import resample
from grading.volume import Geometry

MOST_VOXELS = 2_500_000
"""Of the embedded image: a byte each, hardly compressible, a third more as text: 3.3 MB of an 8 MB report."""

STRUCTURES = tuple((muscle, side) for muscle in Muscle for side in SIDES)
"""What the numbers 1, 2, ... of the embedded outlines stand for."""

PLANE_STEP = 16
"""Factor of the planes in the embedded outlines: more than there are structures."""

_MARGIN_MM = 30.0  # shown round the muscles: skin, hip joint, and enough to see where one is
_COARSER = 1.02  # factor from one trial spacing to the next
_FAT_STEPS_PERCENT = 0.5  # resolution of the embedded fat map; 0 stands for "not measured"


@dataclass(frozen=True, slots=True)
class Embedded:
    """Compressed NIfTI files on one grid.

    Attributes:
        image: the image, scanner units in 255 steps.
        outlines: borders of the muscles, see `borders`.
        fat: fat fraction in percent inside the muscles, below 0 outside.
        window: signal to show black and white at first.
        range: signal of the darkest and brightest voxel that can be told apart.
    """

    image: bytes
    outlines: bytes
    fat: bytes
    window: tuple[float, float]
    range: tuple[float, float]


def embed(images: StudyImages) -> Embedded:
    """The study's images at a sensible size, the part around the muscles."""
    volume, source = images.volume, images.volume.geometry
    muscles = np.isin(images.segmentation.labels, [label_of(m, s) for m, s in STRUCTURES])
    grid = light_grid(source, bounding_box(muscles))
    numbers = _numbers(resample(images.segmentation.labels, source, grid, order=0))
    known = np.where(muscles & images.fat.valid, images.fat.fraction, np.nan)
    percent = 100 * np.clip(resample(known, source, grid, order=0, outside=np.nan), 0, 1)
    window = grey_window(volume)
    darkest = min(window[0], float(volume.voxels.min()))
    brightest = 2 * window[1] - window[0]  # room to open the window
    scaled = (resample(volume.voxels, source, grid, order=1) - darkest) / (brightest - darkest)
    steps = np.nan_to_num(np.round(percent / _FAT_STEPS_PERCENT) + 1, nan=0)
    return Embedded(
        nifti_bytes(_bytes(255 * scaled), grid, ((brightest - darkest) / 255, darkest)),
        nifti_bytes(borders(numbers), grid),
        nifti_bytes(_bytes(steps), grid, (_FAT_STEPS_PERCENT, -_FAT_STEPS_PERCENT)),
        window,
        (darkest, brightest),
    )


def light_grid(source: Geometry, box: Box | None) -> Geometry:
    """A grid over `box` and a margin, of at most `MOST_VOXELS`, coarser along the finest axes only.

    Args:
        source: grid of the image.
        box: voxels that must be on it; None for all.
    """
    step = np.array(source.spacing_mm)
    shape = np.array(source.shape)
    first, last = np.zeros(3), shape.astype(float)  # outer edges, in voxels of the source
    if box is not None:
        margin = np.ceil(_MARGIN_MM / step)
        first = np.maximum([s.start for s in box] - margin, 0)
        last = np.minimum([s.stop for s in box] + margin, shape)
    extent = (last - first) * step
    spacing = step.copy()
    while np.prod(np.ceil(extent / spacing)) > MOST_VOXELS:
        spacing = np.maximum(spacing, _COARSER * spacing.min())
    affine = source.affine.copy()
    affine[:3, :3] *= spacing / step
    affine[:3, 3] += source.affine[:3, :3] @ (first + (spacing / step - 1) / 2)
    i, j, k = (int(n) for n in np.ceil(extent / spacing))
    return Geometry((i, j, k), affine)


def borders(numbers: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The voxels of each structure that touch another, or none, in some plane; 0 elsewhere.

    Which planes those are is in the value, so that a viewer can draw the outline that belongs to a plane: a
    voxel at the end of the slices, five millimetres on, is no border within its slice.

    Args:
        numbers: uint8, shape (i, j, k), numbers of `STRUCTURES`.

    Returns:
        number + `PLANE_STEP` * (1 if a border in the plane normal to axis 0, + 2 axis 1, + 4 axis 2).
    """
    differs = [np.zeros(numbers.shape, dtype=bool) for _ in range(3)]
    for axis, at_border in enumerate(differs):
        here, there = np.moveaxis(at_border, axis, 0), np.moveaxis(numbers, axis, 0)
        here[1:] |= there[1:] != there[:-1]
        here[:-1] |= there[1:] != there[:-1]
    planes = sum(
        (1 << normal) * (differs[normal - 1] | differs[normal - 2]).astype(np.uint8) for normal in range(3)
    )
    return np.where((numbers > 0) & (planes > 0), numbers + PLANE_STEP * planes, 0).astype(np.uint8)


def _numbers(labels: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Labels as the numbers of `STRUCTURES`."""
    table = np.zeros(np.iinfo(np.uint16).max + 1, dtype=np.uint8)
    for number, (muscle, side) in enumerate(STRUCTURES, start=1):
        table[label_of(muscle, side)] = number
    return table[labels]


def _bytes(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
