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
NO_LONGER_LEAN = 0.15  # relative distance from lean muscle at which a mode no longer counts
MOST_STEPS, CONVERGED = 200, 1e-12  # of the search for the signal that lean muscles share
MINIMUM_UNITS = 2  # muscles (one side each) that must agree: never the graded muscle alone
DRAWS = 200  # bootstrap resamples: the error of an error is then 5 %


@dataclass(frozen=True, slots=True)
class Reference:
    """Signal of one pure tissue after shading correction.

    Attributes:
        tissue: "fat" or "muscle"; "air" for the noise of a Dixon fat image.
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


def lean_signal(modes: Sequence[float]) -> tuple[Array, Array] | None:
    """Mode of every muscle, and how far each of them counts as lean, 0-1.

    Sought is the lowest signal that `MINIMUM_UNITS` muscles share: fat infiltration only ever raises a T1
    signal, so muscles above the rest are fattier, and a single one below the rest is more likely
    mislabelled. A muscle's weight fades with its distance from that signal (Tukey's biweight), so that
    no rounding of the image lets a whole muscle in or out.

    Returns:
        (modes, weights), or None where no two muscles agree.
    """
    values = np.asarray(modes, dtype=float)
    for lowest in np.sort(values):
        together = (values >= lowest) & (values <= lowest * (1 + SAME_TISSUE))
        if np.count_nonzero(together) < MINIMUM_UNITS:
            continue
        centre = float(values[together].mean())
        for _ in range(MOST_STEPS):
            weights = np.clip(1 - ((values / centre - 1) / NO_LONGER_LEAN) ** 2, 0, None) ** 2
            before, centre = centre, float(np.average(values, weights=weights))
            if abs(centre / before - 1) < CONVERGED:
                break
        return values, weights
    return None


def weighted_reference(values: Array, weights: Array) -> tuple[float, float, float]:
    """Mean of `values`, its standard error, and the SD of a single value; weights need not add to 1."""
    mean = float(np.average(values, weights=weights))
    count = float(weights.sum() ** 2 / (weights**2).sum())  # of equal values that would tell as much [Kish]
    spread = float(np.sqrt(np.average((values - mean) ** 2, weights=weights) * count / (count - 1)))
    return mean, spread / float(np.sqrt(count)), spread


def bootstrap_error(values: Array, seed: int) -> float:
    """Standard error of the mean of `values`, by resampling them; the same in whatever order they come."""
    ordered = np.sort(values)
    picks = np.random.default_rng(seed).integers(0, ordered.size, (DRAWS, ordered.size))
    return float(ordered[picks].mean(axis=1).std(ddof=1))


def robust_spread(values: Array) -> float:
    """SD of `values` from their median absolute deviation."""
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
