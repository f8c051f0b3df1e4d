"""Label schemes: what the numbers in someone's label map mean.

The built-in schemes are tables in `label_schemes/`, in the format that a user's own scheme may have:

- `.tsv`, as BIDS has it for `*_dseg.tsv`: columns `index` and `name`, optionally `structure` (replaces
  `name`) and `side`;
- `.json`: `{"1": "gluteus_maximus_left", "2": {"structure": "gluteus_maximus", "side": "right"}, "3": null}`,
  or the `dataset.json` of nnU-Net, whose "labels" are `{"gluteus_maximus_left": 1}`;
- label descriptions saved by ITK-SNAP (`.txt`, `.label`) and colour tables of 3D Slicer (`.ctbl`).

A name is a structure of `grading.anatomy.STRUCTURES` (or a usual synonym) with the patient's side, in any
order, case and punctuation: "Gluteus maximus (L)" is "gluteus_maximus_left". Other names are known numbers
without use here. Sources of the built-in tables: MuscleMap's page of anatomical labels (docs/anatomy.md;
6143/6144, 618x to 622x and 700x are this project's additions) and `class_map` in
`totalsegmentator/map_to_binary.py` of TotalSegmentator 2 (Wasserthal et al., doi 10.1148/ryai.230024).
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grading.anatomy import STRUCTURES, Muscle, Side, Structure
from grading.errors import ConfigurationError

_FOLDER = Path(__file__).parent / "label_schemes"
BUILT_IN: Mapping[str, tuple[str, ...]] = {  # what a user may ask for -> tables, the likelier one first
    "musclemap": ("musclemap",),
    "totalsegmentator": ("total_mr", "total"),
    "total_mr": ("total_mr",),
    "total": ("total",),
}
GLUTEAL_LABELS = frozenset(STRUCTURES[m].label(s) for m in Muscle for s in Side)
OWN = "own-file"
"""Name of a scheme from a user's file, which may itself name a patient."""
LARGEST_LABEL = 65535  # label maps are uint16

_SIDE_WORDS = {"left": Side.LEFT, "l": Side.LEFT, "lt": Side.LEFT}
_SIDE_WORDS |= {"right": Side.RIGHT, "r": Side.RIGHT, "rt": Side.RIGHT}
_SYNONYMS = {
    "autochthon": "erector_spinae",
    "gmax": "gluteus_maximus",
    "gmed": "gluteus_medius",
    "gmin": "gluteus_minimus",
    "hip": "hip_bone",
    "iliacus": "iliopsoas",
    "ilium": "hip_bone",
    "psoas": "iliopsoas",
    "psoas_major": "iliopsoas",
    "tensor_fascia_lata": "tensor_fasciae_latae",
    "tensor_fascia_latae": "tensor_fasciae_latae",
    "tensor_fasciae_lata": "tensor_fasciae_latae",
    "tfl": "tensor_fasciae_latae",
}
_ITK_SNAP_LINE = re.compile(r'\s*(\d+)(?:\s+[\d.]+){6}\s+"(.*)"\s*')
_SLICER_LINE = re.compile(r"\s*(\d+)\s+(\S+)(?:\s+\d+){4}\s*")


