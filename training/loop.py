"""The loop of any training: resumes, warms up, cools down, averages weights, keeps a checkpoint."""

import argparse
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from training.real import HELD_OUT

_EMA = 0.995  # weights averaged over about 200 iterations, fewer at the start
_WARM_UP = 100
_SAVED_EVERY_S = 120


def common_arguments(parser: argparse.ArgumentParser, *, out: Path, iterations: int, rate: float) -> None:
    """What every training lets one choose."""
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=out)
    parser.add_argument("--iterations", type=int, default=iterations)
    parser.add_argument("--rate", type=float, default=rate)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--real-share", type=float, default=0.35, help="against .65 of all other sources; 0: no real image"
    )
    parser.add_argument("--hold-out", nargs="*", default=list(HELD_OUT), help="real studies never trained on")
    parser.add_argument("--phantom-cache", type=Path, default=Path("training/runs/phantoms"))


def brief_numbers(device: torch.device) -> torch.autocast:
    """A context of bfloat16 where the device computes in it: imitated, a step takes ten times as long."""
    if device.type == "cuda":
        able = torch.cuda.is_bf16_supported()
    else:
        able = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(device.type, torch.bfloat16, enabled=able)


def run(
    net: nn.Module,
    patches: Callable[[int], IterableDataset[Any]],
    loss: Callable[[Any, float], Tensor],
    arguments: argparse.Namespace,
) -> None:
    """Train `net`, going on from `arguments.out`/checkpoint.pt if there is one.

    Args:
        net: on its device.
        patches: the stream of patches for a seed.
        loss: of one patch, at a share of the training done (0-1).
        arguments: of `common_arguments`.
    """
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    device = next(net.parameters()).device
    average = torch.optim.swa_utils.AveragedModel(net, avg_fn=_running_average)
    optimiser = torch.optim.AdamW(net.parameters(), lr=arguments.rate, weight_decay=1e-4)
    start, checkpoint = 0, out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        start = int(state["iteration"])
    loader = DataLoader(patches(arguments.seed + start), batch_size=None, num_workers=1, prefetch_factor=4)
    stream: Iterator[Any] = iter(loader)
    history: list[float] = []
    began = saved = time.monotonic()
    for iteration in range(start, arguments.iterations):
        done = iteration / arguments.iterations
        rate = arguments.rate * min(
            1.0, (iteration - start + 1) / _WARM_UP, 0.5 * (1 + math.cos(math.pi * done)) + 0.01
        )
        for group in optimiser.param_groups:
            group["lr"] = rate
        value = loss(next(stream), done)
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
        if time.monotonic() - saved > _SAVED_EVERY_S or iteration + 1 == arguments.iterations:
            saved = time.monotonic()
            state = {
                "net": net.state_dict(),
                "average": average.state_dict(),
                "optimiser": optimiser.state_dict(),
                "iteration": iteration + 1,
            }
            torch.save(state, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)


def _running_average(average: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
    keep = min(_EMA, (1 + int(count)) / (10 + int(count)))
    return average.lerp(current, 1 - keep)
