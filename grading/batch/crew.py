"""Several workers on this machine."""

import os
from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread

from grading.batch.job import Job
from grading.batch.options import Limits
from grading.batch.worker import Stopped, Worker
from grading.report.entry import Entry


def local_crew(workers: int, limits: Limits) -> list[Worker]:
    """Workers that share the processors between them; the first loads its libraries from now on.

    Args:
        workers: how many processes.
        limits: what one study may take.
    """
    threads = max(1, processors() // workers)
    crew = [Worker(limits, threads) for _ in range(workers)]
    crew[0].start()
    return crew


def dismiss(crew: Sequence[Worker]) -> None:
    """End all processes of a crew, even in the middle of a study."""
    for worker in crew:
        worker.close()


def run_locally(jobs: Sequence[Job], crew: Sequence[Worker], stop: Event) -> Iterator[Entry]:
    """Grade studies in the processes of a crew, which is dismissed at the end.

    Args:
        jobs: what to do; one that is taken is finished.
        crew: who does it.
        stop: once set, no further study is begun.

    Yields:
        Entries in the order in which studies finish.

    Raises:
        ConfigurationError: the run cannot go on.
    """
    waiting: SimpleQueue[Job] = SimpleQueue()
    for job in jobs:
        waiting.put(job)
    done: SimpleQueue[Entry | BaseException | None] = SimpleQueue()
    needed = crew[: len(jobs)]
    for worker in needed:
        Thread(target=_work, args=(worker, waiting, done, stop), daemon=True).start()
    at_work = len(needed)
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
        dismiss(crew)


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
