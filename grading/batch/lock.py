"""One run per output folder: the second says so and stops.

The operating system drops the lock when its process ends, however it ends, so none is ever left behind.
"""

import errno
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from grading.errors import ConfigurationError
from grading.report.files import make_folder, writing

LOCK_FILE = ".lock"
_HELD = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)  # what the systems say of a lock that another holds
_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)  # a share mounted without: work goes on unguarded


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep `out`, made if needed, to this process; a folder made in vain is removed again.

    Raises:
        ConfigurationError: another run has the folder, or it cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise ConfigurationError(f"output {out} is a file; name a folder")
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    make_folder(out)
    path = out / LOCK_FILE
    handle = _take(path)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # before the lock is dropped: a run that opened it meanwhile tries again
        os.close(handle)
        for folder in made:
            with suppress(OSError):  # not empty: something was written
                folder.rmdir()


def _take(path: Path) -> int:
    """Lock the file at `path`; returns its handle, which must stay open."""
    while True:
        with writing(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(handle)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                holder = _text(handle)
                os.close(handle)
                why = holder if error.errno in _HELD else error.strerror
                raise ConfigurationError(
                    f"another run is writing into {path.parent} ({why}); wait for it, or choose another "
                    "output folder (-o)"
                ) from None
        if _is_at(handle, path):
            holder = (
                f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%Y-%m-%d %H:%M')}"
            )
            os.ftruncate(handle, 0)
            with suppress(OSError):  # a full disk: the lock holds, only its owner is not named
                os.write(handle, holder.encode("ascii", "replace"))
            return handle
        os.close(handle)  # its owner removed the file between our opening and locking it


def _lock(handle: int) -> None:
    """Lock an open file without waiting."""
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _text(handle: int) -> str:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        text = os.read(handle, 200).decode("ascii", "replace").strip()
    except OSError:
        text = ""
    return "".join(c if c.isprintable() else " " for c in text) or "another process"
