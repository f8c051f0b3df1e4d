"""Input made to do harm, or by nobody at all: it is refused or named in a line, and reaches nothing else."""

import ast
import csv
import gzip
import os
import re
import resource
import shutil
import struct
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from ellipsoid_hip import grid, hips
from hip_files import coronal_hips, write_dicom, write_mask, write_nifti
from pydicom import Dataset
from pydicom.sequence import Sequence as Items

import grading
import grading.io.discover
from benchmarks.fuzz_readers import damaged, seeds
from grading.batch import worker
from grading.cli import main
from grading.errors import GradingError, SegmentationError
from grading.segment import model
from grading.settings import Settings
from tests.io.dicom_factory import save, slices

PACKAGE = Path(grading.__file__).parent
NO_NETWORK = """
import sys
def refuse(event, _):
    if event.startswith("socket.") or event == "pickle.find_class":
        raise PermissionError(event)
sys.addaudithook(refuse)
"""
IDENTITY = {
    "PatientName": "Quuxfeldt^Zebulonia", "PatientID": "PID-8071534", "PatientBirthDate": "19470823",
    "AccessionNumber": "ACC7741290",
}  # fmt: skip
TOKENS = (b"quuxfeldt", b"zebulonia", b"8071534", b"19470823", b"7741290")


