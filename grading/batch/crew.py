"""Several workers on this machine."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Event, Thread

from grading.batch.job import Job
from grading.batch.options import Limits
from grading.batch.worker import Stopped, Worker
from grading.report.entry import Entry


def run_locally(jobs: Sequence[Job], workers: int, limits: Limits, stop: Event) -> Iterator[Entry]:
    """Grade studies in `workers` processes, which share the processors between them.

    Args:
        jobs: what to do; one that is taken is finished.
        workers: how many processes.
        limits: what one study may take.
        stop: once set, no further study is begun.

    Yields:
        Entries in the order in which studies finish.

    Raises:
        ConfigurationError: the run cannot go on.
    """
    threads = max(1, processors() // workers)
    waiting: SimpleQueue[Job] = SimpleQueue()
    for job in jobs:
        waiting.put(replace(job, settings=replace(job.settings, threads=threads)))
    done: SimpleQueue[Entry | BaseException | None] = SimpleQueue()
    crew = [Worker(limits, threads) for _ in range(min(workers, len(jobs)))]
    for worker in crew:
        Thread(target=_work, args=(worker, waiting, done, stop), daemon=True).start()
    at_work = len(crew)
    try:
        while at_work:
            result = done.get()
            if isinstance(result, BaseException):
                raise result
            if result is None:
                at_work -= 1
            else:
                yield result
    finally:
        for worker in crew:
            worker.close()


def processors() -> int:
    """Processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1


def _work(
    worker: Worker,
    waiting: SimpleQueue[Job],
    done: SimpleQueue[Entry | BaseException | None],
    stop: Event,
) -> None:
    """Take jobs until there is none or the run stops; the last word is None or what went wrong."""
    last: BaseException | None = None
    try:
        while not stop.is_set():
            done.put(worker.run(waiting.get_nowait()))
    except (Empty, Stopped):
        last = None
    except BaseException as error:  # it belongs to the thread that waits for the results
        last = error
    done.put(last)
