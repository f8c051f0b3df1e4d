"""Names of studies and series: telling, file-safe, unique, and free of patient identity."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

from grading.io.identity import Identity, normalised, safe_name, short_hash

NIFTI_ENDINGS = (".nii.gz", ".nii")
# Folder names that archives, exports and viewers make for everyone; they tell nothing about the study.
_GENERIC = re.compile(
    r"(dicoms?|dcm|dicomdir|images?|imgs?|im\d+|mri?|cts?|scans?|raw|data|files?|export(ed)?|study\d*|st\d+|"
    r"pa\d+|series[ _-]?\d*|ser[ _-]?\d+|se\d+|[\d.]{20,})",
    re.IGNORECASE,
)


def is_nifti(path: Path) -> bool:
    """Whether the file's name ends like NIfTI."""
    return path.name.lower().endswith(NIFTI_ENDINGS)


def nifti_stem(path: Path) -> str:
    """File-safe name of a NIfTI file without its ending."""
    for ending in NIFTI_ENDINGS:
        if path.name.lower().endswith(ending):
            return safe_name(path.name[: -len(ending)]) or short_hash(path.name)
    return safe_name(path.stem) or short_hash(path.name)


def folder_name(files: Iterable[Path], root: Path, shared: Set[Path], series: Iterable[str]) -> str:
    """The user's own folder that holds just one DICOM study, "" when no folder tells it.

    Of the folders below `root` that hold all of the study's files and no other study: the outermost whose
    name is not an archive's or a series' own. Without one, `root` when it holds just this study (or its
    parent, for a root called "dicom").

    Args:
        files: of the study.
        root: folder the user pointed at.
        shared: folders that hold more than one study, at any depth.
        series: descriptions and numbers of the study's series, by which a series' own folder is known.
    """
    common = Path(os.path.commonpath([path.parent for path in files]))
    inside = [folder for folder in (*reversed(common.parents), common) if root in folder.parents]
    own = [folder.name for folder in inside if folder not in shared]
    words = {normalised(text) for text in series} - {""}
    telling = [name for name in own if not _is_generic(name, words)]
    if telling:
        return telling[0]
    if root in shared:
        return own[0] if own else ""
    above = root.parent.name if root.parent != Path.home() else ""
    names = [name for name in (root.name, above) if name and not _is_generic(name, words)]
    return names[0] if names else root.name


def _is_generic(name: str, series: set[str]) -> bool:
    """Whether the name is an archive's, or that of a series in it."""
    plain = normalised(name)
    return bool(_GENERIC.fullmatch(name)) or any(
        re.fullmatch(rf"\d*{re.escape(text)}\d*" if not text.isdigit() else f"0*{text}", plain)
        for text in series
    )


def study_name(folder: str, study_uid: str, identity: Identity, *, identify: bool) -> str:
    """Name of a DICOM study: its folder, or ten hex digits of its UID where the folder may not be used."""
    name = safe_name(folder)
    if not name or (not identify and identity.appears_in(folder)):
        return short_hash(study_uid)
    return name


def series_name(number: int | None, description: str, identity: Identity, part: str = "") -> str:
    """Short, file-safe name of a series, e.g. "05-t1_tse_cor" or "02-localizer-sag"."""
    words = [
        "" if number is None else f"{number:02d}",
        safe_name(identity.scrub(description)),
        safe_name(identity.scrub(part)),
    ]
    return "-".join(word for word in words if word) or "series"


def unique(names: Sequence[str]) -> list[str]:
    """Names made unique by "-2", "-3", ... in order; upper and lower case count as equal."""
    taken: set[str] = set()
    result = []
    for name in names:
        candidate, number = name, 1
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{name}-{number}"
        taken.add(candidate.casefold())
        result.append(candidate)
    return result


def clashing(names: Iterable[str]) -> set[str]:
    """Casefolded names that occur more than once."""
    return {name for name, count in Counter(name.casefold() for name in names).items() if count > 1}
