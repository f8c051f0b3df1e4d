"""Many studies: each for itself, none computed twice, nothing lost, everything accounted for."""

import csv
import json
import os
import shutil
from pathlib import Path

import pytest
from ellipsoid_hip import grid, hips
from hip_files import write_mask, write_nifti
from report_factory import report_of

import grading
from grading.batch import Pick, grade, plan_folder, rebuild
from grading.errors import (
    ConfigurationError,
    GridMismatchError,
    IncompleteSeries,
    SeriesNotFound,
    UnreadableSeries,
    UnsupportedContrast,
)
from grading.report import bids
from grading.report.folder import OutputFolder
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
def graded(in_this_process, monkeypatch):  # noqa: ARG001
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
    monkeypatch.setattr(grade, "grade_study", grades)
    monkeypatch.setattr(OutputFolder, "is_whole", lambda *_: True)  # reports by hand have no pictures
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
    assert list(again) == list(first)
    run(imaging, tmp_path / "out", force=True)
    assert len(graded) == 6


def test_a_changed_file_or_setting_is_computed_again_however_old_it_looks(imaging, graded, tmp_path):
    run(imaging, tmp_path / "out")
    graded.clear()
    image = imaging / "b_t1.nii.gz"
    times, content = image.stat(), bytearray(image.read_bytes())
    content[-9] ^= 1  # in the check sum: of the same length, and still an image as far as the header goes
    image.write_bytes(content)
    os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))
    run(imaging, tmp_path / "out")
    assert graded == ["b_t1"]
    graded.clear()
    run(imaging, tmp_path / "out", settings=Settings(scales=("quartile",)))
    assert len(graded) == 3


def test_a_touched_moved_or_copied_file_is_the_same_study(imaging, graded, tmp_path):
    run(imaging, tmp_path / "out")
    first = (tmp_path / "out" / "measurements.csv").read_bytes()
    graded.clear()
    os.utime(imaging / "b_t1.nii.gz", (1, 1))
    run(imaging, tmp_path / "out")
    run(imaging.rename(tmp_path / "moved"), tmp_path / "out")
    run(shutil.copytree(tmp_path / "moved", tmp_path / "copy"), tmp_path / "out")
    assert not graded
    assert (tmp_path / "out" / "measurements.csv").read_bytes() == first


def test_a_copied_study_keeps_its_name_when_its_first_label_map_is_given_at_the_same_time(
    imaging, graded, tmp_path
):
    run(imaging, tmp_path / "out")
    graded.clear()
    _, labels = hips(geometry=grid((10.0, 10.0, 10.0)))
    masks = write_mask(labels, tmp_path / "masks", "b_t1")
    copy = shutil.copytree(imaging, tmp_path / "copy")
    reports = run(copy, tmp_path / "out", settings=Settings(masks=masks))
    assert [report.name for report in reports] == ["a_t1", "b_t1", "c_t1"]


def test_studies_of_one_name_from_different_inputs_both_stay(imaging, graded, tmp_path):
    other, _ = hips(geometry=grid((10.0, 10.0, 10.0)), seed=1)
    write_nifti(other, tmp_path / "other", "a_t1")
    run(imaging, tmp_path / "out")
    before = (tmp_path / "out" / "studies" / "a_t1" / "report.json").read_bytes()
    for _ in range(2):
        (report,) = run(tmp_path / "other", tmp_path / "out")
        assert report.name.startswith("a_t1-")
    assert (tmp_path / "out" / "studies" / "a_t1" / "report.json").read_bytes() == before
    assert len(rows(tmp_path / "out")) == 4
    assert graded == ["a_t1", "b_t1", "c_t1", "a_t1"]
    run(imaging, tmp_path / "out")
    assert len(graded) == 4


def test_patterns_pick_studies_by_name_and_by_folder(imaging, graded, tmp_path):
    write_nifti(hips(geometry=grid((10.0, 10.0, 10.0)))[0], imaging / "site2", "d_t1")
    run(imaging, tmp_path / "out", pick=Pick(include=("[ab]_*", "site2"), exclude=("b*",)))
    assert graded == ["a_t1", "d_t1"]


