"""The sample study against its exact truth: volume and fat fraction per muscle and side.

    python -m benchmarks.sample_accuracy [SAMPLE]

SAMPLE is a folder as `grading sample` writes it. Twice: with the network's labels, which is what a user gets,
and with the true labels on the image's grid, which shows what measuring alone does to the numbers.
"""

import argparse
from pathlib import Path

import pandas as pd

import grading
from benchmarks.markdown import table
from grading.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[1]
VOLUME_LIMIT_PERCENT, FAT_LIMIT_POINTS = 8, 3
KEY = ["muscle", "side"]


def true_labels(sample: Path) -> Path:
    """The one true label map of the sample.

    Raises:
        FileNotFoundError: none or several.
    """
    found = sorted(sample.rglob("*seg*.nii.gz"))
    if len(found) != 1:
        raise FileNotFoundError(f"expected one label map *seg*.nii.gz below {sample}, found {len(found)}")
    return found[0]


def errors(images: Path, truth: pd.DataFrame, settings: Settings) -> list[list[object]]:
    """One row per muscle and side: measured, true, and the error (volume in %, fat in percentage points)."""
    measured = grading.grade_study(images, settings=settings).measurements
    whole = measured[measured["region"] == "whole"].set_index(KEY).to_dict("index")
    rows: list[list[object]] = []
    for true in truth.to_dict("records"):
        row = whole[true["muscle"], true["side"]]
        volume_percent = 100 * (row["volume_ml"] / true["volume_ml"] - 1)
        fat_points = 100 * (row["fat_fraction"] - true["fat_fraction"])
        within = abs(volume_percent) <= VOLUME_LIMIT_PERCENT and abs(fat_points) <= FAT_LIMIT_POINTS
        rows.append(
            [
                true["muscle"],
                true["side"],
                row["volume_ml"],
                true["volume_ml"],
                volume_percent,
                100 * row["fat_fraction"],
                100 * true["fat_fraction"],
                fat_points,
                "yes" if within else "no",  # also where the volume is not known
            ]
        )
    return rows


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sample", nargs="?", type=Path, default=REPOSITORY / "sample_data")
    sample = parser.parse_args().sample
    truth = pd.read_csv(sample / "truth.csv").sort_values(KEY)
    columns = [
        *KEY, "volume mL", "true", "error %", "fat %", "true", "error points",
        f"within {VOLUME_LIMIT_PERCENT} % and {FAT_LIMIT_POINTS} points",
    ]  # fmt: skip
    images = sample / "dicom"
    print(table("Network's labels", columns, errors(images, truth, Settings())))
    settings = Settings(segmenter="masks", masks=true_labels(sample))
    print(table("True labels", columns, errors(images, truth, settings)))


if __name__ == "__main__":
    main()
