"""Which muscles the fine network is shown: those that the coarse pass got wrong more often."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from grading.volume import Geometry  # noqa: E402
from training.fine_patches import UNKNOWN, CoarselySeen, difficulty  # noqa: E402

GRID = Geometry((40, 40, 20), np.diag([2.0, 2.0, 3.0, 1.0]))
MEDIUS, MINIMUS = 1, 2  # rows of what the coarse pass told
BLOCKS = {MEDIUS: np.s_[4:16, 5:35, 4:16], MINIMUS: np.s_[20:30, 5:35, 4:16]}


def seen(told: dict[int, tuple[slice, ...]], true: dict[int, tuple[slice, ...]]) -> CoarselySeen:
    """A scan in which the coarse pass told some blocks of muscle and others are true."""
    context, target = np.zeros((6, *GRID.shape), np.uint8), np.zeros(GRID.shape, np.uint8)
    for row, block in told.items():
        context[row][block] = 255
    for row, block in true.items():
        target[block] = row + 1
    points = [np.argwhere(context[row] > 0) @ GRID.affine[:3, :3].T + GRID.affine[:3, 3] for row in told]
    image = torch.zeros(GRID.shape)
    return CoarselySeen(
        GRID, image, torch.from_numpy(target), GRID, torch.from_numpy(context), points, outlined=False
    )


def test_a_muscle_drawn_too_thick_is_shown_more_often():
    thin = {**BLOCKS, MINIMUS: np.s_[20:25, 5:35, 4:16]}
    medius, minimus = difficulty(seen(BLOCKS, thin))
    assert minimus - medius == pytest.approx(0.5)


def test_a_muscle_left_out_makes_its_neighbours_be_shown_more_often():
    (right,) = difficulty(seen({MEDIUS: BLOCKS[MEDIUS]}, {MEDIUS: BLOCKS[MEDIUS]}))
    (left_out,) = difficulty(seen({MEDIUS: BLOCKS[MEDIUS]}, BLOCKS))
    assert left_out - right == pytest.approx(10 / 22, abs=0.02)


def test_what_nobody_outlined_is_no_error():
    unknown = seen(BLOCKS, BLOCKS)
    unknown.target[20:30] = UNKNOWN
    assert difficulty(unknown) == pytest.approx([0.02, 0.02])
