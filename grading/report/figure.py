"""The study as a matplotlib figure: key slices, and each fat fraction with its interval and the stages."""

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

from grading.anatomy import Side
from grading.asymmetry import TWO_SIDED_95
from grading.report.drawing import outlined_panel, panel_size
from grading.report.palette import COLOURS
from grading.report.slices import grey_window, key_slices
from grading.report.study_report import StudyReport
from grading.report.words import leading_rows, name_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANEL_PX, _TALLEST, _SLICES = 700, 1.3, 2
MARKERS = {Side.RIGHT: "o", Side.LEFT: "s"}
"""Shape of the points of each side, filled for the right and hollow for the left."""


def study_axes(report: StudyReport) -> "Axes":
    """A new pyplot figure: coronal key slices where the report has its images, below them the fat fractions.

    Returns:
        The axes of the fat fractions; `.figure` is the whole figure.
    """
    if report.images is None:
        figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
        draw_fractions(axes, report)
        return axes
    images, window = report.images, grey_window(report.images.volume)
    figure = plt.figure(figsize=(10, 8), layout="constrained")
    grid = figure.add_gridspec(2, _SLICES, height_ratios=(1.3, 1))
    for column, cut in enumerate(key_slices(images)[:_SLICES]):
        picture = figure.add_subplot(grid[0, column])
        picture.imshow(outlined_panel(images, cut, panel_size(images, cut, _PANEL_PX, _TALLEST), window))
        picture.set_title(cut.title)
        picture.set_axis_off()
    axes = figure.add_subplot(grid[1, :])
    draw_fractions(axes, report)
    return axes


def draw_fractions(axes: "Axes", report: StudyReport) -> None:
    """Fat fraction of each muscle and side with its 95 % interval; lines at the edges of the first scale."""
    names: list[str] = []
    for graded in leading_rows(report):
        m = graded.measurement
        name = name_of(m)
        if name not in names:
            names.append(name)
        if m.fat_fraction is None:
            continue
        at = names.index(name) + (0.15 if m.side is Side.LEFT else -0.15)
        axes.errorbar(
            100 * m.fat_fraction, at,
            xerr=100 * TWO_SIDED_95 * (m.fat_fraction_se or 0.0), fmt=MARKERS[m.side],
            color="black", markerfacecolor=COLOURS[m.muscle] if m.side is Side.RIGHT else "white", capsize=3,
        )  # fmt: skip
    for grade in report.muscles[0].grades[:1] if report.muscles else ():
        for edge in grade.edges:
            axes.axvline(100 * edge, color="0.7", linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(min(0.0, axes.get_xlim()[0]), 100)
    axes.set_xlabel("fat fraction, % (filled: right, hollow: left; bars: 95 % interval; grey: stage edges)")
    axes.set_title(report.name, parse_math=False)
