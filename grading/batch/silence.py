"""Saying so when the search for studies hangs: a share that does not answer raises no error."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from grading.batch.progress import Watcher

LONGEST_SILENCE_S = 60.0
"""One file is looked at in a millisecond, on a slow share in a second."""


@contextmanager
def heard(tell: Watcher, longest_s: float = LONGEST_SILENCE_S) -> Iterator[Callable[[int], None]]:
    """A progress function for the search; `tell` also hears when it has not been called for `longest_s`."""
    last, files, over = time.monotonic(), 0, Event()

    def looked_at(count: int) -> None:
        nonlocal last, files
        last, files = time.monotonic(), count
        tell.looked_at(count)

    def listen() -> None:
        told = -1  # files at which it was said: once is enough
        while not over.wait(longest_s / 4):
            if time.monotonic() - last > longest_s and told != files:
                tell.silent(files, longest_s)
                told = files

    listener = Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield looked_at
    finally:
        over.set()
        listener.join()
