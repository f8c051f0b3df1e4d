"""Series of a study that show something else than the one that is graded: the other hip, or no hip at all."""

import numpy as np

from grading.io.found import SeriesFound
from grading.volume import Geometry

MIN_COMMON = 0.5  # share of the smaller field of view: with less in common, two images show different parts
OTHER_PART = "another part of the body"


def shown_instead(series: SeriesFound, graded: SeriesFound) -> str:
    """What `series` shows and `graded` does not: a hip in words, or `OTHER_PART`; "" when mostly the same.

    Args:
        series: any other series of the study whose place is known.
        graded: the series that is graded.
    """
    side, graded_side = series.info.laterality, graded.info.laterality
    if side and graded_side and side is not graded_side:
        return f"the {side.value} hip"
    right, anterior, superior = _common(series, graded)
    if right * anterior * superior >= MIN_COMMON:
        return ""
    return "the other hip" if right < MIN_COMMON <= superior else OTHER_PART


def _common(a: SeriesFound, b: SeriesFound) -> tuple[float, float, float]:
    """Along right, anterior and superior, the share of the smaller field of view that both show."""
    (low_a, high_a), (low_b, high_b) = (
        (corners.min(axis=0), corners.max(axis=0))
        for corners in (Geometry(s.shape, np.array(s.affine)).corners_mm() for s in (a, b))
    )
    both = np.clip(np.minimum(high_a, high_b) - np.maximum(low_a, low_b), 0, None)
    smaller = np.minimum(high_a - low_a, high_b - low_b)
    right, anterior, superior = np.divide(both, smaller, out=np.ones(3), where=smaller > 0)  # 0: one slice
    return float(right), float(anterior), float(superior)
