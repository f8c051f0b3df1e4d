"""One study, whatever happens in it, becomes one result; here or in processes of its own."""

import dataclasses
import multiprocessing
import os
import signal
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grading.errors import (
    ConfigurationError,
    GradingError,
    MeasurementError,
    SegmentationError,
    SeriesNotFound,
    UnsupportedContrast,
)
from grading.io.discover import StudyFound
from grading.report.folder import OutputFolder, Result
from grading.report.study_report import StudyFailure, StudyReport
from grading.settings import Settings
from grading.study import grade_study

NOT_GRADABLE = (SeriesNotFound, UnsupportedContrast, SegmentationError, MeasurementError)
"""Errors that mean a sound input which does not show what is needed; any other means something is broken."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Read by OpenMP, OpenBLAS, MKL and Accelerate; unset, each worker would start a thread per processor."""


@dataclass(frozen=True, slots=True)
class Job:
    """One study to grade, and where its files go."""

    study: StudyFound
    settings: Settings
    out: Path
    fingerprint: str


def run_here(jobs: Iterable[Job]) -> Iterator[Result]:
    """Run jobs one after the other in this process."""
    return map(run_job, jobs)


def run_in_processes(jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    """Run jobs in `workers` processes; results come as they finish.

    A process that dies (killed, out of memory) takes its pool along. The studies it may have died of then run
    once more, each alone: the one that kills its process again has failed, and the rest goes on.
    """
    threads = max(1, _processors() // workers)
    waiting = deque(
        dataclasses.replace(job, settings=dataclasses.replace(job.settings, threads=threads)) for job in jobs
    )
    with _numerical_threads(threads):
        while waiting:
            suspects: list[Job] = []
            yield from _run_pool(waiting, workers, suspects)
            for job in suspects:
                yield _run_alone(job)


def run_job(job: Job) -> Result:
    """Grade one study and write its files.

    Returns:
        The report without its images, or the failure.

    Raises:
        ConfigurationError: the output folder cannot be written, which concerns every study.
    """
    start = time.perf_counter()
    _reset_peak_memory()
    try:
        report = grade_study(job.study, settings=job.settings)
    except Exception as error:  # any error of one study must leave the others alone
        return _fail(error, job, start)
    try:
        return _write(report, job)
    except ConfigurationError:
        raise
    except Exception as error:
        return _fail(error, job, start)


def _write(report: StudyReport, job: Job) -> Result:
    """Write all files of a report, the one that says it is finished last."""
    out, start = OutputFolder(job.out), time.perf_counter()
    out.write_pictures(report)
    provenance = dataclasses.replace(
        report.provenance,
        seconds={**report.provenance.seconds, "pictures": time.perf_counter() - start},
        peak_memory_mb=_peak_memory_mb(),
        fingerprint=job.fingerprint,
    )
    finished = dataclasses.replace(report.without_images(), provenance=provenance)
    out.add(finished)
    return finished


def _fail(error: Exception, job: Job, start: float) -> StudyFailure:
    """Record why a study gave no report."""
    failure = dataclasses.replace(
        explain(error, job), seconds=time.perf_counter() - start, peak_memory_mb=_peak_memory_mb()
    )
    OutputFolder(job.out).add(failure)
    return failure


def explain(error: BaseException, job: Job) -> StudyFailure:
    """What went wrong with a study, in words its user can act on and without patient identity."""
    if isinstance(error, GradingError):
        status = "not_gradable" if isinstance(error, NOT_GRADABLE) else "failed"
        return StudyFailure(job.study.name, status, str(error))
    if isinstance(error, MemoryError):
        return StudyFailure(job.study.name, "failed", "out of memory; use fewer workers or more memory")
    where = traceback.extract_tb(error.__traceback__)[-1]
    reason = f"unexpected {type(error).__name__} at {Path(where.filename).name} line {where.lineno}"
    # A foreign message may quote the header, and with it the patient.
    hint = f": {error}" if job.settings.identify else "; please report it (--identify adds the message)"
    return StudyFailure(job.study.name, "failed", reason + hint)


def _run_pool(waiting: deque[Job], workers: int, suspects: list[Job]) -> Iterator[Result]:
    """Run jobs off the front of `waiting` until none is left, or the pool breaks; then fill `suspects`."""
    running: dict[Future[Result], Job] = {}
    with _pool(workers) as pool:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    future = pool.submit(run_job, waiting[0])  # taken off only when the pool took it
                    running[future] = waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield future.result()
                    del running[future]
        except BrokenProcessPool:
            suspects.extend(running.values())


def _run_alone(job: Job) -> Result:
    """Run one job in a process that nothing else depends on."""
    with _pool(1) as pool:
        try:
            return pool.submit(run_job, job).result()
        except BrokenProcessPool:
            reason = "its process ended abruptly, killed or out of memory; use fewer workers or more memory"
            failure = StudyFailure(job.study.name, "failed", reason)
    OutputFolder(job.out).add(failure)
    return failure


def _pool(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # fork and the threads of numerical libraries deadlock
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_interrupts_to_parent)


@contextmanager
def _numerical_threads(threads: int) -> Iterator[None]:
    """Processes started meanwhile give their linear algebra this many threads, unless the user chose.

    Libraries read the environment once, when they are loaded, so it must be set before a process starts.
    """
    added = {name: str(threads) for name in THREAD_VARIABLES if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _leave_interrupts_to_parent() -> None:
    """On Ctrl-C a worker finishes the study in hand; the parent then stops."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _processors() -> int:
    """Processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def _reset_peak_memory() -> None:
    """Start the kernel's peak-memory count anew, where it can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak_memory_mb() -> float | None:
    """Most memory this process held since the last reset, MB; None where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return None