def test_folders_match_however_the_input_is_written(imaging, graded, tmp_path, monkeypatch):
    write_nifti(hips(geometry=grid((10.0, 10.0, 10.0)))[0], imaging / "site2", "d_t1")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run(Path("../here/../imaging"), tmp_path / "out", pick=Pick(include=("site2",)))
    run(Path("../imaging"), tmp_path / "out", pick=Pick(exclude=("site2", "[ab]_*")))
    assert graded == ["d_t1", "c_t1"]


@pytest.mark.parametrize("pick", [Pick(include=("nosuch*",)), Pick(exclude=("*",))], ids=str)
def test_patterns_that_leave_no_study_are_refused(imaging, graded, tmp_path, pick):
    for do in (grading.grade_folder, plan_folder):
        with pytest.raises(ConfigurationError, match=r"no study matches --\w+ \S*\*: 3 found"):
            do(imaging, tmp_path / "out", pick=pick, progress=False)
    assert not graded
    assert not (tmp_path / "out").exists()


def test_a_limit_leaves_the_rest_for_later_and_says_so(imaging, graded, tmp_path):
    assert len(run(imaging, tmp_path / "out", pick=Pick(limit=2))) == 2
    assert [row["status"] for row in rows(tmp_path / "out")] == ["graded", "graded", "pending"]
    assert len(run(imaging, tmp_path / "out", pick=Pick(limit=2))) == 3
    assert graded == ["a_t1", "b_t1", "c_t1"]


def test_a_limit_on_a_forced_run_leaves_the_results_of_the_rest_as_they_are(imaging, graded, tmp_path):
    run(imaging, tmp_path / "out")
    assert len(run(imaging, tmp_path / "out", force=True, pick=Pick(limit=1))) == 3
    assert [row["status"] for row in rows(tmp_path / "out")] == ["graded"] * 3
    assert graded == ["a_t1", "b_t1", "c_t1", "a_t1"]


