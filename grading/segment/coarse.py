"""The coarse pass: the whole field of view at 2.5 mm, every structure, and which side it is on.

The network sees one isotropic, axis-aligned image in RAS+ order. It is run twice, once on the mirrored
patient, and the two answers are averaged: mirroring the patient then swaps sides and changes nothing
else, and where the two disagree the confidence falls.
"""

from dataclasses import dataclass

from grading.segment.model import Model
from grading.segment.preprocess import network_grid, to_network
from grading.volume import FloatArray, Geometry


@dataclass(frozen=True, slots=True, eq=False)
class Coarse:
    """What the coarse pass says.

    Attributes:
        grid: its own, axis-aligned RAS+.
        probability: of each class, float32 (classes, i, j, k).
        right: probability of the right side, float32 (i, j, k).
        classes: structure name of each class; the first is the background.
    """

    grid: Geometry
    probability: FloatArray
    right: FloatArray
    classes: tuple[str, ...]


def look(model: Model, image: FloatArray, geometry: Geometry) -> Coarse:
    """The coarse network's answer to an image of `preprocess.normalise`, (i, j, k) on `geometry`."""
    grid = network_grid(geometry, model.spacing_mm, model.multiple)
    cells = to_network(image, geometry, grid)
    probability, right = model.answer(cells[None])
    mirrored, left = model.answer(cells[None, ::-1])
    probability += mirrored[:, ::-1]
    probability /= 2
    return Coarse(grid, probability, (right[0] + 1 - left[0, ::-1]) / 2, model.classes)
