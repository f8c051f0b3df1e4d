"""NIfTI in any orientation is one image; what is written lies on the input's own grid."""

import itertools
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grading.errors import ConfigurationError, MixedSeries, UnreadableSeries
from grading.io.canonical import from_canonical, to_canonical
from grading.io.nifti import read_labels, read_nifti
from grading.io.nifti_write import write_nifti

ORIENTATIONS_48 = [
    "".join(letters)
    for axes in itertools.permutations([("R", "L"), ("A", "P"), ("S", "I")])
    for letters in itertools.product(*axes)
]
AFFINE = np.array([[0.9, 0.1, 0.0, -40], [-0.08, 1.1, 0.2, 12], [0.02, -0.1, 5.0, 7], [0, 0, 0, 1.0]])


def image(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 900, size=(9, 8, 7)).astype(np.int16)


def save(
    path: Path, voxels: np.ndarray, affine: np.ndarray = AFFINE, *, sform: int = 1, qform: int = 0
) -> Path:
    file = nib.Nifti1Image(voxels, affine)
    file.set_sform(affine if sform else None, code=sform)
    file.set_qform(affine if qform else None, code=qform)
    file.to_filename(path)
    return path


@pytest.mark.parametrize("orientation", ORIENTATIONS_48)
def test_all_48_orientations_are_one_image(tmp_path: Path, orientation: str) -> None:
    reference = read_nifti(save(tmp_path / "ras.nii", image()))
    stored, affine = from_canonical(image(), AFFINE, orientation)
    volume = read_nifti(save(tmp_path / "other.nii", stored, affine))
    assert volume.source_orientation == orientation
    assert np.array_equal(volume.voxels, reference.voxels)
    assert volume.series.digest == reference.series.digest
    assert volume.series.slice_axis == 2


@given(st.sampled_from(ORIENTATIONS_48))
@settings(max_examples=20, deadline=None)
def test_going_to_canonical_and_back_is_the_identity(orientation: str) -> None:
    stored, affine = from_canonical(image(), AFFINE, orientation)
    canonical, moved, codes = to_canonical(stored, affine)
    back, original = from_canonical(canonical, moved, codes)
    assert np.array_equal(back, stored)
    assert np.allclose(original, affine)


@pytest.mark.parametrize("orientation", ["RAS", "LPI", "ASR", "ILP"])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_what_is_written_lies_on_the_input_grid(tmp_path: Path, orientation: str, ending: str) -> None:
    stored, affine = from_canonical(image(), AFFINE, orientation)
    volume = read_nifti(save(tmp_path / f"in{ending}", stored, affine))
    labels = (volume.voxels > 450).astype(np.uint16) * 6101
    write_nifti(labels, volume, tmp_path / f"out{ending}")
    written = nib.load(tmp_path / f"out{ending}")
    assert np.allclose(written.affine, affine, atol=1e-4)
    assert np.array_equal(np.asarray(written.dataobj), (stored > 450) * 6101)
    assert written.get_data_dtype() == np.uint16
    assert int(written.header["sform_code"]) == int(written.header["qform_code"]) == 1
    read_back, geometry = read_labels(tmp_path / f"out{ending}")
    assert np.array_equal(read_back, labels)
    assert geometry.same_grid(volume.geometry)


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    volume = read_nifti(save(tmp_path / "in.nii", image()))
    write_nifti(volume.voxels, volume, tmp_path / "a.nii.gz")
    write_nifti(volume.voxels, volume, tmp_path / "b.nii.gz")
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_an_output_that_cannot_be_written_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    volume = read_nifti(save(tmp_path / "in.nii", image()))
    with pytest.raises(ConfigurationError, match=r"out\.nii\.gz cannot be written"):
        write_nifti(volume.voxels, volume, tmp_path / "absent" / "out.nii.gz")
    (tmp_path / "taken.nii.gz").mkdir()
    with pytest.raises(ConfigurationError):
        write_nifti(volume.voxels, volume, tmp_path / "taken.nii.gz")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_disagreeing_forms_are_told_in_mm(tmp_path: Path) -> None:
    file = nib.Nifti1Image(image(), AFFINE)
    moved = AFFINE.copy()
    moved[0, 3] += 12.5
    file.set_sform(AFFINE, code=1)
    file.set_qform(moved, code=1)
    file.to_filename(tmp_path / "x.nii")
    volume = read_nifti(tmp_path / "x.nii")
    finding = next(f for f in volume.findings if f.code == "sform_qform_disagree")
    assert np.allclose(volume.geometry.affine, AFFINE, atol=1e-5)
    assert float(finding.detail.split()[2]) == pytest.approx(12.5, abs=2.0)


def test_qform_alone_is_enough(tmp_path: Path) -> None:
    affine = np.diag([0.9, 1.1, 5.0, 1.0])
    volume = read_nifti(save(tmp_path / "x.nii", image(), affine, sform=0, qform=1))
    assert np.allclose(volume.geometry.affine, affine, atol=1e-5)
    assert volume.findings == ()


