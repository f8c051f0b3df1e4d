"""The ellipsoid hips as a user has them: files on disk, with label maps beside them."""

import csv
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from ellipsoid_hip import grid, hips

from grading.anatomy import Muscle, Side
from grading.volume import Segmentation, Volume
from tests.io.dicom_factory import CORONAL, save, slices

FRACTIONS = {
    (Muscle.GLUTEUS_MAXIMUS, Side.RIGHT): 0.4,
    (Muscle.GLUTEUS_MEDIUS, Side.RIGHT): 0.3,
    (Muscle.GLUTEUS_MEDIUS, Side.LEFT): 0.1,
}
SPACING_MM = (4.0, 8.0, 4.0)  # coronal slices


def coronal_hips() -> tuple[Volume, Segmentation]:
    """Image and true labels; the right side is fatty."""
    return hips(FRACTIONS, geometry=grid(SPACING_MM), slice_axis=1)


def write_nifti(volume: Volume, folder: Path, name: str, codes: str = "RAS") -> Path:
    """Write `folder/name.nii.gz` in the axis order `codes`; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.nii.gz"
    _save(np.round(volume.voxels).astype(np.int16), volume.geometry.affine, codes, path)
    return path


def write_mask(labels: Segmentation, folder: Path, name: str) -> Path:
    """Write `folder/name_seg.nii.gz`; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    _save(labels.labels, labels.geometry.affine, "RAS", folder / f"{name}_seg.nii.gz")
    return folder


def write_coarse_hips(folder: Path, names: Sequence[str]) -> tuple[Path, Path]:
    """Write one small study under each name; returns the folders of images and label maps."""
    volume, labels = hips(0.2, geometry=grid((6.0, 8.0, 6.0)))
    for name in names:
        write_nifti(volume, folder / "imaging", name)
        write_mask(labels, folder / "masks", name)
    return folder / "imaging", folder / "masks"


def statuses(out: Path) -> list[str]:
    """What studies.csv says of each study, in its order."""
    with (out / "studies.csv").open(encoding="utf-8", newline="") as file:
        return [row["status"] for row in csv.DictReader(file)]


def write_dicom(volume: Volume, folder: Path, **tags: str) -> Path:
    """Write the coronal slices as a DICOM series with these attributes; returns the folder."""
    # Columns run to the patient's left (LPS +x), rows downwards, slices backwards (CORONAL's normal is +y).
    voxels = np.round(volume.voxels[::-1, ::-1, ::-1]).astype(np.uint16).transpose(0, 2, 1)
    corner = volume.geometry.affine @ [*(n - 1 for n in volume.geometry.shape), 1]
    x, y, z = volume.geometry.spacing_mm
    origin = (-corner[0], -corner[1], corner[2])
    series = slices(voxels, orientation=CORONAL, origin=origin, pixel_spacing=(z, x), step_mm=y, **tags)
    return save(series, folder)


def _save(array: np.ndarray, affine: np.ndarray, codes: str, path: Path) -> None:
    image = nib.Nifti1Image(array, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    wanted = nib.orientations.axcodes2ornt(codes)
    turn = nib.orientations.ornt_transform(nib.io_orientation(affine), wanted)
    image.as_reoriented(turn).to_filename(path)
