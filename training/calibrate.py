"""Whether confidence tells overlap: `python -m training.calibrate --data ../shared/data [--out scatter.png]`.

Runs the bundled model on the body that never trained, in T1, in other contrasts and with fatty muscles, and
on scans of phantoms with unseen parameters. Prints, for every muscle found, how the mean confidence over its
voxels goes with its Dice: the rank correlation, and the mean Dice per level of confidence, which
`grading.segment.expected_dice` tables.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from grading.anatomy import SIDES, Muscle, label_of
from grading.errors import SegmentationError
from grading.segment import segment
from grading.segment.expected_dice import mean_confidence
from training import anatomies
from training.evaluate import table
from training.metrics import dice
from training.scores_made import CONTRASTS, Case, always, body_cases, fatty, phantom_cases

LEVELS = (0.0, 0.55, 0.65, 0.75, 0.80, 0.85, 0.90, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Outline:
    """One muscle as found: mean confidence over its voxels, and Dice with the truth."""

    muscle: Muscle
    confidence: float
    dice: float


def outlines(cases: Iterable[Case]) -> Iterator[Outline]:
    """Every muscle found in every case; one that is not there has a Dice of 0."""
    for case in cases:
        try:
            found = segment(case.volume)
        except SegmentationError:
            continue
        for muscle in Muscle:
            for side in SIDES:
                confidence = mean_confidence(found, muscle, side)
                if confidence is not None:
                    score = dice(found.mask(muscle, side), case.labels == label_of(muscle, side))
                    yield Outline(muscle, confidence, score)


def all_cases(data: Path, few: int) -> Iterator[Case]:
    """T1 and phantoms, `few` of each; other contrasts and fatty muscles, a third as many of each."""
    name = anatomies.HELD_OUT_BODY
    body = anatomies.load(data / "anatomies" / f"{name}.nii.gz")
    seed = 9500  # not the images of the evaluation
    contrasts = (
        body_cases(body, max(1, few // 3), always(tissues), seed=seed) for tissues in CONTRASTS.values()
    )
    states = (body_cases(body, max(1, few // 3), fat=fatty(body, muscle), seed=seed) for muscle in Muscle)
    return chain(body_cases(body, few, seed=seed), *contrasts, *states, phantom_cases(few))


def main() -> None:
    """Print the tables, and draw the scatter when asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--few", type=int, default=12)
    parser.add_argument("--out", type=Path, help="picture of the scatter")
    arguments = parser.parse_args()
    found = list(outlines(all_cases(arguments.data, arguments.few)))
    groups = {"all": found} | {m.value: [o for o in found if o.muscle is m] for m in Muscle}
    ranks = [
        {"muscle": name, "outlines": len(group), "rank correlation": _rank(group)}
        for name, group in groups.items()
    ]
    table(ranks, "Mean confidence against Dice")
    levels = []
    for low, high in pairwise(LEVELS):
        own = [o for o in found if low <= o.confidence < high]
        if own:
            scores = [o.dice for o in own]
            levels.append(
                {
                    "confidence": float(np.mean([o.confidence for o in own])),
                    "outlines": len(own),
                    "mean Dice": float(np.mean(scores)),
                    "tenth of them below": float(np.quantile(scores, 0.1)),
                }
            )
    table(levels, "Dice by confidence")
    if arguments.out:
        _draw(found, arguments.out)


def _rank(group: list[Outline]) -> float:
    return float(spearmanr([o.confidence for o in group], [o.dice for o in group]).statistic)


def _draw(found: list[Outline], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="mean confidence", ylabel="Dice")
    for muscle in Muscle:
        own = [o for o in found if o.muscle is muscle]
        axes.scatter([o.confidence for o in own], [o.dice for o in own], s=8, label=muscle.value)
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
