"""The label map in a study's folder: a reader may edit it there, and no run loses what was edited."""

import logging
from collections.abc import Iterable
from itertools import count
from pathlib import Path

import numpy as np

from grading.errors import InputError
from grading.volume import Segmentation
from grading.wording import listed

LABEL_MAP = "segmentation.nii.gz"
EDITED = "segmentation.edited.nii.gz"  # no name that `--masks` looks for
_MOST_NAMED = 5  # studies in one line of the terminal

_log = logging.getLogger("grading")


def is_edited(folder: Path) -> bool:
    """Whether somebody edited the label map in `folder`, or it is one that somebody edited there before."""
    from grading.io.voxel_note import is_as_written

    return (folder / LABEL_MAP).is_file() and not is_as_written(folder / LABEL_MAP)


def keep_edited(folder: Path, new: Segmentation) -> bool:
    """Move aside the label map in `folder` where somebody edited it and the new one says something else.

    Returns:
        Whether the new one says what somebody edited there.

    Raises:
        OSError: it cannot be moved.
    """
    if not is_edited(folder):
        return False
    path = folder / LABEL_MAP
    if _says_the_same(path, new):
        return True
    names = (EDITED.replace("edited", f"edited-{n}") if n > 1 else EDITED for n in count(1))
    name = next(name for name in names if not (folder / name).exists())
    path.rename(folder / name)
    _log.info("%s was edited, and is not what this run wrote: kept as %s", LABEL_MAP, name)
    return False


def edited_notice(folders: Iterable[Path]) -> list[str]:
    """A line about the studies in whose folders an edited label map was set aside, if there are any.

    Args:
        folders: of the studies of a run.
    """
    names = [folder.name for folder in folders if (folder / EDITED).is_file()]
    if not names:
        return []
    named = listed(names, _MOST_NAMED)
    advice = f"to grade it, rename it to {LABEL_MAP} and run with --masks OUT/studies --include STUDY"
    return [f"{EDITED}: an edited label map that differs from the one beside it; {advice}. In {named}"]


def _says_the_same(path: Path, new: Segmentation) -> bool:
    from grading.io.nifti import read_labels

    try:
        labels, grid = read_labels(path)
    except InputError:  # damaged: what it said cannot be known
        return False
    return grid.same_grid(new.geometry) and np.array_equal(labels, new.labels)
