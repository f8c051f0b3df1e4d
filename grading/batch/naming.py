"""Names of studies in an output folder that holds some already: each keeps its own, and takes no other's."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from grading.batch.origin import content_of
from grading.io.found import StudyFound
from grading.report.entry import Entry
from grading.report.provenance import Origin

_PLACE_DIGITS = 8  # of the hash that tells apart two studies of one name


def names_in(
    entries: Mapping[str, Entry],
    studies: Sequence[StudyFound],
    origins: Sequence[Origin],
    besides: Sequence[tuple[Path, ...]],
) -> list[str]:
    """The name of each study in an output folder.

    The same study (by Study Instance UID or place, by its unchanged files, or by its bytes) has the name it
    had before. Another study of that name, from another input, gets a few digits added.

    Args:
        entries: what the folder holds.
        studies: of this run; their names differ from each other.
        origins: of these studies.
        besides: label maps of these studies.
    """
    by_place = {entry.origin.place: name for name, entry in entries.items() if entry.origin.place}
    here = {origin.place for origin in origins}
    moved = {e.origin.stamps: name for name, e in entries.items() if e.origin.place not in here}
    owners = {name.casefold(): entry for name, entry in entries.items()}
    taken: set[str] = set()
    names = []
    for study, origin, beside in zip(studies, origins, besides, strict=True):
        name = by_place.get(origin.place) or (moved.get(origin.stamps) if study.chosen else None)
        if name is None or name.casefold() in taken:
            owner = owners.get(study.name.casefold())
            free = owner is None or _is_same(owner, study, beside)
            name = study.name if free and study.name.casefold() not in taken else None
        name = name or f"{study.name}-{origin.place[:_PLACE_DIGITS]}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _is_same(owner: Entry, study: StudyFound, beside: tuple[Path, ...]) -> bool:
    """Whether the study that has a name is this one, by its bytes, or has never been more than a name."""
    if not owner.origin.place:
        return True
    try:
        # Its label maps may be the first that it is graded on.
        contents = (content_of(study, files) for files in {beside, ()})
        return bool(owner.origin.content) and owner.origin.content in contents
    except OSError:
        return False
