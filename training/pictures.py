"""Contact sheets: every third coronal slice with contours, to look at after every model."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from grading.anatomy import SIDES, Muscle, label_of
from grading.report.palette import COLOURS
from grading.volume import Segmentation, Volume

_BONES = ("hip_bone", "femur", "sacrum")
_COLOURS: dict[str, str] = {**COLOURS, **dict.fromkeys(_BONES, "#FFFFFF")}


def contact_sheet(volume: Volume, found: Segmentation, path: Path, axis: int | None = None) -> None:
    """Write a sheet of slices along the acquired plane (or `axis`), patient right on picture left."""
    axis = volume.series.slice_axis if axis is None else axis
    muscle = np.isin(found.labels, [label_of(m, s) for m in Muscle for s in SIDES])
    where = np.flatnonzero(muscle.any(axis=tuple(a for a in range(3) if a != axis)))
    slices = np.unique(np.linspace(where[0], where[-1], 16).round().astype(int)) if where.size else [0]
    figure = Figure(figsize=(20, 20), dpi=70)
    across, up = [a for a in range(3) if a != axis]
    spacing = volume.geometry.spacing_mm
    for position, index in enumerate(slices):
        axes = figure.add_subplot(4, 4, position + 1)
        picture = np.take(volume.voxels, index, axis=axis)
        axes.imshow(
            picture.T,
            cmap="gray",
            origin="lower",
            vmax=float(np.percentile(volume.voxels, 99.5)),
            aspect=spacing[up] / spacing[across],
        )
        for name, colour in _COLOURS.items():
            for side in SIDES:
                mask = np.take(found.mask(name, side), index, axis=axis)
                if mask.any():
                    style = "solid" if side == "left" else "dashed"
                    axes.contour(mask.T, [0.5], colors=[colour], linewidths=1, linestyles=style)
        if axis != 0:
            axes.invert_xaxis()
        axes.set_title(str(index))
        axes.axis("off")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
