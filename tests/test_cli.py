"""The command: what it takes, what it says, and the code it leaves with."""

import json
import re

import pytest
from ellipsoid_hip import grid, hips
from hip_files import coronal_hips, write_mask, write_nifti
from report_factory import absent, report_of

from grading.anatomy import Muscle, Side
from grading.batch import grade, run
from grading.cli import main
from grading.errors import UnsupportedContrast


def command(capsys, *words):
    """Exit code, output and error text of one command."""
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return left.value.code, said.out, said.err


@pytest.fixture
def imaging(tmp_path):
    volume, _ = hips(geometry=grid((10.0, 10.0, 10.0)))
    for name in ("a_t1", "b_t1"):
        write_nifti(volume, tmp_path / "imaging", name)
    return tmp_path / "imaging"


@pytest.fixture
def seen(monkeypatch, in_this_process):  # noqa: ARG001
    """Settings that reached the grading, which is replaced."""
    found = []

    def grade_study(study, *, settings):
        found.append(settings)
        return report_of(study.name)

    monkeypatch.setattr(grade, "grade_study", grade_study)
    return found


@pytest.mark.usefixtures("seen")
def test_a_graded_folder_leaves_with_0_and_a_table(capsys, imaging, tmp_path):
    code, out, _ = command(capsys, "run", imaging, "-o", tmp_path / "out")
    assert code == 0
    assert "a_t1" in out
    assert "not a medical device" in out
    assert f"pictures to look at: {tmp_path / 'out' / 'index.html'}\n" in out
    assert (tmp_path / "out" / "measurements.csv").is_file()


@pytest.mark.usefixtures("in_this_process")
def test_one_study_without_a_grade_leaves_with_1(capsys, imaging, monkeypatch, tmp_path):
    def grade_study(study, **_):
        if study.name == "a_t1":
            raise UnsupportedContrast("only STIR; a T1 is needed")
        return report_of(study.name)

    monkeypatch.setattr(grade, "grade_study", grade_study)
    code, out, _ = command(capsys, "run", imaging, "-o", tmp_path / "out")
    assert code == 1
    assert "only STIR" in out


@pytest.mark.usefixtures("in_this_process")
def test_a_study_in_which_nothing_is_gradable_leaves_with_1(capsys, imaging, monkeypatch, tmp_path):
    nothing = [absent(Muscle.GLUTEUS_MAXIMUS, Side.LEFT)]
    monkeypatch.setattr(grade, "grade_study", lambda study, **_: report_of(study.name, nothing))
    assert command(capsys, "run", imaging, "-o", tmp_path / "out")[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ["run"],
        ["run", "IMAGING"],
        ["run", "nowhere", "-o", "OUT"],
        ["run", "EMPTY", "-o", "OUT"],
        ["run", "IMAGING", "-o", "FILE"],
        ["run", "IMAGING", "-o", "OUT", "--scale", "heiberg"],
        ["run", "IMAGING", "-o", "OUT", "--contrast", "ct"],
        ["run", "IMAGING", "-o", "OUT", "--side", "middle"],
        ["run", "IMAGING", "-o", "OUT", "--workers", "0"],
        ["run", "IMAGING", "-o", "OUT", "--workers", "many"],
        ["run", "IMAGING", "-o", "OUT", "--segmenter", "masks"],
        ["run", "IMAGING", "-o", "OUT", "--segmenter", "nnunet"],
        ["run", "IMAGING", "-o", "OUT", "--cluster", "tcp://"],
        ["run", "IMAGING", "-o", "OUT", "--timeout", "-1"],
        ["run", "IMAGING", "-o", "OUT", "--memory-limit", "0"],
        ["run", "IMAGING", "-o", "OUT", "--limit", "0"],
        ["run", "-o", "OUT"],
        ["run", "-o", "OUT", "--report-only"],
        ["run", "-o", "OUT", "--report-only", "--dry-run"],
        ["run", "IMAGING", "-o", "OUT", "--include", "nosuch*"],
        ["run", "IMAGING", "-o", "OUT", "--masks", "IMAGING", "--scheme", "muslemap"],
        ["run", "IMAGING", "-o", "OUT", "--scheme", "totalsegmentator"],
        ["run", "IMAGING", "-o", "OUT", "--resample-masks"],
        ["run", "IMAGING", "-o", "OUT", "--no-such-option"],
        ["inspect", "nowhere"],
        ["heal"],
    ],
    ids=" ".join,
)
def test_what_cannot_run_leaves_with_2_and_one_line(capsys, imaging, seen, tmp_path, words):
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "FILE").write_text("")
    places = {
        "IMAGING": imaging,
        "OUT": tmp_path / "OUT",
        "EMPTY": tmp_path / "EMPTY",
        "FILE": tmp_path / "FILE",
    }
    code, out, err = command(capsys, *[places.get(word, word) for word in words])
    assert code == 2
    assert out == ""
    assert re.fullmatch(r"error: [^\n]{10,}\n", err)
    assert not seen


