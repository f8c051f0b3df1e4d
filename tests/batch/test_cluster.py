"""On a Dask cluster a run gives what it gives on one machine, and says so when the cluster is lost."""

import os
import subprocess
import sys
import time

import pytest
from hip_files import statuses, write_coarse_hips

import grading
from grading.batch import Limits
from grading.errors import ConfigurationError
from grading.settings import Settings

pytest.importorskip("distributed", reason="clusters need the extra: pip install 'grading[cluster]'")

NAMES = [f"{letter}_t1" for letter in "abcdef"]


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """Six coarse hips and the settings that name their label maps."""
    imaging, masks = write_coarse_hips(tmp_path_factory.mktemp("studies"), NAMES)
    return imaging, Settings(segmenter="masks", masks=masks)


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler and a worker as processes of their own; yields address and both processes."""
    start = [sys.executable, "-m"]
    address = "tcp://127.0.0.1:8797"
    serve = ["--host", "127.0.0.1", "--port", "8797", "--no-dashboard"]
    work = ["--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory", str(tmp_path / "dask")]
    processes = [
        subprocess.Popen([*start, *command], stderr=subprocess.DEVNULL)  # noqa: S603
        for command in (
            ["distributed.cli.dask_scheduler", *serve],
            ["distributed.cli.dask_worker", address, *work],
        )
    ]
    yield address, *processes
    for process in processes:
        process.kill()
        process.wait()


def test_a_scheduler_that_is_not_there_is_said(studies, tmp_path, monkeypatch):
    from grading.batch import cluster

    monkeypatch.setattr(cluster, "CONNECT_S", 0.5)
    with pytest.raises(ConfigurationError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1 "):
        grading.grade_folder(
            studies[0], tmp_path, cluster="tcp://127.0.0.1:1", settings=studies[1], progress=False
        )
    assert statuses(tmp_path) == ["pending"] * len(NAMES)


def test_a_thread_starts_a_process_where_another_took_the_last_idle_one(monkeypatch):
    from grading.batch import cluster

    class TakenMeanwhile(list):
        """Empty when it comes to taking, though not when it was looked at."""

        def __bool__(self):
            return True

    class Process:
        def run(self, job):
            return job

    processes = cluster._Processes(Limits(), 1)
    processes._idle = TakenMeanwhile()
    monkeypatch.setattr(cluster, "Worker", lambda *_: Process())
    assert processes.run("job") == "job"
    assert len(processes._idle) == 1


@pytest.mark.slow
def test_a_local_cluster_makes_the_same_tables_as_one_process(studies, tmp_path):
    imaging, settings = studies
    for name, options in (("plain", {}), ("cluster", {"cluster": "local", "workers": 2})):
        grading.grade_folder(imaging, tmp_path / name, settings=settings, progress=False, **options)
    for table in ("measurements.csv", "asymmetry.csv"):
        assert (tmp_path / "plain" / table).read_bytes() == (tmp_path / "cluster" / table).read_bytes()


@pytest.mark.slow
def test_a_scheduler_that_dies_leaves_a_true_account_and_the_rest_for_a_rerun(studies, scheduler, tmp_path):
    imaging, settings = studies
    address, process, _ = scheduler
    out = tmp_path / "out"
    words = ["run", imaging, "-o", out, "--masks", settings.masks, "--cluster", address, "--quiet"]
    command = [sys.executable, "-m", "grading", *map(str, words)]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603
    end = time.monotonic() + 300
    while not list(out.glob("studies/*/report.json")) and time.monotonic() < end:
        time.sleep(0.2)
    os.kill(process.pid, 9)
    _, said = run.communicate(timeout=300)
    assert run.returncode == 2
    assert "scheduler is gone" in said
    left = statuses(out)
    assert set(left) == {"graded", "pending"}
    assert left.count("graded") == len(list(out.glob("studies/*/report.json")))
    results = grading.grade_folder(imaging, out, settings=settings, progress=False)
    assert len(results) == len(NAMES)
    assert statuses(out) == ["graded"] * len(NAMES)
