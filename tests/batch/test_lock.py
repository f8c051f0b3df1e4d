"""One run per output folder: the second says so, and no lock outlives its process."""

import subprocess
import sys

import pytest

from grading.batch.lock import LOCK_FILE, locked
from grading.errors import ConfigurationError

HOLD = """
import sys, time
from pathlib import Path
from grading.batch.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_second_run_says_who_has_the_folder_and_changes_nothing(tmp_path):
    with locked(tmp_path / "out"):
        with pytest.raises(
            ConfigurationError, match=r"another run is writing into .*out \(process \d+ on .* since"
        ):
            locked(tmp_path / "out").__enter__()
        assert (tmp_path / "out" / LOCK_FILE).is_file()


def test_a_lock_leaves_no_file_behind(tmp_path):
    for _ in range(2):
        with locked(tmp_path):
            pass
    assert not list(tmp_path.iterdir())


def test_a_folder_made_in_vain_is_removed_and_one_with_content_is_not(tmp_path):
    with locked(tmp_path / "a" / "b"):
        pass
    assert not list(tmp_path.iterdir())
    with locked(tmp_path / "c"):
        (tmp_path / "c" / "studies.csv").write_text("study\n")
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["studies.csv"]


def test_the_lock_of_a_killed_run_is_taken_over(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)  # noqa: S603
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(ConfigurationError, match=f"process {holder.pid} "):
        locked(tmp_path).__enter__()
    holder.kill()
    holder.wait()
    assert (tmp_path / LOCK_FILE).exists()
    with locked(tmp_path):
        pass


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ConfigurationError, match="is a file"):
        locked(tmp_path / "out").__enter__()
