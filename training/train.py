"""Train the bundled network: `python -m training.train --data ../shared/data --out training/runs/first`.

Runs on a GPU when torch sees one, else on the CPU. Stop it whenever you like: it writes a checkpoint every
few minutes and goes on from there when called again.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from training.classes import CLASSES
from training.export import shipped_weights
from training.loss import loss_of_levels
from training.model import UNet
from training.patches import Patches, Recipe
from training.real import HELD_OUT

_EMA = 0.995  # weights averaged over about 200 iterations, fewer at the start
_WARM_UP = 100
_BALANCE = 0.5  # of the classes at the start; gone after a third of the training


def _running_average(average: Tensor, current: Tensor, count: Tensor) -> Tensor:
    keep = min(_EMA, (1 + int(count)) / (10 + int(count)))
    return average.lerp(current, 1 - keep)


def train(arguments: argparse.Namespace) -> None:
    """Run (or resume) one training."""
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(arguments.seed)
    net = UNet(len(CLASSES)).to(device)
    if arguments.start:
        net.load_state_dict(shipped_weights(arguments.start), strict=False)
    average = torch.optim.swa_utils.AveragedModel(net, avg_fn=_running_average)
    optimiser = torch.optim.AdamW(net.parameters(), lr=arguments.rate, weight_decay=1e-4)
    start, checkpoint = 0, out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        start = int(state["iteration"])
    recipe = Recipe(
        arguments.data,
        arguments.phantom_cache,
        real_share=arguments.real_share,
        held_out=tuple(arguments.hold_out),
    )
    patches = Patches(recipe, arguments.seed + start)
    stream = iter(DataLoader(patches, batch_size=None, num_workers=1, prefetch_factor=4))
    history: list[float] = []
    began = saved = time.monotonic()
    for iteration in range(start, arguments.iterations):
        done = iteration / arguments.iterations
        rate = arguments.rate * min(
            1.0, (iteration - start + 1) / _WARM_UP, 0.5 * (1 + math.cos(math.pi * done)) + 0.01
        )
        for group in optimiser.param_groups:
            group["lr"] = rate
        patch = next(stream)
        balance = max(0.0, _BALANCE * (1 - 3 * done))
        corner = int(torch.randint(8, ()))
        with torch.autocast(device.type, torch.bfloat16):
            levels = net.corner(patch.image.to(device)[None, None], corner)
        value = loss_of_levels(levels, patch.group.to(device), patch.side.to(device), corner, balance)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update_parameters(net)
        history.append(value.item())
        if (iteration + 1) % 20 == 0:
            pace = (time.monotonic() - began) / (iteration + 1 - start)
            print(
                f"{iteration + 1} loss {np.mean(history[-100:]):.3f} lr {rate:.1e} {pace:.2f} s/it",
                flush=True,
            )
        if time.monotonic() - saved > 120 or iteration + 1 == arguments.iterations:
            saved = time.monotonic()
            state = {
                "net": net.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "iteration": iteration + 1,
            }
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("training/runs/first"))
    parser.add_argument("--start", type=Path, help="an exported model to go on from")
    parser.add_argument("--iterations", type=int, default=4000)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--real-share", type=float, default=0.4, help="of patches; 0: no real image at all")
    parser.add_argument("--hold-out", nargs="*", default=list(HELD_OUT), help="real studies never trained on")
    parser.add_argument("--phantom-cache", type=Path, default=Path("training/runs/phantoms"))
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
