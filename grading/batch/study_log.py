"""A log file per study: what was done when, and where it stopped. It names no patient."""

import faulthandler
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from grading.report.files import make_folder, writing

LOG_FILE = "log.txt"

_log = logging.getLogger("grading")


@contextmanager
def study_log(folder: Path) -> Iterator[None]:
    """Write what the package logs meanwhile into `folder/log.txt`, line by line.

    A crash of native code leaves the places of the Python code there.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    path = make_folder(folder) / LOG_FILE
    with writing(path):
        stream = path.open("w", encoding="utf-8", errors="replace")
    handler = _Quiet(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))
    before = _log.level
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    mine = not faulthandler.is_enabled()
    if mine:
        faulthandler.enable(stream)
    try:
        yield
    finally:
        if mine:
            faulthandler.disable()
        _log.removeHandler(handler)
        _log.setLevel(before)
        with suppress(OSError):  # as above
            stream.close()


class _Quiet(logging.StreamHandler[TextIO]):
    """A full disk is said by what matters more than a log."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Leave the line out."""


def append(folder: Path, line: str) -> None:
    """Add a line to a log whose process has ended."""
    with suppress(OSError), (folder / LOG_FILE).open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")
