"""Train the fine network: `python -m training.train_fine --data ../shared/data --out training/runs/fine`.

It learns to correct the bundled coarse network, on scans that one has not seen where there are enough of
them. Resumes like `training.train`.
"""

import argparse
import pickle
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from grading.segment.model import load_model
from grading.volume import Volume
from training import anatomies, bodies, phantoms, real
from training.anatomies import Anatomy
from training.export import start_from
from training.fine_patches import CoarselySeen, FinePatches, FineSample, coarsely_seen
from training.loop import brief_numbers, common_arguments, run
from training.refiner import Refiner, loss_of_levels
from training.synthesis import synthesise

SEED = 79  # people and painted images that the coarse network did not learn from
PAINTED_SHAPE = (144, 80, 112)
PHANTOM_ANATOMIES = 4

Scan = tuple[Volume, np.ndarray, np.ndarray]  # an image, group and side of each voxel


def painted_scans(people: list[Anatomy], count: int) -> Iterator[Scan]:
    """`count` painted images, of some phantoms and of every one of `people` in turn."""
    people = [*phantoms.phantom_anatomies(PHANTOM_ANATOMIES, SEED), *people]
    for number in range(count):
        body = people[number % len(people)]
        made = synthesise(body, PAINTED_SHAPE, np.random.default_rng([SEED, number]))
        yield made.volume(f"{body.name}-{number}"), made.group.numpy(), made.side.numpy()


def seen(scans: Iterator[Scan], *, outlined: bool) -> list[CoarselySeen]:
    """Scans with the coarse network's answer; those in which it saw no hip are left out."""
    model = load_model("coarse")
    answers = (coarsely_seen(model, volume, group, outlined=outlined) for volume, group, _ in scans)
    return [scan for scan in answers if scan is not None]


def kept(scans: Iterator[Scan], name: str | None, folder: Path) -> list[CoarselySeen]:
    """What `seen` makes of scans, from its file or into it; None: outlined studies, some of them held out."""
    if name is None:
        return seen(scans, outlined=True)
    path = folder / f"{name}-{load_model('coarse').sha256[:8]}.pickle"
    if path.is_file():
        return list(pickle.loads(path.read_bytes()))  # noqa: S301 - written below, by this program
    found = seen(scans, outlined=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(found))
    return found


def train(arguments: argparse.Namespace) -> None:
    """Run (or resume) one training."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(arguments.seed)
    net = Refiner().to(device)
    if arguments.start:
        start_from(net, arguments.start)
    data, out = arguments.data, arguments.out
    people, cache = anatomies.bodies(data), arguments.phantom_cache
    scans = phantoms.phantom_scans(arguments.scans, cache, SEED)
    wasted = chain(
        phantoms.phantom_scans(arguments.wasted, cache, SEED, wasted=True),
        bodies.labelled_scans(people, arguments.wasted_body_scans, SEED, cache, wasted=True),
    )
    scanned = bodies.labelled_scans(people, arguments.body_scans, SEED, cache)
    sources: list[tuple[str | None, Iterator[Scan], float]] = [
        (None, real.studies(data, arguments.hold_out), arguments.real_share),
        (f"phantoms-{arguments.scans}", scans, arguments.scan_share),
        (f"wasted-{arguments.wasted}-{arguments.wasted_body_scans}", wasted, arguments.wasted_share),
        (f"bodies-{arguments.body_scans}", scanned, arguments.body_share),
        (f"painted-{arguments.painted}", painted_scans(people, arguments.painted), arguments.painted_share),
    ]
    pools = [(kept(pool, name, out), share) for name, pool, share in sources if share > 0]
    print("scans:", *(len(scans) for scans, _ in pools), flush=True)

    def loss(patch: FineSample, _: float) -> Tensor:
        corner = int(torch.randint(8, ()))
        with brief_numbers(device):
            levels = net.corner(patch.channels.to(device)[None], corner)
        return loss_of_levels(levels, patch.target.to(device), corner)

    run(net, lambda seed: FinePatches(pools, seed), loss, arguments)


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(description=__doc__)
    common_arguments(parser, out=Path("training/runs/fine"), iterations=8000, rate=1.5e-3)
    parser.add_argument("--scan-share", type=float, default=0.15, help="of patches, from scans of phantoms")
    parser.add_argument(
        "--wasted-share", type=float, default=0.15, help="of patches, from wasted phantoms and bodies"
    )
    parser.add_argument("--body-share", type=float, default=0.2, help="of patches, from scans of real bodies")
    parser.add_argument("--painted-share", type=float, default=0.15, help="of patches, from painted bodies")
    parser.add_argument("--scans", type=int, default=60, help="of phantoms")
    parser.add_argument("--wasted", type=int, default=48, help="scans of phantoms with wasted muscles")
    parser.add_argument("--wasted-body-scans", type=int, default=8, help="of each real body, wasted")
    parser.add_argument("--body-scans", type=int, default=8, help="of each real body")
    parser.add_argument("--painted", type=int, default=40, help="images of painted bodies")
    parser.add_argument("--start", type=Path, help="an exported model or a checkpoint to go on from")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
