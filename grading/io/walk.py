"""Finding files: folders in a stable order, once each, without following links in circles."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from grading.errors import SeriesNotFound

_PASSED_OVER = (".", "__MACOSX", "lost+found", "System Volume Information")  # names begin so
_IMAGE_ENDINGS = (".nii", ".nii.gz", ".dcm", ".ima")  # a link with no file behind it is told where so named
_OUTPUT_FILES = frozenset({"run.json", "studies.csv"})  # together they mark a folder this program wrote


def walk(inputs: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Every regular file below the inputs as (folder the user pointed at, file), each file once.

    Hidden files, the system's own folders and this program's own output folders are passed over. A folder
    that cannot be opened comes as if it were a file, and so does a link to an image that is not there. A
    DICOMDIR stands for the folder it lies in.

    Raises:
        SeriesNotFound: an input does not exist, or its path cannot be followed.
    """
    folders: set[tuple[int, int]] = set()
    files: set[str] = set()
    for given in inputs:
        start = Path(os.path.abspath(given))  # noqa: PTH100 - keeps the user's own link names, unlike resolve()
        try:
            start.stat()
        except FileNotFoundError:
            raise SeriesNotFound(f"input {given} does not exist; check the path") from None
        except OSError as error:
            why = error.strerror
            raise SeriesNotFound(f"input {given} cannot be opened ({why}); check the path") from None
        if start.is_file() and start.name.upper() != "DICOMDIR":
            found: Iterator[tuple[str, Path]] = iter(((os.path.realpath(start), start),))
            root = start.parent
        else:
            root = start if start.is_dir() else start.parent
            found = _files(root, folders)
        for real, path in found:
            if real not in files:
                files.add(real)
                yield root, path


def _files(folder: Path, seen: set[tuple[int, int]]) -> Iterator[tuple[str, Path]]:
    """Files below a folder as (where it really lies, as the user names it)."""
    try:
        status = folder.stat()
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError:  # it may hold a study, so it must not be lost without a word
        yield os.path.realpath(folder), folder
        return
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    if {entry.name for entry in entries} >= _OUTPUT_FILES:
        return
    real = os.path.realpath(folder)
    for entry in entries:
        if entry.name.startswith(_PASSED_OVER):
            continue
        path = folder / entry.name
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:  # a circle of links
            continue
        if is_folder:
            yield from _files(path, seen)
        elif is_file or (entry.is_symlink() and entry.name.lower().endswith(_IMAGE_ENDINGS)):
            yield os.path.realpath(path) if entry.is_symlink() else f"{real}{os.sep}{entry.name}", path
