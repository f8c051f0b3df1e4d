"""The two signals a T1 fat fraction is scaled between, each from many places and robust to the odd one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.anatomy import Side

Array = npt.NDArray[np.float64]

MODE_BINS = 256  # of the histogram a mode is read from; the smoothing spans several of them
SAME_TISSUE = 0.10  # relative: modes of lean muscles differ by about this much after shading correction
MINIMUM_UNITS = 2  # muscles (one side each) that must agree: never the graded muscle alone
DRAWS = 200  # bootstrap resamples: the error of an error is then 5 %


@dataclass(frozen=True, slots=True)
class Reference:
    """Signal of one pure tissue after shading correction.

    Attributes:
        tissue: "fat" or "muscle".
        side: side it is used for; None for both.
        signal: scanner units at the field's mean gain (Dixon: the fat fraction read there, 0-1).
        standard_error: of `signal`, by bootstrap over the places it was measured at.
        spread: robust SD between those places: how far the same tissue may be off elsewhere.
        voxels: how many it was measured on.
    """

    tissue: str
    side: Side | None
    signal: float
    standard_error: float
    spread: float
    voxels: int


def mode(values: Array) -> float:
    """Most frequent value: peak of the smoothed histogram, refined by a parabola.

    The bandwidth follows the sample (Silverman's rule, with the n^(-1/7) rate that suits a mode), so the
    result scales with the signal's gain and follows its offset.
    """
    low, quarter, three_quarters, high = np.quantile(values, (0.005, 0.25, 0.75, 0.995))
    if not high > low:
        return float(low)
    spread = min((three_quarters - quarter) / 1.349, float(np.std(values))) or (high - low) / 4
    bandwidth = 0.9 * spread * values.size ** (-1 / 7)
    low, high = low - 3 * bandwidth, high + 3 * bandwidth
    counts, edges = np.histogram(values, MODE_BINS, (low, high))
    width = float(edges[1] - edges[0])
    density = ndimage.gaussian_filter1d(counts.astype(float), max(bandwidth / width, 1.0), mode="constant")
    peak = int(np.clip(np.argmax(density), 1, MODE_BINS - 2))
    before, at, after = density[peak - 1 : peak + 2]
    curvature = before - 2 * at + after
    shift = 0.5 * (before - after) / curvature if curvature < 0 else 0.0
    return float(edges[peak] + width * (0.5 + np.clip(shift, -1, 1)))


def lean_signal(modes: Sequence[float]) -> tuple[float, Array] | None:
    """Signal of lean muscle from the mode of each muscle, and the modes that agree on it.

    The lowest modes that `MINIMUM_UNITS` muscles share: fat infiltration only ever raises a T1 signal, so
    muscles above the rest are fattier, and a single one below the rest is more likely mislabelled.

    Returns:
        (signal, modes in agreement), or None where no two muscles agree.
    """
    ordered = np.sort(np.asarray(modes, dtype=float))
    for lowest in ordered:
        group = ordered[(ordered >= lowest) & (ordered <= lowest * (1 + SAME_TISSUE))]
        if group.size < MINIMUM_UNITS:
            continue
        for _ in range(ordered.size):
            centre = float(group.mean())
            grown = ordered[np.abs(ordered / centre - 1) <= SAME_TISSUE]
            if grown.size == group.size or grown.size < MINIMUM_UNITS:
                break
            group = grown
        return float(group.mean()), group
    return None


def bootstrap_error(values: Array, seed: int) -> float:
    """Standard error of the mean of `values`, by resampling them; the same in whatever order they come."""
    ordered = np.sort(values)
    picks = np.random.default_rng(seed).integers(0, ordered.size, (DRAWS, ordered.size))
    return float(ordered[picks].mean(axis=1).std(ddof=1))


def robust_spread(values: Array) -> float:
    """SD of `values` from their median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
