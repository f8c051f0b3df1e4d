"""How well the bundled networks do on images of known bodies, painted or scanned, as rows of tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.random_hips import random_hips
from grading.anatomy import SIDES, Muscle, Side, label_of
from grading.errors import SegmentationError
from grading.segment import segment
from grading.volume import LabelArray, Volume
from training import appearance
from training.anatomies import Anatomy
from training.bodies import body_scans
from training.classes import CLASSES, class_of
from training.metrics import dice, surface_distance_95, volume_error
from training.phantoms import SCANS_PER_BODY, WASTED_SCALE, people_scanned, wasted_person
from training.scores_real import IN_VIEW_ML, Row
from training.synthesis import synthesise

PHANTOM_SEED = 9001  # not the one that trained
SCAN_SEED = 9000
HALF = 0.5  # of a muscle in view: from here on a Dice speaks of the muscle, not of the cut
WHOLE_BODY_PATCH = (144, 80, 112)
CONTRASTS = {  # fat, muscle, marrow, cortex, skin, air, organs
    "T2": appearance.Tissues(0.8, 0.25, 0.7, 0.05, 0.3, 0.01, (0.8, 0.5, 1.0, 0.3, 0.1)),
    "STIR": appearance.Tissues(0.06, 0.45, 0.06, 0.02, 0.3, 0.01, (0.06, 0.7, 1.0, 0.5, 0.1)),
    "water": appearance.Tissues(0.06, 0.8, 0.15, 0.05, 0.5, 0.0, (0.06, 0.9, 1.0, 0.7, 0.2)),
    "fat": appearance.Tissues(1.0, 0.06, 0.8, 0.02, 0.1, 0.0, (1.0, 0.05, 0.1, 0.3, 0.05)),
    "in-phase": appearance.Tissues(1.0, 0.6, 0.7, 0.05, 0.5, 0.01, (1.0, 0.7, 0.8, 0.6, 0.1)),
    "CT-like": appearance.Tissues(0.3, 0.55, 0.7, 1.0, 0.45, 0.0, (0.3, 0.5, 0.5, 0.6, 0.55)),
}


@dataclass(frozen=True, slots=True)
class Case:
    """An image whose every voxel is known.

    Attributes:
        volume: the image.
        labels: uint16 (i, j, k).
        whole_ml: volume of each muscle, the part beyond the field of view included; empty if all is in view.
    """

    volume: Volume
    labels: LabelArray
    whole_ml: Mapping[Muscle, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Score:
    """How well one muscle of one side was found; `in_view` is the share of it that the image shows."""

    muscle: Muscle
    in_view: float
    dice: float
    surface_mm: float
    volume_error: float


def body_cases(
    body: Anatomy,
    count: int,
    contrast: Callable[[np.random.Generator], appearance.Tissues] = appearance.t1,
    fat: Callable[[np.random.Generator, int], np.ndarray] = appearance.random_fat,
    seed: int = 9000,
) -> Iterator[Case]:
    """`count` synthesised images of one body, the same warps for the same seed."""
    whole_ml = {muscle: _one_side_ml(body, muscle) for muscle in Muscle}
    for number in range(count):
        made = synthesise(body, WHOLE_BODY_PATCH, np.random.default_rng([seed, number]), contrast, fat)
        kind, right = made.group.numpy(), made.side.numpy()
        labels = np.zeros(kind.shape, dtype=np.uint16)
        for muscle in Muscle:
            for side in SIDES:
                labels[(kind == CLASSES.index(muscle)) & (right == (side is Side.RIGHT))] = label_of(
                    muscle, side
                )
        yield Case(made.volume(f"{body.name}-{number}"), labels, whole_ml)


def scan_cases(body: Anatomy, count: int, cache: Path | None) -> Iterator[Case]:
    """`count` T1 scans of random people built like one body, coronal or axial, by the phantom's physics."""
    for hips in body_scans(body, count, SCAN_SEED, cache):
        yield Case(hips.volume, hips.labels)


def _one_side_ml(body: Anatomy, muscle: Muscle) -> float:
    """Volume of a muscle of the label map, mean of both sides."""
    chosen = body.lookup("class") == CLASSES.index(muscle)
    return int(chosen[body.tissue.long()].sum()) / 2 * body.geometry.voxel_volume_ml


