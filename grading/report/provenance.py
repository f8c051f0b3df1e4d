"""Where a report comes from: code, model, settings, input. Enough to make the same numbers again."""

import hashlib
import logging
import platform
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path

from grading.settings import Settings
from grading.volume import Volume

PACKAGES = ("grading", "numpy", "scipy", "onnxruntime", "pydicom", "nibabel")
"""Packages whose version can change a number."""

_log = logging.getLogger("grading")


@cache
def package_version(name: str) -> str:
    """Installed version of a package, "not installed" when there is none (a source checkout)."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


@dataclass(frozen=True, slots=True)
class InputSeries:
    """One image that went in: its identity-free name, role and the SHA-256 of its voxels and affine."""

    name: str
    role: str
    digest: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What a result follows from, as digests that name neither patient nor file; "" where not known.

    Attributes:
        place: where the study's images lie, or their Study Instance UID; the same study keeps it for life.
        stamps: sizes and times of the image files and label maps; unchanged ones are unchanged content.
        content: the bytes of those files, and what the reader made of their headers.
        recipe: settings, model and version of this package.
    """

    place: str = ""
    stamps: str = ""
    content: str = ""
    recipe: str = ""

    def unchanged_since(self, earlier: "Origin") -> bool:
        """Whether files and recipe are those of an earlier result, as their stamps tell."""
        return (self.stamps, self.recipe) == (earlier.stamps, earlier.recipe)


UNKNOWN_ORIGIN = Origin()


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a report was made.

    Attributes:
        packages: version of each package that can change a number.
        python: version of Python.
        platform: operating system and processor.
        segmentation: who segmented, with the SHA-256 of the model if a network did.
        settings: the settings of the run, without the user's file names unless those may be shown.
        inputs: the images that were read.
        seconds: wall-clock time of each step, s.
        peak_memory_mb: most memory the process held while on this study, MB; None when not known.
        origin: digests of everything the result follows from; equal ones let a rerun skip the study.
    """

    packages: dict[str, str]
    python: str
    platform: str
    segmentation: str
    settings: Settings
    inputs: tuple[InputSeries, ...]
    seconds: dict[str, float]
    peak_memory_mb: float | None = None
    origin: Origin = UNKNOWN_ORIGIN


def trace(
    segmentation: str, settings: Settings, images: Iterable[Volume], seconds: dict[str, float]
) -> Provenance:
    """Provenance of a report made just now, in this process."""
    return Provenance(
        packages={name: package_version(name) for name in PACKAGES},
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        segmentation=segmentation,
        settings=nameless(settings),
        inputs=tuple(InputSeries(v.series.name, v.series.role.value, _digest(v)) for v in images),
        seconds=seconds,
    )


_FILE = "a file of the user's"


def nameless(settings: Settings) -> Settings:
    """The settings without the names of the user's own files, which may name a patient."""
    if settings.identify:
        return settings
    masks = Path("label-maps") if settings.masks else None
    scheme, *scales = (_FILE if Path(word).suffix else word for word in (settings.scheme, *settings.scales))
    participants = Path("participants") if settings.participants else None
    return replace(settings, masks=masks, scheme=scheme, scales=tuple(scales), participants=participants)


def without_file_names(text: str, settings: Settings) -> str:
    """A message about the request, without the names that `nameless` hides."""
    shown = nameless(settings)
    given = (settings.masks, settings.participants, settings.scheme, *settings.scales)
    hidden = (shown.masks, shown.participants, shown.scheme, *shown.scales)
    for path, instead in zip(given, hidden, strict=True):
        if path is not None and path != instead:
            text = text.replace(str(path), str(instead)).replace(Path(path).name, str(instead))
    return text


@contextmanager
def timed(step: str, seconds: dict[str, float]) -> Iterator[None]:
    """Note the wall-clock time of one step of a study."""
    start = time.perf_counter()
    _log.info("%s ...", step)
    yield
    seconds[step] = time.perf_counter() - start
    _log.info("%s took %.2f s", step, seconds[step])


def _digest(volume: Volume) -> str:
    """SHA-256 of the voxels and affine: the reader's, or made here for a volume built in memory."""
    if volume.series.digest:
        return volume.series.digest
    return hashlib.sha256(volume.voxels.tobytes() + volume.geometry.affine.tobytes()).hexdigest()
