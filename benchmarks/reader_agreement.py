"""Fat and stages of real studies against what a reader saw, and the reference signals of left against right.

    python -m benchmarks.reader_agreement DATA [--out PICTURES]

DATA is a folder of studies, each with `dicom/`, `reader_labels.nii.gz` (some slices outlined; 65535 where
nobody outlined) and `reader_grades.json` (fat in percent and Goutallier stage by eye, for `gmax_L`, ...).
Twice: with the reader's outlines, and with the network's, which is what a user gets. PICTURES gets one
picture of every muscle that differs much from the eye.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

import grading
from benchmarks.markdown import table
from benchmarks.muscle_picture import muscle_picture
from grading.anatomy import SIDES, Muscle, Side
from grading.fat.references import lean_signal, mode
from grading.fat.zones import INSIDE, muscle_zones
from grading.report.study_report import StudyImages, StudyReport
from grading.volume import LabelArray, Segmentation, Volume
from training.real import NOT_OUTLINED, on_grid

READER_NAMES = {Muscle.GLUTEUS_MAXIMUS: "gmax", Muscle.GLUTEUS_MEDIUS: "gmed", Muscle.GLUTEUS_MINIMUS: "gmin"}
READINGS = ("fat_fraction", "threshold_fraction")
LEAST_VOXELS = 200  # inside of a muscle that its most frequent signal is read from
OUTLIER_POINTS = 10


def outlines(study: Path, volume: Volume) -> Segmentation:
    """What the reader outlined, on the image's grid."""
    labels: LabelArray = on_grid(study / "reader_labels.nii.gz", volume.geometry)
    labels[labels == NOT_OUTLINED] = 0
    return Segmentation(labels, volume.geometry, np.ones(labels.shape, np.float32), "reader")


def readings(study: Path, report: StudyReport) -> Iterator[dict[str, Any]]:
    """What the program and the reader say of each muscle, fat in percentage points."""
    seen = json.loads((study / "reader_grades.json").read_text())
    rows = report.measurements
    for row in rows[rows["region"] == "whole"].to_dict("records"):
        name = READER_NAMES.get(row["muscle"])
        if name is None:
            continue
        eye = seen[f"{name}_{row['side'][0].upper()}"]
        yield {
            "study": study.name,
            "muscle": row["muscle"],
            "side": row["side"],
            "eye": eye["fat_pct"],
            **{reading: 100 * row[reading] for reading in READINGS},
            "stages apart": abs(int(row["goutallier"]) - eye["goutallier"])
            if pd.notna(row["goutallier"])
            else None,
        }


def is_outlier(row: Mapping[str, Any]) -> bool:
    """Whether a reading is far from the eye."""
    return bool(abs(row["fat_fraction"] - row["eye"]) > OUTLIER_POINTS)


def draw(row: Mapping[str, Any], images: StudyImages, title: str, folder: Path) -> None:
    """Picture of the muscle of a reading, in a folder named by whose outlines it is."""
    name = f"{row['study']} {row['side']} {row['muscle']}"
    told = f"{title}: {name}, by eye {row['eye']} %, {row['fat_fraction']:.0f} % measured"
    file = folder / title.split("'")[0].lower() / f"{name.replace(' ', '_')}.png"
    muscle_picture(images, Muscle(row["muscle"]), Side(row["side"]), told, file)


def agreement(rows: pd.DataFrame) -> Iterator[list[object]]:
    """One line per muscle, then one for all."""
    for name, some in (*rows.groupby("muscle"), ("all", rows)):
        known = some.dropna(subset=["fat_fraction"])
        apart = some["stages apart"].dropna()
        line: list[object] = [name, f"{len(known)} of {len(some)}"]
        for reading in READINGS:
            off = known[reading] - known["eye"]
            line += [
                float(off.abs().mean()),
                float(off.mean()),
                float(spearmanr(known[reading], known["eye"])[0]),
            ]
        yield [*line, float(100 * (apart <= 1).mean())]


def reference_sides(images: StudyImages) -> dict[str, float]:
    """How much brighter the references of the right side are than the left's, in percent, shading removed.

    The program pools lean muscle over both sides; here it is sought on each side by itself.
    """
    fat = images.fat
    fats = {r.side: r.signal for r in fat.references if r.tissue == "fat" and r.side is not None}
    pooled = next(r.signal for r in fat.references if r.tissue == "muscle")
    modes: dict[Side, list[float]] = {side: [] for side in fats}
    for muscle in muscle_zones(images.segmentation, images.volume.series.slice_axis):
        pure = fat.fraction[muscle.box][muscle.zones >= INSIDE]
        pure = pure[np.isfinite(pure)]
        if muscle.side in fats and pure.size >= LEAST_VOXELS:
            modes[muscle.side].append(pooled + mode(pure.astype(float)) * (fats[muscle.side] - pooled))
    shared = {side: lean_signal(found) for side, found in modes.items()}
    lean = {
        side: float(np.average(found[0], weights=found[1]))
        for side, found in shared.items()
        if found is not None
    }
    return {
        tissue: 100 * (signals[Side.RIGHT] / signals[Side.LEFT] - 1)
        for tissue, signals in (("fat", fats), ("lean muscle", lean))
        if len(signals) == len(SIDES)
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, help="folder for pictures of the outliers")
    arguments = parser.parse_args()
    studies = sorted(file.parent for file in arguments.data.glob("*/reader_grades.json"))
    by_whom: dict[str, Callable[[Path, Volume], Segmentation]] = {
        "Reader's outlines": outlines,
        "Network's outlines": lambda _, volume: grading.segment(volume),
    }
    for title, outline in by_whom.items():
        rows: list[dict[str, Any]] = []
        sides: list[list[object]] = []
        for study in studies:
            volume = grading.read(study / "dicom")
            report = grading.grade_study(volume, segmentation=outline(study, volume), name=study.name)
            assert report.images is not None
            read = list(readings(study, report))
            rows += read
            for row in filter(is_outlier, read if arguments.out else ()):
                draw(row, report.images, title, arguments.out)
            apart = reference_sides(report.images)
            sides.append([study.name, *(apart.get(tissue) for tissue in ("fat", "lean muscle"))])
        found = pd.DataFrame(rows)
        columns = ["muscle", "measured"]
        columns += [
            f"{r}: {what}" for r in READINGS for what in ("mean absolute difference", "bias", "Spearman")
        ]
        print(table(title, [*columns, "Goutallier within one stage %"], agreement(found)))
        outliers = found[found.apply(is_outlier, axis=1)]
        print(
            table(
                f"Over {OUTLIER_POINTS} points from the eye",
                list(found.columns),
                outliers.to_numpy().tolist(),
            )
        )
        print(table("References, right over left, %", ["study", "fat", "lean muscle"], sides))


if __name__ == "__main__":
    main()
