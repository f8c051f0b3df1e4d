"""The overview picture: one look tells whether to believe a study's row.

Each slice twice, with the outline of each muscle and with the measured fat fraction inside it, where the
muscles are largest; on the right the numbers. Radiological convention: the patient's
right is on the picture's left, and letters say so.
"""

import io
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from grading.anatomy import GLUTEI, SIDES, Muscle, Side, label_of
from grading.report.numbers import COLOURS, INK, write_numbers
from grading.report.study_report import StudyImages, StudyReport
from grading.volume import BoolArray, Volume

Scalar = TypeVar("Scalar", bound=np.generic)

_PANEL_IN, _TEXT_IN, _TITLE_IN, _MARGIN_IN, _LOWEST_IN, _DPI = 3.9, 5.8, 0.75, 0.1, 7.4, 100
_TALLEST = 1.3  # height of a panel over its width; a taller image is shown smaller
_WINDOW_PERCENT = (1.0, 99.7)  # grey window: the brightest 0.3 % is vessels and coil flare
_PAPER = "#101010"


@dataclass(frozen=True, slots=True)
class Slice:
    """One plane of the grid: `axis` is fixed at `index`, the other two fill the picture."""

    title: str
    axis: int
    index: int

    def cut(self, array: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """The plane as rows (up the picture) of columns (the patient's right last)."""
        plane: npt.NDArray[Scalar] = np.take(array, self.index, axis=self.axis).T
        return plane

    def extent_mm(self, volume: Volume) -> tuple[float, float, float, float]:
        """Edges of the plane: left, right, bottom, top in array order, mm."""
        columns, rows = (a for a in range(3) if a != self.axis)
        shape, spacing = volume.geometry.shape, volume.geometry.spacing_mm
        return 0.0, shape[columns] * spacing[columns], 0.0, shape[rows] * spacing[rows]


def overview_png(report: StudyReport) -> bytes:
    """The overview of a report that still has its images, as PNG.

    Raises:
        ValueError: the report was read back from disk and has none.
    """
    if report.images is None:
        raise ValueError("the overview needs the images, and this report was read from disk without them")
    images = report.images
    rows = [[s for s in key_slices(images) if s.axis == axis] for axis in (1, 2)]
    heights = [min(_PANEL_IN * _aspect(row[0], images.volume), _TALLEST * _PANEL_IN) for row in rows]
    width, height = _MARGIN_IN + 4 * _PANEL_IN + _TEXT_IN, max(sum(heights) + 2 * _TITLE_IN, _LOWEST_IN)
    figure = Figure(figsize=(width, height), dpi=_DPI, facecolor=_PAPER)
    low, high = _window(images.volume)
    top, colour = height - _TITLE_IN, None
    for row, panel_height in zip(rows, heights, strict=True):
        for column, cut in enumerate(row):
            box = ((_MARGIN_IN + 2 * column * _PANEL_IN) / width, (top - panel_height) / height)
            size = (0.98 * _PANEL_IN / width, panel_height / height)
            outlined = figure.add_axes((*box, *size))
            measured = figure.add_axes((box[0] + _PANEL_IN / width, box[1], *size))
            outlined.set_title(cut.title, color=INK, fontsize=11, loc="left")
            measured.set_title("fat fraction", color=INK, fontsize=11, loc="left")
            _draw_image(outlined, images, cut, low, high)
            _draw_outlines(outlined, images, cut)
            _draw_image(measured, images, cut, low, high)
            colour = _draw_fat(measured, images, cut)
        top -= panel_height + _TITLE_IN / 2
    text = figure.add_axes(((_MARGIN_IN + 4 * _PANEL_IN) / width, 0, _TEXT_IN / width, 1))
    text.axis("off")
    write_numbers(text, report, height)
    if colour is not None:
        _draw_scale(figure, text, colour)
    figure.text(
        _MARGIN_IN / width,
        1 - _MARGIN_IN / height,
        report.name,
        color=INK,
        fontsize=15,
        va="top",
        parse_math=False,
    )
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


def _aspect(cut: Slice, volume: Volume) -> float:
    """Height of a plane over its width, in the patient."""
    _, width, _, height = cut.extent_mm(volume)
    return height / width


def _draw_scale(figure: Figure, panel: Axes, colour: AxesImage) -> None:
    """What the colours of the fat fraction mean."""
    bar = figure.colorbar(colour, cax=panel.inset_axes((0.04, 0.045, 0.9, 0.018)), orientation="horizontal")
    bar.set_ticks([0, 25, 50, 75, 100])
    bar.ax.tick_params(colors=INK, labelsize=9)
    bar.ax.set_title("fat fraction, % (Quartile edges at 25, 50, 75)", color=INK, fontsize=9)


def key_slices(images: StudyImages) -> tuple[Slice, ...]:
    """The planes to show: coronal and axial, each where maximus and where medius with minimus are largest."""
    deep = (Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MINIMUS)
    wanted = (
        ("coronal, most of maximus", 1, (Muscle.GLUTEUS_MAXIMUS,)),
        ("coronal, most of medius and minimus", 1, deep),
        ("axial, most of maximus", 2, (Muscle.GLUTEUS_MAXIMUS,)),
        ("axial, most of medius and minimus", 2, deep),
    )
    return tuple(Slice(title, axis, _largest(images, axis, muscles)) for title, axis, muscles in wanted)


def _largest(images: StudyImages, axis: int, muscles: tuple[Muscle, ...]) -> int:
    """Index along `axis` with most of `muscles`, or of all glutei where these are absent, or the middle.

    Each muscle counts as a share of itself, so that a small one is not outvoted.
    """
    others = tuple(a for a in range(3) if a != axis)
    for candidates in (muscles, GLUTEI):
        score = np.zeros(images.segmentation.geometry.shape[axis])
        for muscle in candidates:
            area = _both_sides(images, muscle).sum(axis=others)
            score += area / max(area.sum(), 1)
        if score.any():
            return int(score.argmax())
    return images.segmentation.geometry.shape[axis] // 2


def _both_sides(images: StudyImages, muscle: Muscle) -> BoolArray:
    return images.segmentation.mask(muscle, Side.LEFT) | images.segmentation.mask(muscle, Side.RIGHT)


def _window(volume: Volume) -> tuple[float, float]:
    """Signal shown black and white."""
    shown = volume.voxels[::2, ::2, ::2][volume.valid[::2, ::2, ::2]]
    low, high = np.percentile(shown, _WINDOW_PERCENT) if shown.size else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-6))


