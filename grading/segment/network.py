"""The bundled network: a volume of any orientation in, labels and confidence on its own grid out.

The network sees one isotropic, axis-aligned image in RAS+ order. It is run twice, once on the mirrored
patient, and the two answers are averaged: mirroring the patient then swaps sides and changes nothing
else, and where the two disagree the confidence falls. Probabilities, not labels, are put back
on the image's grid.
"""

import functools
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.anatomy import STRUCTURES, Side
from grading.errors import SegmentationError
from grading.resample import resample
from grading.segment.preprocess import network_grid, to_network
from grading.volume import FloatArray, Geometry, LabelArray, Segmentation, Volume

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL_FILE = "network.onnx"
MODEL_SHA256_FILE = "network.sha256"
_PRESENT = 0.05  # probability below which a class need not be looked for


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded network.

    Attributes:
        session: onnxruntime session; image (1, 1, i, j, k) -> class and side probabilities.
        classes: structure name of each class channel; the first is the background.
        spacing_mm: voxel size the network works at.
        multiple: every image size must be a multiple of this.
        version: of the training that made it.
        sha256: of the model file.
    """

    session: Any
    classes: tuple[str, ...]
    spacing_mm: float
    multiple: int
    version: str
    sha256: str


def load_model(threads: int | None = None) -> Model:
    """The bundled model, loaded once per process and thread count.

    Args:
        threads: processor threads for inference; None lets the runtime choose.

    Raises:
        SegmentationError: the model file is missing or is not the one that was shipped.
    """
    return _load_model(threads)


@functools.lru_cache(maxsize=1)
def _load_model(threads: int | None) -> Model:
    import onnxruntime

    folder = resources.files("grading.segment")
    try:
        content = folder.joinpath(MODEL_FILE).read_bytes()
        expected = folder.joinpath(MODEL_SHA256_FILE).read_text("ascii").split()[0]
    except FileNotFoundError as error:
        raise SegmentationError(
            f"the bundled network is missing ({error.filename}); reinstall the package"
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise SegmentationError(
            f"the bundled network has SHA-256 {digest[:12]}..., expected {expected[:12]}...; "
            "the file was changed or damaged: reinstall the package"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # an image size comes once: an arena would only hold on to memory
    if threads is not None:
        options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    card = session.get_modelmeta().custom_metadata_map
    return Model(
        session,
        tuple(json.loads(card["classes"])),
        float(card["spacing_mm"]),
        int(card["multiple"]),
        card["version"],
        digest,
    )


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
            SegmentationError: the image has no signal, or the model file is damaged.
        """
        model = load_model(self.threads)
        grid = network_grid(volume.geometry, model.spacing_mm, model.multiple)
        try:
            image = to_network(volume.voxels, volume.valid, volume.geometry, grid)
        except ValueError as error:
            raise SegmentationError(f"series {volume.series.name}: {error}") from error
        probability, right = _predict(model, image)
        labels, confidence = _onto(volume.geometry, grid, probability, right, model.classes)
        labels[~volume.valid] = 0
        return Segmentation(
            labels, volume.geometry, confidence, f"network {model.version} (sha256 {model.sha256[:12]})"
        )


def _predict(model: Model, image: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Probability of each class (classes, i, j, k) and of the right side (i, j, k), both passes averaged."""
    name = model.session.get_inputs()[0].name
    probability, right = model.session.run(None, {name: image[None, None]})
    mirrored, left = model.session.run(None, {name: np.ascontiguousarray(image[::-1])[None, None]})
    probability = (probability[0] + mirrored[0, :, ::-1]) / 2
    return probability, (right[0, 0] + 1 - left[0, 0, ::-1]) / 2


def _onto(
    target: Geometry,
    grid: Geometry,
    probability: FloatArray,
    right: FloatArray,
    classes: "Sequence[str]",
) -> tuple[LabelArray, FloatArray]:
    """Labels and confidence on the image's grid, each class interpolated only where it may be."""
    near = resample(_candidates(probability), grid, target, order=0).reshape(-1)
    where = np.flatnonzero(near)
    near = near[where]
    to_grid = np.linalg.inv(grid.affine) @ target.affine
    voxel = np.array(np.unravel_index(where, target.shape), dtype=np.float32)
    position = to_grid[:3, :3].astype(np.float32) @ voxel + to_grid[:3, 3:].astype(np.float32)
    best = ndimage.map_coordinates(probability[0], position, order=1, mode="nearest")
    winner = np.zeros(where.size, dtype=np.uint8)
    for index in range(1, len(classes)):
        here = np.flatnonzero(near & (1 << index))
        value = ndimage.map_coordinates(probability[index], position[:, here], order=1, mode="nearest")
        better = value > best[here]
        best[here[better]] = value[better]
        winner[here[better]] = index
    found = np.flatnonzero(winner)
    is_right = ndimage.map_coordinates(right, position[:, found], order=1, mode="nearest") > 0.5
    tables = [_label_table(classes, side) for side in (Side.LEFT, Side.RIGHT)]
    labels = np.zeros(target.shape, dtype=np.uint16)
    labels.reshape(-1)[where[found]] = np.where(is_right, tables[1][winner[found]], tables[0][winner[found]])
    confidence = np.ones(target.shape, dtype=np.float32)  # far from every class it is nothing for sure
    confidence.reshape(-1)[where] = best
    return labels, confidence


def _candidates(probability: FloatArray) -> npt.NDArray[np.uint32]:
    """Which classes need a look near each voxel: bit `index` for class `index`, on the network's grid."""
    bits = np.zeros(probability.shape[1:], dtype=np.uint32)
    for index in range(1, len(probability)):
        near = ndimage.maximum_filter(probability[index] > _PRESENT, size=3)
        bits |= near.astype(np.uint32) << np.uint32(index)
    return bits


def _label_table(classes: "Sequence[str]", side: Side) -> LabelArray:
    return np.array([0, *(STRUCTURES[name].label(side) for name in classes[1:])], dtype=np.uint16)
