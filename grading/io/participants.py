"""The participants table: who is female and who is male, by study name (as BIDS' participants.tsv has it)."""

import csv
from pathlib import Path

from grading.anatomy import Sex
from grading.errors import ConfigurationError

_NAME_COLUMNS = ("participant_id", "study", "subject")
_SEX_WORDS = {"f": Sex.FEMALE, "female": Sex.FEMALE, "m": Sex.MALE, "male": Sex.MALE}
_UNKNOWN = {"", "n/a", "o", "other", "unknown"}


def read_sexes(path: Path) -> dict[str, Sex]:
    """Sex of each name in the table; people whose sex is not given are left out.

    Args:
        path: TSV or CSV with a column `participant_id` (or `study`) and a column `sex`.

    Raises:
        ConfigurationError: the table is not there, lacks a column, or holds a word that is no sex.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"participants table {path}: cannot be read ({error})") from error
    delimiter = "\t" if "\t" in (lines or [""])[0] else ","
    rows = list(csv.DictReader(lines, delimiter=delimiter))
    columns = list(rows[0]) if rows else []
    name_column = next((name for name in _NAME_COLUMNS if name in columns), None)
    if name_column is None or "sex" not in columns:
        raise ConfigurationError(
            f"participants table {path.name}: needs the columns participant_id (or study) and sex, has "
            f"{', '.join(columns) or 'none'}"
        )
    sexes = {}
    for number, row in enumerate(rows, start=2):
        word = (row["sex"] or "").strip().casefold()
        if word in _UNKNOWN:
            continue
        if word not in _SEX_WORDS:
            raise ConfigurationError(
                f"participants table {path.name} line {number}: sex {row['sex']!r}; use F or M"
            )
        sexes[(row[name_column] or "").strip()] = _SEX_WORDS[word]
    return sexes


def sex_of(study: str, table: Path | None) -> Sex | None:
    """Sex of a study's person, found by the study's name or by the subject its BIDS name begins with.

    Args:
        study: name of the study.
        table: participants table; None where there is none.

    Raises:
        ConfigurationError: as `read_sexes`.
    """
    if table is None:
        return None
    sexes = read_sexes(table)
    return sexes.get(study) or sexes.get(study.split("_")[0])
