"""What a study's result follows from, as digests, so that a rerun knows what still holds.

Unchanged stamps mean unchanged files, and need no file to be opened. Where stamps differ (a copied archive,
a touched file) the bytes decide.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from importlib import resources
from pathlib import Path

from grading.io.found import StudyFound
from grading.io.names import is_nifti
from grading.report.plain import to_plain
from grading.report.provenance import Origin, nameless, package_version
from grading.segment.model import MODEL_SHA256_FILE
from grading.settings import Settings


def origin_of(study: StudyFound, beside: Iterable[Path], recipe: str) -> Origin:
    """Digests of a study that can be had without opening its files.

    Args:
        study: as it was found.
        beside: label maps and scheme that its result also follows from.
        recipe: from `recipe_of`.
    """
    return Origin(
        place=_digest(study.place),
        stamps=_digest([_stamp(path) for path in _files(study, beside)]),
        recipe=recipe,
    )


def content_of(study: StudyFound, beside: Iterable[Path]) -> str:
    """Digest of the bytes of all files that a study's result follows from, and of what their headers gave.

    Raises:
        OSError: a file cannot be read.
    """
    files = [_file_digest(path) for path in _files(study, beside)]
    return _digest([[to_plain(s.info) for s in study.chosen], files])


def recipe_of(settings: Settings) -> str:
    """Digest of everything that is the same for all studies of a run: settings, model, version."""
    plain = to_plain(nameless(replace(settings, identify=False)))
    del plain["threads"]  # changes no number
    plain["segmenter"] = "masks" if settings.masks else settings.segmenter
    plain["scales"] = [_file_digest(Path(s)) if Path(s).is_file() else s for s in settings.scales]
    plain["participants"] = settings.participants and _file_digest(settings.participants)
    return _digest([plain, settings.identify, _model(settings), package_version("grading")])


def _model(settings: Settings) -> str:
    """What tells one model of the segmenter from another; empty where the user brings label maps."""
    if settings.masks is not None:
        return ""
    return model_digest() if settings.segmenter == "network" else package_version("TotalSegmentator")


def model_digest() -> str:
    """SHA-256 of the bundled networks as they were shipped, coarse and fine; empty where there are none."""
    try:
        lines = resources.files("grading.segment").joinpath(MODEL_SHA256_FILE).read_text("ascii").splitlines()
    except FileNotFoundError:
        return ""
    return " ".join(line.split()[0] for line in lines)


class LabelMaps:
    """The user's label maps, listed once for all studies."""

    def __init__(self, settings: Settings) -> None:
        """List the NIfTI files below `settings.masks`, and the scheme where it is a file.

        Only these, because the folder may be that of this program's own results.
        """
        masks = settings.masks
        self._everyones = [path for path in (masks, Path(settings.scheme)) if path and path.is_file()]
        self._named = (
            [
                (path, str(path.relative_to(masks)).casefold())
                for path in sorted(masks.rglob("*"))
                if is_nifti(path) and path.is_file()
            ]
            if masks and masks.is_dir()
            else []
        )

    def of(self, name: str) -> tuple[Path, ...]:
        """Files that may matter for the study of that name."""
        return (*(path for path, below in self._named if name.casefold() in below), *self._everyones)


def _files(study: StudyFound, beside: Iterable[Path]) -> list[Path]:
    """All files behind a result, in a stable order."""
    return [path for series in study.chosen for path in sorted(series.files)] + list(beside)


def _stamp(path: Path) -> tuple[str, int, int, int, int]:
    """Name, size, times and number of a file; zeros when it is gone, which the run will then say properly.

    The time of change is among them because a program can set the time of modification back, but not that.
    """
    try:
        status = path.stat()
    except OSError:
        return path.name, 0, 0, 0, 0
    return path.name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
