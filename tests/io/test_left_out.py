"""Files beside images that may hold images too."""

from collections import Counter
from pathlib import Path

import pytest
from dicom_factory import image, save, slices

from grading.io.discover import discover
from grading.io.left_out import ending_of, left_out


@pytest.mark.parametrize(
    ("name", "ending"),
    [("p1.ZIP", ".zip"), ("p1.tar.gz", ".tar.gz"), ("v1.2.tar", ".tar"), ("IM1.dcm.gz", ".dcm.gz"),
     ("sub-01_physio.tsv.gz", ".gz"), ("README", "no ending")],
)  # fmt: skip
def test_an_archive_is_known_by_its_whole_ending(name: str, ending: str) -> None:
    assert ending_of(Path(name)) == ending


def test_tables_that_are_packed_are_nothing_to_unpack() -> None:
    assert left_out(Counter({".gz": 3, ".json": 2, ".pdf": 1})) == ""


def test_archives_and_foreign_images_beside_a_study_are_told_in_a_line(tmp_path: Path) -> None:
    save(slices(image()), tmp_path / "p1")
    for name in ("p2.zip", "p3.zip", "p4.tar.gz", "p1/lesion.nrrd", "notes.txt"):
        (tmp_path / name).write_bytes(b"PK")
    lines: list[str] = []
    assert [study.name for study in discover([tmp_path], tell=lines.append)] == ["p1"]
    assert lines == [
        (
            "left out: 3 archives (2 .zip, 1 .tar.gz), to be unpacked first; "
            "1 file (1 .nrrd), of an image format not read here, to be converted to NIfTI first"
        )
    ]
