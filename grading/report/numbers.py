"""The text beside the overview's images: a line per muscle and side, the sides compared, the findings."""

from PIL import ImageDraw

from grading.asymmetry import Asymmetry
from grading.findings import FINDINGS, Severity
from grading.report.drawing import drawable, font
from grading.report.palette import COLOURS, FAINT, INK
from grading.report.study_report import DISCLAIMER, GradedMuscle, StudyReport
from grading.report.words import SHORT, findings_by_code, leading_rows, name_of, signed, words

_MARKS = {Severity.ALARM: "!!", Severity.STOP: "x", Severity.CAUTION: "!", Severity.NOTE: "i"}
_STEP_PX, _SIZE_PX = 21, 16
_COLUMNS = (
    (0.0, "muscle"), (0.25, "side"), (0.33, "fat %"), (0.50, "Quartile"), (0.64, "Goutallier"), (0.81, "mL"),
)  # fmt: skip
_ERRORS = (
    "Muscles: ± standard error, in brackets the stages that it leaves possible. "
    "Left - right: ± what error alone exceeds once in 20 times."
)
Box = tuple[int, int, int, int]


def write_numbers(pen: ImageDraw.ImageDraw, box: Box, report: StudyReport) -> None:
    """Fill the box (left, top, right, bottom; pixels) with the numbers, or say that not all fit."""
    page = _Page(pen, box)
    _write_findings(page, report, Severity.ALARM)
    page.paragraph(_source(report), colour=FAINT)
    page.paragraph(report.provenance.segmentation, colour=FAINT)
    page.gap()
    page.line(list(_COLUMNS), colour=FAINT)
    for graded in leading_rows(report):
        page.line(_row(graded), colour=COLOURS[graded.measurement.muscle])
    page.gap()
    page.line([(0.0, "left - right"), (0.36, "fat, points"), (0.70, "volume, %")], colour=FAINT)
    for asymmetry in report.asymmetries:
        page.line(_difference(asymmetry), colour=COLOURS[asymmetry.muscle])
    page.gap()
    page.paragraph(_ERRORS, colour=FAINT)
    page.paragraph(DISCLAIMER, colour=FAINT)
    page.gap()
    for severity in (Severity.STOP, Severity.CAUTION, Severity.NOTE):
        _write_findings(page, report, severity)


def _write_findings(page: "_Page", report: StudyReport, severity: Severity) -> None:
    for code, where in findings_by_code(report).items():
        if FINDINGS[code].severity is severity:
            page.paragraph(f"{_MARKS[severity]} {FINDINGS[code].meaning} [{where}]")


def _row(graded: GradedMuscle) -> list[tuple[float, str]]:
    text, m = words(graded), graded.measurement
    cells = (name_of(m), m.side.value, text.fat, text.quartile, text.goutallier, text.volume)
    return [(x, cell) for (x, _), cell in zip(_COLUMNS, cells, strict=True)]


def _difference(a: Asymmetry) -> list[tuple[float, str]]:
    fat = signed(a.fat_fraction_difference, a.fat_fraction_error, 100)
    volume = signed(a.volume_asymmetry_percent, a.volume_error_percent, 1)
    return [(0.0, SHORT[a.muscle]), (0.36, fat), (0.70, volume)]


def _source(report: StudyReport) -> str:
    if report.images is None:
        return report.series
    geometry = report.images.volume.geometry
    shape = "×".join(str(n) for n in geometry.shape)
    spacing = "×".join(f"{s:.2f}" for s in geometry.spacing_mm)
    return f"{report.series}: {shape} voxels of {spacing} mm"


class _Page:
    """Lines of text from the top of a box downwards."""

    def __init__(self, pen: ImageDraw.ImageDraw, box: Box) -> None:
        self._pen, self._full = pen, False
        self._left, self._y, self._right, self._bottom = box

    def line(self, cells: list[tuple[float, str]], colour: str = INK) -> None:
        if self._full:
            return
        if self._y + 2 * _STEP_PX > self._bottom:
            cells, self._full = [(0.0, "... more in report.json")], True
        for x, text in cells:
            at = (self._left + x * (self._right - self._left), self._y)
            self._pen.text(at, drawable(text), colour, font(_SIZE_PX))
        self._y += _STEP_PX

    def paragraph(self, text: str, colour: str = INK) -> None:
        line = ""
        for word in drawable(text).split():
            longer = f"{line} {word}" if line else word
            if line and font(_SIZE_PX).getlength(longer) > self._right - self._left:
                self.line([(0.0, line)], colour)
                longer = f"   {word}"
            line = longer
        self.line([(0.0, line)], colour)

    def gap(self) -> None:
        self._y += _STEP_PX // 2
