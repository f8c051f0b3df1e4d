"""The network answers for every voxel, and training looks at the same answers."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the [training] extra")

from training.model import UNet, corner_of  # noqa: E402


@pytest.fixture(scope="module")
def net() -> "UNet":
    torch.manual_seed(0)
    return UNet(4, widths=(4, 4, 4)).eval()


def test_every_voxel_gets_an_answer_on_any_even_grid(net: "UNet") -> None:
    assert net(torch.rand(1, 1, 10, 12, 14)).shape == (1, 4, 10, 12, 14)


def test_its_channels_come_in_groups(net: "UNet") -> None:
    image = torch.rand(1, 1, 8, 12, 10)
    with torch.no_grad():
        torch.testing.assert_close(torch.cat(net.parted(image, (3, 1)), dim=1), net(image))


@pytest.mark.parametrize("corner", range(8))
def test_what_training_looks_at_is_one_voxel_of_each_block_of_the_answer(net: "UNet", corner: int) -> None:
    image = torch.rand(1, 1, 8, 12, 10)
    with torch.no_grad():
        answer, taught = net(image)[0], net.corner(image, corner)[0][0]
    seen = torch.stack([corner_of(channel, corner) for channel in answer])
    torch.testing.assert_close(taught, seen)


def test_a_mirrored_patch_is_the_mirrored_patient() -> None:
    from training.sample import Sample

    side = torch.tensor([0, 1, -1]).reshape(3, 1, 1)
    patch = Sample(torch.arange(3.0).reshape(3, 1, 1), torch.arange(3).reshape(3, 1, 1), side)
    mirrored = patch.mirrored()
    assert mirrored.image.flatten().tolist() == [2, 1, 0]
    assert mirrored.side.flatten().tolist() == [-1, 0, 1], "left and right change places, unknown stays so"
