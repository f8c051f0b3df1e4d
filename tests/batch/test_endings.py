"""However a run ends, its tables tell what is on disk, and the next run does exactly the rest."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hip_files import statuses, write_coarse_hips

import grading
from grading.errors import ConfigurationError
from grading.settings import Settings

pytestmark = pytest.mark.slow
NAMES = [f"{letter}_t1" for letter in "abcd"]


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """Four coarse hips and the settings that name their label maps."""
    imaging, masks = write_coarse_hips(tmp_path_factory.mktemp("studies"), NAMES)
    return imaging, Settings(masks=masks)


@pytest.fixture
def small_disk(tmp_path):
    """A disk with room for one study or two; skips where the system does not let us make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]
    if subprocess.run(mount, capture_output=True).returncode:  # noqa: S603
        pytest.skip("mounting a small disk needs more rights")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)  # noqa: S603, S607


def reports(out: Path) -> dict[str, int]:
    """Time of writing of each finished study's report."""
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("studies/*/report.json")}


def assert_true_account(out: Path) -> None:
    assert len(statuses(out)) == len(NAMES)
    assert statuses(out).count("graded") == len(reports(out))
    assert set(statuses(out)) <= {"graded", "pending"}
    assert not [path for path in out.rglob(".*") if path.is_file()]


def assert_rest_is_done(studies, out: Path) -> None:
    before = reports(out)
    results = grading.grade_folder(studies[0], out, settings=studies[1], progress=False)
    assert [report.name for report in results] == NAMES
    assert statuses(out) == ["graded"] * len(NAMES)
    assert before.items() <= reports(out).items()


def test_a_full_disk(studies, small_disk):
    out = small_disk / "out"
    with pytest.raises(ConfigurationError, match="No space left on device; free space"):
        grading.grade_folder(studies[0], out, settings=studies[1], progress=False)
    assert_true_account(out)
    assert "pending" in statuses(out)
    subprocess.run(["mount", "-o", "remount,size=200m", small_disk], check=True)  # noqa: S603, S607
    assert_rest_is_done(studies, out)


def test_ctrl_c(studies, tmp_path):
    out = tmp_path / "out"
    words = ["run", studies[0], "-o", out, "--masks", studies[1].masks]
    run = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "grading", *map(str, words)], stderr=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 300
    while not reports(out) and time.monotonic() < end:
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGINT)
    _, said = run.communicate(timeout=300)
    assert run.returncode == 130
    assert "stopping after the studies in hand" in said
    assert "run the same command again" in said
    assert_true_account(out)
    assert_rest_is_done(studies, out)
