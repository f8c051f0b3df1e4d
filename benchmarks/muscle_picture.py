"""One muscle of one study to look at: its outline on the image, and the fat fraction inside it."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from grading.anatomy import Muscle, Side
from grading.masks import Box, bounding_box
from grading.report.palette import COLOURS
from grading.report.study_report import StudyImages

_SLICES = 4
_AROUND_MM = 15.0


def muscle_picture(images: StudyImages, muscle: Muscle, side: Side, title: str, path: Path) -> None:
    """Write the slices with most of a muscle, patient right on picture left: image above, fat below.

    Args:
        images: of a graded study, acquired in coronal or axial slices.
        muscle: the muscle.
        side: its side.
        title: above the picture.
        path: of the PNG; its folder is made.
    """
    mask = images.segmentation.mask(muscle, side)
    axis = images.volume.series.slice_axis
    area = mask.sum(axis=tuple(a for a in range(3) if a != axis))
    slices = sorted(np.argsort(area)[-_SLICES:])
    box = _widened(mask, images.volume.geometry.spacing_mm)
    across, up = (a for a in range(3) if a != axis)
    aspect = images.volume.geometry.spacing_mm[up] / images.volume.geometry.spacing_mm[across]
    figure = Figure(figsize=(4 * _SLICES, 10), dpi=60, layout="tight")
    figure.suptitle(title)
    brightest = float(np.percentile(images.volume.voxels[box], 99))
    for column, index in enumerate(slices):
        image, fat, inside = (
            np.take(array, index, axis=axis)[box[across], box[up]].T
            for array in (images.volume.voxels, images.fat.fraction, mask)
        )
        for row in (0, 1):
            axes = figure.add_subplot(2, _SLICES, 1 + column + row * _SLICES)
            axes.imshow(image, cmap="gray", origin="lower", vmin=0, vmax=brightest, aspect=aspect)
            if row:
                shown = np.ma.masked_where(~inside, fat)
                axes.imshow(shown, cmap="viridis", origin="lower", vmin=0, vmax=1, aspect=aspect)
            elif inside.any():
                axes.contour(inside, [0.5], colors=[COLOURS[muscle]], linewidths=1)
            axes.set_title(f"slice {index}")
            axes.invert_xaxis()
            axes.axis("off")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _widened(mask: np.ndarray, spacing_mm: tuple[float, ...]) -> Box:
    box = bounding_box(mask)
    assert box is not None
    i, j, k = (
        slice(max(0, s.start - round(_AROUND_MM / step)), s.stop + round(_AROUND_MM / step))
        for s, step in zip(box, spacing_mm, strict=True)
    )
    return i, j, k
