"""Many machines: studies are handed to the workers of a Dask cluster, as paths, and come back as table rows.

Inputs and output must have the same paths on every machine. On each, a study is graded in a process apart,
as on one machine, so that a study can end neither the run nor a worker of the cluster.
"""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

from distributed import Client, Future, KilledWorker, LocalCluster, WorkerPlugin, get_worker, wait

from grading.batch.crew import processors
from grading.batch.failure import fail
from grading.batch.job import Job
from grading.batch.options import Limits
from grading.batch.worker import Worker
from grading.errors import ConfigurationError
from grading.report.entry import FAILED, Entry
from grading.report.plain import from_plain, to_plain
from grading.report.provenance import package_version
from grading.report.study_report import StudyFailure
from grading.settings import Settings

LOCAL = "local"
"""Address that stands for a cluster on this machine."""

CONNECT_S = 30.0
LOOK_EVERY_S = 5.0
"""Time to reach a scheduler, and pace at which it is made sure that it is still there."""

_LOUD = ("distributed", "distributed.client", "distributed.nanny", "distributed.scheduler")

_KILLED = (
    "each of the cluster's workers that tried it was killed ({} of them); give them more memory or look into "
    "their logs"
)


def run_on_cluster(
    jobs: Sequence[Job], address: str, workers: int, limits: Limits, stop: Event
) -> Iterator[Entry]:
    """Grade studies on a Dask cluster.

    Args:
        jobs: what to do; one that was handed out is finished.
        address: of the scheduler, such as "tcp://host:8786", or `LOCAL`.
        workers: processes of a local cluster.
        limits: what one study may take.
        stop: once set, no further study is handed out.

    Yields:
        Entries in the order in which studies finish.

    Raises:
        ConfigurationError: the scheduler cannot be reached or was lost, a machine has another version of
            this package, or the output cannot be written there.
    """
    for name in _LOUD:  # what goes wrong is said in our words
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        client = _connect(address, workers, stack)
        threads = max(1, processors() // workers) if address == LOCAL else None
        client.register_plugin(_Processes(limits, threads))
        waiting = deque(_everywhere(job) for job in jobs)
        running: dict[Future[Any], Job] = {}
        while running or (waiting and not stop.is_set()):
            with _scheduler_answering():
                if not stop.is_set():
                    _hand_out(client, waiting, running)
                finished = _finished(client, running)
            yield from finished


def _connect(address: str, workers: int, stack: ExitStack) -> Client:
    try:
        if address == LOCAL:
            cluster = stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=workers,
                    threads_per_worker=1,
                    memory_limit=None,
                    host="127.0.0.1",
                    dashboard_address=None,
                )
            )
            client: Client = stack.enter_context(Client(cluster))  # type: ignore[no-untyped-call]
        else:
            client = stack.enter_context(Client(address, timeout=CONNECT_S))  # type: ignore[no-untyped-call]
        return client
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigurationError(
            f"no Dask scheduler answers at {address} ({type(error).__name__}); start one with "
            "`dask scheduler`, or use --cluster local"
        ) from None


@contextmanager
def _scheduler_answering() -> Iterator[None]:
    """Say in a line that the scheduler is gone, in whichever way it is noticed.

    Raises:
        ConfigurationError: it is.
    """
    try:
        yield
    except (OSError, CancelledError, asyncio.CancelledError) as error:
        raise ConfigurationError(
            "the Dask scheduler is gone; start it and run the same command again: what is finished is kept"
        ) from error


def _hand_out(client: Client, waiting: deque[Job], running: dict[Future[Any], Job]) -> None:
    """Keep each thread of the cluster at work, and one study waiting at the scheduler."""
    threads: dict[str, int] = client.nthreads()  # type: ignore[no-untyped-call]
    room = sum(threads.values()) + 1 - len(running)
    for _ in range(min(room, len(waiting))):
        job = waiting.popleft()
        running[client.submit(_grade, job.to_json(), package_version("grading"), pure=False)] = job


def _finished(client: Client, running: dict[Future[Any], Job]) -> list[Entry]:
    """Entries of the studies that have finished, after waiting a while for one; they leave `running`."""
    try:
        done = wait(list(running), timeout=LOOK_EVERY_S, return_when="FIRST_COMPLETED").done  # type: ignore[no-untyped-call]
    except TimeoutError:
        done = set()
    if client.status != "running":
        raise ConnectionError
    entries = []
    for future in done:
        job = running.pop(future)
        try:
            entries.append(from_plain(Entry, json.loads(future.result())))
        except KilledWorker as error:
            reason = _KILLED.format(getattr(error, "allowed_failures", 0) + 1)
            entries.append(fail(job, StudyFailure(job.name, FAILED, reason), time.perf_counter()))
    return entries


def _everywhere(job: Job) -> Job:
    """The job with paths that do not depend on the working directory."""

    def absolute(text: str) -> str:
        return str(Path(text).absolute()) if Path(text).is_file() else text

    settings: Settings = replace(
        job.settings,
        masks=job.settings.masks and job.settings.masks.absolute(),
        participants=job.settings.participants and job.settings.participants.absolute(),
        scheme=absolute(job.settings.scheme),
        scales=tuple(map(absolute, job.settings.scales)),
    )
    return replace(
        job, settings=settings, out=job.out.absolute(), beside=tuple(path.absolute() for path in job.beside)
    )


class _Processes(WorkerPlugin):
    """The grading processes of one worker of the cluster, at most one for each of its threads."""

    name = "grading-processes"

    def __init__(self, limits: Limits, threads: int | None) -> None:
        self._limits = limits
        self._threads = threads
        self._idle: list[Worker] = []
        self._all: list[Worker] = []

    def setup(self, worker: Any) -> None:
        """Share the machine's processors between this worker's threads."""
        self._threads = self._threads or max(1, processors() // worker.state.nthreads)

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - given by Dask
        """End the processes with their worker."""
        for process in self._all:
            process.close()

    def run(self, job: Job) -> Entry:
        """Grade a study in a process that is free."""
        try:  # without a look first: another thread may take the last one in between
            process = self._idle.pop()
        except IndexError:
            process = self._new()
        try:
            return process.run(job)
        finally:
            self._idle.append(process)

    def _new(self) -> Worker:
        self._all.append(Worker(self._limits, self._threads))
        return self._all[-1]


def _grade(job: str, version: str) -> str:
    """What a worker of the cluster does: a job's JSON in, an entry's JSON out."""
    if package_version("grading") != version:
        raise ConfigurationError(
            f"a worker of the cluster has grading {package_version('grading')}, the run {version}; install "
            "the same version everywhere"
        )
    processes = get_worker().plugins[_Processes.name]
    if not isinstance(processes, _Processes):
        raise ConfigurationError("the cluster's worker was not prepared; start it anew")
    return json.dumps(to_plain(processes.run(Job.from_json(job))))
