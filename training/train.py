"""Train the coarse network: `python -m training.train --data ../shared/data --out training/runs/first`.

Runs on a GPU when torch sees one, else on the CPU. Stop it whenever you like: it writes a checkpoint every
few minutes and goes on from there when called again.
"""

import argparse
from dataclasses import fields
from pathlib import Path

import torch
from torch import Tensor

from training.classes import CLASSES
from training.export import start_from
from training.loop import brief_numbers, common_arguments, run
from training.loss import loss_of_levels
from training.model import UNet
from training.patches import Patches, Recipe
from training.sample import Sample

_SHARES = {  # of each source of patches but the real images, whose share is an argument of every training
    field.name: field.default
    for field in fields(Recipe)
    if field.name.endswith("_share") and field.name != "real_share"
}
_BALANCE = 0.5  # of the classes at the start of a new network; gone after a third of the training


def train(arguments: argparse.Namespace) -> None:
    """Run (or resume) one training."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(arguments.seed)
    net = UNet(len(CLASSES) + 1).to(device)
    if arguments.start:
        start_from(net, arguments.start)
    recipe = Recipe(
        arguments.data,
        arguments.phantom_cache,
        real_share=arguments.real_share,
        held_out=tuple(arguments.hold_out),
        **{name: getattr(arguments, name) for name in _SHARES},
    )

    def loss(patch: Sample, done: float) -> Tensor:
        balance = 0.0 if arguments.start else max(0.0, _BALANCE * (1 - 3 * done))
        corner = int(torch.randint(8, ()))
        with brief_numbers(device):
            levels = net.corner(patch.image.to(device)[None, None], corner)
        return loss_of_levels(levels, patch.group.to(device), patch.side.to(device), corner, balance)

    run(net, lambda seed: Patches(recipe, seed), loss, arguments)


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__)
    common_arguments(parser, out=Path("training/runs/first"), iterations=4000, rate=2e-3)
    parser.add_argument("--start", type=Path, help="an exported model or a checkpoint to go on from")
    for name, share in _SHARES.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=share)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
