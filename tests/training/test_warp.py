"""Where patches lie: slices that are to stay as they are come whole and in order."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from grading.volume import Geometry  # noqa: E402
from training.warp import random_warp  # noqa: E402

SHAPE = (160, 20, 150)
TILT = np.deg2rad(12)
TURN = np.array([[1, 0, 0], [0, np.cos(TILT), -np.sin(TILT)], [0, np.sin(TILT), np.cos(TILT)]])


@pytest.mark.parametrize("turn", [np.eye(3), TURN], ids=["straight", "oblique"])
@pytest.mark.parametrize("count", [6, 7])
@pytest.mark.parametrize("seed", range(4))
def test_slices_stay_as_they_are(turn, count, seed):
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1.0, 5.0, 1.0])
    source = Geometry(SHAPE, affine)
    number = torch.arange(SHAPE[1], dtype=torch.float32).reshape(1, -1, 1).expand(SHAPE).contiguous()
    rng = np.random.default_rng(seed)
    warp = random_warp(source, source.centre_mm, (20, count, 16), rng, spacing_mm=(1, 5, 1), slices=1)
    seen = warp.image(number)
    first = float(seen[0, 0, 0])
    assert first == pytest.approx(round(first), abs=1e-3)
    expected = first + torch.arange(count, dtype=torch.float32).reshape(1, -1, 1).expand(seen.shape)
    torch.testing.assert_close(seen, expected, atol=2e-3, rtol=0)


def test_left_and_right_change_places_when_asked():
    source = Geometry(SHAPE, np.eye(4))
    place = torch.arange(SHAPE[0], dtype=torch.float32).reshape(-1, 1, 1).expand(SHAPE).contiguous()
    seen = [
        random_warp(source, source.centre_mm, (20, 6, 16), np.random.default_rng(1), mirrored=way).image(
            place
        )
        for way in (False, True)
    ]
    assert seen[0].diff(dim=0).mean() > 0 > seen[1].diff(dim=0).mean()
