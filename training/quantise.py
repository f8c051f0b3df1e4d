"""The bundled networks in whole numbers: `python -m training.quantise --data ../shared/data`.

Nearly all of the arithmetic is in convolutions; in 8 bits a processor does them two to three times as fast.
What goes into one is rounded to 255 steps of the range that it takes on training images, weights to 127 steps
in each output channel: seven bits, so that sums of two products do not overflow on processors without VNNI.
"""

import argparse
import dataclasses
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from grading.segment.coarse import look
from grading.segment.fine import look_closer
from grading.segment.model import load_model, model_file
from grading.segment.preprocess import normalise
from grading.volume import FloatArray, Volume
from training import anatomies, phantoms, real
from training.export import BUNDLE, NETWORKS, halve, widen, write_hashes
from training.train_fine import painted_scans

_PAINTED, _PHANTOMS = 8, 4  # images beside the real ones, for other contrasts and for wasted muscles
_EXACT = "fold"  # in the name of the first convolution, of the image itself, which stays as it is

Inputs = dict[str, FloatArray]


class _Recorder:
    """A session that keeps what it is shown."""

    def __init__(self, session: Any) -> None:
        self.session, self.shown = session, list[Inputs]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def run(self, outputs: Any, inputs: Inputs) -> Any:
        self.shown.append(inputs)
        return self.session.run(outputs, inputs)


class _Shown(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, shown: Iterable[Inputs]) -> None:
        self._rest = iter(shown)

    def get_next(self) -> Inputs | None:
        return next(self._rest, None)


def training_images(data: Path, cache: Path) -> Iterator[Volume]:
    """Real studies, bodies painted in any contrast, phantoms with wasted muscles: all of them trained on."""
    people = anatomies.bodies(data)
    wasted = phantoms.phantom_scans(_PHANTOMS, cache, wasted=True)
    for volume, _, _ in chain(real.studies(data, real.HELD_OUT), painted_scans(people, _PAINTED), wasted):
        yield volume


def quantise(images: Iterable[Volume]) -> None:
    """Replace the bundled float networks by 8-bit ones; one that is in 8 bits already stays as it is.

    Args:
        images: what the ranges are taken from.
    """
    recorders = {name: _Recorder(load_model(name).session) for name in NETWORKS}
    coarse, fine = (dataclasses.replace(load_model(n), session=recorders[n]) for n in NETWORKS)
    for volume in images:
        image = normalise(volume.voxels, volume.valid)
        look_closer(fine, image, volume.geometry, look(coarse, image, volume.geometry))
    for name, recorder in recorders.items():
        path = BUNDLE / model_file(name)
        if in_8_bits(onnx.load(path)):
            continue
        to_8_bits(path, recorder.shown)
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, from {len(recorder.shown)} images")
    write_hashes(BUNDLE)


def in_8_bits(model: onnx.ModelProto) -> bool:
    """Whether a network was rounded before."""
    return any(node.op_type == "QuantizeLinear" for node in model.graph.node)


def to_8_bits(path: Path, shown: Iterable[Inputs]) -> None:
    """Replace an exported network by one whose convolutions work in 8 bits.

    Args:
        path: the network, as `training.export` writes it.
        shown: inputs from which the range of every convolution's input is taken.

    Raises:
        ValueError: it is in 8 bits already; rounded twice it would be wrong by more than one step.
    """
    model = onnx.load(path)
    if in_8_bits(model):
        raise ValueError(f"{path} is in 8 bits already; export it anew")
    widen(model.graph)
    rounded = [n.name for n in model.graph.node if n.op_type == "Conv" and _EXACT not in n.name]
    quantize_static(
        model,
        path,
        _Shown(shown),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,
        nodes_to_quantize=rounded,
    )
    card = {entry.key: entry.value for entry in model.metadata_props}
    model = onnx.load(path)
    halve(model.graph)
    onnx.helper.set_model_props(model, card)
    onnx.save(model, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--phantom-cache", type=Path, default=Path("training/runs/phantoms"))
    arguments = parser.parse_args()
    quantise(training_images(arguments.data, arguments.phantom_cache))
