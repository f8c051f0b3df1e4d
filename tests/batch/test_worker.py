"""A study may crash, hang or be killed: it alone fails, and its worker grades on."""

import math
import os
import signal
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from ellipsoid_hip import grid, hips
from hip_files import write_mask, write_nifti

from grading.batch import Limits, worker
from grading.batch.job import Job
from grading.batch.origin import origin_of
from grading.batch.worker import Stopped, Worker
from grading.errors import ConfigurationError
from grading.io.discover import discover
from grading.settings import Settings

COARSE = grid((6.0, 8.0, 6.0))

# Put before the start of a grading process; `grade` is its module.
CRASH = "import os, signal; grade.grade_study = lambda *_, **__: os.kill(os.getpid(), signal.SIGSEGV)"
HANG = "import time; grade.grade_study = lambda *_, **__: time.sleep(3600)"
CHATTER = (
    "import os; it = grade.grade_study; grade.grade_study = lambda *a, **k: os.write(1, b'?') and it(*a, **k)"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A coarse pair of hips on disk and where its label map lies."""
    folder = tmp_path_factory.mktemp("study")
    volume, labels = hips(0.2, geometry=COARSE)
    masks = write_mask(labels, folder / "masks", "a_t1")
    write_nifti(volume, folder / "imaging", "a_t1")
    return discover([folder / "imaging"])[0], Settings(masks=masks)


@pytest.fixture
def job(study, tmp_path):
    return Job("a_t1", study[0], study[1], tmp_path / "out", origin_of(study[0], (), "recipe"))


@pytest.fixture(scope="module")
def crew():
    """A worker that several tests share, since a process takes a second to start."""
    crew = Worker(Limits())
    yield crew
    crew.close()


@pytest.fixture
def started_with(monkeypatch):
    """Makes new processes run some code before they serve."""

    def start(code):
        first, call = worker._START.rsplit("main(", 1)
        lines = f"from grading.batch import grade\n{code}\nmain("
        monkeypatch.setattr(worker, "_START", first + lines + call)

    return start


def log_of(job: Job) -> str:
    return (job.out / "studies" / job.name / "log.txt").read_text()


def test_a_worker_keeps_its_process_from_study_to_study_and_starts_another_when_it_is_killed(crew, job):
    assert crew.run(job).status == "graded"
    first = crew._child._process.pid
    again = crew.run(replace(job, name="b_t1", force=True))
    assert (again.status, crew._child._process.pid) == ("graded", first)
    os.kill(first, signal.SIGKILL)
    assert crew.run(replace(job, name="c_t1")).status == "graded"
    assert crew._child._process.pid != first


def test_a_process_that_never_starts_stops_the_run_with_the_reason(job, monkeypatch):
    monkeypatch.setattr(worker, "_START", "raise SystemExit(7)")
    with pytest.raises(ConfigurationError, match=r"can be started \(exit code 7\)"):
        Worker(Limits()).run(job)
    with pytest.raises(ConfigurationError, match=r"raise --memory-limit 0\.05 or leave it out"):
        Worker(Limits(memory_gb=0.05)).run(job)


def test_a_study_that_crashes_its_process_fails_with_the_signal_and_the_place(job, started_with):
    started_with(CRASH)
    crew = Worker(Limits())
    try:
        entry = crew.run(job)
    finally:
        crew.close()
    assert entry.status == "failed"
    assert "SIGSEGV" in entry.reason
    assert "export the study again" in entry.reason
    assert (job.out / "studies" / "a_t1" / "failure.json").is_file()
    assert "Segmentation fault" in log_of(job)
    assert "grade.py" in log_of(job)


def test_a_study_that_never_ends_is_stopped_at_its_limit(job, started_with):
    started_with(HANG)
    crew = Worker(Limits(timeout_s=1.0))
    try:
        entry = crew.run(job)
    finally:
        crew.close()
    assert entry.status == "failed"
    assert "longer than --timeout 1 s" in entry.reason


def test_a_grading_process_leaves_ctrl_c_to_its_parent(crew, job):
    first = crew._started()
    first._process.send_signal(signal.SIGINT)  # as Windows does to all processes of a console
    assert first.ask(job.to_json(), None) is not None


def test_a_process_that_dies_in_the_middle_of_its_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(worker, "_START", "print('{', end='')")
    child = worker._Child(None, None)
    assert child._answer(60) is None
    assert child.end() == "exit code 0"


@pytest.mark.slow
def test_closing_a_worker_ends_the_study_in_hand_without_calling_it_failed(job, started_with):
    started_with(HANG)
    crew = Worker(Limits())
    threading.Thread(target=lambda: (_until(lambda: log_exists(job)), crew.close()), daemon=True).start()
    with pytest.raises(Stopped):
        crew.run(job)
    assert not (job.out / "studies" / "a_t1" / "failure.json").exists()


@pytest.mark.slow
def test_what_native_code_prints_does_not_disturb_the_answers(job, started_with):
    started_with(CHATTER)
    crew = Worker(Limits())
    try:
        assert crew.run(job).status == "graded"
    finally:
        crew.close()


@pytest.mark.slow
def test_a_grading_process_ends_with_its_parent_in_the_middle_of_a_study(job, started_with):
    started_with(HANG)
    crew = Worker(Limits())

    def wait_in_vain():
        with suppress(Stopped):
            crew.run(job)

    threading.Thread(target=wait_in_vain, daemon=True).start()
    _until(lambda: log_exists(job))
    process = crew._child._process
    crew._closed = True  # no second try
    process.stdin.close()  # as the kernel does for a parent that was killed
    assert process.wait(timeout=60) == 0


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the kernel keeps this limit on Linux only")
def test_a_study_that_wants_more_memory_than_allowed_fails_with_that_reason(job, started_with):
    started_with("import numpy; grade.grade_study = lambda *_, **__: numpy.ones(10**9)")
    crew = Worker(Limits(memory_gb=2.0))
    try:
        entry = crew.run(job)
    finally:
        crew.close()
    assert entry.status == "failed"
    assert "--memory-limit" in entry.reason


def test_an_output_that_cannot_be_written_stops_the_run(crew, job, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot write"):
        crew.run(replace(job, out=tmp_path / "file"))


@pytest.mark.parametrize("limits", [{"timeout_s": 0.0}, {"timeout_s": -1.0}, {"memory_gb": 0.0}])
def test_a_limit_of_nothing_is_refused(limits):
    with pytest.raises(ConfigurationError, match="above 0"):
        Limits(**limits)


@pytest.mark.parametrize("limits", [{"timeout_s": math.inf}, {"memory_gb": math.inf}, {"timeout_s": 1e12}])
def test_a_limit_that_no_clock_counts_to_is_refused(limits):
    with pytest.raises(ConfigurationError, match="at most 1000000"):
        Limits(**limits)


def log_exists(job: Job) -> bool:
    return (job.out / "studies" / job.name / "log.txt").exists()


def _until(true, seconds=120.0):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
