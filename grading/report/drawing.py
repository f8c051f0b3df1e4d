"""Picture primitives on Pillow: a grey plane, outlines, fat colours, letters for the sides, text."""

import io
import unicodedata
from functools import cache
from typing import cast

import numpy as np
import numpy.typing as npt
from contourpy import contour_generator
from PIL import Image, ImageDraw, ImageFont

from grading.anatomy import SIDES, Muscle, label_of
from grading.report.palette import COLOURS, INK, PAPER, fat_colours
from grading.report.slices import SAGITTAL, Slice
from grading.report.study_report import StudyImages

_SMOOTHING = 4  # outlines are drawn this many times larger and averaged down, which smooths their steps
_LINE_PX = 1.7
_COMPRESSION = 3  # on these pictures as small as the usual 6, in half the time
_TICKS_PERCENT = (0, 25, 50, 75, 100)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def png(picture: Image.Image) -> bytes:
    """A picture as the content of a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()


@cache
def font(size_px: float) -> Font:
    """The letters that Pillow brings along, the same on every machine."""
    return ImageFont.load_default(size_px)


def drawable(text: str) -> str:
    """`text` in the letters that the font has: accents dropped, any other sign as a question mark."""
    known = text.replace("×", "x").replace("–", "-").replace("≥", ">=")
    plain = "".join(c for c in unicodedata.normalize("NFKD", known) if not unicodedata.combining(c))
    return "".join(c if (c.isascii() and c.isprintable()) or c == "±" else "?" for c in plain)


def panel_size(images: StudyImages, cut: Slice, width_px: int, tallest: float) -> tuple[int, int]:
    """Width and height in pixels of a plane in true proportion; narrower if taller than `tallest` widths."""
    width, height = cut.size_mm(images.volume.geometry)
    scale = min(width_px / width, tallest * width_px / height)
    return max(round(scale * width), 1), max(round(scale * height), 1)


def grey_panel(
    images: StudyImages, cut: Slice, size_px: tuple[int, int], window: tuple[float, float]
) -> Image.Image:
    """The image in a plane, RGB; `window` is the signal shown black and the one shown white."""
    low, high = window
    scaled = np.clip((cut.cut(images.volume.voxels) - low) / (high - low), 0, 1)
    plane = Image.fromarray((255 * scaled).round().astype(np.uint8))
    return plane.resize(size_px, Image.Resampling.BICUBIC).convert("RGB")


def draw_outlines(panel: Image.Image, images: StudyImages, cut: Slice) -> None:
    """A thin line round each muscle; sides share a colour, letters tell them apart."""
    labels = cut.cut(images.segmentation.labels)
    large = (_SMOOTHING * panel.width, _SMOOTHING * panel.height)
    down, along = large[1] / labels.shape[0], large[0] / labels.shape[1]
    for muscle, colour in COLOURS.items():
        cover = Image.new("L", large)
        pen = ImageDraw.Draw(cover)
        for side in SIDES:
            mask = np.pad((labels == label_of(muscle, side)).astype(np.float32), 1)
            lines = contour_generator(z=mask, line_type="Separate").lines(0.5)
            for line in cast(list[npt.NDArray[np.float64]], lines):
                points = [((x - 0.5) * along, (y - 0.5) * down) for x, y in line]  # the padding shifts by 1
                pen.line(points, fill=255, width=round(_LINE_PX * _SMOOTHING), joint="curve")
        panel.paste(Image.new("RGB", panel.size, colour), mask=cover.reduce(_SMOOTHING))


def draw_fat(panel: Image.Image, images: StudyImages, cut: Slice) -> None:
    """Fat fraction inside the measured muscles, over the image; voxels stay visible as such."""
    muscles = [label_of(muscle, side) for muscle in Muscle for side in SIDES]
    shown = np.isin(cut.cut(images.segmentation.labels), muscles) & cut.cut(images.fat.valid)
    fraction = np.where(shown, cut.cut(images.fat.fraction), 0.0)
    nearest = Image.Resampling.NEAREST
    colours = Image.fromarray(fat_colours(fraction)).resize(panel.size, nearest)
    cover = Image.fromarray((255 * shown).astype(np.uint8)).resize(panel.size, nearest)
    panel.paste(colours, mask=cover)


def draw_letters(panel: Image.Image, cut: Slice, size_px: float = 24) -> None:
    """Which side of the patient is where: R and L, or A and P in a sagittal plane."""
    pen = ImageDraw.Draw(panel)
    for letter, x, anchor in zip(
        "AP" if cut.axis == SAGITTAL else "RL", (8, panel.width - 8), "lr", strict=True
    ):
        pen.text(
            (x, 6), letter, "white", font(size_px), anchor=f"{anchor}t", stroke_width=3, stroke_fill="black"
        )


def outlined_panel(
    images: StudyImages, cut: Slice, size_px: tuple[int, int], window: tuple[float, float]
) -> Image.Image:
    """A plane with the outline of each muscle and the letters."""
    panel = grey_panel(images, cut, size_px, window)
    draw_outlines(panel, images, cut)
    draw_letters(panel, cut)
    return panel


def fat_panel(
    images: StudyImages, cut: Slice, size_px: tuple[int, int], window: tuple[float, float]
) -> Image.Image:
    """A plane with the fat fraction inside each muscle and the letters."""
    panel = grey_panel(images, cut, size_px, window)
    draw_fat(panel, images, cut)
    draw_letters(panel, cut)
    return panel


def fat_bar(width_px: int) -> Image.Image:
    """What the colours of the fat fraction mean: a bar from 0 to 100 % with the Quartile edges."""
    edge, height = 18, 58
    bar = Image.new("RGB", (width_px, height), PAPER)
    pen = ImageDraw.Draw(bar)
    pen.text((width_px / 2, 2), "fat fraction, % (Quartile edges at 25, 50, 75)", INK, font(15), anchor="mt")
    long = width_px - 2 * edge
    ramp = np.broadcast_to(fat_colours(np.linspace(0, 1, long)), (14, long, 3))
    bar.paste(Image.fromarray(np.ascontiguousarray(ramp)), (edge, 22))
    for percent in _TICKS_PERCENT:
        x = edge + percent / 100 * (long - 1)
        pen.line(((x, 36), (x, 40)), fill=INK)
        pen.text((x, 42), str(percent), INK, font(15), anchor="mt")
    return bar
