"""Loss that lets a partly labelled voxel vote only on what its label says."""

import torch
from torch import Tensor
from torch.nn import functional

from training.classes import ANY, CLASSES, group_table

_SMOOTH = 50.0  # voxels; keeps the Dice of an absent class from swinging on a few voxels


def loss(logits: Tensor, group: Tensor, side: Tensor) -> Tensor:
    """Cross-entropy and Dice over decided voxels, plus the side's cross-entropy.

    Args:
        logits: (1, classes + 1, i, j, k); the last channel is the side.
        group: int64 (i, j, k), rows of `group_table()`.
        side: int64 (i, j, k), 0 left, 1 right, -1 unknown.
    """
    table = torch.from_numpy(group_table()).to(logits.device)
    flat = logits[0].float().flatten(1)
    groups = group.flatten()
    voting = groups != ANY
    flat, groups = flat[:, voting], groups[voting]
    probability = functional.softmax(flat[:-1], dim=0)
    allowed = table[groups].T  # (classes, voxels)
    cross_entropy = -(probability * allowed).sum(0).clamp_min(1e-6).log().mean()

    exact = groups < len(CLASSES)
    truth = allowed & exact
    decided = ~allowed | truth  # the label says "is" or "is not" this class
    overlap = (probability * truth).sum(1)
    total = (probability * decided).sum(1) + truth.sum(1)
    dice = (2 * overlap + _SMOOTH) / (total + _SMOOTH)
    dice_loss = 1 - dice[1:].mean()

    sided = side.flatten() >= 0
    side_loss = logits.new_zeros(())
    if sided.any():
        side_loss = functional.binary_cross_entropy_with_logits(
            logits[0, -1].float().flatten()[sided], side.flatten()[sided].float()
        )
    return cross_entropy + dice_loss + 0.3 * side_loss
