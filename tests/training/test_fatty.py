"""Fat in one piece: it stays within the muscle, has its fascia round it, and needs bright fat beside it."""

import numpy as np
import pytest
from scipy import ndimage

torch = pytest.importorskip("torch")

from training.classes import INDEX  # noqa: E402
from training.fatty import with_fat_pieces, with_fatty_muscles  # noqa: E402

SPACING_MM = 1.5
LEAN, FAT = 0.35, 1.0
UNKNOWN = 5


@pytest.fixture
def hip() -> tuple["torch.Tensor", "torch.Tensor", "torch.Tensor"]:
    """A block of medius (2) beside a block of minimus (3) in fat; the coarse pass is right about both."""
    target = torch.zeros((40, 40, 30), dtype=torch.int64)
    target[4:24, 6:34, 5:25], target[28:34, 6:34, 5:25] = 2, 3
    told = torch.stack([(target == n).float() for n in range(1, 5)])
    return torch.where(target > 0, LEAN, FAT), target, told


def many(hip, count=20, *, outlined=False):
    return [
        with_fat_pieces(*hip, np.random.default_rng(seed), SPACING_MM, outlined=outlined)
        for seed in range(count)
    ]


def test_fat_stays_within_a_readers_outlines_and_spares_the_fascia_in_them(hip):
    image, target, _ = hip
    corner = (4, 6, 5)  # of the block: the outermost of its rim
    made = [made for made, _ in many(hip, outlined=True)]
    assert any(float(m[target == 2].mean()) > 0.6 for m in made)
    for m in made:
        assert torch.equal(m[target == 0], image[target == 0])
        assert float(m[corner]) < (LEAN + FAT) / 2


def assert_fascia_beside(made, image, target):
    """Some muscle is fat up to its border; beside it, one voxel wide, is something darker than fat."""
    muscle = (target > 0).numpy()
    beside = torch.from_numpy(ndimage.binary_dilation(muscle, np.ones((3, 3, 3))) & ~muscle)
    border = torch.from_numpy(muscle & ~ndimage.binary_erosion(muscle))
    assert any(float(m[border].max()) > 0.9 * FAT for m in made)
    assert any(float((image - m)[beside].max()) > 0.2 for m in made)
    for m in made:
        assert bool((m[beside] <= image[beside]).all())
        far = ~beside & (target == 0)
        assert torch.equal(m[far], image[far])


def test_fat_reaches_the_border_of_a_known_muscle_and_its_fascia_lies_beside(hip):
    image, target, _ = hip
    assert_fascia_beside([made for made, _ in many(hip)], image, target)


def test_the_coarse_answer_loses_faith_only_where_fat_came(hip):
    image, _, told = hip
    doubted = [(made, doubt) for made, doubt in many(hip) if not torch.equal(doubt, told)]
    assert doubted
    for made, doubt in doubted:
        assert bool((doubt <= told).all())
        assert bool(((made - image).abs()[(doubt < told).any(0)] > 0).all())


def test_muscle_nobody_outlined_turns_to_fat_where_the_coarse_pass_sees_it(hip):
    image, target, told = hip
    target[:, :, ::2] = UNKNOWN
    made = [made for made, _ in many((image, target, told), outlined=True)]
    muscle = told.sum(0) > 0
    assert any(float((m - image)[muscle & (target == UNKNOWN)].mean()) > 0.2 for m in made)
    for m in made:
        assert torch.equal(m[~muscle], image[~muscle])


def test_where_fat_is_dark_nothing_changes(hip):
    image, target, told = hip
    for made, doubt in many((FAT + LEAN - image, target, told), 5):
        assert torch.equal(made, FAT + LEAN - image)
        assert torch.equal(doubt, told)


def test_muscles_of_a_labelled_scan_turn_to_fat_within_their_fascia(hip):
    image, target, _ = hip
    group = torch.tensor([0, 0, INDEX["gluteus_medius"], INDEX["gluteus_minimus"]])[target]
    side = torch.where(group > 0, 1, -1)
    rngs = [np.random.default_rng(seed) for seed in range(20)]
    made = [with_fatty_muscles(image, group, side, rng, SPACING_MM) for rng in rngs]
    assert any(float(m[target == 2].mean()) > 0.6 for m in made)
    assert_fascia_beside(made, image, target)