def scores(cases: Iterable[Case]) -> Iterator[Score]:
    """One for every muscle and side of which there is something in view."""
    for case in cases:
        try:
            found = segment(case.volume).labels
        except SegmentationError:
            found = np.zeros(case.labels.shape, dtype=np.uint16)
        geometry = case.volume.geometry
        for muscle in Muscle:
            for number in (label_of(muscle, side) for side in SIDES):
                a, b = found == number, case.labels == number
                shown_ml = b.sum() * geometry.voxel_volume_ml
                if shown_ml >= IN_VIEW_ML:
                    yield Score(
                        muscle,
                        shown_ml / case.whole_ml.get(muscle, shown_ml),
                        dice(a, b),
                        surface_distance_95(a, b, geometry.spacing_mm),
                        abs(volume_error(a, b)),
                    )


def muscle_rows(found: Iterable[Score], least_in_view: float = 0.0) -> Iterator[Row]:
    """One row per muscle in view: mean Dice, surface distance and volume error over images and sides."""
    shown = [score for score in found if score.in_view >= least_in_view]
    for muscle in Muscle:
        some = [score for score in shown if score.muscle is muscle]
        if not some:
            continue
        yield {
            "muscle": muscle.value,
            "outlines": str(len(some)),
            "Dice": float(np.mean([score.dice for score in some])),
            "least Dice": min(score.dice for score in some),
            "95 % surface distance, mm": float(np.nanmean([score.surface_mm for score in some])),
            "volume error": float(np.mean([score.volume_error for score in some])),
        }


def _dice(cases: Iterable[Case]) -> dict[str, float]:
    """Mean Dice of each muscle over images and sides in which half of it is in view; NaN if in none."""
    nowhere = {muscle.value: float("nan") for muscle in Muscle}
    return nowhere | {row["muscle"]: row["Dice"] for row in muscle_rows(scores(cases), HALF)}


def fatty(body: Anatomy, muscle: Muscle) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Everything lean but one muscle, which is half to four fifths fat."""
    chosen = np.array([class_of(number) == CLASSES.index(muscle) for number in body.labels])

    def draw(rng: np.random.Generator, structures: int) -> np.ndarray:
        return np.where(chosen[:, None], rng.uniform(0.5, 0.8), rng.uniform(0, 0.12, (structures, 3)))

    return draw


def _lean(rng: np.random.Generator, structures: int) -> np.ndarray:
    rng.uniform(0.5, 0.8)  # as `fatty` draws, so that both paint the same body
    return rng.uniform(0, 0.12, (structures, 3))


def fat_rows(body: Anatomy, count: int) -> Iterator[Row]:
    """Dice of each muscle when it is lean and when half to four fifths of it is fat."""
    lean = _dice(body_cases(body, count, fat=_lean))
    for muscle in Muscle:
        score = _dice(body_cases(body, count, fat=fatty(body, muscle)))[muscle]
        yield {"muscle": muscle.value, "lean": lean[muscle], "50-80 % fat": score}


def contrast_rows(body: Anatomy, count: int) -> Iterator[Row]:
    """Dice of each muscle in T1 and in other contrasts of the same images."""
    t1 = appearance.t1(np.random.default_rng(0))
    for name, tissues in {"T1": t1, **CONTRASTS}.items():
        yield {"contrast": name, **_dice(body_cases(body, count, contrast=always(tissues)))}


def always(tissues: appearance.Tissues) -> Callable[[np.random.Generator], appearance.Tissues]:
    """A contrast that is not drawn by chance."""
    return lambda _: tissues


def phantom_cases(count: int, cache: Path | None = None) -> Iterator[Case]:
    """Scans of digital pelves whose parameters were never trained on; kept in `cache`."""
    for hips in random_hips(PHANTOM_SEED, count, cache):
        yield Case(hips.volume, hips.labels)


def wasted_rows(count: int, cache: Path | None = None) -> Iterator[Row]:
    """Dice and volume, found over true, of the wasted muscles of digital pelves never trained on."""
    found: dict[Muscle, list[tuple[float, float]]] = {muscle: [] for muscle in Muscle}
    for number, hips in enumerate(people_scanned(count, cache, PHANTOM_SEED, wasted=True)):
        person = wasted_person(PHANTOM_SEED, number // SCANS_PER_BODY)
        labels = segment(hips.volume).labels
        for muscle, side in product(Muscle, SIDES):
            if person.side(side).state(muscle).volume_scale < WASTED_SCALE[1]:
                a, b = (those == label_of(muscle, side) for those in (labels, hips.labels))
                found[muscle].append((dice(a, b), 1 + volume_error(a, b)))
    for muscle, some in found.items():
        overlaps, volumes = zip(*some, strict=True) if some else ((float("nan"),), (float("nan"),))
        yield {
            "muscle": muscle.value,
            "outlines": str(len(some)),
            "Dice": float(np.mean(overlaps)),
            "volume, found over true": float(np.mean(volumes)),
            "largest": float(np.max(volumes)),
        }
