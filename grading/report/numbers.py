"""The text beside the overview's images: a line per muscle and side, the sides compared, the findings."""

import textwrap

from matplotlib.axes import Axes

from grading.anatomy import Muscle, Side
from grading.asymmetry import Asymmetry
from grading.findings import FINDINGS, Severity
from grading.report.study_report import DISCLAIMER, StudyReport
from grading.report.words import SHORT, Words, findings_by_code, words

COLOURS: dict[Muscle, str] = {
    Muscle.GLUTEUS_MAXIMUS: "#E69F00",
    Muscle.GLUTEUS_MEDIUS: "#56B4E9",
    Muscle.GLUTEUS_MINIMUS: "#F0E442",
    Muscle.TENSOR_FASCIAE_LATAE: "#CC79A7",
}
"""Okabe and Ito's palette: told apart with any kind of colour vision, and bright on a grey image."""

INK = "#E8E8E8"
_FAINT = "#A8A8A8"
_MARKS = {Severity.STOP: "x", Severity.CAUTION: "!", Severity.NOTE: "i"}  # the gravest first
_STEP_IN, _TOP_IN, _BOTTOM_IN = 0.19, 0.45, 0.85  # line pitch, and what stays free above and below the text
_LINE_CHARACTERS, _FONT = 66, 9.5
_COLUMNS = (
    (0.0, "muscle"), (0.18, "side"), (0.29, "fat %"), (0.50, "Quartile"), (0.67, "Goutallier"), (0.87, "mL"),
)  # fmt: skip


def write_numbers(axes: Axes, report: StudyReport, height_in: float) -> None:
    """Fill an empty panel, `height_in` inches high, with the numbers; its foot is for the colour bar."""
    page = _Page(axes, height_in)
    page.paragraph(_source(report), colour=_FAINT)
    page.paragraph(report.provenance.segmentation, colour=_FAINT)
    page.gap()
    page.line(list(_COLUMNS), colour=_FAINT)
    for muscle in Muscle:
        for side in (Side.RIGHT, Side.LEFT):  # as the picture shows them
            graded = report.find(muscle, side)
            if graded is not None:
                page.line(_row(words(graded), muscle, side), colour=COLOURS[muscle])
    page.gap()
    page.line([(0.0, "left - right"), (0.31, "fat, points"), (0.62, "volume, %")], colour=_FAINT)
    for asymmetry in report.asymmetries:
        page.line(_difference(asymmetry), colour=COLOURS[asymmetry.muscle])
    page.gap()
    page.paragraph(DISCLAIMER, colour=_FAINT)
    page.gap()
    for severity, mark in _MARKS.items():
        for code, where in findings_by_code(report).items():
            if FINDINGS[code].severity is severity:
                page.paragraph(f"{mark} {FINDINGS[code].meaning} [{where}]")


def _row(text: Words, muscle: Muscle, side: Side) -> list[tuple[float, str]]:
    cells = (SHORT[muscle], side.value, text.fat, text.quartile, text.goutallier, text.volume)
    return [(x, cell) for (x, _), cell in zip(_COLUMNS, cells, strict=True)]


def _difference(a: Asymmetry) -> list[tuple[float, str]]:
    fat = _signed(a.fat_fraction_difference, a.fat_fraction_error, 100)
    volume = _signed(a.volume_asymmetry_percent, a.volume_error_percent, 1)
    return [(0.0, SHORT[a.muscle]), (0.31, fat), (0.62, volume)]


def _signed(value: float | None, error: float | None, scale: float) -> str:
    if value is None:
        return "not known"
    return f"{scale * value:+.1f}" + ("" if error is None else f" ± {scale * error:.1f}")


def _source(report: StudyReport) -> str:
    if report.images is None:
        return report.series
    geometry = report.images.volume.geometry
    shape = "×".join(str(n) for n in geometry.shape)
    spacing = "×".join(f"{s:.2f}" for s in geometry.spacing_mm)
    return f"{report.series}: {shape} voxels of {spacing} mm"


class _Page:
    """Lines of text from the top of a panel downwards; what no longer fits is said to be missing."""

    def __init__(self, axes: Axes, height_in: float) -> None:
        self._axes, self._height_in, self._y_in, self._full = axes, height_in, height_in - _TOP_IN, False

    def line(self, cells: list[tuple[float, str]], colour: str = INK) -> None:
        if self._full:
            return
        if self._y_in - _BOTTOM_IN < _STEP_IN:
            cells, self._full = [(0.0, "... more in report.json")], True
        for x, text in cells:
            self._axes.text(
                0.04 + 0.95 * x, self._y_in / self._height_in, text, color=colour, fontsize=_FONT,
                family="monospace", va="top", transform=self._axes.transAxes, parse_math=False,
            )  # fmt: skip
        self._y_in -= _STEP_IN

    def paragraph(self, text: str, colour: str = INK) -> None:
        for part in textwrap.wrap(text, _LINE_CHARACTERS, subsequent_indent="  "):
            self.line([(0.0, part)], colour)

    def gap(self) -> None:
        self._y_in -= _STEP_IN / 2
