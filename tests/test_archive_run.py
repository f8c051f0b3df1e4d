"""A run that also writes for the archive and for research: its files, whose name they hold, what it says."""

from dataclasses import replace
from pathlib import Path

import pytest
from ellipsoid_hip import grid, hips
from hip_files import write_dicom, write_mask, write_nifti

import grading
from grading.cli import main
from grading.report.study_report import StudyReport
from grading.volume import Segmentation, Volume

pytest.importorskip("highdicom", reason="DICOM output needs the extra: pip install 'grading[dicom]'")

NAMES = (b"Jane", b"PID-4711")


def small_hips() -> tuple[Volume, Segmentation]:
    """Image and true labels, coarse: what is written is asked here, not how well it is measured."""
    return hips(0.3, geometry=grid((6.0, 8.0, 6.0)), slice_axis=1)


@pytest.fixture
def imaging(tmp_path) -> Path:
    """A DICOM study and a NIfTI study of the same hips, with label maps."""
    volume, labels = small_hips()
    write_dicom(volume, tmp_path / "imaging" / "scanned", FrameOfReferenceUID="1.2.3")
    write_nifti(volume, tmp_path / "imaging", "converted_t1")
    for name in ("scanned", "converted_t1"):
        write_mask(labels, tmp_path / "masks", name)
    return tmp_path / "imaging"


def command(imaging: Path, out: Path, *options: str) -> int:
    words = ["run", str(imaging), "-o", str(out), "--masks", str(out.parent / "masks"), *options]
    with pytest.raises(SystemExit) as left:
        main(words)
    return int(left.value.code)


@pytest.fixture
def out(imaging, in_this_process, tmp_path, capsys) -> Path:  # noqa: ARG001
    """The output of a run with --dicom and --bids; what it said is in `said.txt` beside it."""
    assert command(imaging, tmp_path / "out", "--dicom", "--bids") == 0
    said = capsys.readouterr()
    (tmp_path / "said.txt").write_text(said.out + said.err)
    return tmp_path / "out"


def test_dicom_and_bids_are_written_and_the_rest_stays_free_of_the_patients_name(out, imaging):
    files = [path for path in out.rglob("*") if path.is_file()]
    naming = {path.name for path in files if any(name in path.read_bytes() for name in NAMES)}
    assert naming == {"segmentation.dcm", "report.dcm"}
    said = " ".join((out.parent / "said.txt").read_text().split())
    assert not [name for name in NAMES if name.decode() in said]
    assert "carry the patient's name and identifiers" in said
    assert "No DICOM objects for 1 of 2 studies (converted_t1)" in said
    report = StudyReport.from_json((out / "studies" / "converted_t1" / "report.json").read_text())
    (finding,) = [f for f in report.findings if f.code == "dicom_not_written"]
    assert "nifti images" in finding.detail
    assert report.gradable
    assert (out / "bids" / "sub-scanned" / "anat" / "sub-scanned_desc-muscles_dseg.nii.gz").is_file()
    assert (out / "measurements.json").is_file()

    assert command(imaging / "scanned", out) == 0  # once more, no longer for the archive
    assert not list(out.rglob("*.dcm")), "objects of an earlier report must not outlive it"


def test_saving_a_report_from_python_writes_the_objects_too(imaging, tmp_path):
    _, labels = small_hips()
    report = grading.grade_study(imaging / "scanned", segmentation=labels)
    one = replace(report, muscles=report.muscles[:1])  # each row is slow to write
    folder = one.save(tmp_path / "saved", dicom=True)
    assert {"segmentation.dcm", "report.dcm"} <= {path.name for path in folder.iterdir()}
