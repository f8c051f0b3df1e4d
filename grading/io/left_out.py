"""Files that no study is made of: said in a line, so that images which the user expects are not missed."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from grading.wording import listed

_ARCHIVES = (
    *(".zip", ".7z", ".rar", ".iso", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz"),
    *(".tar.zst", ".dcm.gz", ".ima.gz"),
)  # not every ".gz": BIDS packs tables so
_OTHER_FORMATS = (".mha", ".mhd", ".nrrd", ".nhdr", ".hdr", ".mgz", ".mgh", ".par", ".mnc")
_KINDS = (
    (_ARCHIVES, "archive", "archives", "to be unpacked first"),
    (_OTHER_FORMATS, "file", "files", "of an image format not read here, to be converted to NIfTI first"),
)
_ENDINGS_NAMED = 4


def ending_of(path: Path) -> str:
    """Ending of a file's name in lower case, with what it packs (".tar.gz"); "no ending" without one."""
    name = path.name.lower()
    packed = [ending for ending in _ARCHIVES if name.endswith(ending)]
    return max(packed, key=len, default=path.suffix.lower()) or "no ending"


def left_out(other: Counter[str]) -> str:
    """What is said, in one line, of files beside images that may hold images too; "" where there are none.

    Args:
        other: files that are no images, by `ending_of`.
    """
    said = []
    for endings, one, several, what in _KINDS:
        held = Counter({ending: count for ending, count in other.items() if ending in endings})
        if count := held.total():
            said.append(f"{count} {one if count == 1 else several} ({_named(held)}), {what}")
    return f"left out: {'; '.join(said)}" if said else ""


def nothing_found(inputs: Sequence[Path], other: Counter[str]) -> str:
    """Message about inputs without any image."""
    where = ", ".join(str(given) for given in inputs)
    if not other:
        return f"no files in {where}; give a folder with DICOM or NIfTI images"
    return (
        f"no DICOM or NIfTI image in {where} ({other.total()} other files: {_named(other)}); "
        "unpack archives and convert other formats to NIfTI first"
    )


def _named(counts: Counter[str]) -> str:
    return listed([f"{count} {ending}" for ending, count in counts.most_common()], _ENDINGS_NAMED)
