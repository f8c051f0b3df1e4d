"""Plots for notebooks and papers, made from the tables. They need matplotlib: pip install 'grading[plots]'.

Each draws into the axes it is given, or into a new pyplot figure, and returns the axes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from grading.anatomy import SIDES, Muscle, Region, Side
from grading.asymmetry import NORMAL_VOLUME_PERCENT, TWO_SIDED_95
from grading.errors import ConfigurationError
from grading.report.palette import COLOURS
from grading.report.words import SHORT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

FAT_COLUMNS = frozenset(
    {"fat_fraction", "fat_fraction_se", "threshold_fraction", "lean_volume_ml", "quartile", "goutallier"}
)
"""Columns whose numbers follow from fat, which T1 and Dixon images give as different quantities."""

_SPREAD = 0.12  # half width of a strip of points, in muscles


def asymmetry_plot(
    asymmetry: "pd.DataFrame", quantity: Literal["fat", "volume"] = "fat", axes: "Axes | None" = None
) -> "Axes":
    """Left minus right of each muscle and study, with the difference that error alone exceeds one time in 20.

    Fat of T1 and of Dixon images stands in rows of its own where the table holds both.

    Args:
        asymmetry: the columns of asymmetry.csv, of one study or many.
        quantity: "fat" in percentage points, or "volume" in percent with the published normal variation.
        axes: where to draw.
    """
    axes = axes if axes is not None else _new_axes()
    value, error, scale = {
        "fat": ("fat_fraction_difference", "fat_fraction_error", 100.0),
        "volume": ("volume_asymmetry_percent", "volume_error_percent", 1.0),
    }[quantity]
    groups = _by_method(asymmetry) if quantity == "fat" else [("", asymmetry)]
    shown = [(muscle, *group) for group in groups for muscle in Muscle]
    for place, (muscle, _, group) in enumerate(shown):
        rows = group[group["muscle"] == muscle.value].dropna(subset=[value])
        at = place + _strip(len(rows))
        axes.errorbar(
            scale * rows[value], at, xerr=scale * rows[error].fillna(0.0), fmt="o", color="black",
            markerfacecolor=COLOURS[muscle], capsize=3,
        )  # fmt: skip
    axes.axvline(0.0, color="0.4", linewidth=0.8, zorder=0)
    if quantity == "volume":
        axes.axvspan(-NORMAL_VOLUME_PERCENT, NORMAL_VOLUME_PERCENT, color="0.92", zorder=-1)
    unit = "fat fraction, percentage points" if quantity == "fat" else "volume, %"
    grey = "" if quantity == "fat" else "; grey: normal variation"
    axes.set_xlabel(f"left − right: {unit} (bars: error exceeded once in 20 times{grey})")
    axes.set_yticks(range(len(shown)), [f"{SHORT[muscle]}{method}" for muscle, method, _ in shown])
    axes.invert_yaxis()
    return axes


def cohort_strip(
    measurements: "pd.DataFrame",
    column: str = "fat_fraction",
    region: Region = Region.WHOLE,
    axes: "Axes | None" = None,
) -> "Axes":
    """Every study as a point, by muscle and side, with the median of each strip.

    What follows from fat stands in a strip for T1 and one for Dixon images where the table holds both.

    Args:
        measurements: the columns of measurements.csv, of many studies.
        column: the column of numbers to show; fractions are shown in percent.
        region: which rows; `Region.POSTERIOR` shows the muscles that have that part.
        axes: where to draw.

    Raises:
        ConfigurationError: there is no such column.
    """
    if column not in measurements:
        raise ConfigurationError(
            f"no column {column!r} in the table; it has {', '.join(measurements.columns)}"
        )
    axes = axes if axes is not None else _new_axes()
    percent = "fraction" in column
    rows = measurements[measurements["region"] == region.value].dropna(subset=[column])
    groups = _by_method(rows) if column in FAT_COLUMNS else [("", rows)]
    shown = [
        (muscle, method, group[group["muscle"] == muscle.value])
        for method, group in groups
        for muscle in Muscle
        if (group["muscle"] == muscle.value).any()
    ]
    for place, (muscle, _, group) in enumerate(shown):
        for side in SIDES:
            strip = group[group["side"] == side.value][column]
            values = strip.to_numpy(dtype=float) * (100.0 if percent else 1.0)
            if not values.size:
                continue
            centre = place + (0.2 if side is Side.LEFT else -0.2)  # right first, as in a picture
            face = COLOURS[muscle] if side is Side.RIGHT else "white"
            axes.scatter(centre + _strip(values.size), values, edgecolor="black", facecolor=face, zorder=2)
            axes.hlines(float(np.median(values)), centre - 0.17, centre + 0.17, color="black", zorder=3)
    axes.set_xticks(range(len(shown)), [f"{SHORT[muscle]}{method}" for muscle, method, _ in shown])
    axes.set_ylabel(column.replace("_", " ") + (", %" if percent else ""))
    axes.set_xlabel("filled: right, hollow: left; line: median")
    return axes


def bland_altman(
    first: Sequence[float], second: Sequence[float], label: str = "", axes: "Axes | None" = None
) -> "Axes":
    """Difference of paired readings against their mean, with bias and 95 % limits of agreement.

    Limits are bias ± 1.96 standard deviations of the differences (Bland and Altman, Lancet 1986; 327:307).

    Args:
        first: readings of one reader or method.
        second: those of the other, pair by pair; pairs with a missing one are left out.
        label: what they are, with its unit.
        axes: where to draw.

    Raises:
        ConfigurationError: unequal numbers of readings, or fewer than two pairs.
    """
    one, two = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if one.shape != two.shape:
        raise ConfigurationError(f"{one.size} first and {two.size} second readings do not pair up")
    known = np.isfinite(one) & np.isfinite(two)
    if known.sum() < 2:
        raise ConfigurationError(f"{int(known.sum())} pairs of readings; at least 2 are needed")
    axes = axes if axes is not None else _new_axes()
    differences = (one - two)[known]
    bias, reach = float(differences.mean()), TWO_SIDED_95 * float(differences.std(ddof=1))
    axes.scatter(((one + two) / 2)[known], differences, edgecolor="black", facecolor="#56B4E9")
    for level, style, name in ((bias, "-", "bias"), (bias - reach, "--", ""), (bias + reach, "--", "limits")):
        axes.axhline(level, color="black", linestyle=style, linewidth=1)
        axes.annotate(
            f"{name} {level:.2f}".strip(), (1.01, level), xycoords=("axes fraction", "data"), va="center"
        )
    axes.set_xlabel(f"mean of both {label}".strip())
    axes.set_ylabel(f"first − second {label}".strip())
    return axes


def _by_method(rows: "pd.DataFrame") -> "list[tuple[str, pd.DataFrame]]":
    """The rows by how fat was measured, T1 first, each with what its label adds; all as one by one method."""
    methods = sorted(rows["fat_method"].dropna().unique(), reverse=True)
    if len(methods) < 2:
        return [("", rows)]
    return [(f", {method}", rows[rows["fat_method"] == method]) for method in methods]


def _strip(count: int) -> npt.NDArray[np.float64]:
    """Offsets that keep the points of a strip apart, the same every time."""
    return np.linspace(-_SPREAD, _SPREAD, count) if count > 1 else np.zeros(count)


def _new_axes() -> "Axes":
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ConfigurationError("plots need matplotlib: pip install 'grading[plots]'") from error
    _, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    return axes