def test_every_choice_reaches_the_grading(capsys, imaging, seen, tmp_path):
    _, labels = hips(geometry=grid((10.0, 10.0, 10.0)))
    masks = write_mask(labels, tmp_path / "masks", "a_t1")
    command(
        capsys, "run", imaging, "--out", tmp_path / "out", "--masks", masks, "--scheme", "totalsegmentator",
        "--scale", "quartile", "--contrast", "t1", "--side", "left", "--identify", "--resample-masks",
    )  # fmt: skip
    settings = seen[0]
    assert (settings.segmenter, settings.masks, settings.scheme) == ("masks", masks, "totalsegmentator")
    assert (settings.scales, settings.contrast, settings.side) == (("quartile",), "t1", Side.LEFT)
    assert settings.identify
    assert settings.resample_masks


def test_inspect_shows_studies_and_writes_nothing(capsys, imaging):
    before = sorted(imaging.rglob("*"))
    code, out, _ = command(capsys, "inspect", imaging)
    assert code == 0
    assert "a_t1" in out
    assert "*" in out
    assert sorted(imaging.rglob("*")) == before


def test_archives_beside_studies_are_told_by_inspect_and_by_a_run(capsys, imaging, tmp_path):
    (imaging / "c.zip").write_bytes(b"PK")
    line = "left out: 1 archive (1 .zip), to be unpacked first"
    assert line in command(capsys, "inspect", imaging)[1]
    assert line in command(capsys, "run", imaging, "-o", tmp_path / "out", "--dry-run")[2]
    assert line not in command(capsys, "run", imaging, "-o", tmp_path / "out", "--dry-run", "--quiet")[2]