@dataclass(frozen=True, slots=True)
class LabelScheme:
    """Meaning of the numbers in a label map.

    Attributes:
        name: what to call it in tables and messages.
        labels: number in the label map -> this package's label number; 0 = named, but of no use here.
    """

    name: str
    labels: Mapping[int, int]

    def unnamed(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """Those of `numbers` that the scheme does not name, in ascending order."""
        return tuple(sorted(n for n in numbers if n not in self.labels))

    @property
    def gluteal_numbers(self) -> frozenset[int]:
        """Numbers that stand for a muscle graded here."""
        return frozenset(number for number, label in self.labels.items() if label in GLUTEAL_LABELS)


def load_schemes(name: str) -> tuple[LabelScheme, ...]:
    """Schemes that `name` may mean: a built-in name, or a file of the user's own.

    More than one only for "totalsegmentator", whose tasks number differently; `best_fit` chooses.

    Raises:
        ConfigurationError: no such scheme, or a file that is unreadable, names no gluteal muscle, or names a
            paired structure without its side.
    """
    if name in BUILT_IN:
        return tuple(_scheme(table, _read_table(_FOLDER / f"{table}.tsv")) for table in BUILT_IN[name])
    path = Path(name)
    if not path.is_file():
        raise ConfigurationError(
            f"label scheme {name!r} is neither {', '.join(BUILT_IN)} nor a file; "
            "a scheme file is .json, .tsv, ITK-SNAP's .txt/.label or Slicer's .ctbl"
        )
    scheme = _scheme(path.name, _read_table(path))
    if not scheme.gluteal_numbers:
        raise ConfigurationError(
            f"label scheme {path.name} names no gluteal muscle; use names like gluteus_medius_left "
            f"({', '.join(Muscle)}, each with left or right)"
        )
    return (replace(scheme, name=OWN),)


def scheme_of(name: str, names: Mapping[int, str]) -> LabelScheme:
    """The scheme that a program's own table of label names makes, e.g. the class map of TotalSegmentator.

    Args:
        name: what to call it in tables and messages.
        names: number in the label map -> written name.

    Raises:
        ConfigurationError: a gluteal muscle is named that this package does not know, or without its side.
    """
    return _scheme(name, [(str(number), text) for number, text in names.items()])


def best_fit(schemes: tuple[LabelScheme, ...], numbers: Iterable[int]) -> LabelScheme:
    """The scheme that leaves fewest of `numbers` unnamed; the first of them on a tie."""
    found = tuple(numbers)
    return min(schemes, key=lambda scheme: len(scheme.unnamed(found)))


def _scheme(name: str, rows: Iterable[tuple[str, str]]) -> LabelScheme:
    labels: dict[int, int] = {}
    for index, text in rows:
        if not (index.isascii() and index.isdigit() and int(index) <= LARGEST_LABEL):
            raise ConfigurationError(
                f"label scheme {name}: {index!r} is not a label number (0 to {LARGEST_LABEL})"
            )
        number, label = int(index), _label(text, name)
        if labels.setdefault(number, label) != label:
            raise ConfigurationError(f"label scheme {name}: number {number} is named twice, differently")
    labels.pop(0, None)  # background in every scheme
    return LabelScheme(name, labels)


def _label(text: str, scheme: str) -> int:
    """This package's label for a written name; 0 where the name means nothing to it."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    sides = {_SIDE_WORDS[word] for word in words if word in _SIDE_WORDS}
    stem = "_".join(word for word in words if word not in _SIDE_WORDS)
    structure = STRUCTURES.get(_SYNONYMS.get(stem, stem))
    if structure is None:
        if stem.startswith(("glut", "tensor")):
            raise ConfigurationError(
                f"label scheme {scheme}: {text!r} looks like a gluteal muscle "
                f"but is none of {', '.join(Muscle)}"
            )
        return 0
    return _sided(structure, sides, text, scheme)


def _sided(structure: Structure, sides: set[Side], text: str, scheme: str) -> int:
    if structure.left == structure.right:
        return structure.left
    if len(sides) != 1:
        raise ConfigurationError(
            f"label scheme {scheme}: {text!r} must say left or right; give the sides separate numbers"
        )
    return structure.label(sides.pop())


def _read_table(path: Path) -> list[tuple[str, str]]:
    """Rows of (index, name with side) of a scheme file in any known format."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"label scheme {path.name} cannot be read: {error}") from error
    match path.suffix.lower():
        case ".json":
            return _json_rows(text, path.name)
        case ".tsv":
            return _tsv_rows(text, path.name)
        case ".ctbl":
            pattern = _SLICER_LINE
        case ".txt" | ".label":
            pattern = _ITK_SNAP_LINE
        case other:
            raise ConfigurationError(
                f"label scheme {path.name}: unknown kind {other!r}; use .json, .tsv, .txt, .label or .ctbl"
            )
    return [(found[1], found[2]) for line in text.splitlines() if (found := pattern.fullmatch(line))]


def _tsv_rows(text: str, name: str) -> list[tuple[str, str]]:
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    columns = set(rows.fieldnames or ())
    if "index" not in columns or not columns & {"name", "structure"}:
        raise ConfigurationError(
            f"label scheme {name}: needs tab-separated columns index and name, found {sorted(columns)}"
        )
    return [(row["index"].strip(), _tsv_name(row)) for row in rows]


def _tsv_name(row: Mapping[str, str | None]) -> str:
    name, structure, side = (row.get(column) or "" for column in ("name", "structure", "side"))
    if structure and not side:  # the side may stand in the name only: "vastus_lateralis_left"
        side = " ".join(word for word in re.findall(r"[a-z]+", name.lower()) if word in _SIDE_WORDS)
    return f"{structure or name} {side}"


def _json_rows(text: str, name: str) -> list[tuple[str, str]]:
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"label scheme {name} is not JSON: {error}") from error
    if isinstance(entries, dict):
        entries = entries.get("labels", entries)
    if not isinstance(entries, dict):
        raise ConfigurationError(
            f'label scheme {name} must be an object like {{"1": "gluteus_maximus_left"}}, '
            f"not a {type(entries).__name__}"
        )
    return [_json_row(key.strip(), value) for key, value in entries.items()]


def _json_row(key: str, value: object) -> tuple[str, str]:
    if isinstance(value, int):
        return str(value), key
    if isinstance(value, dict):
        return key, f"{value.get('structure', '')} {value.get('side', '')}"
    return key, str(value or "")
