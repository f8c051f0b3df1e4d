"""Loss that lets a partly labelled voxel vote only on what its label says."""

import torch
from torch import Tensor
from torch.nn import functional

from training.classes import ANY, CLASSES, GLUTEAL, group_table
from training.model import corner_of

_SMOOTH = 50.0  # voxels; keeps the Dice of an absent class from swinging on a few voxels
_SIDE_WEIGHT = 0.3
_GLUTEAL_WEIGHT = 2.0  # of the muscles that are measured, in the mean Dice over classes
_RARE = 1000.0  # voxels; classes smaller than this gain no further weight


def loss_of_levels(levels: list[Tensor], group: Tensor, side: Tensor, corner: int, balance: float) -> Tensor:
    """Loss at every resolution of the network: the fine voxels count 1, each coarser level half of the last.

    Args:
        levels: logits as `UNet.corner` returns them.
        group: see `loss`, at full resolution.
        side: see `loss`, at full resolution.
        corner: the one that `levels` was made for.
        balance: see `loss`.
    """
    total = loss(levels[0], corner_of(group, corner), corner_of(side, corner), balance)
    for level, logits in enumerate(levels[1:], 1):
        coarse = (slice(None, None, 2**level),) * 3
        total = total + loss(logits, group[coarse], side[coarse], balance) / 2**level
    return total


def loss(logits: Tensor, group: Tensor, side: Tensor, balance: float) -> Tensor:
    """Cross-entropy and Dice of the classes in the patch, plus the side's cross-entropy.

    Balance matters at the start: with every voxel weighing the same, four patches took twice as many steps
    to learn. Kept to the end it draws every structure too fat (bones twice their volume).

    Args:
        logits: (1, classes + 1, i, j, k); the last channel is the side.
        group: int64 (i, j, k), rows of `group_table()`.
        side: int64 (i, j, k), 0 left, 1 right, -1 unknown.
        balance: 0 lets every voxel weigh the same, 1 every class.
    """
    classes = len(CLASSES)
    allowed = torch.from_numpy(group_table()).to(logits.device)
    partial = range(ANY + 1, allowed.shape[0])
    groups = group.flatten()
    probability = functional.softmax(logits[0, :-1].float().flatten(1), dim=0)

    exact = groups < classes
    kinds = torch.stack([exact, *(groups == g for g in partial)]).float()  # (1 + partial, voxels)
    forbidden = (~allowed[ANY + 1 :]).float() @ probability  # (partial, voxels): chance of what it cannot be
    chosen = probability.gather(0, groups.clamp_max(classes - 1)[None])[0]
    likelihood = kinds[0] * chosen + (kinds[1:] * (1 - forbidden)).sum(0)
    present = torch.bincount(groups[exact], minlength=classes).float()
    weight = (present.sum() / (present + _RARE)) ** balance
    weight = weight * present.sum() / (weight * present).sum().clamp_min(1)
    votes = kinds[0] * weight[groups.clamp_max(classes - 1)] + kinds[1:].sum(0)
    cross_entropy = -(votes * likelihood.clamp_min(1e-6).log()).sum() / votes.sum().clamp_min(1)

    # A class is decided where the label is exact, and where a partial label rules it out.
    decided = torch.cat([torch.ones(1, classes, device=logits.device), (~allowed[ANY + 1 :]).float()])
    predicted = ((probability @ kinds.T) * decided.T).sum(1)
    overlap = chosen.new_zeros(classes).index_add(0, groups[exact], chosen[exact])
    dice = (2 * overlap + _SMOOTH) / (predicted + present + _SMOOTH)
    seen = present[1:] > 0
    worth = torch.ones(classes - 1, device=logits.device)
    worth[: len(GLUTEAL)] = _GLUTEAL_WEIGHT
    worth = worth * seen
    dice_loss = (worth * (1 - dice[1:])).sum() / worth.sum().clamp_min(1)

    sided = side.flatten() >= 0
    side_loss = logits.new_zeros(())
    if sided.any():
        side_loss = functional.binary_cross_entropy_with_logits(
            logits[0, -1].float().flatten()[sided], side.flatten()[sided].float()
        )
    return cross_entropy + dice_loss + _SIDE_WEIGHT * side_loss
