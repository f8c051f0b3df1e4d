"""The participants table: sex, age, height and weight by study name (as BIDS' participants.tsv has them)."""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grading.anatomy import Sex
from grading.errors import ConfigurationError

_NAME_COLUMNS = ("participant_id", "study", "subject")
_SEX_WORDS = {
    **dict.fromkeys(("f", "female", "w", "woman"), Sex.FEMALE),
    **dict.fromkeys(("m", "male", "man"), Sex.MALE),
}
_UNKNOWN = {"", "n/a", "na", "nan", "-", "o", "other", "unknown"}
_TALLEST_M = 3.0  # a height below this is in metres, one above in centimetres


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a study's person; None where the table does not say."""

    sex: Sex | None = None
    age_years: float | None = None
    height_cm: float | None = None
    weight_kg: float | None = None


def read_people(path: Path) -> dict[str, Person]:
    """The people of a table by name.

    Args:
        path: TSV or CSV (commas, or semicolons and decimal commas) with a column `participant_id` (or
            `study`) and a column `sex`; `age` (years), `height` (cm or m) and `weight` (kg) are taken where
            they are given.

    Raises:
        ConfigurationError: the table is not there, lacks a column, or holds a word that is no sex or no
            number.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"participants table {path}: cannot be read ({error})") from error
    head = (lines or [""])[0].casefold()
    delimiter = next((mark for mark in "\t;" if mark in head), ",")
    rows = csv.DictReader([head, *lines[1:]], delimiter=delimiter)
    columns = list(rows.fieldnames or ())
    name_column = next((name for name in _NAME_COLUMNS if name in columns), None)
    if name_column is None or "sex" not in columns:
        raise ConfigurationError(
            f"participants table {path.name}: needs the columns participant_id (or study) and sex, has "
            f"{', '.join(columns) or 'none'}"
        )
    people = {}
    for row in rows:
        try:
            people[(row[name_column] or "").strip()] = _person(row)
        except ValueError as error:
            raise ConfigurationError(
                f"participants table {path.name} line {rows.line_num}: {error}"
            ) from error
    return people


def person_of(study: str, table: Path | None) -> Person:
    """A study's person, found by the study's name or by what it begins with (a BIDS subject).

    Args:
        study: name of the study.
        table: participants table; None where there is none.

    Raises:
        ConfigurationError: as `read_people`.
    """
    if table is None:
        return Person()
    people = read_people(table)
    return next((people[name] for name in _names(study) if name in people), Person())


def without_row(studies: Iterable[str], table: Path) -> list[str]:
    """Names of the studies that no row of the participants table is about.

    Raises:
        ConfigurationError: as `read_people`.
    """
    people = read_people(table)
    return [study for study in studies if people.keys().isdisjoint(_names(study))]


def _names(study: str) -> tuple[str, ...]:
    """Names under which a study's person may stand in a table, the first that does counts."""
    words = study.split("_")
    return tuple("_".join(words[:count]) for count in range(len(words), 0, -1))


def _person(row: Mapping[str, str | None]) -> Person:
    word = _word(row, "sex")
    if word not in _SEX_WORDS and word not in _UNKNOWN:
        raise ValueError(f"sex {row['sex']!r}; use F or M")
    height = _number(row, "height")
    if height is not None and height < _TALLEST_M:
        height *= 100
    return Person(_SEX_WORDS.get(word), _number(row, "age"), height, _number(row, "weight"))


def _word(row: Mapping[str, str | None], column: str) -> str:
    return (row.get(column) or "").strip().casefold()


def _number(row: Mapping[str, str | None], column: str) -> float | None:
    word = _word(row, column)
    if word in _UNKNOWN:
        return None
    try:
        number = float(word.replace(",", ".").removesuffix("+"))  # "89+" hides the age of the oldest
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"{column} {row[column]!r}; use a number above 0, or n/a")
    return number
