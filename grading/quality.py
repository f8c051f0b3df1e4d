"""Checks across image, header and segmentation that no single step can make."""

import numpy as np

from grading.anatomy import GLUTEI, SIDES, Side
from grading.findings import Finding
from grading.settings import Settings
from grading.volume import Segmentation, Volume


def check_laterality(volume: Volume, segmentation: Segmentation, settings: Settings) -> tuple[Finding, ...]:
    """Whether header, request and anatomy agree about which side is which.

    Returns:
        `laterality_contradiction` where the segmented left lies to the right of the segmented right, or where
        the one hip in view is not the one that the header or the request names; `side_assumed` where one hip
        is in view and nothing names it.
    """
    centres = _centres(segmentation)
    if len(centres) == len(SIDES):
        if centres[Side.LEFT] < centres[Side.RIGHT]:  # axis 0 grows towards the patient's right
            return ()
        detail = "the muscles labelled left lie to the right of those labelled right"
        return (Finding("laterality_contradiction", detail),)
    if not centres:
        return ()
    (found,) = centres
    named = {"header": volume.series.laterality, "request": settings.side}
    against = [who for who, side in named.items() if side is not None and side is not found]
    if against:
        detail = f"the one hip in view was labelled {found.value}; the {' and the '.join(against)} says "
        return (Finding("laterality_contradiction", detail + found.other.value),)
    if settings.masks is None and not any(named.values()):
        return (Finding("side_assumed", f"taken to be the {found.value} one"),)
    return ()


def _centres(segmentation: Segmentation) -> dict[Side, float]:
    """Mean index along axis 0 of the gluteal muscles, for each side that has any."""
    centres = {}
    for side in SIDES:
        profile = sum(segmentation.mask(muscle, side).sum(axis=(1, 2), dtype=np.int64) for muscle in GLUTEI)
        if np.any(profile):
            centres[side] = float(np.average(np.arange(np.size(profile)), weights=profile))
    return centres
