"""Bundle a trained network: `python -m training.export training/runs/first --network coarse`."""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn

from grading.segment.fine import CONTEXT, MUSCLES
from grading.segment.model import MODEL_SHA256_FILE, Pass, model_file
from training.classes import CLASSES
from training.fine_patches import FINE_SPACING_MM
from training.model import STRIDE, UNet
from training.refiner import Refiner
from training.warp import PATCH_SPACING_MM

BUNDLE = Path("grading/segment")
NETWORKS: tuple[Pass, ...] = ("coarse", "fine")
_LARGEST = 30.0  # logit; beyond it a probability is 0 or 1 to all digits
_SMALL = 1024  # numbers; tensors up to this size stay in full precision
_WIDE = ".wide"  # ends the name of a weight widened to 32 bits
_INTEGER, _STEP = "_quantized", "_scale"  # end the names of a weight in 8 bits and of its steps


class _Coarse(nn.Module):
    """The coarse network as it is used: probabilities of the classes, and of the right side."""

    def __init__(self, net: UNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(1, classes, i, j, k) and (1, 1, i, j, k)."""
        logits, side = self.net.parted(image, (len(CLASSES), 1))
        return _softmax(logits), side.sigmoid()


class _Fine(nn.Module):
    """The fine network as it is used: probabilities of none and each of the muscles."""

    def __init__(self, net: Refiner) -> None:
        super().__init__()
        self.net = net

    def forward(self, channels: Tensor) -> Tensor:
        """(1, 1 + muscles, i, j, k)."""
        return _softmax(self.net(channels))


def _softmax(logits: Tensor) -> Tensor:
    """Over channels, in steps that the runtime does quickly: its own softmax took two fifths of the time."""
    weights = logits.clamp(-_LARGEST, _LARGEST).exp()
    return weights / weights.sum(dim=1, keepdim=True)


def averaged_weights(net: nn.Module, checkpoint: Path) -> int:
    """Give `net` the averaged weights of a checkpoint; returns the checkpoint's iteration."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    prefix = "module."
    net.load_state_dict(
        {k.removeprefix(prefix): v for k, v in state["average"].items() if k.startswith(prefix)}
    )
    net.eval()
    return int(state["iteration"])


def blend(net: nn.Module, checkpoint: Path, share: float) -> None:
    """Mix the averaged weights of another checkpoint, of which `net` is a continuation, into those of `net`.

    What lies between two such networks does what each of them does, in its share: Wortsman et al., Robust
    fine-tuning of zero-shot models, CVPR 2022.
    """
    own = {key: value.clone() for key, value in net.state_dict().items()}
    averaged_weights(net, checkpoint)
    net.load_state_dict({key: value.lerp(own[key], 1 - share) for key, value in net.state_dict().items()})


def shipped_weights(model: Path) -> dict[str, Tensor]:
    """Weights of an exported model by the network's own names, as far as its bits tell; no coarse heads."""
    arrays = {a.name: onnx.numpy_helper.to_array(a) for a in onnx.load(model).graph.initializer}
    prefix, weights = "net.", {}
    for name, array in arrays.items():
        own = name.removesuffix(_INTEGER)
        if own != name:
            array = array * arrays[own + _STEP].reshape(-1, *[1] * (array.ndim - 1))
        if own.startswith(prefix):
            weights[own.removeprefix(prefix)] = torch.from_numpy(array.astype(np.float32))
    return weights


def start_from(net: nn.Module, path: Path) -> None:
    """Give `net` the weights of a checkpoint, or of an exported model, whose coarse heads start anew."""
    if path.suffix == ".onnx":
        net.load_state_dict(shipped_weights(path), strict=False)
    else:
        averaged_weights(net, path)
    net.train()


def export(
    run: Path, network: Pass, version: str, bundle: Path = BUNDLE, mixed: tuple[Path, float] | None = None
) -> Path:
    """Write a network's file into `bundle` and the hashes of both; returns the file.

    Args:
        run: folder of the training.
        network: which of the two.
        version: written into the file.
        bundle: folder of the networks.
        mixed: checkpoint that the training started from and the share of its weights, see `blend`.
    """
    net: UNet | Refiner
    names: tuple[str, ...]
    if network == "coarse":
        net = UNet(len(CLASSES) + 1)
        used: nn.Module = _Coarse(net)
        channels, names = 1, ("image", "probability", "right")
        classes, spacing_mm = CLASSES, PATCH_SPACING_MM
    else:
        net = Refiner()
        used = _Fine(net)
        channels, names = 1 + CONTEXT, ("channels", "probability")
        classes, spacing_mm = ("none", *MUSCLES), FINE_SPACING_MM
    iteration = averaged_weights(net, run / "checkpoint.pt")
    if mixed:
        blend(net, *mixed)
    path = _write(used, channels, names, bundle, network)
    model = onnx.load(path)
    halve(model.graph)
    card = {
        "classes": json.dumps(classes),
        "spacing_mm": str(spacing_mm),
        "multiple": str(STRIDE),
        "version": version,
        "iterations": str(iteration),
    }
    onnx.helper.set_model_props(model, card)
    onnx.save(model, path)
    write_hashes(bundle)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {iteration} iterations")
    return path


def write_hashes(bundle: Path) -> None:
    """Write down, and print, the SHA-256 of the networks in `bundle`."""
    files = [bundle / model_file(name) for name in NETWORKS if (bundle / model_file(name)).is_file()]
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (bundle / MODEL_SHA256_FILE).write_text("".join(lines), "ascii")
    print(*lines, sep="", end="")


def _write(net: nn.Module, channels: int, names: tuple[str, ...], bundle: Path, network: Pass) -> Path:
    path = bundle / model_file(network)
    torch.onnx.export(
        net,
        (torch.zeros(1, channels, 64, 64, 64),),
        str(path),
        input_names=names[:1],
        output_names=names[1:],
        dynamic_axes={name: {2: "i", 3: "j", 4: "k"} for name in names},
        opset_version=17,
        do_constant_folding=False,  # keeps the weights' names, for `shipped_weights`
        dynamo=False,
    )
    return path


def halve(graph: onnx.GraphProto) -> None:
    """Store large weights in 16 bits; the runtime widens them once, when it loads the model."""
    for weight in graph.initializer:
        array = onnx.numpy_helper.to_array(weight)
        if array.dtype != np.float32 or array.size <= _SMALL:
            continue
        wide = weight.name + _WIDE
        _rewire(graph, weight.name, wide)
        graph.node.insert(0, onnx.helper.make_node("Cast", [weight.name], [wide], to=onnx.TensorProto.FLOAT))
        weight.CopyFrom(onnx.numpy_helper.from_array(array.astype(np.float16), weight.name))


def widen(graph: onnx.GraphProto) -> None:
    """Undo `halve`, as far as 16 bits tell."""
    weights = {weight.name: weight for weight in graph.initializer}
    for node in [n for n in graph.node if n.op_type == "Cast" and n.output[0].endswith(_WIDE)]:
        weight = weights[node.input[0]]
        array = onnx.numpy_helper.to_array(weight).astype(np.float32)
        weight.CopyFrom(onnx.numpy_helper.from_array(array, weight.name))
        graph.node.remove(node)
        _rewire(graph, node.output[0], weight.name)


def _rewire(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--network", choices=NETWORKS, default="coarse")
    parser.add_argument("--version", default="0.1")
    parser.add_argument("--blend", type=Path, help="checkpoint the training started from")
    parser.add_argument("--share", type=float, default=0.5, help="of its weights in the result")
    arguments = parser.parse_args()
    mixed = (arguments.blend, arguments.share) if arguments.blend else None
    export(arguments.run, arguments.network, arguments.version, mixed=mixed)
