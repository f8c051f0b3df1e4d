"""Options that cannot have their effect beside each other are refused by name."""

import pytest

from grading.cli import main


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--scale", "mercuri"], "--scale"),
        (["--masks", "maps"], "--masks"),
        (["--segmenter", "totalsegmentator"], "--segmenter"),
        (["--goutallier-edges", "0.1", "0.3"], "--goutallier-edges"),
        (["--include", "a*", "--force", "--workers", "2"], "--include, --force, --workers"),
        (["imaging"], "INPUT"),
    ],
)
def test_the_report_alone_takes_no_option_of_grading(capsys, tmp_path, words, named):
    (tmp_path / "studies").mkdir()
    with pytest.raises(SystemExit) as left:
        main(["run", *words, "-o", str(tmp_path), "--report-only"])
    assert left.value.code == 2
    said = capsys.readouterr().err
    assert all(word in said for word in (*named.split(", "), "exclude each other"))
    assert not (tmp_path / "studies.csv").exists()


def test_the_report_alone_takes_what_concerns_the_report(capsys, tmp_path):
    (tmp_path / "studies").mkdir()
    with pytest.raises(SystemExit) as left:
        main(["run", "-o", str(tmp_path), "--report-only", "--bids", "--quiet"])
    assert (left.value.code, capsys.readouterr().err) == (0, "")
