"""From an image on any grid to the network's input, the same at training and at run time."""

import numpy as np
from scipy import ndimage

from grading.resample import resample
from grading.volume import BoolArray, FloatArray, Geometry

BRIGHT_PERCENTILE = 98.0  # fat on T1; robust to vessels, flow and coil flare
CEILING = 1.5  # of the bright level: clips coil flare without flattening fat
_BLUR = 0.42  # of the voxel ratio: Gaussian whose half width equals the coarser voxel's box


def antialias(voxels: FloatArray, spacing_mm: tuple[float, float, float], target_mm: float) -> FloatArray:
    """Blur along the axes finer than `target_mm`, so that sampling there averages instead of picking."""
    ratio = np.asarray(target_mm) / np.asarray(spacing_mm)
    sigma = _BLUR * np.sqrt(np.maximum(ratio**2 - 1, 0))
    blurred: FloatArray = ndimage.gaussian_filter(voxels, sigma, mode="nearest", truncate=2.5)
    return blurred


def normalise(voxels: FloatArray, valid: BoolArray) -> FloatArray:
    """Scale so that the bright level of the valid voxels is 1; padding becomes 0.

    Raises:
        ValueError: no valid voxel is above zero.
    """
    lit = voxels[valid & (voxels > 0)]
    if lit.size == 0:
        raise ValueError("image has no signal")
    scaled = np.clip(voxels / np.percentile(lit, BRIGHT_PERCENTILE), 0, CEILING)
    return np.where(valid, scaled, 0).astype(np.float32)


def network_grid(geometry: Geometry, spacing_mm: float, multiple: int) -> Geometry:
    """The isotropic, axis-aligned grid that covers `geometry`, centred on it.

    Centred and even, so that mirroring the image mirrors the grid. Sizes are multiples of `multiple`.
    """
    corners = geometry.corners_mm()
    extent = np.ptp(corners, axis=0) + np.asarray(geometry.spacing_mm)
    centre = (corners.max(axis=0) + corners.min(axis=0)) / 2
    cells = np.ceil(extent / spacing_mm / multiple - 0.05).astype(int).clip(1) * multiple
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = centre - spacing_mm * (cells - 1) / 2
    return Geometry((int(cells[0]), int(cells[1]), int(cells[2])), affine)


def to_network(image: FloatArray, source: Geometry, grid: Geometry) -> FloatArray:
    """A normalised image on the network's grid, float32, 0 where there is no image."""
    smooth = antialias(image, source.spacing_mm, grid.spacing_mm[0])
    return np.asarray(resample(smooth, source, grid, order=1), dtype=np.float32)
