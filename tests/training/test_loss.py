"""A partly labelled voxel votes only on what its label says."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the [training] extra")

from training.classes import ANY, CLASSES, INDEX, NEITHER, NOT_BONE, class_of, side_of  # noqa: E402
from training.loss import loss  # noqa: E402


def _gradient(group: int, favoured: int) -> "torch.Tensor":
    logits = torch.zeros(1, len(CLASSES) + 1, 4, 4, 4)
    logits[0, favoured] = 2.0
    logits.requires_grad_()
    shape = (4, 4, 4)
    groups = torch.full(shape, ANY)
    groups[:2] = group
    loss(logits, groups, torch.full(shape, -1), balance=0.0).backward()
    return logits.grad[0]


def test_a_voxel_that_may_be_anything_has_no_vote() -> None:
    assert _gradient(NEITHER, INDEX["femur"])[:, 2:].abs().max() == 0


def test_calling_unlabelled_tissue_bone_is_punished_where_bones_are_fully_drawn() -> None:
    assert (_gradient(NOT_BONE, INDEX["femur"])[INDEX["femur"], :2] > 0).all()


def test_calling_unoutlined_tissue_medius_is_not_punished_by_its_overlap() -> None:
    punished = _gradient(NOT_BONE, INDEX["gluteus_medius"])[INDEX["gluteus_medius"], :2]
    assert (punished <= 0).all()


def test_label_numbers_carry_class_and_side() -> None:
    assert class_of(6111) == class_of(6112) == INDEX["gluteus_medius"]
    assert class_of(9101) == 0
    assert class_of(7101) == INDEX["other_muscle"]
    assert (side_of(6111), side_of(6112), side_of(6160)) == (0, 1, -1)
