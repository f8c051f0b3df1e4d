"""The output folder holds whole results only, inside itself only, and says when it cannot."""

import errno
import tempfile

import pytest
from report_factory import report_of

from grading.errors import ConfigurationError
from grading.report.entry import Entry
from grading.report.folder import OutputFolder
from grading.report.provenance import UNKNOWN_ORIGIN
from grading.report.study_report import StudyFailure, StudyReport
from grading.settings import Settings


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_results_of_earlier_runs_are_found_again(tmp_path):
    first = OutputFolder.open(tmp_path)
    first.add(report_of("a"))
    first.add(StudyFailure("b", "failed", "gap of 8.0 mm", 1.5, 100.0))
    again = OutputFolder.open(tmp_path)
    assert again.entries == first.entries
    assert again.load("a") == report_of("a")


def test_a_failure_takes_the_place_of_the_earlier_report_and_back(tmp_path):
    folder = OutputFolder.open(tmp_path)
    folder.add(report_of("a"))
    folder.add(StudyFailure("a", "failed", "truncated"))
    assert names(tmp_path / "studies" / "a") == ["failure.json"]
    folder.add(report_of("a"))
    assert names(tmp_path / "studies" / "a") == ["report.json"]
    assert isinstance(folder.load("a"), StudyReport)


def test_a_failure_takes_away_what_was_made_from_the_report_but_no_label_map(tmp_path):
    folder = OutputFolder.open(tmp_path)
    folder.add(report_of("a"))
    own = tmp_path / "studies" / "a"
    for name in ("segmentation.nii.gz", "segmentation.edited.nii.gz", "fat_fraction.nii.gz", "report.html"):
        (own / name).write_bytes(b"corrected")
    folder.add(StudyFailure("a", "failed", "truncated"))
    assert names(own) == ["failure.json", "segmentation.edited.nii.gz", "segmentation.nii.gz"]
    again = OutputFolder.open(tmp_path)
    again.tidy()
    again.write_tables()
    assert (tmp_path / "measurements.csv").read_text().count("\n") == 1, "the label map is no result"
    assert not again.is_whole("a")


def test_a_label_map_that_a_user_put_into_the_folder_before_any_run_stays(tmp_path):
    own = tmp_path / "studies" / "a"
    own.mkdir(parents=True)
    (own / "segmentation.nii.gz").write_bytes(b"drawn by hand")
    OutputFolder.open(tmp_path).tidy()
    assert names(own) == ["segmentation.nii.gz"]


@pytest.mark.parametrize("name", ["../a", "..", ".", "", "a/b", "a\\b", "/etc", "a\0b", ".hidden", "a\nb"])
def test_no_study_name_leads_out_of_the_folder(tmp_path, name):
    with pytest.raises(ConfigurationError, match="folder name"):
        OutputFolder.open(tmp_path / "out").add(report_of(name))
    assert names(tmp_path) == ["out"]


def test_a_damaged_or_renamed_report_counts_as_not_done(tmp_path):
    folder = OutputFolder.open(tmp_path)
    for name in ("damaged", "renamed", "sound"):
        folder.add(report_of(name))
    damaged = tmp_path / "studies" / "damaged" / "report.json"
    damaged.write_text(damaged.read_text()[:100])
    (tmp_path / "studies" / "renamed").rename(tmp_path / "studies" / "copy")
    assert set(OutputFolder.open(tmp_path).entries) == {"sound"}


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigurationError, match="is a file"):
        OutputFolder.open(tmp_path / "out")
    with pytest.raises(ConfigurationError, match=r"cannot write .*Not a directory"):
        OutputFolder.open(tmp_path / "out" / "below")


def test_a_full_disk_is_said_and_leaves_the_old_table_whole(tmp_path, monkeypatch):
    folder = OutputFolder.open(tmp_path)
    folder.add(report_of("a"))
    folder.write_tables()
    before = (tmp_path / "measurements.csv").read_bytes()

    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fdopen", lambda *_: Full())
    with pytest.raises(ConfigurationError, match=r"studies.csv: No space left.*choose another"):
        folder.write_tables()
    assert (tmp_path / "measurements.csv").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_a_folder_that_cannot_be_written_is_said_before_any_work(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        OutputFolder.open(tmp_path)


def test_the_same_results_make_the_same_bytes_in_any_order(tmp_path):
    texts = []
    for order in ("ab", "ba"):
        folder = OutputFolder.open(tmp_path / order)
        for name in order:
            folder.add(report_of(name))
        folder.write_tables()
        texts.append(
            [(tmp_path / order / f"{t}.csv").read_bytes() for t in ("measurements", "studies", "asymmetry")]
        )
    assert texts[0] == texts[1]


def test_what_the_run_notes_does_not_name_the_users_files(tmp_path):
    folder = OutputFolder.open(tmp_path)
    mine = {"scheme": "DOE.json", "scales": ("quartile", "DOE.toml"), "participants": tmp_path / "DOE.tsv"}
    folder.write_run(Settings(masks=tmp_path / "DOE_JANE", **mine), "00")
    assert "DOE" not in (tmp_path / "run.json").read_text()


def test_what_a_killed_run_left_half_done_is_removed_and_nothing_else(tmp_path):
    folder = OutputFolder.open(tmp_path)
    folder.add(report_of("done"))
    half = tmp_path / "studies" / "half"
    half.mkdir()
    for path in (tmp_path / ".studies.csv.a1b2c3d4", half / ".report.json.x_y_z_12", half / "overview.png"):
        path.write_bytes(b"part")
    kept = [tmp_path / ".gitignore", tmp_path / "notes.txt", half / "log.txt"]
    for path in kept:
        path.write_text("mine")
    folder.tidy()
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {*kept, tmp_path / "studies" / "done" / "report.json"}


def test_a_study_that_was_found_stays_accounted_for_when_the_run_dies(tmp_path):
    folder = OutputFolder.open(tmp_path)
    folder.hold(Entry.pending("a", UNKNOWN_ORIGIN, "not graded yet"))
    folder.write_run(Settings(), "00")
    (entry,) = OutputFolder.open(tmp_path).entries.values()
    assert (entry.name, entry.status) == ("a", "pending")
