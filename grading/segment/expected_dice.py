"""How well an outline is likely to overlap the true muscle, told by the network's own confidence.

Where a network errs it mostly wavers: the mean confidence over a muscle's voxels follows the Dice overlap
with the truth. How closely, and with which figures, `python -m training.calibrate` shows.
"""

import numpy as np

from grading.anatomy import Muscle, Side
from grading.findings import Finding
from grading.volume import Segmentation

# Mean Dice at each mean confidence, 205 outlines of network 0.12 on images never trained on; their ranks
# correlate at .89 (each muscle by itself .79 to .89). Full confidence is a person's. The lowest pair is one
# outline of network 0.3.
CONFIDENCE = (0.43, 0.76, 0.83, 0.875, 0.925, 0.955, 1.00)
DICE = (0.00, 0.52, 0.67, 0.78, 0.92, 0.96, 1.00)
DOUBTFUL = 0.75  # two readers agree on minimus, the hardest of the muscles, at 0.80 [segmentation notes]
UNUSABLE = 0.50  # half of the outline or half of the muscle is wrong


def mean_confidence(segmentation: Segmentation, muscle: Muscle, side: Side) -> float | None:
    """Mean confidence over the voxels of one muscle, 0-1; None where it was not found."""
    mask = segmentation.mask(muscle, side)
    return float(segmentation.confidence[mask].mean(dtype=float)) if mask.any() else None


def expected_dice(segmentation: Segmentation, muscle: Muscle, side: Side) -> float:
    """Likely Dice overlap of one muscle's outline with the truth, 0-1; 0 where it was not found.

    Outlines drawn by people carry full confidence, so they are expected to be right.
    """
    confidence = mean_confidence(segmentation, muscle, side)
    return 0.0 if confidence is None else float(np.interp(confidence, CONFIDENCE, DICE))


def confidence_of(dice: float) -> float:
    """Confidence, 0-1, from which `expected_dice` reads `dice`."""
    return float(np.interp(dice, DICE, CONFIDENCE))


def outline_doubts(dice: float, muscle: Muscle, side: Side) -> tuple[Finding, ...]:
    """`low_confidence` for a doubtful outline, `outline_unusable` for one not to be measured.

    Args:
        dice: from `expected_dice`.
        muscle: whose outline.
        side: on which side.
    """
    if dice >= DOUBTFUL:
        return ()
    code = "low_confidence" if dice >= UNUSABLE else "outline_unusable"
    return (Finding(code, f"expected overlap with the true muscle (Dice) {dice:.2f}", muscle, side),)
