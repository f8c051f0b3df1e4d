"""One volume in many forms must give one table: DICOM, NIfTI in four orientations, and mirrored.

    python -m benchmarks.invariance [STUDY]

The mirrored table is compared with its sides swapped and its differences negated. Zero is the goal; what is
printed is the largest difference of each column over all rows.
"""

import argparse
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

import grading
from benchmarks.markdown import table
from grading.settings import Settings
from grading.volume import Volume

REPOSITORY = Path(__file__).resolve().parents[1]
ORIENTATIONS = ("RAS", "LPS", "PSR", "ILA")
NUMBERS = (
    "fat_fraction", "fat_fraction_se", "volume_ml", "covered_volume_ml", "max_csa_cm2", "level_csa_cm2",
    "coverage",
)  # fmt: skip
STAGES = ("quartile", "quartile_possible", "goutallier", "goutallier_possible", "gradable")
SIGNED = ("volume_asymmetry_percent", "fat_fraction_difference")


def write_nifti(volume: Volume, path: Path, orientation: str, *, mirrored: bool = False) -> Path:
    """`volume` stored in `orientation`; mirrored left to right in the world when asked."""
    affine = np.diag([-1.0 if mirrored else 1.0, 1, 1, 1]) @ volume.geometry.affine
    image = nib.Nifti1Image(volume.voxels, affine)
    wanted = nib.orientations.axcodes2ornt(orientation)
    turn = nib.orientations.ornt_transform(nib.io_orientation(affine), wanted)
    image.as_reoriented(turn).to_filename(path)
    return path


def graded(source: Path, settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measurements by muscle and side, asymmetry by muscle."""
    report = grading.grade_study(source, settings=settings)
    rows = report.measurements.set_index(["muscle", "side", "region"]).sort_index()
    return rows, report.asymmetry.set_index("muscle").sort_index()


def swapped(rows: pd.DataFrame, asymmetry: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables with the patient's sides exchanged."""
    exchanged = rows.rename(index={"left": "right", "right": "left"}, level="side").sort_index()
    negated = asymmetry.copy()
    negated[list(SIGNED)] = -negated[list(SIGNED)]
    return exchanged, negated


def differences(reference: tuple[pd.DataFrame, ...], other: tuple[pd.DataFrame, ...]) -> list[object]:
    """Largest absolute difference per number, and rows whose stages or emptiness differ."""
    rows, asymmetry = reference
    other_rows, other_asymmetry = other
    found: list[object] = [_largest(rows[name], other_rows[name]) for name in NUMBERS]
    found += [_largest(asymmetry[name], other_asymmetry[name]) for name in SIGNED]
    stages = rows[list(STAGES)].map(str) != other_rows[list(STAGES)].map(str)  # as text: empty equals empty
    return [*found, int(stages.any(axis=1).sum())]


def _largest(first: pd.Series, second: pd.Series) -> float:
    """Largest absolute difference; infinite where one is known and the other is not."""
    a, b = first.to_numpy(float), second.to_numpy(float)
    if (np.isnan(a) != np.isnan(b)).any():
        return float("inf")
    return float(np.nanmax(np.abs(a - b), initial=0.0))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study", nargs="?", type=Path, default=REPOSITORY / "sample_data" / "dicom")
    arguments = parser.parse_args()
    settings = Settings()
    reference = graded(arguments.study, settings)
    volume = grading.read(arguments.study)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for orientation in ORIENTATIONS:
            path = write_nifti(volume, Path(folder) / f"t1_{orientation}.nii.gz", orientation)
            rows.append([f"NIfTI {orientation}", *differences(reference, graded(path, settings))])
        path = write_nifti(volume, Path(folder) / "t1_mirrored.nii.gz", "RAS", mirrored=True)
        rows.append(["mirrored", *differences(reference, swapped(*graded(path, settings)))])
    columns = ["against DICOM", *NUMBERS, *SIGNED, "rows with other stages"]
    print(table("Largest differences", columns, rows))


if __name__ == "__main__":
    main()
