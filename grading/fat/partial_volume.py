"""How much of the fat around a muscle its outer voxels mix in, read from all muscles of the image together.

Slices are thick and pixels blur: muscle without any fat looks fatty near its surface, at 5 mm slices by some
8 % of the way to fat. Eroding deep enough to be rid of it would measure a thin muscle on its middle alone,
and fat does not lie evenly. So the outer zones are kept and corrected: a zone with the share s of fat from
beside it reads s + (1 - s) f. The share is what the zone reads above the core, pooled over muscles: fat that
truly lies nearer the surface in one muscle lies deeper in another. The lower quartile is taken, because an
outline that runs into the fat around only ever adds: the cleaner muscles tell what blur alone does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grading.fat.zones import MuscleZones, Zone
from grading.volume import BoolArray, FloatArray

MINIMUM_VOXELS = 100  # of a zone and of the core, per muscle
MINIMUM_MUSCLES = 4  # for a quartile that one muscle cannot decide
CLEANER = 0.25  # quantile of muscles that is pooled [phantoms, seed 100: half the bias of the median]
LEAN_ENOUGH = 0.6  # core fat fraction up to which a muscle tells fat from beside it from its own
UNKNOWN_ERROR = 0.04  # of a share that could not be read: half its typical size, since slices outlined one
# by one look as if each were a muscle's end
QUARTILE_SD = 0.6745  # distance of a normal distribution's quartile from its middle, in SD
LARGEST_SHARE = 0.4  # a voxel labelled muscle is mostly muscle


@dataclass(frozen=True, slots=True)
class Share:
    """Share of a zone's signal that comes from fat beside the muscle, 0-1, and its SD between muscles.

    The SD is that of the lower half, which outlines that run into fat do not widen.
    """

    value: float
    error: float


@dataclass(frozen=True, slots=True)
class PartialVolume:
    """Shares of the two zones that touch what lies beside a muscle."""

    rim: Share
    end: Share

    def share(self, zone: Zone) -> Share:
        """Share of fat from beside the muscle in a zone; none in the core."""
        return {Zone.RIM: self.rim, Zone.END: self.end}.get(zone, Share(0.0, 0.0))


NOT_READ = PartialVolume(Share(0.0, UNKNOWN_ERROR), Share(0.0, UNKNOWN_ERROR))


def read_partial_volume(
    fraction: FloatArray, valid: BoolArray, muscles: Sequence[MuscleZones]
) -> PartialVolume:
    """Shares of the outer zones, from every muscle whose core is lean enough to tell.

    Args:
        fraction: fat fraction of every voxel, (i, j, k).
        valid: where it means something.
        muscles: every labelled muscle of the image.
    """
    found: dict[Zone, list[float]] = {Zone.RIM: [], Zone.END: []}
    for muscle in muscles:
        values = np.where(valid[muscle.box], muscle.zones, Zone.OUTSIDE)
        counts = np.bincount(values.ravel(), minlength=len(Zone))
        sums = np.bincount(
            values.ravel(), np.nan_to_num(fraction[muscle.box]).ravel().astype(float), minlength=len(Zone)
        )
        if counts[Zone.CORE] < MINIMUM_VOXELS:
            continue
        core = sums[Zone.CORE] / counts[Zone.CORE]
        if core > LEAN_ENOUGH:
            continue
        for zone, shares in found.items():
            if counts[zone] >= MINIMUM_VOXELS:
                shares.append((sums[zone] / counts[zone] - core) / (1 - core))
    return PartialVolume(_pooled(found[Zone.RIM]), _pooled(found[Zone.END]))


def _pooled(shares: Sequence[float]) -> Share:
    if len(shares) < MINIMUM_MUSCLES:
        return NOT_READ.rim
    cleaner, middle = np.quantile(shares, (CLEANER, 0.5))
    spread = float(middle - cleaner) / QUARTILE_SD
    return Share(float(np.clip(cleaner, 0.0, LARGEST_SHARE)), spread)
