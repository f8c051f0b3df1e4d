"""A reader corrects the label map of a finished study and runs again: the table follows the correction."""

import nibabel as nib
import numpy as np
import pytest
from hip_files import coronal_hips, write_mask, write_nifti

import grading
from grading.anatomy import Muscle, Side, label_of
from grading.settings import Settings

MEDIUS = label_of(Muscle.GLUTEUS_MEDIUS, Side.RIGHT)


def graded(folder, out, masks):
    (report,) = grading.grade_folder(folder, out=out, settings=Settings(masks=masks), progress=False)
    return report.find(Muscle.GLUTEUS_MEDIUS, Side.RIGHT).measurement


@pytest.fixture
def first(tmp_path):
    """A study graded once; its labels lie in the output folder as any user finds them."""
    volume, labels = coronal_hips()
    write_nifti(volume, tmp_path / "imaging", "hip_t1", "LPS")
    masks = write_mask(labels, tmp_path / "masks", "hip_t1")
    return graded(tmp_path / "imaging", tmp_path / "out", masks)


@pytest.mark.parametrize("named", ["folder of studies", "the file"])
def test_a_corrected_label_map_in_the_output_folder_is_what_the_next_run_measures(first, tmp_path, named):
    studies = tmp_path / "out" / "studies"
    written = studies / "hip_t1" / "segmentation.nii.gz"
    image = nib.Nifti1Image.from_filename(written)
    labels = np.asarray(image.dataobj).copy()
    lateral = np.argwhere(labels == MEDIUS)
    taken = lateral[lateral[:, 2] > np.median(lateral[:, 2])]
    labels[tuple(taken.T)] = 0
    nib.Nifti1Image(labels, image.affine, image.header).to_filename(written)

    again = graded(
        tmp_path / "imaging", tmp_path / "out", studies if named == "folder of studies" else written
    )

    voxel_ml = abs(np.linalg.det(image.affine[:3, :3])) / 1000
    assert again.volume_ml == pytest.approx(first.volume_ml - len(taken) * voxel_ml)
    assert (np.asarray(nib.Nifti1Image.from_filename(written).dataobj) == labels).all(), (
        "the correction stays"
    )
