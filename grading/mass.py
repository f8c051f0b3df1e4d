"""A tumour or haematoma outlined as muscle: as bright as muscle on T1, but no fat runs through it.

Streaks of fat part the bundles of every adult gluteal muscle, so nowhere in it is there room for a large ball
without any. A mass has that room. In a very muscular person a lean muscle has it too, but then on both sides.
"""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from grading.anatomy import Muscle, Side
from grading.findings import Finding
from grading.volume import BoolArray, FloatArray

CELL_MM = 3.0  # smaller details are noise
STREAK = 0.2  # fat fraction from which a cell is no part of the ball
LARGEST_MM = 40.0
# The widest in 80 muscles of ten women, as the network draws them, has 31 mm [pelvis studies]. Two tumours,
# 47 and 71 mm, were known when it was chosen; it has met no other.
MORE_THAN_OTHER = 1.5  # times the ball of the other side, where that is in view


def widest_lean_ball_mm(
    fraction: FloatArray, mask: BoolArray, spacing_mm: tuple[float, float, float]
) -> float:
    """Diameter of the largest ball inside a muscle that holds no streak of fat.

    Args:
        fraction: fat fraction, shape (i, j, k), NaN where it means nothing.
        mask: the muscle, bool, same shape.
        spacing_mm: of the voxels.
    """
    spacing = np.asarray(spacing_mm)
    step = np.rint(CELL_MM / spacing).astype(int).clip(1)
    fatty = np.where(mask, np.nan_to_num(fraction, nan=1.0), 1.0)
    cells = ndimage.uniform_filter(fatty, tuple(step), mode="constant", cval=1.0)
    lean = cells[tuple(slice(n // 2, None, n) for n in step)] < STREAK
    room = ndimage.distance_transform_edt(np.pad(lean, 1), sampling=step * spacing)
    return 2 * float(np.max(room))


def possible_mass(muscle: Muscle, side: Side, balls_mm: Mapping[Side, float]) -> tuple[Finding, ...]:
    """`possible_mass` where one side has far more room without fat than a muscle has.

    Args:
        muscle: which muscle.
        side: the side in question.
        balls_mm: `widest_lean_ball_mm` of each side on which it can be told.
    """
    ball, other = balls_mm.get(side, 0.0), balls_mm.get(side.other, 0.0)
    if ball <= max(LARGEST_MM, MORE_THAN_OTHER * other):
        return ()
    detail = f"a ball of {ball:.0f} mm without any fat, expected up to {LARGEST_MM:.0f} mm"
    return (Finding("possible_mass", detail, muscle, side),)
