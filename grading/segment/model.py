"""The bundled networks: loaded once, checked against the hash they were shipped with."""

import functools
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import numpy as np

from grading.errors import SegmentationError
from grading.volume import FloatArray

MODEL_SHA256_FILE = "network.sha256"

Pass = Literal["coarse", "fine"]


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded network.

    Attributes:
        session: onnxruntime session.
        classes: structure name of each class channel; the first is the background.
        spacing_mm: voxel size the network works at.
        multiple: every image size must be a multiple of this.
        version: of the pair, which is shipped together.
        sha256: of the model file.
    """

    session: Any
    classes: tuple[str, ...]
    spacing_mm: float
    multiple: int
    version: str
    sha256: str

    def answer(self, channels: FloatArray) -> list[FloatArray]:
        """The network's outputs, each (channels, i, j, k), for float32 `channels` (channels, i, j, k)."""
        name = self.session.get_inputs()[0].name
        found = self.session.run(None, {name: np.ascontiguousarray(channels)[None]})
        return [output[0] for output in found]


def model_file(name: Pass) -> str:
    """File name of a network in this folder."""
    return f"{name}.onnx"


def load_model(name: Pass, threads: int | None = None) -> Model:
    """A bundled network, loaded once per process and thread count.

    Args:
        name: which of the two passes.
        threads: processor threads for inference; None lets the runtime choose.

    Raises:
        SegmentationError: the model file is missing or is not the one that was shipped.
    """
    return _load_model(name, threads)


@functools.lru_cache(maxsize=2)
def _load_model(name: Pass, threads: int | None) -> Model:
    import onnxruntime

    folder = resources.files("grading.segment")
    try:
        content = folder.joinpath(model_file(name)).read_bytes()
        lines = folder.joinpath(MODEL_SHA256_FILE).read_text("ascii").splitlines()
    except FileNotFoundError as error:
        raise SegmentationError(
            f"the bundled network is missing ({error.filename}); reinstall the package"
        ) from error
    expected = {file: digest for digest, file in (line.split() for line in lines)}[model_file(name)]
    digest = hashlib.sha256(content).hexdigest()
    if digest != expected:
        raise SegmentationError(
            f"the bundled network {model_file(name)} has SHA-256 {digest[:12]}..., expected "
            f"{expected[:12]}...; the file was changed or damaged: reinstall the package"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # it grows by doubling: a third more memory for 0.1 s
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
