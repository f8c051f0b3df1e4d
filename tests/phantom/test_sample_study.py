"""The sample study in the repository: sound DICOM, right sides, and what the program would write today."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pydicom
import pytest

from grading.anatomy import Muscle, Side, label_of
from grading.phantom.sample import PROTOCOL, STUDY, sample_acquisition


@pytest.fixture(scope="module")
def sample(repository: Path) -> Path:
    return repository / "sample_data"


@pytest.fixture(scope="module")
def slices(sample: Path) -> list[pydicom.Dataset]:
    files = sorted((sample / "dicom" / STUDY).glob("*.dcm"))
    return [pydicom.dcmread(file) for file in files]


@pytest.fixture(scope="module")
def labels(sample: Path) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_filename(sample / "truth" / f"{STUDY}_dseg.nii.gz")


def world(ds: pydicom.Dataset, row: float, column: float) -> np.ndarray:
    """RAS+ position of a pixel by the arithmetic of DICOM PS3.3 C.7.6.2.1.1 alone."""
    across, down = np.reshape(np.asarray(ds.ImageOrientationPatient, float), (2, 3))
    place = np.asarray(ds.ImagePositionPatient, float)
    place = place + across * ds.PixelSpacing[1] * column + down * ds.PixelSpacing[0] * row
    return place * [-1, -1, 1]


def test_dicom_slices_are_evenly_stacked_coronal_spin_echo(slices):
    assert len(slices) == PROTOCOL.slices
    assert len({ds.SOPInstanceUID for ds in slices}) == PROTOCOL.slices
    assert len({(ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID) for ds in slices}) == 1
    places = [world(ds, 0, 0)[1] for ds in slices]
    np.testing.assert_allclose(np.diff(places), PROTOCOL.slice_mm, atol=1e-6)
    for ds in slices:
        assert (ds.Modality, ds.ScanningSequence) == ("MR", "SE")
        assert ds.SpacingBetweenSlices == PROTOCOL.slice_mm
        np.testing.assert_array_equal(ds.ImageOrientationPatient, [1, 0, 0, 0, 0, -1])


def test_dicom_and_nifti_show_the_same_value_at_the_same_place(slices, sample):
    image = nib.Nifti1Image.from_filename(sample / "nifti" / f"{STUDY}.nii.gz")
    voxels, to_index = np.asarray(image.dataobj), np.linalg.inv(image.affine)
    for ds in slices[::7]:
        pixels = ds.pixel_array
        for row, column in ((0, 0), (150, 40), (100, 300), (250, 180)):
            i, j, k = np.rint(to_index[:3, :3] @ world(ds, row, column) + to_index[:3, 3]).astype(int)
            assert pixels[row, column] == voxels[i, j, k]


def test_the_fatty_medius_lies_on_the_patients_right_in_the_dicom(slices, labels):
    """Medius voxels of the truth, looked up in the DICOM pixels by their world position."""
    number, to_world = np.asarray(labels.dataobj), labels.affine
    brightness = {}
    for side in Side:
        index = np.argwhere(number == label_of(Muscle.GLUTEUS_MEDIUS, side))
        points = index @ to_world[:3, :3].T + to_world[:3, 3]
        assert (np.sign(points[:, 0]) == (1 if side is Side.RIGHT else -1)).all()
        values = []
        for ds in slices:
            origin = world(ds, 0, 0)
            here = points[np.abs(points[:, 1] - origin[1]) < 1]
            column = np.rint((origin[0] - here[:, 0]) / ds.PixelSpacing[1]).astype(int)
            row = np.rint((origin[2] - here[:, 2]) / ds.PixelSpacing[0]).astype(int)
            values.append(ds.pixel_array[row, column])
        brightness[side] = np.concatenate(values).mean()
    assert brightness[Side.RIGHT] > 1.3 * brightness[Side.LEFT]


def test_the_study_names_no_one(slices):
    assert {str(ds.PatientName) for ds in slices} == {"Phantom^Digital"}
    assert {ds.PatientBirthDate for ds in slices} == {""}


def test_the_limping_side_is_smaller_and_fattier_in_the_truth(sample):
    truth = pd.read_csv(sample / "truth.csv").set_index(["muscle", "side"])
    for muscle in ("gluteus_medius", "gluteus_minimus"):
        left, right = truth.loc[(muscle, "left")], truth.loc[(muscle, "right")]
        assert right["volume_ml"] < 0.8 * left["volume_ml"]
        assert right["fat_fraction"] > left["fat_fraction"] + 0.3
    assert (truth["coverage"] == 1).all()


@pytest.mark.slow
def test_the_committed_files_are_what_the_program_makes(sample, slices, labels):
    scan, stored = sample_acquisition()
    image = np.asarray(nib.Nifti1Image.from_filename(sample / "nifti" / f"{STUDY}.nii.gz").dataobj).astype(
        int
    )
    different = np.abs(image - stored)
    assert different.max() <= 1  # rounding of another machine's arithmetic
    assert (different > 0).mean() < 1e-3
    for j in (0, len(slices) // 2):
        pixels = np.flip(stored[:, j], (0, 1)).T.astype(int)
        assert np.abs(slices[j].pixel_array.astype(int) - pixels).max() <= 1
    assert (np.asarray(labels.dataobj) != scan.labels).mean() < 1e-4
    written = pd.read_csv(sample / "truth.csv")
    pd.testing.assert_frame_equal(written, scan.truth, rtol=1e-3, atol=1e-3)
