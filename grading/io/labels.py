"""Label maps lie beside the images they belong to; they are listed with them, not as studies."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar

from grading.io.bids import stem
from grading.io.found import SeriesFound
from grading.io.names import unique
from grading.io.roles import without_label_words


class Draft(Protocol):
    """The part of a study being put together that matters here."""

    name: str
    series: list[SeriesFound]
    files: list[Path]


D = TypeVar("D", bound=Draft)


def attach_label_maps(
    drafts: list[D], labels: Sequence[tuple[Path, SeriesFound]], alone: Callable[[Path, SeriesFound], D]
) -> list[D]:
    """List each label map with its study: the one whose name it carries, else the only one in its folder.

    A label map that belongs to no image is left out when there are images, and is a study (that will say
    why it cannot be graded) when nothing else was found.
    """
    if not drafts:
        return [alone(root, series) for root, series in labels]
    for root, series in labels:
        owner = _by_name(drafts, series.files[0]) or _by_folder(drafts, series.files[0], root)
        if owner is not None:
            names = unique([*(s.info.name for s in owner.series), series.info.name])
            owner.series.append(replace(series, info=replace(series.info, name=names[-1])))
    return drafts


def _by_name(drafts: list[D], path: Path) -> D | None:
    """The study whose NIfTI file has the label map's name without words like "seg"; same folder first."""
    base = without_label_words(stem(path))
    same = [d for d in drafts if any(without_label_words(stem(f)) == base for f in d.files)]
    beside = [d for d in same if any(f.parent == path.parent for f in d.files)]
    candidates = beside or same
    return candidates[0] if base and len(candidates) == 1 else None


def _by_folder(drafts: list[D], path: Path, root: Path) -> D | None:
    """The only study in the label map's folder, or in the nearest folder above it, up to `root`."""
    for folder in path.parents:
        inside = [d for d in drafts if any(folder in f.parents for f in d.files)]
        if inside or folder == root:
            return inside[0] if len(inside) == 1 else None
    return None
