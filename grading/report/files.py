"""Writing into the output folder: whole files or none, and one clear error when the disk says no."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grading.errors import ConfigurationError

_LEFTOVER = re.compile(r"\.[A-Za-z0-9_.-]+\.[a-z0-9_]{8}")  # ".name.ext." and eight characters of `tempfile`


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write `path` into an error a user can act on.

    Raises:
        ConfigurationError: not permitted, no space left, not a folder, ...
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"cannot write {path}: {reason}; free space or choose another output folder (-o)"
        ) from error


def make_folder(path: Path) -> Path:
    """Create a folder, with its parents, unless it is there.

    Raises:
        ConfigurationError: it cannot be created, or cannot be written to.
    """
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass  # being listed is not being writable
    return path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part.

    Raises:
        ConfigurationError: the file cannot be written; nothing is left behind.
    """
    with writing(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())  # else a crash of the machine could leave a name without content
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of a process that was killed while it wrote into `folder`.

    Call it only where nobody else is writing.
    """
    with writing(folder):
        for path in folder.iterdir():
            if _LEFTOVER.fullmatch(path.name) and path.is_file():
                path.unlink(missing_ok=True)


def _umask() -> int:
    """The process's file mode mask; reading it means setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