def test_an_unforeseen_error_is_one_line_without_traceback(capsys, imaging, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise RuntimeError("Doe^Jane")

    monkeypatch.setattr(run, "discover", fail)
    code, _, err = command(capsys, "run", imaging, "-o", tmp_path / "out")
    assert code == 2
    assert "Traceback" not in err
    assert "Doe" not in err
    assert "RuntimeError" in err


@pytest.mark.usefixtures("in_this_process")
def test_an_interrupted_command_says_how_to_go_on(capsys, imaging, monkeypatch, tmp_path):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(grade, "grade_study", interrupt)
    code, _, err = command(capsys, "run", imaging, "-o", tmp_path / "out")
    assert code == 130
    assert "run the same command again" in err


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_and_version_leave_with_0(capsys, words):
    code, out, _ = command(capsys, *words)
    assert code == 0
    assert out


def test_the_help_offers_no_option_that_nobody_meant(capsys):
    _, out, _ = command(capsys, "run", "--help")
    assert not re.findall(r"--(?:no|empty)-\S+", out)


def test_from_files_to_files(capsys, tmp_path):
    volume, labels = coronal_hips()
    image = write_nifti(volume, tmp_path / "imaging", "hip=cmd()_t1")
    masks = write_mask(labels, tmp_path / "masks", "x")
    code, out, err = command(capsys, "run", image, "-o", tmp_path / "out", "--masks", next(masks.iterdir()))
    assert code == 0, err
    assert "maximus" in out
    (study,) = (tmp_path / "out" / "studies").iterdir()
    assert re.fullmatch(r"[A-Za-z0-9._-]+", study.name)
    assert {path.name for path in study.iterdir()} >= {
        "report.json", "report.html", "segmentation.nii.gz", "fat_fraction.nii.gz", "overview.png",
        "thumbnail.png", "log.txt",
    }  # fmt: skip


@pytest.mark.usefixtures("seen")
def test_studies_that_a_limit_leaves_for_later_are_told(capsys, imaging, tmp_path):
    words = ("run", imaging, "-o", tmp_path / "out")
    waits = "1 study waits for a grade, pending in studies.csv"
    assert waits in command(capsys, *words, "--limit", "1")[1]
    assert waits not in command(capsys, *words)[1]


@pytest.mark.usefixtures("seen")
def test_a_participants_table_that_does_not_name_a_study_is_told(capsys, imaging, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("study,sex\na_t1,F\nB_T1,M\n")
    _, out, _ = command(capsys, "run", imaging, "-o", tmp_path / "out", "--participants", people)
    assert re.search(r"no row in the participants table,[^:]*: b_t1$", out, flags=re.MULTILINE)


@pytest.mark.usefixtures("seen")
def test_a_quiet_run_prints_nothing(capsys, imaging, tmp_path):
    assert command(capsys, "run", imaging, "-o", tmp_path / "out", "--quiet") == (0, "", "")


@pytest.mark.usefixtures("seen")
def test_the_json_log_has_an_event_per_study_and_nothing_else(capsys, imaging, tmp_path):
    code, out, _ = command(capsys, "run", imaging, "-o", tmp_path / "out", "--json-log", "--quiet")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [event["event"] for event in events] == ["begin", "study", "study", "end"]
    assert [event.get("study") for event in events[1:3]] == ["a_t1", "b_t1"]


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(capsys, imaging, seen, tmp_path):
    code, out, _ = command(capsys, "run", imaging, "-o", tmp_path / "out", "--dry-run", "--limit", "1")
    assert code == 0
    assert "1 will be graded" in out
    assert "1 left for a later run" in out
    assert not seen
    assert not (tmp_path / "out").exists()


def test_tables_are_made_anew_without_input(capsys, imaging, seen, tmp_path):
    command(capsys, "run", imaging, "-o", tmp_path / "out")
    tables = {path: path.read_bytes() for path in (tmp_path / "out").glob("*.csv")}
    for path in tables:
        path.unlink()
    assert command(capsys, "run", "-o", tmp_path / "out", "--report-only", "--quiet")[0] == 0
    assert {path: path.read_bytes() for path in (tmp_path / "out").glob("*.csv")} == tables
    assert len(seen) == 2


@pytest.mark.usefixtures("seen")
def test_a_dry_run_of_the_report_is_refused_and_writes_nothing(capsys, imaging, tmp_path):
    command(capsys, "run", imaging, "-o", tmp_path / "out")
    (tmp_path / "out" / "index.html").unlink()
    code, _, err = command(capsys, "run", "-o", tmp_path / "out", "--report-only", "--dry-run")
    assert code == 2
    assert "exclude each other" in err
    assert not (tmp_path / "out" / "index.html").exists()


@pytest.mark.usefixtures("seen")
def test_dicom_objects_from_results_alone_are_refused_rather_than_left_out(capsys, imaging, tmp_path):
    command(capsys, "run", imaging, "-o", tmp_path / "out")
    code, _, err = command(capsys, "run", "-o", tmp_path / "out", "--report-only", "--dicom")
    assert code == 2
    assert "needs images" in err


@pytest.mark.usefixtures("seen")
def test_a_run_that_is_refused_takes_no_decisions_over(capsys, imaging, tmp_path):
    exported = tmp_path / "exported.csv"
    exported.write_text("study,decision,note\na_t1,reject,motion\n")
    for words in ([imaging, "--scale", "heiberg"], [tmp_path / "nowhere"], ["--report-only"]):
        code, _, _ = command(capsys, "run", *words, "-o", tmp_path / "out", "--decisions", exported)
        assert code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("seen")
def test_decisions_are_taken_over_with_the_results_alone(capsys, imaging, tmp_path):
    exported = tmp_path / "exported.csv"
    exported.write_text("study,decision,note\na_t1,reject,motion\n")
    command(capsys, "run", imaging, "-o", tmp_path / "out")
    command(capsys, "run", "-o", tmp_path / "out", "--report-only", "--decisions", exported)
    assert "a_t1" not in (tmp_path / "out" / "measurements.csv").read_text()


@pytest.mark.usefixtures("seen")
def test_a_readers_decisions_are_said_and_honoured(capsys, imaging, tmp_path):
    exported = tmp_path / "exported.csv"
    exported.write_text("study,decision,note\na_t1,reject,motion\nb_t1,fix,border of minimus\n")
    words = ("run", imaging, "-o", tmp_path / "out", "--decisions", exported)
    code, out, _ = command(capsys, *words)
    assert code == 0
    assert "to fix: b_t1: border of minimus" in out
    assert "not in the tables: a_t1" in out
    table = (tmp_path / "out" / "measurements.csv").read_text()
    assert "b_t1" in table
    assert "a_t1" not in table
    exported.write_text("study,decision,note\na_t1,perhaps,\n")
    code, _, err = command(capsys, *words)
    assert code == 2
    assert "line 2" in err
