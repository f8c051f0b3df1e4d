"""Many studies: each for itself, none computed twice, nothing lost, everything accounted for."""

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from ellipsoid_hip import grid, hips
from hip_files import write_mask, write_nifti
from report_factory import report_of

import grading
from grading import isolation
from grading.batch import fingerprint
from grading.errors import ConfigurationError, IncompleteSeries, SeriesNotFound, UnsupportedContrast
from grading.io.discover import discover
from grading.io.found import StudyFound
from grading.isolation import Job, run_in_processes
from grading.report.study_report import StudyFailure, StudyReport
from grading.settings import Settings


@pytest.fixture
def imaging(tmp_path):
    """Three studies, as empty-handed as a file of noise can be."""
    volume, _ = hips(geometry=grid((10.0, 10.0, 10.0)))
    for name in ("a_t1", "b_t1", "c_t1"):
        write_nifti(volume, tmp_path / "imaging", name)
    return tmp_path / "imaging"


@pytest.fixture
def graded(monkeypatch):
    """Replaces grading by a note of each study's name; maps a name to an error to raise it."""

    class Graded(list):
        errors: dict[str, Exception] = {}  # noqa: RUF012

        def __call__(self, study, *, settings):
            self.append(study.name)
            if study.name in self.errors:
                raise self.errors[study.name]
            return report_of(study.name, settings=settings)

    grades = Graded()
    grades.errors = {}
    monkeypatch.setattr(isolation, "grade_study", grades)
    return grades


def run(imaging, out, **options):
    return grading.grade_folder(imaging, out, progress=False, **options)


def rows(out, table="studies.csv"):
    with (out / table).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_finished_studies_are_not_computed_again(imaging, graded, tmp_path):
    first = run(imaging, tmp_path / "out")
    assert graded == ["a_t1", "b_t1", "c_t1"]
    again = run(imaging, tmp_path / "out")
    assert len(graded) == 3
    assert again == first
    run(imaging, tmp_path / "out", force=True)
    assert len(graded) == 6


def test_a_changed_file_or_setting_is_computed_again(imaging, graded, tmp_path):
    run(imaging, tmp_path / "out")
    graded.clear()
    os.utime(imaging / "b_t1.nii.gz", (1, 1))
    run(imaging, tmp_path / "out")
    assert graded == ["b_t1"]
    graded.clear()
    run(imaging, tmp_path / "out", settings=Settings(scales=("quartile",)))
    assert len(graded) == 3


def test_a_failing_study_is_recorded_and_the_rest_goes_on(imaging, graded, tmp_path):
    graded.errors["b_t1"] = IncompleteSeries("series 5: gap of 8.0 mm after slice 14; re-export the series")
    results = run(imaging, tmp_path / "out")
    assert [type(r) for r in results] == [StudyReport, StudyFailure, StudyReport]
    failed = rows(tmp_path / "out")[1]
    assert (failed["study"], failed["status"]) == ("b_t1", "failed")
    assert "gap of 8.0 mm" in failed["reason"]
    assert {row["study"] for row in rows(tmp_path / "out", "measurements.csv")} == {"a_t1", "c_t1"}
    graded.errors.clear()
    graded.clear()
    assert all(isinstance(r, StudyReport) for r in run(imaging, tmp_path / "out"))
    assert graded == ["b_t1"]


def test_one_bad_study_leaves_its_neighbours_tables_byte_equal(imaging, graded, tmp_path):
    run(imaging, tmp_path / "sound")
    graded.errors["b_t1"] = ValueError("x")
    run(imaging, tmp_path / "spoilt")

    def without_b(out):
        lines = (out / "measurements.csv").read_text().splitlines()
        return [line for line in lines if not line.startswith("b_t1")]

    assert without_b(tmp_path / "spoilt") == without_b(tmp_path / "sound")


def test_sound_input_without_what_is_needed_is_not_gradable_rather_than_failed(imaging, graded, tmp_path):
    graded.errors["a_t1"] = UnsupportedContrast("only STIR; a T1 is needed")
    run(imaging, tmp_path / "out")
    assert rows(tmp_path / "out")[0]["status"] == "not_gradable"


def test_an_unforeseen_error_names_its_place_but_not_the_patient(imaging, graded, tmp_path):
    graded.errors["a_t1"] = ValueError("could not convert 'Doe^Jane'")
    run(imaging, tmp_path / "out")
    reason = rows(tmp_path / "out")[0]["reason"]
    assert reason.startswith("unexpected ValueError at test_batch.py line")
    written = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert b"Doe" not in written
    run(imaging, tmp_path / "out", settings=Settings(identify=True))
    assert "Doe^Jane" in rows(tmp_path / "out")[0]["reason"]


