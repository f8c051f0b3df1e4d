"""The process that grades: one job per line in, one answer per line out, until its parent is gone.

Lines are JSON, so that nothing a study contains is ever executed on its way.
"""

import json
import os
import signal
import sys
from queue import SimpleQueue
from threading import Thread

READY, ENTRY, STOP = "ready", "entry", "stop"
"""What an answer may be: the process is up; an entry of the tables; why the whole run must stop."""


def main(memory_gb: float | None) -> None:
    """Serve the parent at the other end of standard input and output.

    Args:
        memory_gb: data this process may hold, GB; None for no limit.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to understand; Windows tells all
    out = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # native decoders print there, and what they print may quote a header
        os.dup2(nowhere, stream)
    lines: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(lines,), daemon=True).start()

    from grading.batch.grade import run_job
    from grading.batch.job import Job
    from grading.batch.memory import limit_memory
    from grading.errors import ConfigurationError
    from grading.report.plain import to_plain

    if memory_gb is not None:
        limit_memory(memory_gb)
    _say(out, {READY: True})
    while True:
        job = Job.from_json(lines.get().decode("ascii"))
        try:
            answer = {ENTRY: to_plain(run_job(job))}
        except ConfigurationError as error:
            answer = {STOP: str(error)}
        _say(out, answer)


def _listen(lines: SimpleQueue[bytes]) -> None:
    """Hand on the parent's lines; when it is gone, be gone too, even in the middle of a study."""
    for line in sys.stdin.buffer:
        lines.put(line)
    os._exit(0)


def _say(out: int, answer: dict[str, object]) -> None:
    line = memoryview(json.dumps(answer).encode("ascii") + b"\n")
    while line:
        line = line[os.write(out, line) :]