def content_of(folder: Path) -> dict[Path, bytes]:
    """Every output file's path and bytes, unpacked where they are packed."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {p: gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes() for p in files}


@pytest.fixture
def walled(monkeypatch):
    """Grading processes may neither use the network nor load a pickled object."""
    monkeypatch.setattr(worker, "_START", NO_NETWORK + worker._START)


@pytest.mark.usefixtures("walled")
def test_no_byte_of_a_run_names_the_patient_and_none_comes_from_the_network(capfd, tmp_path):
    volume, labels = coronal_hips()
    place = tmp_path / "archive" / "QUUXFELDT_Zebulonia" / "ACC7741290" / "t1 Quuxfeldt 19470823"
    write_dicom(volume, place, **IDENTITY, SeriesDescription="t1_tse Quuxfeldt PID-8071534 ACC7741290")
    masks = next(write_mask(labels, tmp_path / "masks", "x").iterdir())
    with pytest.raises(SystemExit) as left:
        main(["run", str(tmp_path / "archive"), "-o", str(tmp_path / "out"), "--masks", str(masks)])
    said = capfd.readouterr()
    assert left.value.code == 0, said.err
    written = content_of(tmp_path / "out")
    assert len(written) > 8
    written[tmp_path / "terminal"] = (said.out + said.err).encode()
    for path, content in written.items():
        named = content.lower() + str(path.relative_to(tmp_path)).lower().encode()
        assert not [token for token in TOKENS if token in named], path.name


def test_the_package_neither_unpickles_nor_evaluates_nor_opens_connections():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] + [getattr(node, "module", None) or ""]
                modules = {name.split(".")[0] for name in names}
                forbidden = {"pickle", "marshal", "shelve", "urllib3", "requests", "http", "ftplib"}
                assert not modules & forbidden, path
                assert "urllib.request" not in names, path
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "__import__"}, path
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert ast.unparse(node.value) == "False", path


@pytest.mark.usefixtures("in_this_process")
def test_names_that_are_commands_reach_neither_files_tables_nor_terminal_as_such(capfd, tmp_path):
    volume, _ = hips(geometry=grid((20.0, 20.0, 20.0)))
    plain = write_nifti(volume, tmp_path / "imaging", "plain_t1")
    shouts = "\x1b[2J\x1b]0;owned\x07"
    names = [
        "=cmd|' C calc'!A0_t1",
        f"{shouts}_t1",
        'two\nlines,"quoted"_t1',
        "😀𝕏_t1",
        "-2+3_t1",
        "@SUM(1)_t1",
    ]
    for name in (*names, "<script>alert(1)</script>"[:8] + "_t1"):
        shutil.copy(plain, tmp_path / "imaging" / f"{name}.nii.gz")
    with pytest.raises(SystemExit) as left:
        main(
            [
                "run",
                str(tmp_path / "imaging"),
                "-o",
                str(tmp_path / "out"),
                "--masks",
                str(plain.parent),
                "--identify",
            ]
        )
    said = capfd.readouterr()
    assert left.value.code == 1, said.err
    studies = [path.name for path in (tmp_path / "out" / "studies").iterdir()]
    assert len(studies) == len(names) + 2
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in studies)
    written = content_of(tmp_path / "out")
    texts = [
        c.decode("utf-8") for path, c in written.items() if path.suffix in (".csv", ".html", ".json", ".txt")
    ]
    for text in (said.out, said.err, *texts):
        assert not {"\x1b", "\x07", "\x9b"} & set(text)
        assert "<script>_t1" not in text
    with (tmp_path / "out" / "studies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["study"] for row in rows) == sorted(studies)
    assert not [cell for row in rows for cell in row.values() if cell and cell[0] in "=+-@"]
    assert {path.name for path in tmp_path.iterdir()} == {"imaging", "out"}


def test_circles_of_links_and_special_files_are_passed_over(tmp_path):
    folder = tmp_path / "imaging"
    volume, _ = hips(geometry=grid((20.0, 20.0, 20.0)))
    write_nifti(volume, folder, "a_t1")
    (folder / "self").symlink_to("self")
    (folder / "up").symlink_to(folder)
    (folder / "gone").symlink_to("nowhere")
    (folder / "twice.nii.gz").symlink_to("a_t1.nii.gz")
    os.mkfifo(folder / "pipe.nii")
    (folder / "lost+found").mkdir(mode=0o000)
    (study,) = grading.io.discover.discover([folder])
    assert study.name == "a_t1"


BOMBS = {
    "huge slices": {"Rows": 65535, "Columns": 65535, "NumberOfFrames": 10000},
    "one huge slice": {"Rows": 10000, "Columns": 10000},
    "more frames than bytes": {"Rows": 1, "Columns": 1, "NumberOfFrames": 100_000_000},
    "a colossal number": {"Rows": 1, "Columns": 1, "NumberOfFrames": "9" * 11},
}


@pytest.mark.parametrize("tags", BOMBS.values(), ids=BOMBS)
def test_a_small_file_that_declares_a_huge_image_is_refused_at_once(tmp_path, tags):
    series = slices(np.ones((8, 8, 3), np.uint16))
    for instance in series:
        for keyword, value in tags.items():
            setattr(instance, keyword, value)
    save(series, tmp_path)
    _refused_at_once(tmp_path, r"declares|truncated")


def test_a_packed_bomb_is_refused_by_its_header(tmp_path):
    header = nib.Nifti1Image(np.zeros((2, 2, 2), np.uint8), np.eye(4)).header
    header.set_data_shape((4096, 4096, 64))
    header.set_sform(np.diag([1.0, 1.0, 1.0, 1.0]), code=1)
    with gzip.open(tmp_path / "bomb_t1.nii.gz", "wb", compresslevel=9) as file:
        file.write(header.binaryblock + bytes(4 + 10_000_000))
    _refused_at_once(tmp_path / "bomb_t1.nii.gz", "million voxels")


def test_sequences_in_sequences_without_end_are_refused_or_read(tmp_path):
    inner = Dataset()
    for _ in range(200):
        outer = Dataset()
        outer.SharedFunctionalGroupsSequence = Items([inner])
        inner = outer
    series = slices(np.arange(192, dtype=np.uint16).reshape(8, 8, 3))
    for instance in series:
        instance.SharedFunctionalGroupsSequence = inner.SharedFunctionalGroupsSequence
    save(series, tmp_path)
    try:
        grading.read(tmp_path)
    except GradingError as error:
        assert "damaged" in str(error)


@pytest.mark.parametrize(
    "affine",
    [
        np.diag([1e30, 1e30, 1e30, 1.0]),
        np.diag([1e-30, 1.0, 1.0, 1.0]),
        np.full((4, 4), np.inf),
        np.array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    ],
    ids=["a universe", "an atom", "nowhere", "flat"],
)
def test_an_absurd_affine_is_refused(tmp_path, affine):
    image = nib.Nifti1Image(np.arange(64, dtype=np.int16).reshape(4, 4, 4), np.eye(4))
    content = bytearray(image.to_bytes())
    content[254:256] = struct.pack("<h", 1)  # sform_code
    content[280:328] = affine[:3].astype("<f4").tobytes()  # srow_x, srow_y, srow_z
    (tmp_path / "x_t1.nii").write_bytes(content)
    with pytest.raises(GradingError, match="affine"):
        grading.read(tmp_path / "x_t1.nii")


def test_negative_spacing_is_refused(tmp_path):
    save(slices(np.arange(192, dtype=np.uint16).reshape(8, 8, 3), pixel_spacing=(-0.8, 1.2)), tmp_path)
    with pytest.raises(GradingError, match="not positive"):
        grading.read(tmp_path)


def test_a_unit_of_length_that_does_not_exist_reads_as_unknown(tmp_path):
    content = bytearray(nib.Nifti1Image(np.arange(64, dtype=np.int16).reshape(4, 4, 4), np.eye(4)).to_bytes())
    content[123] = 7  # xyzt_units: found by fuzzing
    content[254:256] = struct.pack("<h", 1)
    (tmp_path / "x_t1.nii").write_bytes(content)
    assert grading.read(tmp_path / "x_t1.nii").geometry.spacing_mm == pytest.approx((1.0, 1.0, 1.0))


def test_two_transfer_syntaxes_are_refused(tmp_path):
    series = slices(np.arange(192, dtype=np.uint16).reshape(8, 8, 3))
    for path in save(series, tmp_path).iterdir():
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1", b"1.2.840.10008\\1.2.1"))
    with pytest.raises(GradingError, match="no known way of storing pixels"):
        grading.read(tmp_path)


@pytest.mark.parametrize("kind", [b"MW", b"US"])  # found by fuzzing: no type at all, and numbers for bytes
def test_pixels_of_a_wrong_type_are_refused(tmp_path, kind):
    for path in save(slices(np.arange(192, dtype=np.uint16).reshape(8, 8, 3)), tmp_path).iterdir():
        content = path.read_bytes()
        start = content.index(b"\xe0\x7f\x10\x00OW")
        value = content[start + 12 :]
        short = struct.pack("<H", len(value)) if kind == b"US" else content[start + 6 : start + 12]
        path.write_bytes(content[: start + 4] + kind + short + value)
    with pytest.raises(GradingError, match=r"NotImplementedError|ends before its pixels"):
        grading.read(tmp_path)


def test_a_model_file_that_was_changed_is_refused(monkeypatch, tmp_path):
    folder = PACKAGE / "segment"
    content = bytearray((folder / model.model_file("coarse")).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / model.model_file("coarse")).write_bytes(content)
    shutil.copy(folder / model.MODEL_SHA256_FILE, tmp_path)
    monkeypatch.setattr(model.resources, "files", lambda _: tmp_path)
    model._load_model.cache_clear()
    volume, _ = hips(geometry=grid((20.0, 20.0, 20.0)))
    with pytest.raises(SegmentationError, match="changed or damaged"):
        grading.segment(volume, Settings(threads=1))


def test_damaged_files_are_read_or_refused(tmp_path):
    originals = seeds([])
    for number in range(150):
        ending, content = damaged(number, originals)
        path = tmp_path / f"{number}{ending}"
        path.write_bytes(content)
        try:
            grading.read(path)
        except GradingError:
            continue


def _refused_at_once(path: Path, why: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    with pytest.raises(GradingError, match=why):
        grading.read(path)
    assert time.process_time() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB
