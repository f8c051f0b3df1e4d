"""Reading real studies, and files that break naive readers."""

from pathlib import Path

import numpy as np
import pytest

from grading.errors import GradingError
from grading.io import read
from grading.io.discover import discover, load
from grading.io.nifti import read_labels
from grading.series import Role

pytestmark = pytest.mark.real_data


@pytest.mark.parametrize("study", ["pelvis04", "pelvis07"])
def test_a_pelvis_study_lies_on_the_grid_of_its_bone_labels(real_data: Path, study: str) -> None:
    folder = real_data / "mri" / "pelvis_t1_coronal" / study
    volume = read(folder)
    bones, geometry = read_labels(folder / "bones.nii.gz")
    assert volume.geometry.same_grid(geometry)
    assert volume.series.role is Role.T1
    assert volume.series.slice_axis == 1
    assert 0.9 < volume.valid.mean() < 1
    # The scanner left the outermost row of these studies blank (exact zeros where marrow reads 350).
    inner = (slice(1, -1), slice(None), slice(1, -1))
    assert volume.valid[inner][bones[inner] > 0].mean() > 0.999
    blank = ~volume.valid[:, :, -1] & (bones[:, :, -1] > 0)
    assert np.all(volume.voxels[:, :, -1][blank] == 0)


def test_pelvis_studies_are_found_under_their_own_names(real_data: Path) -> None:
    studies = discover(sorted((real_data / "mri" / "pelvis_t1_coronal").glob("*/dicom")))
    assert [study.name for study in studies] == sorted(
        path.name for path in (real_data / "mri" / "pelvis_t1_coronal").iterdir()
    )
    assert all(study.chosen and study.problem is None for study in studies)


def test_every_odd_file_is_read_or_refused_with_words(real_data: Path) -> None:
    for path in sorted((real_data / "dicom_odd").rglob("*.dcm")):
        try:
            for study in discover([path]):
                assert study.chosen or study.problem is not None
                for series in study.series:
                    load(series)
        except GradingError as error:
            assert len(str(error)) > 20, path.name


def test_compressed_copies_decode_to_the_values_of_the_plain_one(real_data: Path) -> None:
    folder = real_data / "dicom_odd" / "compressed"
    plain = read(folder / "MR_small.dcm")
    for name in ("RLE", "bigendian", "expb", "implicit", "jp2klossless", "jpeg_ls_lossless", "padded"):
        assert read(folder / f"MR_small_{name}.dcm").series.digest == plain.series.digest, name
    reversible, lossy = read(folder / "MR2_J2KR.dcm"), read(folder / "MR2_J2KI.dcm")
    assert reversible.series.digest == read(folder / "MR2_UNCR.dcm").series.digest
    assert np.array_equal(lossy.voxels, read(folder / "MR2_UNCI.dcm").voxels)


def test_the_mixed_study_is_understood(real_data: Path) -> None:
    (study,) = discover([real_data / "dicom_odd" / "mixed_study_prostatex0218"])
    found = {series.info.name.split("-")[0]: series.info.role for series in study.series}
    assert found["02"] is Role.LOCALIZER
    assert found["06"] is Role.T2
    assert study.problem is not None
