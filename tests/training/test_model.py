"""The network answers for every voxel, and training looks at the same answers."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the [training] extra")

from training.model import CUBE, Block, UNet, corner_of  # noqa: E402

SLICES: Block = (1, 2, 2)


@pytest.fixture(scope="module")
def net() -> "UNet":
    return make(CUBE)


def make(block: Block) -> "UNet":
    torch.manual_seed(0)
    return UNet(4, widths=(4, 4, 4), block=block, flat=int(block == SLICES)).eval()


def test_every_voxel_gets_an_answer_on_any_even_grid(net: "UNet") -> None:
    assert net(torch.rand(1, 1, 10, 12, 14)).shape == (1, 4, 10, 12, 14)


def test_any_number_of_slices_gets_an_answer() -> None:
    assert make(SLICES)(torch.rand(1, 1, 7, 12, 14)).shape == (1, 4, 7, 12, 14)


@pytest.mark.parametrize(("block", "corner"), [(CUBE, n) for n in range(8)] + [(SLICES, n) for n in range(4)])
def test_what_training_looks_at_is_one_voxel_of_each_block_of_the_answer(block: Block, corner: int) -> None:
    net, image = make(block), torch.rand(1, 1, 8, 12, 10)
    with torch.no_grad():
        answer, taught = net(image)[0], net.corner(image, corner)[0][0]
    torch.testing.assert_close(taught, corner_of(answer, corner, block))


def test_every_resolution_that_training_looks_at_has_its_own_cells() -> None:
    net, image = make(SLICES), torch.rand(1, 1, 7, 24, 20)
    assert net.steps == [(1, 2, 2), (1, 4, 4), (2, 8, 8)]
    _, *levels = net.corner(image, 0)
    for logits, step in zip(levels, net.steps, strict=False):
        assert logits.shape[2:] == image[0, 0, :: step[0], :: step[1], :: step[2]].shape


def test_a_mirrored_patch_is_the_mirrored_patient() -> None:
    from training.sample import Sample

    side = torch.tensor([0, 1, -1]).reshape(3, 1, 1)
    patch = Sample(torch.arange(3.0).reshape(3, 1, 1), torch.arange(3).reshape(3, 1, 1), side)
    mirrored = patch.again(np.random.default_rng(0))
    assert mirrored.image.flatten().tolist() == [2, 1, 0]
    assert mirrored.side.flatten().tolist() == [-1, 0, 1], "left and right change places, unknown stays so"
