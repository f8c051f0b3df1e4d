"""What a reader edited in a study's folder outlives every run."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from ellipsoid_hip import grid, hips

from grading.io.nifti_write import write_nifti
from grading.report.label_map import EDITED, LABEL_MAP, edited_notice, keep_edited


@pytest.fixture(scope="module")
def scan():
    return hips(geometry=grid((8.0, 8.0, 8.0)))


@pytest.fixture
def write(scan, tmp_path):
    """Writes labels as this program does."""
    return lambda labels: write_nifti(labels, scan[0], tmp_path / LABEL_MAP)


def edit(folder, value=7):
    """Change one voxel in place: header and note stay."""
    image = nib.Nifti1Image.from_filename(folder / LABEL_MAP)
    labels = np.asarray(image.dataobj).copy()
    labels[0, 0, 0] = value
    nib.Nifti1Image(labels, image.affine, image.header).to_filename(folder / LABEL_MAP)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_edited_label_map_is_set_aside_and_each_later_one_beside_it(scan, write, tmp_path):
    for value in (7, 8, 9):
        write(scan[1].labels)
        edit(tmp_path, value)
        keep_edited(tmp_path, scan[1])
    assert names(tmp_path) == ["segmentation.edited-2.nii.gz", "segmentation.edited-3.nii.gz", EDITED]
    (notice,) = edited_notice([tmp_path, tmp_path / "elsewhere"])
    assert notice.endswith(f"--masks OUT/studies --include STUDY. In {tmp_path.name}")


def test_one_that_nobody_edited_may_be_overwritten(scan, write, tmp_path):
    write(scan[1].labels)
    keep_edited(tmp_path, replace(scan[1], labels=scan[1].labels * 0))
    assert names(tmp_path) == [LABEL_MAP]
    assert not edited_notice([tmp_path])


def test_an_edit_that_the_new_label_map_repeats_needs_no_copy(scan, write, tmp_path):
    write(scan[1].labels)
    edit(tmp_path)
    labels = scan[1].labels.copy()
    labels[0, 0, 0] = 7
    keep_edited(tmp_path, replace(scan[1], labels=labels))
    assert names(tmp_path) == [LABEL_MAP]


def test_a_file_that_cannot_be_read_is_set_aside_too(scan, write, tmp_path):
    write(scan[1].labels)
    whole = (tmp_path / LABEL_MAP).read_bytes()
    for content in (b"no image", whole[: len(whole) // 2]):
        (tmp_path / LABEL_MAP).write_bytes(content)
        keep_edited(tmp_path, scan[1])
    assert names(tmp_path) == ["segmentation.edited-2.nii.gz", EDITED]
