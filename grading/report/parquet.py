"""The tables as Parquet, beside the CSV, where pyarrow is installed: types kept, quick to load."""

import io
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from grading.report.files import write_whole
from grading.report.tables import DECIMALS, OWN_COLUMNS, TRUTHS

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("measurements", "asymmetry", "studies")


def write_parquet(out: Path) -> tuple[Path, ...]:
    """Write each table that lies in `out` as CSV once more as Parquet; an empty cell becomes null.

    Returns:
        The files written; none where pyarrow is not installed.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    if find_spec("pyarrow") is None:
        return ()
    written = []
    for name in TABLES:
        source = out / f"{name}.csv"
        if not source.is_file():
            continue
        content = io.BytesIO()
        table_of(source).to_parquet(content, index=False, engine="pyarrow")
        write_whole(source.with_suffix(".parquet"), content.getvalue())
        written.append(source.with_suffix(".parquet"))
    return tuple(written)


def table_of(source: Path) -> "pd.DataFrame":
    """A table as it stands in its CSV file, with types; only an empty cell is missing, not a note "None"."""
    import pandas as pd

    columns = source.read_text("utf-8").splitlines()[0].split(",")
    types = {column: _type(column) for column in columns}
    return pd.read_csv(source, dtype=types, keep_default_na=False, na_values=[""])


def _type(column: str) -> str:
    """Type of a column's cells; every one may be empty."""
    if column in DECIMALS:
        return "float64"
    if column in OWN_COLUMNS:
        return "Int64"
    return "boolean" if column in TRUTHS else "string"
