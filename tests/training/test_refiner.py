"""The fine network corrects the coarse one: untrained it repeats it, and unknown voxels have no vote."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the [training] extra")

from grading.segment.fine import CONTEXT, MUSCLES  # noqa: E402
from training.fine_patches import UNKNOWN  # noqa: E402
from training.model import corner_of  # noqa: E402
from training.refiner import Refiner, loss  # noqa: E402


def _channels() -> "torch.Tensor":
    torch.manual_seed(0)
    told = torch.rand(CONTEXT, 20, 24, 36)
    return torch.cat([torch.rand(1, 20, 24, 36), told / told.sum(0) * 0.9])[None]


def test_untrained_it_gives_the_coarse_answer() -> None:
    channels = _channels()
    muscles = channels[:, 1 : 1 + len(MUSCLES)]
    with torch.no_grad():
        found = Refiner().eval()(channels).softmax(1)
    torch.testing.assert_close(found[:, 1:], muscles, atol=0.02, rtol=0)


def test_what_training_looks_at_is_part_of_the_answer() -> None:
    net, channels = Refiner().eval(), _channels()
    torch.nn.init.normal_(net.net.unfold.weight, std=0.1)
    with torch.no_grad():
        answer, taught = net(channels)[0], net.corner(channels, 5)[0][0]
    torch.testing.assert_close(taught, torch.stack([corner_of(channel, 5) for channel in answer]))


def test_a_voxel_that_nobody_labelled_has_no_vote() -> None:
    logits = torch.zeros(1, 1 + len(MUSCLES), 4, 4, 4, requires_grad=True)
    target = torch.full((4, 4, 4), UNKNOWN)
    target[:2] = 1
    loss(logits, target).backward()
    assert logits.grad[:, :, 2:].abs().max() == 0
    assert logits.grad[0, 1, :2].max() < 0, "the labelled ones pull towards their muscle"
    assert loss(logits, torch.full((4, 4, 4), UNKNOWN)) == 0
