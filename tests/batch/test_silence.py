"""A search that hangs is said to hang, once, and still ends as it would have."""

import io
import json
import time
from functools import partial
from threading import Event

from ellipsoid_hip import grid, hips
from hip_files import write_nifti

from grading.batch import run
from grading.batch.progress import JsonLines, Watcher
from grading.batch.silence import heard
from grading.io import walk

SHORT_S = 0.05


class _Ear(Watcher):
    def __init__(self):
        self.heard, self.said = [], Event()

    def looked_at(self, files):
        self.heard.append(files)

    def silent(self, files, seconds):
        self.heard.append(("silent", files, seconds))
        self.said.set()


def test_a_search_that_stands_still_is_said_to_once():
    ear = _Ear()
    with heard(ear, SHORT_S) as looked_at:
        looked_at(1)
        assert ear.said.wait(10)
        time.sleep(3 * SHORT_S)
        looked_at(2)
    assert ear.heard == [1, ("silent", 1, SHORT_S), 2]


def test_a_search_that_goes_on_is_not_disturbed():
    ear = _Ear()
    with heard(ear, 60) as looked_at:
        for files in range(1000):
            looked_at(files)
    assert ear.heard == list(range(1000))


def test_a_share_that_answers_late_only_delays_the_run(tmp_path, monkeypatch):
    volume, _ = hips(geometry=grid((10.0, 10.0, 10.0)))
    write_nifti(volume, tmp_path, "a_t1")
    ear, files = _Ear(), walk._files

    def late(folder, seen):
        assert ear.said.wait(10)
        return files(folder, seen)

    monkeypatch.setattr(walk, "_files", late)
    monkeypatch.setattr(run, "heard", partial(heard, longest_s=SHORT_S))
    todo = run.plan_folder(tmp_path, tmp_path / "out", progress=ear)
    assert [job.name for job in todo.waiting] == ["a_t1"]


def test_a_program_reads_of_the_silence_as_json():
    stream = io.StringIO()
    JsonLines(stream).silent(7, 60.0)
    said = json.loads(stream.getvalue())
    assert (said["event"], said["files"], said["for_s"]) == ("silent", 7, 60.0)
