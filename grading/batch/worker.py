"""The parent's end of a process that grades: it may crash, hang or be killed, and the run goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any

from grading.batch.child import ENTRY, READY, STOP
from grading.batch.failure import fail
from grading.batch.job import Job
from grading.batch.options import Limits
from grading.batch.study_log import append
from grading.errors import ConfigurationError
from grading.report.entry import FAILED, Entry
from grading.report.folder import OutputFolder
from grading.report.plain import from_plain
from grading.report.study_report import StudyFailure

LONGEST_START_S = 600.0
"""A process that has not loaded its libraries by then never will; on a slow share it takes a minute."""

TRIES, STARTS = 2, 3
"""A process may die of what another process did to it; a study that kills its second one has failed, and
where three in a row do not even start, none will."""

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Read by the libraries of other segmenters; unset, each process would start a thread per processor."""

_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1")
"""Read by NumPy's OpenBLAS and Accelerate: our matrices are small, and on a busy machine threads wait for
each other longer than they work; sums then come out the same, however many processors there are."""

_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Read by Linux's memory allocator: the network's large arrays come in pages of 2 MB instead of 4 kB, which
takes a sixth off its time."""

_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from grading.batch.child import main
main(json.loads(sys.argv[2]))
"""


class Stopped(Exception):  # noqa: N818 - no error: the run was asked to stop
    """The worker was closed while it worked."""


class Worker:
    """Grades one study after another in a process that is started when needed, and again after it died.

    One thread at a time may call `run`; `close` may be called from any.
    """

    def __init__(self, limits: Limits, threads: int | None = None) -> None:
        """Note how to start the process.

        Args:
            limits: what one study may take.
            threads: threads of the network and of numerical libraries, None for their own choice.
        """
        self._limits = limits
        self._threads = threads
        self._child: _Child | None = None
        self._closed = False
        self._lock = Lock()  # between starting a process and closing the worker

    def start(self) -> None:
        """Let the process load its libraries, which takes a second, while there is other work to do."""
        with self._lock:
            self._begun()

    def run(self, job: Job) -> Entry:
        """Grade a study; a process that dies of it, or takes too long, makes it a failure.

        Raises:
            ConfigurationError: the run cannot go on: the output cannot be written, or no process started.
            Stopped: `close` was called.
        """
        start = time.perf_counter()
        if self._threads is not None:
            job = replace(job, settings=replace(job.settings, threads=self._threads))
        for last in (False,) * (TRIES - 1) + (True,):
            answer = self._started().ask(job.to_json(), self._limits.timeout_s)
            if answer is not None and ENTRY in answer:
                return from_plain(Entry, answer[ENTRY])
            if answer is not None:
                raise ConfigurationError(str(answer[STOP]))
            how = self._end()
            if self._closed:
                raise Stopped
            if how is None or last:
                break
        reason = _TOO_LONG.format(self._limits.timeout_s) if how is None else _DIED.format(how)
        append(OutputFolder(job.out).study_folder(job.name), reason)
        return fail(job, StudyFailure(job.name, FAILED, reason), start)

    def close(self) -> None:
        """End the process, even in the middle of a study."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.kill()

    def _started(self) -> "_Child":
        how: str | None = None
        for _ in range(STARTS):
            with self._lock:
                if self._closed:
                    raise Stopped
                child = self._begun()
            if child.is_up():
                return child
            how = self._end()
        limit = self._limits.memory_gb
        advice = f"raise --memory-limit {limit:g} or leave it out" if limit else _ASK_ELSEWHERE
        raise ConfigurationError(
            f"no process for grading can be started ({how or 'it did not answer'}); {advice}"
        )

    def _begun(self) -> "_Child":
        """The process, begun if there is none; for the holder of the lock."""
        if self._child is None:
            self._child = _Child(self._limits.memory_gb, self._threads)
        return self._child

    def _end(self) -> str | None:
        """Be rid of the process; returns how it died, None when it had to be killed."""
        with self._lock:
            child, self._child = self._child, None
        return None if child is None else child.end()


_ASK_ELSEWHERE = "`python -m grading --version` may say more"
_TOO_LONG = "took longer than --timeout {:g} s and was stopped; check the disk or share, or raise --timeout"
_DIED = (
    "its process ended abruptly ({}): killed, out of memory, or crashed on damaged pixels; use fewer "
    "workers, or export the study again"
)


class _Child:
    """One process and the thread that listens to it."""

    def __init__(self, memory_gb: float | None, threads: int | None) -> None:
        numbers = {} if threads is None else dict.fromkeys(_THREAD_VARIABLES, str(threads))
        command = [sys.executable, "-c", _START, json.dumps(sys.path), json.dumps(memory_gb)]
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own code
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**_ONE_THREAD, **_HUGE_PAGES, **numbers, **os.environ},  # the user's own choice counts
            start_new_session=os.name == "posix",  # Ctrl-C is the parent's to understand
        )
        self._answers: SimpleQueue[Mapping[str, Any] | None] = SimpleQueue()
        self._up = self._gone = False
        Thread(target=self._listen, daemon=True).start()

    def is_up(self) -> bool:
        """Wait until the process has loaded its libraries; False when it never did."""
        self._up = self._up or READY in (self._answer(LONGEST_START_S) or {})
        return self._up

    def ask(self, line: str, timeout_s: float | None) -> Mapping[str, Any] | None:
        """The answer to one line; None when there came none in time, or the process died."""
        stdin = self._process.stdin
        with suppress(OSError):  # it died: the answer will say so
            if stdin is not None:
                stdin.write(line.encode("ascii") + b"\n")
                stdin.flush()
        return self._answer(timeout_s)

    def kill(self) -> None:
        """End the process without waiting for it."""
        self._process.kill()

    def end(self) -> str | None:
        """How the process died; None when it lived, and was killed now."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(_LONGEST_GOODBYE_S if self._gone else 0)
            return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self.kill()
        with suppress(subprocess.TimeoutExpired):  # waiting for a stalled share, it cannot even die
            self._process.wait(_LONGEST_GOODBYE_S)
        return None

    def _answer(self, timeout_s: float | None) -> Mapping[str, Any] | None:
        try:
            answer = self._answers.get(timeout=timeout_s)
        except Empty:
            return None
        self._gone = answer is None
        return answer

    def _listen(self) -> None:
        with suppress(ValueError):  # half a line: it died in the middle of an answer
            for line in self._process.stdout or ():
                self._answers.put(json.loads(line))
        self._answers.put(None)


_LONGEST_GOODBYE_S = 5.0
"""Time for the kernel to end a process that was killed; it takes longer only where a disk does not answer."""
