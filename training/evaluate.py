"""What a model achieves: `python -m training.evaluate --data ../shared/data [--out folder for pictures]`.

Runs the *bundled* model through the package's own door (`grading.segment`) and prints one table a question:
real studies, one-hip images, the body that never trained in many scans, contrasts and states, and phantoms
with unseen parameters. Those tables go into the model card.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from grading.volume import Segmentation, Volume
from training import anatomies, real
from training.scores_made import (
    HALF,
    body_cases,
    contrast_rows,
    fat_rows,
    muscle_rows,
    phantom_cases,
    scan_cases,
    scores,
    wasted_rows,
)
from training.scores_real import IN_VIEW_ML, ONE_HIP_MM, Row, cropped_rows, one_hip_rows, real_rows


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
    parser.add_argument("--cache", type=Path, help="folder that keeps what was scanned")
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
    title = f"The same, cropped to {ONE_HIP_MM:.0f} mm round each hip, outlined slices"
    table(cropped_rows(studies, real.HELD_OUT), title)
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
    found_in_phantoms = scores(phantom_cases(arguments.few, arguments.cache))
    table(muscle_rows(found_in_phantoms), "Scans of digital pelves with unseen parameters")
    wasted = wasted_rows(arguments.few, arguments.cache)
    table(wasted, "Muscles of digital pelves wasted to 30-80 % of their volume")


if __name__ == "__main__":
    main()
