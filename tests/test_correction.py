"""A reader corrects the label map of a finished study and runs again: the table follows the correction."""

import nibabel as nib
import numpy as np
import pytest
from ellipsoid_hip import grid, hips
from hip_files import FRACTIONS, write_mask, write_nifti

import grading
from grading.anatomy import Muscle, Side, label_of
from grading.batch import plan_folder
from grading.cli import main
from grading.settings import Settings

MEDIUS = label_of(Muscle.GLUTEUS_MEDIUS, Side.RIGHT)
SPACING_MM = (6.0, 8.0, 6.0)  # coarse: what a run keeps is asked here, not how well it measures


def labels_in(path):
    return np.asarray(nib.Nifti1Image.from_filename(path).dataobj)


def graded(folder, out, masks):
    (report,) = grading.grade_folder(folder, out=out, settings=Settings(masks=masks), progress=False)
    return report.find(Muscle.GLUTEUS_MEDIUS, Side.RIGHT).measurement


@pytest.fixture
def first(in_this_process, tmp_path):  # noqa: ARG001
    """A study graded once; its labels lie in the output folder as any user finds them."""
    volume, labels = hips(FRACTIONS, geometry=grid(SPACING_MM))
    write_nifti(volume, tmp_path / "imaging", "hip_t1", "LPS")
    masks = write_mask(labels, tmp_path / "masks", "hip_t1")
    return graded(tmp_path / "imaging", tmp_path / "out", masks)


def edited(written):
    """Take the upper half of the right medius away, as an editor would; returns the labels and the voxels."""
    image = nib.Nifti1Image.from_filename(written)
    labels = np.asarray(image.dataobj).copy()
    lateral = np.argwhere(labels == MEDIUS)
    taken = lateral[lateral[:, 2] > np.median(lateral[:, 2])]
    labels[tuple(taken.T)] = 0
    nib.Nifti1Image(labels, image.affine, image.header).to_filename(written)
    return labels, taken


@pytest.mark.parametrize("named", ["folder of studies", "the file"])
def test_a_corrected_label_map_in_the_output_folder_is_what_the_next_run_measures(first, tmp_path, named):
    studies = tmp_path / "out" / "studies"
    written = studies / "hip_t1" / "segmentation.nii.gz"
    labels, taken = edited(written)

    again = graded(
        tmp_path / "imaging", tmp_path / "out", studies if named == "folder of studies" else written
    )

    voxel_ml = np.prod(SPACING_MM) / 1000
    assert again.volume_ml == pytest.approx(first.volume_ml - len(taken) * voxel_ml)
    assert (labels_in(written) == labels).all(), "the correction stays"
    assert not list(written.parent.glob("*edited*")), "and is all there is: nothing was lost"


@pytest.mark.usefixtures("first")
def test_a_run_that_draws_anew_keeps_what_was_edited_and_says_so(tmp_path, capsys):
    own = tmp_path / "out" / "studies" / "hip_t1"
    labels, _ = edited(own / "segmentation.nii.gz")
    words = ["run", str(tmp_path / "imaging"), "-o", str(tmp_path / "out"), "--force"]
    for _ in range(2):  # the second time there is nothing to keep
        with pytest.raises(SystemExit):
            main([*words, "--masks", str(tmp_path / "masks")])
    assert (labels_in(own / "segmentation.edited.nii.gz") == labels).all()
    assert len(list(own.glob("*edited*"))) == 1
    assert (labels_in(own / "segmentation.nii.gz") != labels).any()
    said = " ".join(capsys.readouterr().out.split())
    assert "segmentation.edited.nii.gz: an edited label map that differs" in said


@pytest.mark.usefixtures("first")
def test_a_study_graded_on_its_correction_stays_on_it_unless_forced(tmp_path):
    imaging, out = tmp_path / "imaging", tmp_path / "out"
    edited(out / "studies" / "hip_t1" / "segmentation.nii.gz")
    corrected = graded(imaging, out, out / "studies")
    other = Settings(scales=("quartile",))
    (report,) = grading.grade_folder(imaging, out=out, settings=other, progress=False)
    assert report.find(Muscle.GLUTEUS_MEDIUS, Side.RIGHT).measurement == corrected
    assert [grade.scale for grade in report.muscles[0].grades] == ["quartile"]
    (forced,) = plan_folder(imaging, out, force=True, progress=False).waiting
    assert forced.settings.masks is None


@pytest.mark.usefixtures("first")
def test_a_correction_that_was_graded_is_kept_by_a_later_run_that_draws_anew(tmp_path):
    out, own = tmp_path / "out", tmp_path / "out" / "studies" / "hip_t1"
    labels, _ = edited(own / "segmentation.nii.gz")
    graded(tmp_path / "imaging", out, out / "studies")
    graded(tmp_path / "imaging", out, tmp_path / "masks")
    assert (labels_in(own / "segmentation.edited.nii.gz") == labels).all()
    assert (labels_in(own / "segmentation.nii.gz") != labels).any()
