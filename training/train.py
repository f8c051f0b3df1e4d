"""Train the bundled network: `python -m training.train --data ../shared/data --out training/runs/first`.

Runs on a GPU when torch sees one, else on the CPU. Stop it whenever you like: it writes a checkpoint every
few minutes and goes on from there when called again. Half the patches are synthesised from label
maps and phantoms, half come from outlined real studies.
"""

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from training import anatomies, real
from training.blobs import nonsense
from training.classes import CLASSES
from training.export import shipped_weights
from training.loss import loss_of_levels
from training.model import UNet
from training.phantoms import phantom_anatomies
from training.sample import Sample
from training.synthesis import synthesise

HELD_OUT_BODY = "vhf"  # never trained on
SHAPES = ((96, 80, 112), (128, 64, 96), (96, 96, 80), (80, 96, 96), (112, 64, 112), (144, 64, 80))
NARROW = ((60, 80, 104), (70, 70, 112), (76, 96, 72))  # one hip
_EMA = 0.995  # weights averaged over about 200 iterations, fewer at the start
_WARM_UP = 100
_BALANCE = 0.5  # of the classes at the start; gone after a third of the training
_ONE_HIP = 0.2  # of all patches
_WAITING = 20  # mirror images of patches wait here for a second use: making one costs as much as a step
_NONSENSE = 0.04  # of all patches hold no body at all


class Patches(IterableDataset[Sample]):
    """An endless, seeded stream of patches; every second one from a real study."""

    def __init__(self, data: Path, seed: int, phantoms: int, real_share: float) -> None:
        self.data, self.seed, self.phantoms, self.real_share = data, seed, phantoms, real_share

    def __iter__(self) -> Iterator[Sample]:
        torch.set_num_threads(1)
        rng = np.random.default_rng(self.seed)
        paths = sorted((self.data / "anatomies").glob("*.nii.gz"))
        bodies = [anatomies.load(p) for p in paths if HELD_OUT_BODY not in p.name]
        bodies += phantom_anatomies(self.phantoms)
        studies = [
            real.load_study(folder)
            for folder in sorted((self.data / "mri" / "pelvis_t1_coronal").iterdir())
            if folder.name not in real.HELD_OUT
        ]
        maps = [b for b in bodies if not b.name.startswith("phantom")]
        made = [b for b in bodies if b.name.startswith("phantom")]
        waiting: list[Sample] = []
        while True:
            shapes = NARROW if rng.random() < _ONE_HIP else SHAPES
            shape = shapes[rng.integers(len(shapes))]
            if rng.random() < _NONSENSE:
                patch = nonsense(shape, rng)
            elif rng.random() < self.real_share:
                patch = real.sample(studies[rng.integers(len(studies))], shape, rng)
            else:
                pool = made if made and rng.random() < 0.4 else maps
                patch = synthesise(pool[rng.integers(len(pool))], shape, rng)
            yield patch
            waiting.append(patch.mirrored())
            if len(waiting) > _WAITING:
                yield waiting.pop(rng.integers(len(waiting)))


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
    patches = Patches(arguments.data, arguments.seed + start, arguments.phantoms, arguments.real_share)
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
    parser.add_argument("--phantoms", type=int, default=12, help="how many random phantoms to train on")
    parser.add_argument("--real-share", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
