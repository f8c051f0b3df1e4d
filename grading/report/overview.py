"""The overview picture: one look tells whether to believe a study's row.

Top row the image with the outline of each muscle, below it the measured fat fraction inside them, on the
slices where the muscles are largest; on the right the numbers. Radiological convention: the patient's
right is on the picture's left, and letters say so.
"""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from grading.anatomy import GLUTEI, SIDES, Muscle, Side, label_of
from grading.report.numbers import COLOURS, INK, write_numbers
from grading.report.study_report import StudyImages, StudyReport
from grading.volume import BoolArray, Volume

_WIDTH_IN, _HEIGHT_IN, _DPI = 17.0, 9.5, 100
_WINDOW_PERCENT = (1.0, 99.7)  # grey window: the hyperintense last 0.3 % is vessels and coil flare
_PAPER = "#101010"


@dataclass(frozen=True, slots=True)
class Slice:
    """One plane of the grid: `axis` is fixed at `index`, the other two fill the picture."""

    title: str
    axis: int
    index: int

    def cut(self, array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """The plane as rows (up the picture) of columns (the patient's right last)."""
        return np.take(array, self.index, axis=self.axis).T

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
    slices = key_slices(images)
    figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), dpi=_DPI, facecolor=_PAPER)
    widths = [s.extent_mm(images.volume)[1] for s in slices]
    grid = figure.add_gridspec(
        2, len(slices) + 1, width_ratios=[*widths, 0.62 * sum(widths)], left=0.01, right=0.99, top=0.92,
        bottom=0.05, wspace=0.03, hspace=0.05,
    )  # fmt: skip
    low, high = _window(images.volume)
    colour = None
    for column, cut in enumerate(slices):
        top, bottom = figure.add_subplot(grid[0, column]), figure.add_subplot(grid[1, column])
        _draw_image(top, images, cut, low, high)
        top.set_title(cut.title, color=INK, fontsize=11)
        _draw_outlines(top, images, cut)
        _draw_image(bottom, images, cut, low, high)
        colour = _draw_fat(bottom, images, cut)
    panel = figure.add_subplot(grid[:, -1])
    panel.axis("off")
    write_numbers(panel, report)
    if colour is not None:
        place = panel.inset_axes((0.06, 0.015, 0.9, 0.018))
        bar = figure.colorbar(colour, cax=place, orientation="horizontal")
        bar.set_ticks([0, 25, 50, 75, 100])
        bar.ax.tick_params(colors=INK, labelsize=9)
        bar.ax.set_title("fat fraction, % (Quartile edges at 25, 50, 75)", color=INK, fontsize=9)
    figure.suptitle(report.name, color=INK, fontsize=15, x=0.01, ha="left", parse_math=False)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


def key_slices(images: StudyImages) -> tuple[Slice, ...]:
    """The planes to show: coronal and axial, each where maximus and where medius with minimus are largest."""
    deep = (Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MINIMUS)
    wanted = (
        ("coronal, largest maximus", 1, (Muscle.GLUTEUS_MAXIMUS,)),
        ("coronal, largest medius + minimus", 1, deep),
        ("axial, largest maximus", 2, (Muscle.GLUTEUS_MAXIMUS,)),
        ("axial, largest medius + minimus", 2, deep),
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
