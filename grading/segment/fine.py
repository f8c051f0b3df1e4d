"""The fine pass: one hip at a time, at 1.5 mm, the coarse answer drawn sharper.

The coarse pass thinks in cells of 5 mm, and a wasted minimus is a sheet of 6 mm. The fine network sees the
image of one hip and what the coarse pass thought there, and answers only for the gluteal muscles: its output
is a correction to the coarse answer, so where it has nothing to say the coarse answer stands. A right hip is
shown to it mirrored, as a left one: on a grid whose first axis runs to the left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grading.anatomy import SIDES, Muscle, Side
from grading.masks import Box, bounding_box
from grading.resample import resample
from grading.segment.cleanup import main_pieces
from grading.segment.coarse import Coarse
from grading.segment.model import Model
from grading.segment.preprocess import antialias, network_grid
from grading.volume import BoolArray, FloatArray, Geometry

MUSCLES = tuple(muscle.value for muscle in Muscle)  # what it tells apart, after "none of them"
CONTEXT = len(MUSCLES) + 2  # channels beside the image, see `context`
TRUST = 0.55  # power of the coarse probabilities: it is too sure where muscle is full of fat [LOG 30]
_BONES = ("hip_bone", "sacrum", "femur")
_LIKELY = 0.5  # probability of any gluteal muscle from which a coarse voxel makes the hip's box
_SPECK = 0.05  # of the largest piece: smaller ones do not stretch the box
_MARGIN = 3  # coarse voxels (7.5 mm) round the muscles


@dataclass(frozen=True, slots=True, eq=False)
class Hip:
    """The fine network's answer for one hip: probability of none and each of `MUSCLES`, (1 + 4, i, j, k)."""

    grid: Geometry
    probability: FloatArray


def look_closer(model: Model, image: FloatArray, geometry: Geometry, coarse: Coarse) -> dict[Side, Hip]:
    """The fine network's answer for each hip that the coarse pass saw in the same normalised image."""
    smooth = antialias(image, geometry.spacing_mm, model.spacing_mm)
    told = context(coarse.probability, coarse.classes)
    hips = {}
    for side, box in _hip_boxes(coarse).items():
        grid = network_grid(coarse.grid.part(box), model.spacing_mm, model.multiple)
        if side is Side.RIGHT:
            grid = _mirrored(grid)
        channels = np.empty((1 + CONTEXT, *grid.shape), dtype=np.float32)
        channels[0] = resample(smooth, geometry, grid, order=1)
        for number, channel in enumerate(told, 1):
            channels[number] = resample(channel, coarse.grid, grid, order=1)
        (probability,) = model.answer(channels)
        hips[side] = Hip(grid, probability)
    return hips


def context(probability: FloatArray, classes: Sequence[str]) -> FloatArray:
    """What the fine network is told of the coarse answer: less sure than that is, see `TRUST`.

    Args:
        probability: of each class, (classes, i, j, k).
        classes: name of each; the first is the background.

    Returns:
        Probability of each gluteal muscle, of any bone and of any other muscle, (CONTEXT, i, j, k).
    """
    muscles = [probability[classes.index(name)] for name in MUSCLES]
    bone = np.sum([probability[classes.index(name)] for name in _BONES], axis=0)
    rest = 1 - probability[0] - bone - np.sum(muscles, axis=0)
    shares = np.stack([probability[0], *muscles, bone, rest.clip(0, 1)]) ** np.float32(TRUST)
    told: FloatArray = shares[1:] / shares.sum(axis=0)
    return told


def gluteal(coarse: Coarse, side: Side) -> BoolArray:
    """Where the coarse pass sees gluteal muscle of one side, on its grid, without specks."""
    likely = coarse.probability[[coarse.classes.index(name) for name in MUSCLES]].sum(axis=0) > _LIKELY
    return main_pieces(likely & ((coarse.right > 0.5) == (side is Side.RIGHT)), _SPECK)


def _hip_boxes(coarse: Coarse) -> dict[Side, Box]:
    """Box of coarse voxels round the gluteal muscles of each side that has any."""
    boxes = {side: bounding_box(gluteal(coarse, side)) for side in SIDES}
    return {side: _widened(box, coarse.grid.shape) for side, box in boxes.items() if box is not None}


def _widened(box: Box, shape: tuple[int, int, int]) -> Box:
    i, j, k = (
        slice(max(0, s.start - _MARGIN), min(n, s.stop + _MARGIN)) for s, n in zip(box, shape, strict=True)
    )
    return i, j, k


def _mirrored(grid: Geometry) -> Geometry:
    """The same voxels of an axis-aligned grid, counted from the other side."""
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, 0] * (grid.shape[0] - 1)
    affine[:3, 0] *= -1
    return Geometry(grid.shape, affine)
