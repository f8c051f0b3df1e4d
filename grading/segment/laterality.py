"""Which side is which, from the anatomy that the labels show.

The header's geometry says where the patient's right lies: world x grows towards it. Whether a single hip is
the right one follows from what lies medial of what: sacrum, then hip bone, then femur and the lateral glutei.
Nothing here trusts the side numbers of a label map further than it must.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.anatomy import SIDES, STRUCTURES, Muscle, Side, Structure
from grading.masks import Box, bounding_box
from grading.volume import BoolArray, Geometry, LabelArray

Positions = npt.NDArray[np.float64]

TWO_HIPS_MM = {"femur": 150.0, "hip_bone": 140.0}  # from right to left, between the 5th and 95th percentile
# of the voxels: in six bodies one femur spans 70 mm, two 265 or more; one hip bone 110, two 165 or more
TWO_BUTTOCKS_MM = 200.0  # the same of all glutei: one side 120 mm, two 275 or more
LEAST_ML = 5.0  # of a structure that may bear witness: smaller ones are specks of another
APART_MM = 10.0  # between centres, along x, for one to count as medial of the other
MEDIAL_TO_LATERAL: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("sacrum",), ("hip_bone", "femur")),
    (("sacrum",), tuple(Muscle)),
    (("hip_bone",), ("femur",)),
    (("hip_bone",), (Muscle.GLUTEUS_MEDIUS, Muscle.GLUTEUS_MINIMUS)),
)
"""Pairs (medial, lateral): in six bodies the centres lie 35 mm apart or more."""


def both_hips_in_view(labels: LabelArray, geometry: Geometry) -> bool:
    """Whether two hips are truly in view, whatever sides the labels have.

    Two femora, two hip bones or the glutei of two sides lie farther apart than one is wide.
    """
    return _middle_mm(_positions(labels, geometry), geometry) is not None


def side_of_hip(labels: LabelArray, geometry: Geometry) -> Side | None:
    """Side of the one hip in view by its anatomy; None where too little is labelled, or cues disagree.

    Args:
        labels: uint16 (i, j, k); which side their numbers mean is ignored.
        geometry: their grid.
    """
    where = _positions(labels, geometry)
    sides = set()
    for names in MEDIAL_TO_LATERAL:
        medial, lateral = (np.concatenate([where[name] for name in group]) for group in names)
        if min(len(medial), len(lateral)) * geometry.voxel_volume_ml < LEAST_ML:
            continue
        outward_mm = float(lateral.mean() - medial.mean())
        if abs(outward_mm) >= APART_MM:
            sides.add(Side.RIGHT if outward_mm > 0 else Side.LEFT)
    return sides.pop() if len(sides) == 1 else None


def settle_sides(
    labels: LabelArray, geometry: Geometry, *, requested: Side | None = None, named: Side | None = None
) -> LabelArray:
    """One side per body of muscle, and one side for everything where one hip is in view.

    With both hips in view a connected body of muscle takes its majority's side as far as it lies in that
    half of the patient, so that left and right may touch. With one hip in view everything takes the side
    that is requested, else that of the anatomy, else that the header names, else that of most gluteal
    voxels; only a body beyond the sacrum that was given the other side is the edge of the other buttock,
    and is taken out.

    Args:
        labels: uint16 (i, j, k), numbers of `STRUCTURES`.
        geometry: their grid.
        requested: side that the user names.
        named: side that the header names.

    Returns:
        New label array.
    """
    where = _positions(labels, geometry)
    middle_mm = _middle_mm(where, geometry)
    if middle_mm is not None:
        return _settle_two(labels, geometry, middle_mm)
    anatomy = side_of_hip(labels, geometry)
    side = requested or anatomy or named or _majority(labels)
    settled = _all_on(labels, side)
    if side is anatomy and len(where["sacrum"]) * geometry.voxel_volume_ml >= LEAST_ML:
        _take_out(settled, labels, geometry, side.other, float(where["sacrum"].mean()))
    return settled


def _settle_two(labels: LabelArray, geometry: Geometry, middle_mm: float) -> LabelArray:
    result = labels.copy()
    for body in _bodies(labels):
        x = _x_mm(geometry, body.box)
        strays = {
            body.structure.right: ~body.right & (body.share_right > 0.5) & (x > middle_mm),
            body.structure.left: body.right & (body.share_right < 0.5) & (x < middle_mm),
        }
        for number, stray in strays.items():
            result[body.box][body.mask & stray] = number
    return result


def _all_on(labels: LabelArray, side: Side) -> LabelArray:
    moved = np.arange(np.iinfo(np.uint16).max + 1, dtype=np.uint16)
    for structure in STRUCTURES.values():
        moved[structure.label(side.other)] = structure.label(side)
    result: LabelArray = moved[labels]
    return result


def _take_out(
    settled: LabelArray, labels: LabelArray, geometry: Geometry, other: Side, sacrum_mm: float
) -> None:
    """Clear bodies of `settled` that were called `other` and lie beyond the sacrum."""
    for body in _bodies(labels):
        share = body.share_right if other is Side.RIGHT else 1 - body.share_right
        x = np.broadcast_to(_x_mm(geometry, body.box), body.mask.shape)[body.mask]
        if share > 0.5 and (x.mean() > sacrum_mm) == (other is Side.RIGHT):
            settled[body.box][body.mask] = 0


def _majority(labels: LabelArray) -> Side:
    """Side of most gluteal voxels."""
    left, right = (np.isin(labels, [STRUCTURES[m].label(s) for m in Muscle], kind="table") for s in SIDES)
    return Side.RIGHT if np.count_nonzero(right) > np.count_nonzero(left) else Side.LEFT


@dataclass(frozen=True, slots=True, eq=False)
class _Body:
    """A connected body of one muscle, whichever sides its voxels were given.

    Attributes:
        structure: which muscle.
        box: where it is.
        mask: its voxels within the box.
        right: voxels within the box that were called right.
        share_right: share of its voxels that were, 0-1.
    """

    structure: Structure
    box: Box
    mask: BoolArray
    right: BoolArray
    share_right: float


def _bodies(labels: LabelArray) -> Iterator[_Body]:
    for muscle in Muscle:
        structure = STRUCTURES[muscle]
        both = (labels == structure.left) | (labels == structure.right)
        box = bounding_box(both)
        if box is None:
            continue
        numbered, _ = ndimage.label(both[box])
        for number, part in enumerate(ndimage.find_objects(numbered), start=1):
            i, j, k = (slice(b.start + p.start, b.start + p.stop) for b, p in zip(box, part, strict=True))
            mask = numbered[part] == number
            right = labels[i, j, k] == structure.right
            yield _Body(structure, (i, j, k), mask, right, float(right[mask].mean()))


def _positions(labels: LabelArray, geometry: Geometry) -> Mapping[str, Positions]:
    """World x of every voxel of each structure, both sides together, mm."""
    where = np.nonzero(labels)
    numbers = labels[where]
    x = geometry.affine[0, :3] @ np.stack(where) + geometry.affine[0, 3]
    return {s.name: x[(numbers == s.left) | (numbers == s.right)] for s in STRUCTURES.values()}


def _middle_mm(where: Mapping[str, Positions], geometry: Geometry) -> float | None:
    """World x midway between two hips; None where one is in view."""
    glutei = np.concatenate([where[muscle] for muscle in Muscle])
    witnesses = [(where[name], limit_mm) for name, limit_mm in TWO_HIPS_MM.items()]
    for x, limit_mm in (*witnesses, (glutei, TWO_BUTTOCKS_MM)):
        if len(x) * geometry.voxel_volume_ml >= LEAST_ML:
            low, high = np.quantile(x, [0.05, 0.95])
            if high - low > limit_mm:
                return float(low + high) / 2
    return None


def _x_mm(geometry: Geometry, box: Box) -> Positions:
    """World x of the voxels of a box, mm, broadcastable to it."""
    row = geometry.affine[0]
    i, j, k = np.ogrid[box]
    return np.asarray(row[0] * i + row[1] * j + row[2] * k + row[3])
