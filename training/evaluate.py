"""What a model achieves: `python -m training.evaluate --data ../shared/data [--out folder for pictures]`.

Runs the *bundled* model through the package's own door (`grading.segment`) and prints one table a question:
real studies, one-hip images, the body that never trained in many scans, contrasts and states, and phantoms
with unseen parameters. Those tables go into the model card.
"""

import argparse
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.random_hips import random_hips
from grading.anatomy import GLUTEI, SIDES, Muscle, Side, label_of
from grading.errors import SegmentationError
from grading.io import read
from grading.segment import segment
from grading.volume import LabelArray, Segmentation, Volume
from training import anatomies, appearance, real
from training.anatomies import Anatomy
from training.bodies import body_scans
from training.classes import CLASSES, class_of
from training.metrics import dice, surface_distance_95, volume_error
from training.phantoms import SCANS_PER_BODY, WASTED_SCALE, people_scanned, wasted_person
from training.synthesis import synthesise

PHANTOM_SEED = 9001  # not the one that trained
SCAN_SEED = 9000
IN_VIEW_ML = 5.0  # less of a muscle than this in view says little
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
_BONES = {"femur": 1, "hip_bone": 2, "sacrum": 4}

Row = dict[str, Any]
Picture = Callable[[str, Volume, Segmentation], None]


def real_rows(studies: Iterable[Path], held_out: Collection[str], picture: Picture) -> Iterator[Row]:
    """One row per real study: Dice of muscles on outlined slices, of bones everywhere, muscle inside bone."""
    for study in studies:
        volume = read(study / "dicom")
        found = segment(volume)
        picture(study.name, volume, found)
        bones = real.on_grid(study / "bones.nii.gz", volume.geometry)
        row: Row = {"study": study.name + (" (held out)" if study.name in held_out else "")}
        row |= _outlined(found, real.on_grid(study / "reader_labels.nii.gz", volume.geometry))
        for name, number in _BONES.items():
            masks = [found.mask(name, side) for side in SIDES]
            row[name] = dice(masks[0] | masks[1], bones == number)
        inside = [
            float((bones[mask] > 0).mean()) if mask.any() else 1.0
            for mask in (found.mask(muscle, side) for muscle in GLUTEI for side in SIDES)
        ]
        row["worst share in bone"] = max(inside)
        yield row


def one_hip_rows(folder: Path, picture: Picture) -> Iterator[Row]:
    """One row per cropped one-hip image (right hips): Dice on outlined slices, what is called left."""
    for study in sorted(folder.iterdir()):
        image = next(p for p in sorted(study.glob("*.nii.gz")) if "t1" in p.name.lower())
        volume = read(image)
        row: Row = {"study": study.name}
        try:
            found = segment(volume)
        except SegmentationError as error:
            yield row | {"refused": str(error)}
            continue
        picture(study.name, volume, found)
        row |= _outlined(found, real.on_grid(study / "reader_labels.nii.gz", volume.geometry))
        left = sum(int(found.mask(muscle, Side.LEFT).sum()) for muscle in Muscle)
        row["called left, mL"] = left * volume.geometry.voxel_volume_ml
        yield row


def _outlined(found: Segmentation, labels: np.ndarray) -> Row:
    """Dice of each muscle on the outlined slices, mean over the sides of which enough is outlined."""
    outlined = labels != real.NOT_OUTLINED
    least = IN_VIEW_ML / found.geometry.voxel_volume_ml
    row: Row = {}
    for muscle in Muscle:
        numbers = [label_of(muscle, side) for side in SIDES]
        shown = [n for n in numbers if (labels == n).sum() >= least]
        overlaps = [dice((found.labels == n) & outlined, labels == n) for n in shown]
        row[muscle] = float(np.mean(overlaps)) if overlaps else float("nan")
    return row


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

        def same(_: np.random.Generator, tissues: appearance.Tissues = tissues) -> appearance.Tissues:
            return tissues

        yield {"contrast": name, **_dice(body_cases(body, count, contrast=same))}


