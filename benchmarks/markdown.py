"""Tables as they go into the README."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd


def table(heading: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table under a heading; floats keep three significant digits, None is an empty cell."""
    lines = [f"### {heading}", "", _line(columns), _line(["---"] * len(columns))]
    lines += [_line([_cell(value) for value in row]) for row in rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: object) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value).replace("|", "\\|")
