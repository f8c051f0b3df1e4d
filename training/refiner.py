"""The fine network and its loss: a correction to what the coarse network said."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from grading.segment.fine import CONTEXT, MUSCLES
from training.fine_patches import UNKNOWN
from training.model import UNet, corner_of

WIDTHS = (24, 48, 64, 96)
_LEAST = 0.01  # probability that the coarse answer counts as at least: it may be wrong altogether
_SMOOTH = 200.0  # voxels; keeps the Dice of a sliver of muscle from swinging on a few voxels


class Refiner(nn.Module):
    """Channels (1, 1 + CONTEXT, i, j, k) in, logits (1, 1 + muscles, i, j, k) out.

    Untrained it gives the coarse answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.net = UNet(1 + len(MUSCLES), WIDTHS, 1 + CONTEXT)
        nn.init.zeros_(self.net.unfold.weight)
        assert self.net.unfold.bias is not None
        nn.init.zeros_(self.net.unfold.bias)

    def forward(self, channels: Tensor) -> Tensor:
        """Logits for every voxel."""
        logits: Tensor = self.net(channels) + _prior(channels)
        return logits

    def corner(self, channels: Tensor, corner: int) -> list[Tensor]:
        """What training looks at, see `UNet.corner`."""
        levels = self.net.corner(channels, corner)
        prior = _prior(channels)
        seen = prior[..., corner // 4 :: 2, corner // 2 % 2 :: 2, corner % 2 :: 2]
        steps = [2**level for level in range(1, len(levels))]
        return [levels[0] + seen] + [
            logits + prior[..., ::step, ::step, ::step]
            for logits, step in zip(levels[1:], steps, strict=True)
        ]


def _prior(channels: Tensor) -> Tensor:
    muscles = channels[:, 1 : 1 + len(MUSCLES)]
    none = 1 - muscles.sum(1, keepdim=True)
    return torch.cat([none, muscles], dim=1).clamp_min(_LEAST).log()


def loss_of_levels(levels: list[Tensor], target: Tensor, corner: int) -> Tensor:
    """Loss at every resolution: the fine voxels count 1, each coarser level half of the last."""
    total = loss(levels[0], corner_of(target, corner))
    for level, logits in enumerate(levels[1:], 1):
        total = total + loss(logits, target[(slice(None, None, 2**level),) * 3]) / 2**level
    return total


def loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy and mean Dice of the muscles present, over the voxels that somebody labelled.

    Args:
        logits: (1, 1 + muscles, i, j, k).
        target: int64 (i, j, k), `UNKNOWN` has no vote.
    """
    known = target.flatten() != UNKNOWN
    if not known.any():
        return logits.sum() * 0
    rows, answers = logits[0].float().flatten(1).T[known], target.flatten()[known]
    cross_entropy = functional.cross_entropy(rows, answers)
    probability = rows.softmax(1)
    truth = functional.one_hot(answers, probability.shape[1]).float()
    overlap, size = (probability * truth).sum(0), (probability + truth).sum(0)
    present = truth.sum(0)[1:] > 0
    dice = ((2 * overlap + _SMOOTH) / (size + _SMOOTH))[1:]
    return 2 * cross_entropy + ((1 - dice) * present).sum() / present.sum().clamp_min(1)