def phantom_cases(count: int) -> Iterator[Case]:
    """Scans of digital pelves whose parameters were never trained on."""
    for hips in random_hips(PHANTOM_SEED, count):
        yield Case(hips.volume, hips.labels)


def wasted_rows(count: int) -> Iterator[Row]:
    """Dice and volume, found over true, of the wasted muscles of digital pelves never trained on."""
    found: dict[Muscle, list[tuple[float, float]]] = {muscle: [] for muscle in Muscle}
    for number, hips in enumerate(people_scanned(count, None, PHANTOM_SEED, wasted=True)):
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


def table(rows: Iterable[Row], title: str) -> None:
    """Print rows as a markdown table; more than four rows get a mean."""
    rows = list(rows)
    names = list(rows[0])
    print(f"\n### {title}\n\n| " + " | ".join(names) + " |\n|" + " --- |" * len(names))
    numbers = [n for n in names if all(isinstance(row.get(n), float) for row in rows)]
    mean: Row = {n: float(np.nanmean([row[n] for row in rows])) if n in numbers else "" for n in names}
    mean[names[0]] = "**mean**"
    for row in [*rows, mean] if len(rows) > 4 else rows:
        cells = (row.get(n, "") for n in names)
        print(
            "| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in cells) + " |",
            flush=True,
        )


def main() -> None:
    """Command line of the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--images", type=int, default=50, help="synthesised images of the held-out body")
    parser.add_argument("--few", type=int, default=10, help="images per contrast, state and of phantoms")
    parser.add_argument("--out", type=Path, help="folder for one picture per real study")
    parser.add_argument("--cache", type=Path, help="folder that keeps scans of the held-out body")
    parser.add_argument("--only-real", action="store_true", help="leave out what is synthesised")
    parser.add_argument("--fold", nargs="+", help="only these real studies, which this network never saw")
    arguments = parser.parse_args()

    def picture(name: str, volume: Volume, found: Segmentation) -> None:
        if arguments.out:
            from training.pictures import contact_sheet

            contact_sheet(volume, found, arguments.out / f"{name}.png")

    mri = arguments.data / "mri"
    studies = sorted((mri / "pelvis_t1_coronal").iterdir())
    if arguments.fold:
        fold = [study for study in studies if study.name in arguments.fold]
        if len(fold) < len(arguments.fold):
            parser.error(f"--fold {' '.join(arguments.fold)}: there are {', '.join(s.name for s in studies)}")
        table(real_rows(fold, arguments.fold, picture), "Real studies of this fold, outlined slices")
        return
    table(real_rows(studies, real.HELD_OUT, picture), "Real studies, outlined slices")
    table(
        one_hip_rows(mri / "hip_t1_axial_cropped", picture),
        "Real one-hip images with a tumour, never trained on",
    )
    if arguments.only_real:
        return
    name = anatomies.HELD_OUT_BODY
    body = anatomies.load(arguments.data / "anatomies" / f"{name}.nii.gz")
    title = f"T1 scans of people built like the held-out body ({name})"
    table(muscle_rows(scores(scan_cases(body, arguments.images, arguments.cache))), title)
    found = list(scores(body_cases(body, arguments.images)))
    title = f"Painted T1 images of parts of the held-out body ({name}), voxels of 2.5 mm"
    table(muscle_rows(found), f"{title}, {IN_VIEW_ML:.0f} mL or more of the muscle in view")
    table(muscle_rows(found, HALF), f"{title}, at least half of the muscle in view")
    table(contrast_rows(body, arguments.few), "The same body in other contrasts, half in view")
    table(fat_rows(body, arguments.few), "The same body, one muscle fatty, half in view")
    table(muscle_rows(scores(phantom_cases(arguments.few))), "Scans of digital pelves with unseen parameters")
    table(wasted_rows(arguments.few), "Muscles of digital pelves wasted to 30-80 % of their volume")


if __name__ == "__main__":
    main()
