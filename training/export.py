"""Turn a training checkpoint into the bundled model: `python -m training.export training/runs/first`."""

import argparse
import hashlib
import json
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from training.classes import CLASSES
from training.model import STRIDE, UNet
from training.warp import PATCH_SPACING_MM

BUNDLE = Path("grading/segment")


class _Probabilities(nn.Module):
    """The network as it is used: probabilities instead of logits."""

    def __init__(self, net: UNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Class probabilities and probability of the right side."""
        logits = self.net(image)
        return logits[:, :-1].softmax(dim=1), logits[:, -1:].sigmoid()


def averaged_weights(checkpoint: Path) -> tuple[UNet, int]:
    """The network with the averaged weights of a checkpoint, and its iteration."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    net = UNet(len(CLASSES))
    prefix = "module."
    net.load_state_dict(
        {k.removeprefix(prefix): v for k, v in state["average"].items() if k.startswith(prefix)}
    )
    return net.eval(), int(state["iteration"])


def shipped_weights(model: Path) -> dict[str, Tensor]:
    """Weights of an exported model by the network's own names; the coarse heads are not shipped."""
    arrays = onnx.load(model).graph.initializer
    prefix = "net."
    return {
        a.name.removeprefix(prefix): torch.from_numpy(onnx.numpy_helper.to_array(a).copy())
        for a in arrays
        if a.name.startswith(prefix)
    }


def export(run: Path, version: str, bundle: Path = BUNDLE) -> str:
    """Write network.onnx and network.sha256 into `bundle`; returns the hash."""
    net, iteration = averaged_weights(run / "checkpoint.pt")
    path = bundle / "network.onnx"
    axes = {name: {2: "i", 3: "j", 4: "k"} for name in ("image", "probability", "right")}
    torch.onnx.export(
        _Probabilities(net),
        (torch.zeros(1, 1, 64, 64, 64),),
        str(path),
        input_names=["image"],
        output_names=["probability", "right"],
        dynamic_axes=axes,
        opset_version=17,
        do_constant_folding=False,  # keeps the weights' names, for `shipped_weights`
        dynamo=False,
    )
    model = onnx.load(path)
    card = {
        "classes": json.dumps(CLASSES),
        "spacing_mm": str(PATCH_SPACING_MM),
        "multiple": str(STRIDE),
        "version": version,
        "iterations": str(iteration),
    }
    onnx.helper.set_model_props(model, card)
    onnx.save(model, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (bundle / "network.sha256").write_text(f"{digest}  network.onnx\n", "ascii")
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB, {iteration} iterations, SHA-256 {digest}")
    return digest


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--version", default="0.1")
    arguments = parser.parse_args()
    export(arguments.run, arguments.version)
