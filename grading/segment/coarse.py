"""The coarse pass: the whole field of view at 2.5 mm, every structure, and which side it is on.

The network sees one isotropic, axis-aligned image in RAS+ order. It is run twice, once on the mirrored
patient, and the two answers are averaged: mirroring the patient then swaps sides and changes nothing
else, and where the two disagree the confidence falls.
"""

from dataclasses import dataclass

import numpy as np

from grading.segment.model import Model
from grading.segment.preprocess import network_grid, to_network
from grading.volume import FloatArray, Geometry, Volume


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


def look(model: Model, volume: Volume) -> Coarse:
    """The coarse network's answer to an image.

    Raises:
        ValueError: no valid voxel has a signal.
    """
    grid = network_grid(volume.geometry, model.spacing_mm, model.multiple)
    image = to_network(volume.voxels, volume.valid, volume.geometry, grid)
    name = model.session.get_inputs()[0].name
    probability, right = model.session.run(None, {name: image[None, None]})
    mirrored, left = model.session.run(None, {name: np.ascontiguousarray(image[::-1])[None, None]})
    return Coarse(
        grid,
        (probability[0] + mirrored[0, :, ::-1]) / 2,
        (right[0, 0] + 1 - left[0, 0, ::-1]) / 2,
        model.classes,
    )