def test_scaled_values_are_signal(tmp_path: Path) -> None:
    file = nib.Nifti1Image(image(), AFFINE)
    file.header.set_slope_inter(0.5, 3.0)
    file.to_filename(tmp_path / "x.nii")
    reread = nib.load(tmp_path / "x.nii").get_fdata()
    assert read_nifti(tmp_path / "x.nii").voxels.max() == pytest.approx(reread.max())


def test_metres_are_converted(tmp_path: Path) -> None:
    file = nib.Nifti1Image(image(), np.diag([0.001, 0.001, 0.005, 1.0]))
    file.header.set_xyzt_units("meter")
    file.to_filename(tmp_path / "x.nii")
    assert read_nifti(tmp_path / "x.nii").geometry.spacing_mm == pytest.approx((1.0, 1.0, 5.0))


def test_a_single_volume_with_a_fourth_axis_is_an_image(tmp_path: Path) -> None:
    reference = read_nifti(save(tmp_path / "a.nii", image()))
    volume = read_nifti(save(tmp_path / "b.nii", image()[..., None]))
    assert volume.series.digest == reference.series.digest


def test_several_volumes_in_one_file_are_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(MixedSeries, match=r"holds 3 volumes .* split it"):
        read_nifti(save(tmp_path / "x.nii", np.stack([image()] * 3, axis=-1)))


def test_values_that_are_not_numbers_become_invalid_zeros(tmp_path: Path) -> None:
    voxels = image().astype(np.float32)
    voxels[1, 2, 3], voxels[4, 4, 4] = np.nan, np.inf
    volume = read_nifti(save(tmp_path / "x.nii", voxels))
    assert (~volume.valid).sum() == 2
    assert not volume.valid[1, 2, 3]
    assert volume.voxels[1, 2, 3] == volume.voxels[4, 4, 4] == 0


def test_an_image_without_a_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSeries, match="neither sform nor qform"):
        read_nifti(save(tmp_path / "x.nii", image(), sform=0))


@pytest.mark.parametrize(
    "affine", [np.diag([0.0, 1, 1, 1]), np.diag([np.nan, 1, 1, 1]), np.diag([900.0, 1, 1, 1])]
)
def test_an_impossible_affine_is_refused(tmp_path: Path, affine: np.ndarray) -> None:
    file = nib.Nifti1Image(image(), np.eye(4))
    file.header.set_sform(affine, code=1)
    file.header.set_qform(np.eye(4), code=0)
    path = tmp_path / "x.nii"
    content = bytearray(file.to_bytes())
    content[280:328] = affine[:3].astype("<f4").tobytes()  # srow_x, srow_y, srow_z
    path.write_bytes(bytes(content))
    with pytest.raises(UnreadableSeries, match="affine is not usable"):
        read_nifti(path)


def test_colour_is_refused(tmp_path: Path) -> None:
    rgb = np.zeros((4, 4, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(UnreadableSeries, match="colour"):
        read_nifti(save(tmp_path / "x.nii", rgb))


def test_constant_truncated_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSeries, match="constant"):
        read_nifti(save(tmp_path / "constant.nii", np.full((4, 4, 4), 3, np.int16)))
    whole = save(tmp_path / "whole.nii.gz", image()).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableSeries, match=r"cut\.nii\.gz"):
        read_nifti(tmp_path / "cut.nii.gz")
    (tmp_path / "text.nii").write_text("not an image")
    with pytest.raises(UnreadableSeries, match="not a readable NIfTI"):
        read_nifti(tmp_path / "text.nii")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_truncated_label_map_is_refused_as_damaged(tmp_path: Path, ending: str) -> None:
    path = save(tmp_path / f"seg{ending}", np.random.default_rng(0).integers(0, 9, (40, 40, 9), np.uint8))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableSeries, match="truncated or damaged"):
        read_labels(path)


def test_absurd_declared_shapes_are_refused_before_memory_is_given(tmp_path: Path) -> None:
    content = bytearray(nib.Nifti1Image(image(), AFFINE).to_bytes())
    content[42:48] = np.array([30000, 30000, 30000], dtype="<i2").tobytes()  # dim[1..3]
    (tmp_path / "x.nii").write_bytes(bytes(content))
    with pytest.raises(UnreadableSeries, match="27000000 million voxels"):
        read_nifti(tmp_path / "x.nii")


def test_labels_saved_as_floats_are_read_and_fractions_refused(tmp_path: Path) -> None:
    labels = (image() > 450).astype(np.float64) * 6112
    assert read_labels(save(tmp_path / "a.nii", labels))[0].max() == 6112
    with pytest.raises(UnreadableSeries, match="not whole numbers"):
        read_labels(save(tmp_path / "b.nii", labels / 5.3))
    with pytest.raises(UnreadableSeries, match="from 0 to 70000"):
        read_labels(save(tmp_path / "c.nii", (image() > 450).astype(np.int32) * 70000))
