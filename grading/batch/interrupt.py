"""Ctrl-C: once to stop after the studies in hand, twice to stop at once. A request to end stops at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stopping_gently(tell: Callable[[], None]) -> Iterator[threading.Event]:
    """Meanwhile the first Ctrl-C sets the event, and the second raises KeyboardInterrupt.

    A signal that was ignored stays ignored: the shell ignores Ctrl-C for a job in the background, for it is
    meant for the one in front.

    Args:
        tell: called after the first.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # the only one that hears signals
        yield stop
        return

    def interrupted(number: int, _: FrameType | None) -> None:
        if number != signal.SIGINT or stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        tell()

    heard = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = [signal.signal(number, interrupted) for number in heard]
    try:
        yield stop
    finally:
        for number, handler in zip(heard, before, strict=True):
            signal.signal(number, handler)
