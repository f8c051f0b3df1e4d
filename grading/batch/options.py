"""What a user can say about a run beyond how a study is graded."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from grading.errors import ConfigurationError
from grading.io.found import StudyFound
from grading.settings import LONGEST_STUDY_S

MOST = 1e6
"""Seconds (eleven days) or gigabytes: what clock and kernel count to, and more than any study takes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one study may take of the machine.

    Attributes:
        timeout_s: wall-clock seconds, None for no limit.
        memory_gb: gigabytes its process may hold (kept by the kernel; Linux only), None for no limit.
    """

    timeout_s: float | None = LONGEST_STUDY_S
    memory_gb: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("--timeout", self.timeout_s), ("--memory-limit", self.memory_gb)):
            if value is not None and not 0 < value <= MOST:
                raise ConfigurationError(f"{name} {value:g}: must be above 0 and at most {MOST:.0f}")


@dataclass(frozen=True, slots=True)
class Pick:
    """Which of the studies found take part.

    A shell pattern (`*`, `?`, `[abc]`) is matched against the study's name, and against its folder or file
    and each folder above it, written relative to the input.

    Attributes:
        include: patterns, one of which a study must match; () for all.
        exclude: patterns, none of which it may match.
        limit: how many studies are computed at most in this run, None for all.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ConfigurationError(f"--limit {self.limit}: at least 1 is needed")

    def of(self, studies: Iterable[StudyFound], inputs: Sequence[Path]) -> list[StudyFound]:
        """The studies that take part, in their order.

        Raises:
            ConfigurationError: there are studies, and the patterns leave none of them.
        """
        found = list(studies)
        kept = [study for study in found if self._takes(_names(study, inputs))]
        if found and not kept:
            given = (("--include", self.include), ("--exclude", self.exclude))
            said = " ".join(f"{option} {pattern}" for option, patterns in given for pattern in patterns)
            raise ConfigurationError(
                f"no study matches {said}: {len(found)} found, none left; `grading inspect` lists their names"
            )
        return kept

    def _takes(self, names: Sequence[str]) -> bool:
        return (not self.include or _matches(self.include, names)) and not _matches(self.exclude, names)


def _matches(patterns: Iterable[str], names: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _names(study: StudyFound, inputs: Sequence[Path]) -> list[str]:
    """Name of the study and its places below the inputs."""
    files = [path for series in study.series for path in series.files]
    names = [study.name]
    if not files:
        return names
    place = Path(os.path.commonpath(files))
    for given in inputs:
        root = Path(os.path.abspath(given))  # noqa: PTH100 - as `walk` does, which named the files
        if place.is_relative_to(root):
            below = place.relative_to(root)
            names += [path.as_posix() for path in (below, *below.parents) if path.name]
    return names
