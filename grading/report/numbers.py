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
_MARKS = {Severity.NOTE: "i", Severity.CAUTION: "!", Severity.STOP: "x"}
_STEP, _TOP, _BOTTOM = 0.024, 0.985, 0.085
_LINE_CHARACTERS, _FONT = 66, 9.5
_COLUMNS = (
    (0.0, "muscle"), (0.18, "side"), (0.29, "fat %"), (0.50, "Quartile"), (0.67, "Goutallier"), (0.87, "mL"),
)  # fmt: skip


def write_numbers(axes: Axes, report: StudyReport) -> None:
    """Fill an empty panel with the report's numbers; its lowest 8 % stay free for the colour bar."""
    page = _Page(axes)
    page.line([(0.0, _source(report))], colour=_FAINT)
    page.line([(0.0, report.provenance.segmentation[:_LINE_CHARACTERS])], colour=_FAINT)
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
    for code, where in findings_by_code(report).items():
        kind = FINDINGS[code]
        page.paragraph(f"{_MARKS[kind.severity]} {kind.meaning} [{where}]")
    page.gap()
    page.paragraph(DISCLAIMER, colour=_FAINT)


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
    return f"{report.series}: {shape} voxels of {spacing} mm"[:_LINE_CHARACTERS]


class _Page:
    """Lines of text from the top of a panel downwards, until it is full."""

    def __init__(self, axes: Axes) -> None:
        self._axes, self._y = axes, _TOP

    def line(self, cells: list[tuple[float, str]], colour: str = INK) -> None:
        if self._y < _BOTTOM + _STEP:
            return
        for x, text in cells:
            self._axes.text(
                0.03 + 0.97 * x, self._y, text, color=colour, fontsize=_FONT, family="monospace", va="top",
                transform=self._axes.transAxes, parse_math=False,
            )  # fmt: skip
        self._y -= _STEP

    def paragraph(self, text: str, colour: str = INK) -> None:
        for part in textwrap.wrap(text, _LINE_CHARACTERS, subsequent_indent="  "):
            self.line([(0.0, part)], colour)

    def gap(self) -> None:
        self._y -= _STEP / 2
