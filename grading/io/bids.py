"""What a NIfTI file's name and JSON sidecar say about it (BIDS, and the habits of everyone else)."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from grading.io.names import NIFTI_ENDINGS
from grading.io.roles import Acquisition, is_spin_echo, names_dixon, series_text
from grading.io.words import finds, words_of

_MAX_SIDECAR_BYTES = 1_000_000  # dcm2niix writes a few thousand
_ENTITY = re.compile(r"(sub|ses)-([A-Za-z0-9]+)")
_BIDS_NAME = re.compile(r"sub-[A-Za-z0-9]+(_[A-Za-z0-9]+-[A-Za-z0-9]+)*_[A-Za-z0-9]+")
_MS_PER_S = 1000.0  # BIDS gives times in seconds
_LONGEST_ECHO_S = 1.0  # no echo is so late: such a sidecar gives its times in ms
_LETTERS = {"w": "water", "f": "fat", "ip": "in", "in": "in", "op": "opposed", "opp": "opposed"}
_LETTER_PAIRS = ({"water", "fat"}, {"in", "opposed"})
_LARGEST = 1e6  # no time, angle or field that a sidecar may give is larger; infinity is none of them
# Words that say which Dixon image a file is; what remains of the name is common to the images of one scan.
_DIXON_WORDS = re.compile(
    r"(?<![a-z0-9])((in|out|opp|opposed|out ?of) ?phase|inph|(water|fat) ?only|water|wat|w|fat|f|in|ip|op|"
    r"opp|out|opposed|phase|pdff|ff|fat ?(fraction|frac)|te\d+|e\d+[a-z]?)(?![a-z0-9])"
)


def stem(path: Path) -> str:
    """File name without .nii or .nii.gz."""
    for ending in NIFTI_ENDINGS:
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.stem


def subject_session(path: Path) -> str:
    """Subject and session of a BIDS file name ("sub-01_ses-02"), "" for any other name.

    Labels hold letters and digits only: "sub-A-01_T1w" is no BIDS name, and its subject is not "sub-A".
    """
    name = stem(path)
    found = dict(_ENTITY.findall(name)) if _BIDS_NAME.fullmatch(name) else {}
    return "_".join(f"{key}-{found[key]}" for key in ("sub", "ses") if key in found)


def common_stem(path: Path) -> str:
    """Name without what tells the images of one Dixon scan apart; "" when nothing remains.

    That is, words like "water" and the number of the series, which converters put into names ("..._12",
    "..._12a" for a second image of it).
    """
    name = _DIXON_WORDS.sub(" ", words_of(stem(path)))
    number = sidecar(path).get("SeriesNumber")
    if isinstance(number, int):
        name = re.sub(rf"(?<![a-z0-9])0*{number}[a-z]?(?![a-z0-9])", " ", name)
    return re.sub(r"[^a-z0-9]+", "_", name).strip("_")


def with_partner(paths: Iterable[Path]) -> set[Path]:
    """Files named by a bare letter (W, F, IP, OP) that lie beside the other image of that name.

    "x_W" and "x_F" are water and fat of one scan; one of them alone may be anything.
    """
    groups: dict[tuple[Path, str], dict[str, list[Path]]] = {}
    for path in paths:
        last = words_of(stem(path)).rpartition(" ")[2]
        if last in _LETTERS:
            group = groups.setdefault((path.parent, common_stem(path)), {})
            group.setdefault(_LETTERS[last], []).append(path)
    whole = [group for group in groups.values() if any(pair <= group.keys() for pair in _LETTER_PAIRS)]
    return {path for group in whole for files in group.values() for path in files}


def ends_in_sex(path: Path) -> bool:
    """Whether the F at the end of the name of a T1 spin echo is female rather than fat, unless paired."""
    words = words_of(stem(path))
    plain = finds("t1w?", words) and finds("t?se|fse", words) and not names_dixon(words)
    return bool(plain) and words.endswith(" f")


def acquisition_of(path: Path, *, paired: bool = False) -> Acquisition:
    """How the image was made, as far as name and sidecar tell.

    Args:
        path: NIfTI file.
        paired: whether it is one `with_partner`.
    """
    side = sidecar(path)
    text = stem(path)
    if paired:
        text = f"dixon {text}"
    elif ends_in_sex(path):
        text = text[:-1]
    if subject_session(path):
        text = _ENTITY.sub(" ", text)
    sequence = _words(side, "ScanningSequence")
    derived = re.search(r"(?:^|_)desc-", path.name) is not None
    image_type = _words(side, "ImageType")
    said = series_text(*(_text(side, key) for key in ("SeriesDescription", "ProtocolName", "Manufacturer")))
    return Acquisition(
        modality=_text(side, "Modality").upper(),
        text=f"{text} {said}".strip(),
        image_type=(*image_type, "REFORMATTED") if derived and len(image_type) > 1 else image_type,
        sequence_name=_text(side, "SequenceName") or _text(side, "PulseSequenceName"),
        spin_echo=is_spin_echo(sequence),
        inversion="IR" in sequence,
        scan_options=_words(side, "ScanOptions"),
        echo_time_ms=_milliseconds(side, "EchoTime"),
        repetition_time_ms=_milliseconds(side, "RepetitionTime"),
        inversion_time_ms=_milliseconds(side, "InversionTime"),
        flip_angle_deg=_number(side, "FlipAngle"),
        field_strength_t=_number(side, "MagneticFieldStrength"),
    )


def sidecar(path: Path) -> dict[str, object]:
    """The JSON file of the same name, {} when there is none or it cannot be read.

    Any Unicode is read, with or without a byte order mark, as Windows writes it; letters that are none (an
    institution's name in Latin-1) do not matter here.
    """
    beside = path.with_name(f"{stem(path)}.json")
    try:
        if beside.stat().st_size > _MAX_SIDECAR_BYTES:
            return {}
        said = beside.read_bytes()
        content = json.loads(said.decode(json.detect_encoding(said), "replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _text(side: dict[str, object], key: str) -> str:
    value = side.get(key)
    return value if isinstance(value, str) else ""


def _words(side: dict[str, object], key: str) -> tuple[str, ...]:
    """Values of a list, or of a text with backslash or underscore between values, upper case."""
    value = side.get(key)
    if isinstance(value, list):
        return tuple(str(item).upper() for item in value)
    return tuple(re.split(r"[\\_]", value.upper())) if isinstance(value, str) and value else ()


def _number(side: dict[str, object], key: str) -> float | None:
    value = side.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < _LARGEST:
        return None
    return float(value)


def _milliseconds(side: dict[str, object], key: str) -> float | None:
    value = _number(side, key)
    in_ms = (_number(side, "EchoTime") or 0) >= _LONGEST_ECHO_S
    return value if value is None or in_ms else value * _MS_PER_S
