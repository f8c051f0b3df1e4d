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
        (["--include", "a*", "--force"], "--include, --force"),
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


@pytest.mark.parametrize("words", [["--bids"], ["imaging", "--workers", "2"]])
def test_the_report_alone_takes_what_concerns_the_report_or_changes_no_result(capsys, tmp_path, words):
    (tmp_path / "studies").mkdir()
    with pytest.raises(SystemExit) as left:
        main(["run", *words, "-o", str(tmp_path), "--report-only", "--quiet"])
    assert (left.value.code, capsys.readouterr().err) == (0, "")
