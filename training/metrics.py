"""How well two masks agree."""

import numpy as np
from scipy import ndimage

from grading.masks import bounding_box


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    """Dice overlap; NaN when both are empty."""
    total = found.sum() + truth.sum()
    return float(2 * (found & truth).sum() / total) if total else float("nan")


def volume_error(found: np.ndarray, truth: np.ndarray) -> float:
    """Relative volume error, signed; NaN when there is no truth."""
    return float(found.sum() / truth.sum() - 1) if truth.any() else float("nan")


def surface_distance_95(
    found: np.ndarray, truth: np.ndarray, spacing_mm: tuple[float, float, float]
) -> float:
    """95th percentile of the distances between the surfaces, both ways together (mm); NaN if one is empty."""
    if not found.any() or not truth.any():
        return float("nan")
    box = bounding_box(found | truth)
    assert box is not None
    surfaces = [mask[box] & ~ndimage.binary_erosion(mask[box]) for mask in (found, truth)]
    away = [ndimage.distance_transform_edt(~surface, sampling=spacing_mm) for surface in surfaces]
    return float(np.percentile(np.concatenate([away[0][surfaces[1]], away[1][surfaces[0]]]), 95))