def test_an_interrupted_run_keeps_what_it_had(imaging, graded, tmp_path):
    graded.errors["c_t1"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(imaging, tmp_path / "out")
    assert [row["study"] for row in rows(tmp_path / "out")] == ["a_t1", "b_t1"]
    assert len(rows(tmp_path / "out", "measurements.csv")) == 16
    assert json.loads((tmp_path / "out" / "run.json").read_text())["finished"] is False
    graded.errors.clear()
    graded.clear()
    run(imaging, tmp_path / "out")
    assert graded == ["c_t1"]
    assert json.loads((tmp_path / "out" / "run.json").read_text())["finished"] is True


@pytest.mark.usefixtures("graded")
def test_studies_of_earlier_runs_stay_in_the_tables(imaging, tmp_path):
    run(imaging / "a_t1.nii.gz", tmp_path / "out")
    (result,) = run(imaging / "b_t1.nii.gz", tmp_path / "out")
    assert result.name == "b_t1"
    assert [row["study"] for row in rows(tmp_path / "out")] == ["a_t1", "b_t1"]


@pytest.mark.usefixtures("graded")
def test_output_inside_the_input_is_not_taken_for_input(imaging):
    for _ in range(2):
        assert len(run(imaging, imaging / "out")) == 3


def test_what_cannot_work_is_refused_before_anything_is_written(imaging, graded, tmp_path):
    (tmp_path / "empty").mkdir()
    out = tmp_path / "out"
    for error, source, options in (
        (ConfigurationError, imaging, {"workers": 0}),
        (ConfigurationError, imaging, {"settings": Settings(scales=("heiberg",))}),
        (ConfigurationError, imaging, {"settings": Settings(masks=tmp_path / "nowhere")}),
        (ConfigurationError, [], {}),
        (SeriesNotFound, tmp_path / "empty", {}),
        (SeriesNotFound, tmp_path / "nowhere", {}),
    ):
        with pytest.raises(error):
            run(source, out, **options)
    with pytest.raises(ConfigurationError, match="is an input"):
        run(imaging, imaging)
    assert not graded
    assert not out.exists()


def test_a_disk_that_fills_up_stops_the_run_with_the_reason(imaging, graded, tmp_path, monkeypatch):
    from grading.report.folder import OutputFolder

    def full(*_):
        raise ConfigurationError("cannot write out: No space left on device; free space")

    monkeypatch.setattr(OutputFolder, "write_pictures", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        run(imaging, tmp_path / "out")
    assert graded == ["a_t1"]


@pytest.mark.usefixtures("graded")
def test_every_file_lies_inside_the_output_folder(imaging, tmp_path):
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    run(imaging, tmp_path / "out")
    new = {p for p in tmp_path.rglob("*") if p.is_file()} - before
    assert new
    assert all(tmp_path / "out" in p.parents for p in new)
    assert not [p for p in new if p.name.startswith(".")]


def test_a_study_is_the_same_study_wherever_its_folder_moves(imaging, tmp_path):
    before = fingerprint(discover([imaging])[0], Settings())
    imaging.rename(tmp_path / "moved")
    (study, *_) = discover([tmp_path / "moved"])
    assert fingerprint(study, Settings()) == before
    assert fingerprint(study, Settings(threads=1)) == before


def test_a_changed_label_map_is_another_result(imaging, tmp_path):
    _, labels = hips(geometry=grid((10.0, 10.0, 10.0)))
    settings = Settings(masks=write_mask(labels, tmp_path / "masks", "a_t1"))
    (study, other, _) = discover([imaging])
    before = fingerprint(study, settings), fingerprint(other, settings)
    os.utime(tmp_path / "masks" / "a_t1_seg.nii.gz", (1, 1))
    assert fingerprint(study, settings) != before[0]
    assert fingerprint(other, settings) == before[1]


class _Poison:
    """Ends the process that unpickles it, as the kernel does with one that takes too much memory."""

    def __reduce__(self):
        return os._exit, (9,)


def test_a_study_that_kills_its_process_fails_alone(tmp_path):
    problem = UnsupportedContrast("only STIR")
    studies = [StudyFound(name, (), (), problem) for name in ("a", "b", "c")]
    deadly = replace(studies[1], series=(_Poison(),))
    jobs = [Job(study, Settings(), tmp_path, "") for study in (studies[0], deadly, studies[2])]
    results = {result.name: result for result in run_in_processes(jobs, 2)}
    assert set(results) == {"a", "b", "c"}
    assert "ended abruptly" in results["b"].reason
    assert results["a"].reason == results["c"].reason == "only STIR"
    assert (tmp_path / "studies" / "b" / "failure.json").is_file()


@pytest.mark.real_data
def test_real_studies_are_graded_from_dicom_to_picture(real_data, tmp_path):
    study = real_data / "mri" / "pelvis_t1_coronal" / "pelvis07"
    settings = Settings(masks=Path(study / "reader_labels.nii.gz"))
    (report,) = run(study, tmp_path / "out", settings=settings)
    assert report.gradable
    assert {p.name for p in (tmp_path / "out" / "studies" / report.name).iterdir()} == {
        "report.json", "segmentation.nii.gz", "fat_fraction.nii.gz", "overview.png",
    }  # fmt: skip
