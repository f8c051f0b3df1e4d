"""What a model achieves: `python -m training.evaluate --data ../shared/data [--out folder for pictures]`.

Runs the *bundled* model through the package's own door (`grading.segment`) and prints one table a question:
Dice on outlined slices of the real studies (held-out ones marked), overlap with drawn bones, and Dice on
synthesised images of the body that never trained and on phantoms with unseen parameters.
"""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from grading.anatomy import GLUTEI, SIDES, Muscle, Side, label_of
from grading.errors import SegmentationError
from grading.io import read
from grading.phantom import Protocol, acquire, build_phantom, random_parameters
from grading.segment import segment
from grading.series import SeriesInfo
from grading.volume import Geometry, Segmentation, Volume
from training import anatomies, real
from training.classes import CLASSES
from training.synthesis import synthesise
from training.warp import PATCH_SPACING_MM

_IN_VIEW_ML = 5.0  # less of a muscle than this in view says little
_BONES = {"femur": 1, "hip_bone": 2, "sacrum": 4}


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Dice overlap of two masks; NaN when both are empty."""
    total = a.sum() + b.sum()
    return float(2 * (a & b).sum() / total) if total else float("nan")


def real_rows(
    folder: Path, picture: Callable[[str, Volume, Segmentation], None]
) -> Iterable[dict[str, object]]:
    """One row per real study: Dice of muscles on outlined slices, of bones everywhere, muscle inside bone."""
    for study in sorted(folder.iterdir()):
        volume = read(study / "dicom")
        found = segment(volume)
        picture(study.name, volume, found)
        labels = real.on_grid(study / "reader_labels.nii.gz", volume.geometry)
        bones = real.on_grid(study / "bones.nii.gz", volume.geometry)
        outlined = labels != 65535
        row: dict[str, object] = {
            "study": study.name + (" (held out)" if study.name in real.HELD_OUT else "")
        }
        for muscle in Muscle:
            scores = []
            for side in SIDES:
                number = label_of(muscle, side)
                scores.append(dice((found.labels == number) & outlined, labels == number))
            row[muscle] = np.nanmean(scores) if not np.isnan(scores).all() else float("nan")
        for name, number in _BONES.items():
            masks = [found.mask(name, side) for side in SIDES]
            row[name] = dice(masks[0] | masks[1], bones == number)
        worst = 0.0
        for muscle in GLUTEI:
            for side in SIDES:
                mask = found.mask(muscle, side)
                worst = max(worst, float((bones[mask] > 0).mean()) if mask.any() else 1.0)
        row["worst share in bone"] = worst
        yield row


def _row(name: str, volume: Volume, truth: Callable[[Muscle, Side], np.ndarray]) -> dict[str, object]:
    """Dice of each muscle, mean over the sides on which at least `_IN_VIEW_ML` of it is in view."""
    try:
        found = segment(volume).labels
    except SegmentationError:
        found = np.zeros(volume.geometry.shape, dtype=np.uint16)
    row: dict[str, object] = {"image": name}
    for muscle in Muscle:
        masks = [(side, truth(muscle, side)) for side in SIDES]
        scores = [
            dice(found == label_of(muscle, side), mask)
            for side, mask in masks
            if mask.sum() * volume.geometry.voxel_volume_ml >= _IN_VIEW_ML
        ]
        row[muscle] = float(np.mean(scores)) if scores else float("nan")
    return row


def body_rows(path: Path, count: int, seed: int = 9000) -> Iterable[dict[str, object]]:
    """Dice on random images synthesised from one label map."""
    body = anatomies.load(path)
    rng = np.random.default_rng(seed)
    for number in range(count):
        made = synthesise(body, (144, 80, 112), rng)
        shape = tuple(made.image.shape)
        geometry = Geometry(shape, np.diag([PATCH_SPACING_MM] * 3 + [1.0]))
        image = made.image.numpy()
        volume = Volume(image, geometry, image > 0, SeriesInfo(f"{body.name}-{number}"))
        kind, right = made.group.numpy(), made.side.numpy()

        def truth(
            muscle: Muscle, side: Side, kind: np.ndarray = kind, right: np.ndarray = right
        ) -> np.ndarray:
            return (kind == CLASSES.index(muscle)) & (right == (side is Side.RIGHT))

        yield _row(volume.series.name, volume, truth)


def phantom_rows(count: int, seed: int = 9001) -> Iterable[dict[str, object]]:
    """Dice on scans of digital pelves whose parameters were never trained on."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        person = build_phantom(random_parameters(rng), 2.0)
        scan = acquire(person, Protocol(plane=("coronal", "axial")[number % 2], seed=number))

        def truth(muscle: Muscle, side: Side, labels: np.ndarray = scan.labels) -> np.ndarray:
            return labels == label_of(muscle, side)

        yield _row(f"phantom-{number}", scan.volume, truth)


def table(rows: Iterable[dict[str, object]], title: str) -> None:
    """Print rows as a markdown table with the mean of every number."""
    rows = list(rows)
    names = list(rows[0])
    print(f"\n### {title}\n\n| " + " | ".join(names) + " |\n|" + " --- |" * len(names))
    mean = {n: np.nanmean([r[n] for r in rows]) if n != names[0] else "**mean**" for n in names}
    for row in [*rows, mean]:
        print("| " + " | ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()) + " |")


def main() -> None:
    """Command line of the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--images", type=int, default=20, help="synthesised images per question")
    parser.add_argument("--out", type=Path, help="folder for one picture per real study")
    arguments = parser.parse_args()

    def picture(name: str, volume: Volume, found: Segmentation) -> None:
        if arguments.out:
            from training.pictures import contact_sheet

            contact_sheet(volume, found, arguments.out / f"{name}.png")

    table(real_rows(arguments.data / "mri" / "pelvis_t1_coronal", picture), "Real studies, outlined slices")
    body = arguments.data / "anatomies" / f"{anatomies.HELD_OUT_BODY}.nii.gz"
    table(
        body_rows(body, arguments.images),
        f"Synthesised images of the held-out body ({anatomies.HELD_OUT_BODY})",
    )
    table(phantom_rows(arguments.images), "Scans of digital pelves with unseen parameters")


if __name__ == "__main__":
    main()
