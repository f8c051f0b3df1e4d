"""The bundled networks: a volume of any orientation in, labels and confidence on its own grid out.

A coarse pass over the whole field of view, a fine pass for each hip that it finds. Probabilities, not
labels, are put back on the image's grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.anatomy import SIDES, STRUCTURES, Side
from grading.errors import SegmentationError
from grading.resample import resample
from grading.segment.coarse import Coarse, look
from grading.segment.fine import MUSCLES, Hip, look_closer
from grading.segment.model import load_model
from grading.segment.preprocess import normalise
from grading.volume import FloatArray, Geometry, LabelArray, Segmentation, Volume

_PRESENT = 0.1  # probability below which a class need not be looked for

Bits = npt.NDArray[np.uint32]  # which classes need a look: bit `index` for class `index`


@dataclass(frozen=True, slots=True)
class NetworkSegmenter:
    """The default segmenter.

    Attributes:
        threads: processor threads for inference; None lets the runtime choose.
    """

    threads: int | None = None

    def __call__(self, volume: Volume) -> Segmentation:
        """Segment the gluteal muscles, their neighbours and the pelvic bones on both sides.

        Raises:
            SegmentationError: the image has no signal, or a model file is damaged.
        """
        first, second = load_model("coarse", self.threads), load_model("fine", self.threads)
        try:
            image = normalise(volume.voxels, volume.valid)
        except ValueError as error:
            raise SegmentationError(f"series {volume.series.name}: {error}") from error
        coarse = look(first, image, volume.geometry)
        hips = look_closer(second, image, volume.geometry, coarse)
        labels, confidence = _onto(volume.geometry, coarse, hips)
        labels[~volume.valid] = 0
        name = f"network {second.version} (sha256 {first.sha256[:12]}, {second.sha256[:12]})"
        return Segmentation(labels, volume.geometry, confidence, name)


def _onto(target: Geometry, coarse: Coarse, hips: dict[Side, Hip]) -> tuple[LabelArray, FloatArray]:
    """Labels and confidence on the image's grid: glutei by the fine pass, everything else by the coarse."""
    glutei = [coarse.classes.index(name) for name in MUSCLES]
    near = resample(_candidates(coarse.probability), coarse.grid, target, order=0).reshape(-1)
    where = np.flatnonzero(near)
    near = near[where]
    position = _positions(where, target, coarse.grid)
    others = [index for index in range(1, len(coarse.classes)) if index not in glutei]
    winner, best = _most_likely(coarse.probability, near, position, others)
    gluteal = (near & np.uint32(sum(1 << index for index in glutei))) > 0
    right = np.zeros(where.size, dtype=bool)
    sided = np.flatnonzero(gluteal | (winner > 0))
    right[sided] = ndimage.map_coordinates(coarse.right, position[:, sided], order=1, mode="nearest") > 0.5
    for side, hip in hips.items():
        here = np.flatnonzero(gluteal & (right == (side is Side.RIGHT)))
        here, at = _within(hip.grid, here, _positions(where[here], target, hip.grid))
        nearby = _candidates(hip.probability)[tuple(np.floor(at + 0.5).astype(np.intp))]
        muscle, best[here] = _most_likely(hip.probability, nearby, at, range(1, len(MUSCLES) + 1))
        found = muscle > 0
        winner[here[found]] = np.array([0, *glutei], dtype=np.uint8)[muscle[found]]
    tables = {side: _label_table(coarse.classes, side) for side in SIDES}
    labels = np.zeros(target.shape, dtype=np.uint16)
    labels.reshape(-1)[where] = np.where(right, tables[Side.RIGHT][winner], tables[Side.LEFT][winner])
    confidence = np.ones(target.shape, dtype=np.float32)  # far from every class it is nothing for sure
    confidence.reshape(-1)[where] = best
    return labels, confidence


def _within(
    grid: Geometry, points: npt.NDArray[np.intp], position: FloatArray
) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """The points, and their positions, that lie between the outermost voxel centres of `grid`."""
    last = np.array(grid.shape)[:, None] - 1
    inside = ((position >= 0) & (position <= last)).all(axis=0)
    return points[inside], position[:, inside]


def _most_likely(
    probability: FloatArray, near: Bits, position: FloatArray, classes: Sequence[int]
) -> tuple[npt.NDArray[np.uint8], FloatArray]:
    """The likeliest of the background and `classes` at each point, and its probability."""
    best = ndimage.map_coordinates(probability[0], position, order=1, mode="nearest")
    winner = np.zeros(near.size, dtype=np.uint8)
    for index in classes:
        here = np.flatnonzero(near & (1 << index))
        value = ndimage.map_coordinates(probability[index], position[:, here], order=1, mode="nearest")
        better = value > best[here]
        best[here[better]] = value[better]
        winner[here[better]] = index
    return winner, best


def _positions(where: npt.NDArray[np.intp], target: Geometry, grid: Geometry) -> FloatArray:
    """Voxel coordinates on `grid` of the target's voxels with flat numbers `where`, (3, voxels)."""
    to_grid = (np.linalg.inv(grid.affine) @ target.affine).astype(np.float32)
    voxel = np.array(np.unravel_index(where, target.shape), dtype=np.float32)
    position: FloatArray = to_grid[:3, :3] @ voxel + to_grid[:3, 3:]
    return position


def _candidates(probability: FloatArray) -> Bits:
    """Which classes need a look near each voxel of the network's grid: those of its neighbours as well."""
    bits = np.zeros(probability.shape[1:], dtype=np.uint32)
    for index in range(1, len(probability)):
        bits |= (probability[index] > _PRESENT).astype(np.uint32) << np.uint32(index)
    for axis in range(bits.ndim):
        before, after = ((slice(None),) * axis + (part,) for part in (slice(None, -1), slice(1, None)))
        near = bits.copy()
        near[after] |= bits[before]
        near[before] |= bits[after]
        bits = near
    return bits


def _label_table(classes: Sequence[str], side: Side) -> LabelArray:
    return np.array([0, *(STRUCTURES[name].label(side) for name in classes[1:])], dtype=np.uint16)
