"""Train the fine network: `python -m training.train_fine --data ../shared/data --out training/runs/fine`.

It learns to correct the bundled coarse network, on scans that one has not seen where there are enough of
them. Resumes like `training.train`.
"""

import argparse
import math
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from grading.resample import resample
from grading.segment.model import load_model
from grading.segment.preprocess import antialias
from grading.volume import Geometry, Volume
from training import anatomies, bodies, phantoms, real
from training.appearance import random_slice_axis
from training.export import averaged_weights
from training.fine_patches import CoarselySeen, FinePatches, FineSample, coarsely_seen
from training.loop import common_arguments, run
from training.refiner import BLOCK, Refiner, loss_of_levels
from training.synthesis import synthesise

SEED = 78  # phantoms and painted bodies that the coarse network did not learn from
PAINTED_SHAPE = (144, 80, 112)
PAINTED_SLICE_MM = (3.0, 6.0)  # they are painted in voxels of 2.5 mm
PHANTOM_ANATOMIES = 4

Scan = tuple[Volume, np.ndarray, np.ndarray]  # an image, group and side of each voxel


def painted_scans(data: Path, count: int) -> Iterator[Scan]:
    """`count` painted images, of every body in turn."""
    people = phantoms.phantom_anatomies(PHANTOM_ANATOMIES, SEED) + anatomies.bodies(data)
    for number in range(count):
        body = people[number % len(people)]
        rng = np.random.default_rng([SEED, number])
        made = synthesise(body, PAINTED_SHAPE, rng)
        volume, group, side = made.volume(f"{body.name}-{number}"), made.group.numpy(), made.side.numpy()
        yield sliced(volume, group, side, random_slice_axis(rng), rng.uniform(*PAINTED_SLICE_MM))


def sliced(volume: Volume, group: np.ndarray, side: np.ndarray, axis: int, step_mm: float) -> Scan:
    """A painted image as slices along an axis."""
    own = volume.geometry
    spacing, shape, affine = np.array(own.spacing_mm), list(own.shape), own.affine.copy()
    shape[axis] = max(1, int(shape[axis] * spacing[axis] / step_mm))
    affine[:3, axis] *= step_mm / spacing[axis]
    spacing[axis] = step_mm
    grid = Geometry((shape[0], shape[1], shape[2]), affine)
    voxels = resample(antialias(volume.voxels, own.spacing_mm, tuple(spacing)), own, grid, order=1)
    group, side, valid = (resample(a, own, grid, order=0) for a in (group, side, volume.valid))
    return Volume(voxels, grid, valid, volume.series), group, side


def seen(scans: Iterator[Scan]) -> list[CoarselySeen]:
    """Scans with the coarse network's answer; those in which it saw no hip are left out."""
    model = load_model("coarse")
    answers = (coarsely_seen(model, volume, group) for volume, group, _ in scans)
    return [scan for scan in answers if scan is not None]


def kept(scans: Iterator[Scan], name: str, folder: Path) -> list[CoarselySeen]:
    """What `seen` makes of scans that are the same in every training, from its file or into it."""
    path = folder / f"{name}-{load_model('coarse').sha256[:8]}.pickle"
    if path.is_file():
        return list(pickle.loads(path.read_bytes()))  # noqa: S301 - written below, by this program
    found = seen(scans)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(found))
    return found


def train(arguments: argparse.Namespace) -> None:
    """Run (or resume) one training."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(arguments.seed)
    net = Refiner().to(device)
    if arguments.start:
        averaged_weights(net, arguments.start)
        net.train()
    data, out = arguments.data, arguments.out
    painted_share = 1 - arguments.real_share - arguments.scan_share - arguments.body_share
    reals = real.studies(data, arguments.hold_out) if arguments.real_share > 0 else iter(())
    scans = phantoms.phantom_scans(arguments.scans, arguments.phantom_cache, SEED)
    pools = [
        (seen(reals), arguments.real_share),  # not kept: who is held out changes from training to training
        (kept(scans, f"phantoms-{arguments.scans}", out), arguments.scan_share),
        (
            kept(bodies.labelled_scans(data, SEED, arguments.phantom_cache), "bodies", out),
            arguments.body_share,
        ),
        (kept(painted_scans(data, arguments.painted), f"painted-{arguments.painted}", out), painted_share),
    ]
    print("scans:", *(len(scans) for scans, _ in pools), flush=True)

    def loss(patch: FineSample, _: float) -> Tensor:
        corner = int(torch.randint(math.prod(BLOCK), ()))
        with torch.autocast(device.type, torch.bfloat16):
            levels = net.corner(patch.channels.to(device)[None], corner)
        return loss_of_levels(levels, patch.target.to(device), corner, net.steps)

    run(net, lambda seed: FinePatches(pools, seed), loss, arguments)


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__)
    common_arguments(parser, out=Path("training/runs/fine"), iterations=8000, rate=1.5e-3)
    parser.add_argument("--scan-share", type=float, default=0.3, help="of patches, from scans of phantoms")
    parser.add_argument("--body-share", type=float, default=0.25, help="of patches, from scans of bodies")
    parser.add_argument("--scans", type=int, default=120, help="of phantoms")
    parser.add_argument("--painted", type=int, default=40, help="images of painted bodies")
    parser.add_argument("--start", type=Path, help="a checkpoint of another training to go on from")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
