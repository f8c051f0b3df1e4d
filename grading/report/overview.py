"""The overview picture: one look tells whether to believe a study's row.

Each slice twice, with the outline of each muscle and with the measured fat fraction inside it, where the
muscles are largest; on the right the numbers. Radiological convention: the patient's
right is on the picture's left, and letters say so.
"""

from PIL import Image, ImageDraw

from grading.report.drawing import drawable, fat_bar, fat_panel, font, outlined_panel, panel_size, png
from grading.report.numbers import write_numbers
from grading.report.palette import INK, PAPER
from grading.report.slices import AXIAL, CORONAL, grey_window, key_slices
from grading.report.study_report import StudyReport

_PANEL_PX, _GAP_PX, _TEXT_PX = 430, 8, 620
_HEADING_PX, _TITLE_PX, _MARGIN_PX, _LOWEST_PX = 48, 28, 12, 780
_TALLEST = 1.3  # height of a panel over its width; a taller image is shown smaller


def overview_png(report: StudyReport) -> bytes:
    """The overview of a report that still has its images, as PNG.

    Raises:
        ValueError: the report was read back from disk and has none.
    """
    if report.images is None:
        raise ValueError("the overview needs the images, and this report was read from disk without them")
    images = report.images
    rows = [[s for s in key_slices(images) if s.axis == axis] for axis in (CORONAL, AXIAL)]
    sizes = [panel_size(images, row[0], _PANEL_PX, _TALLEST) for row in rows]
    text_left = _MARGIN_PX + 4 * (_PANEL_PX + _GAP_PX) + 2 * _MARGIN_PX
    height = max(_HEADING_PX + sum(size[1] + _TITLE_PX + _GAP_PX for size in sizes), _LOWEST_PX)
    page = Image.new("RGB", (text_left + _TEXT_PX, height), PAPER)
    pen = ImageDraw.Draw(page)
    pen.text((_MARGIN_PX, _MARGIN_PX), drawable(report.name), INK, font(24))
    window, top = grey_window(images.volume), _HEADING_PX
    for row, size in zip(rows, sizes, strict=True):
        left = _MARGIN_PX
        for cut in row:
            for title, draw in ((cut.title, outlined_panel), ("fat fraction", fat_panel)):
                pen.text((left, top + 4), title, INK, font(17))
                page.paste(draw(images, cut, size, window), (left, top + _TITLE_PX))
                left += _PANEL_PX + _GAP_PX
        top += size[1] + _TITLE_PX + _GAP_PX
    bar = fat_bar(_TEXT_PX - 2 * _MARGIN_PX)
    bar_top = height - bar.height - _MARGIN_PX
    page.paste(bar, (text_left, bar_top))
    write_numbers(pen, (text_left, _HEADING_PX, page.width - _MARGIN_PX, bar_top), report)
    return png(page)