def _draw_image(axes: Axes, images: StudyImages, cut: Slice, low: float, high: float) -> None:
    extent = cut.extent_mm(images.volume)
    axes.imshow(
        cut.cut(images.volume.voxels), cmap="gray", vmin=low, vmax=high, origin="lower", extent=extent,
        interpolation="bilinear",
    )  # fmt: skip
    axes.set_xlim(extent[1], extent[0])  # the patient's right, the high end, to the picture's left
    axes.set_axis_off()
    axes.set_anchor("N")
    for letter, x, align in (("R", 0.015, "left"), ("L", 0.985, "right")):
        axes.text(
            x, 0.985, letter, transform=axes.transAxes, ha=align, va="top", color="white", fontsize=18,
            fontweight="bold", bbox={"facecolor": "black", "alpha": 0.6, "pad": 1.5, "linewidth": 0},
        )  # fmt: skip


def _draw_outlines(axes: Axes, images: StudyImages, cut: Slice) -> None:
    """A thin line round each muscle; sides share a colour, letters tell them apart."""
    left, right, bottom, top = cut.extent_mm(images.volume)
    for muscle, colour in COLOURS.items():
        for side in SIDES:
            mask = cut.cut(images.segmentation.mask(muscle, side)).astype(np.float32)
            if not mask.any():
                continue
            rows, columns = mask.shape
            x = (np.arange(-1, columns + 1) + 0.5) * (right - left) / columns
            y = (np.arange(-1, rows + 1) + 0.5) * (top - bottom) / rows
            axes.contour(x, y, np.pad(mask, 1), levels=[0.5], colors=[colour], linewidths=1.1)
    axes.set_ylim(bottom, top)
    axes.set_xlim(right, left)


def _draw_fat(axes: Axes, images: StudyImages, cut: Slice) -> AxesImage:
    """Fat fraction inside the measured muscles, over the image."""
    muscles = [label_of(muscle, side) for muscle in Muscle for side in SIDES]
    shown = np.isin(cut.cut(images.segmentation.labels), muscles) & cut.cut(images.fat.valid)
    percent = np.ma.masked_where(~shown, 100 * np.clip(cut.cut(images.fat.fraction), 0, 1))
    return axes.imshow(
        percent, cmap="inferno", vmin=0, vmax=100, origin="lower", extent=cut.extent_mm(images.volume),
        interpolation="nearest",
    )  # fmt: skip
