"""A long list is cut with its length told, in the same words everywhere."""

from pathlib import Path

from grading.report.dicom_objects import archive_notice
from grading.report.label_map import EDITED, edited_notice
from grading.wording import listed


def test_a_list_that_fits_is_told_in_full():
    assert listed(["a", "b"], 2) == "a, b"
    assert listed([], 2) == ""


def test_a_longer_list_tells_how_many_it_leaves_out():
    assert listed(["a", "b", "c", "d", "e"], 2) == "a, b and 3 more"


def test_studies_left_unnamed_are_counted(tmp_path):
    folders = [tmp_path / f"s{number}" for number in range(7)]
    for folder in folders:
        folder.mkdir()
        Path(folder / EDITED).touch()
    for line in (*edited_notice(folders), *archive_notice(folders)):
        assert "s0, s1, s2, s3, s4 and 2 more" in line