def test_an_outdated_grade_does_not_stand_in_the_tables_while_it_waits(imaging, graded, tmp_path):
    run(imaging, tmp_path / "out")
    graded.errors["a_t1"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(imaging, tmp_path / "out", settings=Settings(scales=("quartile",)))
    assert [row["status"] for row in rows(tmp_path / "out")] == ["pending"] * 3
    assert not rows(tmp_path / "out", "measurements.csv")


def test_an_outdated_grade_stays_out_of_the_tables_until_a_run_comes_to_it(imaging, graded, tmp_path):
    out = tmp_path / "out"
    run(imaging, out)
    quartile = Settings(scales=("quartile",))
    run(imaging, out, settings=quartile, pick=Pick(limit=1))
    rebuild(out)  # the tables made anew,
    run(imaging / "a_t1.nii.gz", out, settings=quartile)  # and a run on another study
    assert [row["status"] for row in rows(out)] == ["graded", "pending", "pending"]
    assert {row["study"] for row in rows(out, "measurements.csv")} == {"a_t1"}
    graded.clear()
    run(imaging, out, pick=Pick(exclude=("a*",)))  # with the settings that it was graded with
    assert [row["status"] for row in rows(out)] == ["graded"] * 3
    assert not graded


def test_an_outdated_grade_does_not_stand_in_the_bids_table_while_it_waits(
    imaging, graded, tmp_path, monkeypatch
):
    monkeypatch.setattr(bids, "_write_maps", lambda *_: None)  # reports by hand have none
    out = tmp_path / "out"
    run(imaging, out)
    results = run(imaging, out, settings=Settings(scales=("quartile",)), pick=Pick(limit=1))
    assert graded == ["a_t1", "b_t1", "c_t1", "a_t1"]
    table = results.folder.write_bids() / "phenotype" / "gluteal_measurements.tsv"
    assert [row["study"] for row in rows(out, "measurements.csv")] == ["a_t1"] * 8
    with table.open(encoding="utf-8", newline="") as file:
        assert [row["study"] for row in csv.DictReader(file, delimiter="\t")] == ["a_t1"]


def test_a_report_with_a_file_missing_is_computed_again(imaging, graded, tmp_path, monkeypatch):
    run(imaging, tmp_path / "out")
    monkeypatch.setattr(OutputFolder, "is_whole", lambda _, name: name != "b_t1")
    run(imaging, tmp_path / "out")
    assert graded == ["a_t1", "b_t1", "c_t1", "b_t1"]


def test_each_study_has_a_log_of_what_was_done(imaging, graded, tmp_path):
    graded.errors["b_t1"] = ValueError("Doe^Jane")
    run(imaging, tmp_path / "out")
    logs = {path.parent.name: path.read_text() for path in (tmp_path / "out").rglob("log.txt")}
    assert logs.keys() == {"a_t1", "b_t1", "c_t1"}
    assert "graded" in logs["a_t1"]
    assert "test_run.py line" in logs["b_t1"]
    assert "Doe" not in logs["b_t1"]


def test_a_failing_study_is_recorded_and_the_rest_goes_on(imaging, graded, tmp_path):
    graded.errors["b_t1"] = IncompleteSeries("series 5: gap of 8.0 mm after slice 14; re-export the series")
    results = run(imaging, tmp_path / "out")
    assert [type(r) for r in results] == [StudyReport, StudyFailure, StudyReport]
    assert repr(results) == f"<Results in {tmp_path / 'out'}: 2 graded, 1 failed>"
    failed = rows(tmp_path / "out")[1]
    assert (failed["study"], failed["status"]) == ("b_t1", "failed")
    assert "gap of 8.0 mm" in failed["reason"]
    assert {row["study"] for row in rows(tmp_path / "out", "measurements.csv")} == {"a_t1", "c_t1"}
    graded.errors.clear()
    graded.clear()
    assert all(isinstance(r, StudyReport) for r in run(imaging, tmp_path / "out"))
    assert graded == ["b_t1"]


def test_a_damaged_file_whose_name_is_no_text_does_not_end_the_run(imaging, graded, tmp_path):
    latin_1 = os.fsdecode(b"M\xfcller.nii.gz")  # as an old archive leaves it
    graded.errors["b_t1"] = UnreadableSeries(f"{latin_1}: not a readable NIfTI file; copy it again")
    run(imaging, tmp_path / "out")
    assert [row["status"] for row in rows(tmp_path / "out")] == ["graded", "failed", "graded"]
    assert rows(tmp_path / "out")[1]["reason"].startswith("M?ller.nii.gz: not a readable")


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
    assert reason.startswith("unexpected ValueError at test_run.py line")
    written = b"".join(p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert b"Doe" not in written
    run(imaging, tmp_path / "out", settings=Settings(identify=True))
    assert "Doe^Jane" in rows(tmp_path / "out")[0]["reason"]


@pytest.mark.parametrize("identify", [False, True])
def test_a_file_of_the_request_that_changed_since_the_run_began_is_not_named(
    imaging, graded, tmp_path, identify
):
    scheme, people = tmp_path / "DOE.json", tmp_path / "DOE.tsv"
    scheme.write_text('{"1": "gluteus_maximus_left"}')
    people.write_text("study\tsex\n")
    graded.errors["a_t1"] = ConfigurationError(f"label scheme {scheme.name} is not JSON")
    graded.errors["b_t1"] = ConfigurationError(f"participants table {people}: cannot be read")
    mine = {"masks": imaging, "scheme": str(scheme), "participants": people, "identify": identify}
    run(imaging, tmp_path / "out", settings=Settings(**mine))
    reasons = [row["reason"] for row in rows(tmp_path / "out")[:2]]
    if identify:
        assert reasons == [str(graded.errors[name]) for name in ("a_t1", "b_t1")]
    else:
        assert reasons == [
            "label scheme a file of the user's is not JSON",
            "participants table participants: cannot be read",
        ]
        failed = ("studies.csv", "index.html", "run.json", "failure.json", "log.txt")
        assert not [p for p in (tmp_path / "out").rglob("*") if p.name in failed and "DOE" in p.read_text()]


def test_an_interrupted_run_keeps_what_it_had(imaging, graded, tmp_path):
    graded.errors["c_t1"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(imaging, tmp_path / "out")
    assert [row["status"] for row in rows(tmp_path / "out")] == ["graded", "graded", "pending"]
    assert {row["study"] for row in rows(tmp_path / "out", "measurements.csv")} == {"a_t1", "b_t1"}
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


def test_a_scheme_participant_or_label_map_that_cannot_be_used_is_refused_before_a_study_is_touched(
    imaging, graded, tmp_path
):
    out, people, text = tmp_path / "out", tmp_path / "people.tsv", tmp_path / "map.txt"
    people.write_text("participant_id\tsex\na_t1\tF\n\nb_t1\tX\n")
    text.write_text("no image")
    run(imaging, out)
    before = sorted(out.rglob("*"))
    for settings, says in (
        (Settings(masks=imaging, scheme="muslemap"), "muslemap"),
        (Settings(masks=text), "must be NIfTI"),
        (Settings(participants=people), "people.tsv line 4: sex 'X'"),
        (Settings(participants=tmp_path / "nobody.tsv"), "cannot be read"),
    ):
        with pytest.raises(ConfigurationError, match=says):
            run(imaging, out, settings=settings)
    assert len(graded) == 3
    assert sorted(out.rglob("*")) == before


def test_a_label_map_of_one_study_is_not_laid_over_others(imaging, graded, tmp_path):
    masks = write_mask(hips(geometry=grid((10.0, 10.0, 10.0)))[1], tmp_path / "masks", "a_t1")
    one = Settings(masks=masks / "a_t1_seg.nii.gz")
    for do in (grading.grade_folder, plan_folder):
        with pytest.raises(ConfigurationError, match=r"a_t1_seg.nii.gz is one label map, and 3 studies"):
            do(imaging, tmp_path / "out", settings=one, progress=False)
    run(imaging, tmp_path / "out", settings=one, pick=Pick(include=("a_t1",)))
    assert graded == ["a_t1"]


def test_a_disk_that_fills_up_stops_the_run_with_the_reason(imaging, graded, tmp_path, monkeypatch):
    def full(*_):
        raise ConfigurationError("cannot write out: No space left on device; free space")

    monkeypatch.setattr(OutputFolder, "write_pictures", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        run(imaging, tmp_path / "out")
    assert graded == ["a_t1"]
    assert [row["status"] for row in rows(tmp_path / "out")] == ["pending"] * 3


@pytest.mark.usefixtures("graded")
def test_every_file_lies_inside_the_output_folder(imaging, tmp_path):
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    run(imaging, tmp_path / "out")
    new = {p for p in tmp_path.rglob("*") if p.is_file()} - before
    assert new
    assert all(tmp_path / "out" in p.parents for p in new)
    assert not [p for p in new if p.name.startswith(".")]


def test_a_changed_label_map_concerns_its_own_study_only(imaging, graded, tmp_path):
    _, labels = hips(geometry=grid((10.0, 10.0, 10.0)))
    for name in ("a_t1", "b_t1", "c_t1"):
        masks = write_mask(labels, tmp_path / "masks", name)
    run(imaging, tmp_path / "out", settings=Settings(masks=masks))
    graded.clear()
    (masks / "a_t1_seg.nii.gz").write_bytes((masks / "a_t1_seg.nii.gz").read_bytes() + b"0")
    run(imaging, tmp_path / "out", settings=Settings(masks=masks))
    assert graded == ["a_t1"]


def test_a_run_that_fails_leaves_the_corrected_label_maps_and_the_next_one_grades_them(
    imaging, graded, tmp_path
):
    out = tmp_path / "out"
    run(imaging, out)
    corrected = out / "studies" / "b_t1" / "segmentation.nii.gz"
    corrected.write_bytes(b"corrected by hand")
    graded.errors["b_t1"] = GridMismatchError("the label map has another grid")
    settings = Settings(masks=out / "studies")
    run(imaging, out, settings=settings)
    assert corrected.read_bytes() == b"corrected by hand"
    assert [row["status"] for row in rows(out)] == ["graded", "failed", "graded"]
    assert {row["study"] for row in rows(out, "measurements.csv")} == {"a_t1", "c_t1"}
    graded.errors.clear()
    graded.clear()
    run(imaging, out, settings=settings)
    assert graded == ["b_t1"], "those that were graded are not computed again: only label maps count"
    assert len(rows(out, "studies.csv")) == 3


@pytest.mark.real_data
def test_real_studies_are_graded_from_dicom_to_picture(real_data, tmp_path):
    study = real_data / "mri" / "pelvis_t1_coronal" / "pelvis07"
    settings = Settings(masks=Path(study / "reader_labels.nii.gz"))
    (report,) = run(study, tmp_path / "out", settings=settings)
    assert report.gradable
    assert {p.name for p in (tmp_path / "out" / "studies" / report.name).iterdir()} >= {
        "report.json", "segmentation.nii.gz", "fat_fraction.nii.gz", "overview.png",
    }  # fmt: skip
