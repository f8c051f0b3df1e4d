"""What a run tells while it lasts: a bar for people, lines of JSON for programs, or nothing."""

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from grading.report.entry import FAILED, GRADED, NOT_GRADABLE, STATUS_WORDS, Entry
from grading.report.summary import literal

LINE_EVERY_S = 60.0
"""Pace of plain progress lines where standard error is no terminal, such as a log of the night."""


class Watcher:
    """Hears what happens in a run, and tells nobody. Calls come in this order."""

    def looked_at(self, files: int) -> None:
        """So many files have been looked at in search of studies."""

    def silent(self, files: int, seconds: float) -> None:
        """The search has stood still for so long after `files` files; may come from another thread."""

    def left_out(self, line: str) -> None:
        """Files were left out that may hold images, as `line` says."""

    def begin(self, studies: int, finished: int) -> None:
        """The search is over; `finished` of `studies` need no work."""

    def grading(self, studies: int) -> None:
        """So many studies are graded from now on; a result before came from headers alone, in no time."""

    def done(self, entry: Entry) -> None:
        """One more study has a result."""

    def stopping(self) -> None:
        """The user asked to stop; the studies in hand are being finished."""

    def end(self) -> None:
        """The run is over, also when it failed; may come at any time, and is the last call."""


class JsonLines(Watcher):
    """One JSON object per event and line."""

    def __init__(self, stream: TextIO) -> None:
        """Write to `stream`."""
        self._stream = stream
        self._start = time.perf_counter()

    def silent(self, files: int, seconds: float) -> None:
        """{"event": "silent", "files": n, "for_s": s}."""
        self._say("silent", files=files, for_s=seconds)

    def left_out(self, line: str) -> None:
        """{"event": "left_out", "reason": ...}."""
        self._say("left_out", reason=line)

    def begin(self, studies: int, finished: int) -> None:
        """{"event": "begin", "studies": n, "finished": n}."""
        self._say("begin", studies=studies, finished=finished)

    def done(self, entry: Entry) -> None:
        """{"event": "study", "study": name, "status": ..., "reason": ...}."""
        self._say("study", study=entry.name, status=entry.status, reason=entry.reason)

    def stopping(self) -> None:
        """{"event": "stopping"}."""
        self._say("stopping")

    def end(self) -> None:
        """{"event": "end"}."""
        self._say("end")

    def _say(self, event: str, **more: str | float) -> None:
        seconds = round(time.perf_counter() - self._start, 3)
        print(json.dumps({"event": event, "seconds": seconds, **more}), file=self._stream, flush=True)


class Bars(Watcher):
    """Progress on standard error: a moving bar on a terminal, else a line a minute."""

    def __init__(self) -> None:
        """Start with the search for studies."""
        console = Console(stderr=True)
        self._moving = console.is_terminal or console.is_jupyter
        self._counts: Counter[str] = Counter()
        self._finished = self._before = self._total = 0  # studies: by earlier runs, before grading, in all
        self._start = self._said = time.perf_counter()
        columns: Sequence[ProgressColumn | str] = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[counts]}"),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not self._moving)
        self._task = self._progress.add_task("looking for studies", total=None, counts="")

    def looked_at(self, files: int) -> None:
        """Move the bar of the search."""
        self._progress.start()
        self._progress.update(self._task, completed=files)

    def silent(self, files: int, seconds: float) -> None:
        """Say that the disk or share may not answer."""
        self._progress.console.print(
            f"no file has answered for {seconds:g} s, after {files} files: is the disk or share still there? "
            "The search goes on once it answers; Ctrl-C stops, and nothing that was graded is lost",
            soft_wrap=True,
        )

    def left_out(self, line: str) -> None:
        """Say it in a line."""
        self._progress.console.print(literal(line), soft_wrap=True)

    def begin(self, studies: int, finished: int) -> None:
        """Change to the bar of the studies."""
        self._progress.start()
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task("grading", total=studies, completed=finished, counts="")
        self._finished = finished

    def grading(self, studies: int) -> None:
        """Begin to keep the pace: neither the search nor studies without work are part of it."""
        self._before = self._finished + self._counts.total()
        self._total = self._before + studies
        self._progress.reset(self._task, total=self._total, completed=self._before)
        self._start = self._said = time.perf_counter()

    def done(self, entry: Entry) -> None:
        """Move the bar, and name a study that has no grade."""
        self._counts[entry.status] += 1
        self._progress.update(self._task, advance=1, counts=_words(self._counts))
        if self._moving and entry.status != GRADED:
            line = literal(f"{entry.name}: {entry.reason}")
            line.stylize("yellow" if entry.status == NOT_GRADABLE else "red")
            self._progress.console.print(line)
        if not self._moving and self._total and time.perf_counter() - self._said > LINE_EVERY_S:
            self._said = time.perf_counter()
            self._progress.console.print(literal(self._line()), soft_wrap=True)

    def stopping(self) -> None:
        """Say how the run will end."""
        self._progress.console.print("stopping after the studies in hand; Ctrl-C again stops at once")

    def end(self) -> None:
        """Take the bar away."""
        self._progress.stop()

    def _line(self) -> str:
        done = self._finished + self._counts.total()
        now = done - self._before
        minutes = (self._said - self._start) / 60
        left = (self._total - done) * minutes / now
        return (
            f"{done} of {self._total} studies, {_words(self._counts)}; "
            f"{now / minutes:.1f}/min, about {left:.0f} min left"
        )


class Both(Watcher):
    """Tells two watchers."""

    def __init__(self, one: Watcher, other: Watcher) -> None:
        """Tell `one` first."""
        self._watchers = (one, other)

    def looked_at(self, files: int) -> None:  # noqa: D102
        for watcher in self._watchers:
            watcher.looked_at(files)

    def silent(self, files: int, seconds: float) -> None:  # noqa: D102
        for watcher in self._watchers:
            watcher.silent(files, seconds)

    def left_out(self, line: str) -> None:  # noqa: D102
        for watcher in self._watchers:
            watcher.left_out(line)

    def begin(self, studies: int, finished: int) -> None:  # noqa: D102
        for watcher in self._watchers:
            watcher.begin(studies, finished)

    def grading(self, studies: int) -> None:  # noqa: D102
        for watcher in self._watchers:
            watcher.grading(studies)

    def done(self, entry: Entry) -> None:  # noqa: D102
        for watcher in self._watchers:
            watcher.done(entry)

    def stopping(self) -> None:  # noqa: D102
        for watcher in self._watchers:
            watcher.stopping()

    def end(self) -> None:  # noqa: D102
        for watcher in self._watchers:
            watcher.end()


class _Rate(ProgressColumn):
    """Studies per minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed * 60:.1f}/min" if task.speed and task.total else "")


def _words(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[s]} {STATUS_WORDS[s]}" for s in (GRADED, NOT_GRADABLE, FAILED))


def watcher(*, quiet: bool = False, json_log: bool = False) -> Watcher:
    """Who is told: nobody when `quiet`, else the user; a program on standard output too when asked for."""
    people = Watcher() if quiet else Bars()
    return Both(JsonLines(sys.stdout), people) if json_log else people
