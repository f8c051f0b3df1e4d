"""Smooth periodic random fields: the raw material of streaks, patches and textures."""

import numpy as np
from scipy import ndimage

from grading.phantom.shapes import Array

_CELLS = 48  # period of the field, in knots
_SMOOTHING_KNOTS = 0.6


def smooth_noise(
    points: list[Array], rng: np.random.Generator, smoothing_knots: float = _SMOOTHING_KNOTS
) -> Array:
    """A random field of zero mean and unit variance at points.

    Args:
        points: three coordinates of equal shape, in knots: the field varies over about one knot.
        rng: draws the field.
        smoothing_knots: width of the Gaussian that the knots are smoothed with; more gives rounder forms.
    """
    field = ndimage.gaussian_filter(rng.normal(size=(_CELLS,) * 3), smoothing_knots, mode="wrap")
    field = ((field - field.mean()) / field.std()).astype(np.float32)
    wrapped = np.stack([np.mod(p, np.float32(_CELLS)) for p in points])
    return np.asarray(ndimage.map_coordinates(field, wrapped, order=1, mode="grid-wrap"), dtype=np.float32)
