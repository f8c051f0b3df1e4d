"""Gives each graded muscle the volume it is asked to have, by growing or shrinking its surface."""

from collections.abc import Mapping

import numpy as np

from grading.anatomy import Muscle, Side
from grading.phantom.frame import LATTICE_MM
from grading.phantom.parameters import REFERENCE_VOLUME_ML, PhantomParameters
from grading.phantom.shapes import Array

_ROUNDS = 4  # neighbours share borders: volumes settle to 0.3 % after three
_BISECTIONS = 14
_LIMIT_MM = 12.0


def target_volume_ml(person: PhantomParameters, side: Side, muscle: Muscle) -> float:
    """Volume a muscle is to have."""
    size = person.scale**3 * person.width
    return REFERENCE_VOLUME_ML[muscle] * size * person.side(side).state(muscle).volume_scale


def offsets_mm(
    shapes: Mapping[str, Array], clearance: Array, person: PhantomParameters, side: Side
) -> dict[str, float]:
    """How far to move the surface of each graded muscle outward.

    Args:
        shapes: signed distance of every muscle on the lattice.
        clearance: signed distance (mm), positive where no muscle may be.
        person: gives the volumes and the fat between muscles.
        side: side of the body.
    """
    offsets = {muscle.value: 0.0 for muscle in Muscle}
    others = {
        m.value: np.minimum.reduce([d for n, d in shapes.items() if n not in offsets])
        for m in list(Muscle)[:1]
    }
    fixed = next(iter(others.values()))
    crops = {}
    for muscle in Muscle:
        near = np.argwhere(shapes[muscle.value] < _LIMIT_MM + LATTICE_MM)
        low, high = near.min(0), near.max(0) + 1
        crops[muscle.value] = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    for _ in range(_ROUNDS):
        for muscle in Muscle:
            crop = crops[muscle.value]
            rivals = [shapes[m.value][crop] - np.float32(offsets[m.value]) for m in Muscle if m is not muscle]
            rival = np.minimum.reduce([fixed[crop], *rivals])
            offsets[muscle.value] = _solve(
                shapes[muscle.value][crop],
                rival,
                clearance[crop],
                person.fat_plane_mm,
                target_volume_ml(person, side, muscle),
            )
    return offsets


def _solve(own: Array, rival: Array, clearance: Array, gap_mm: float, target_ml: float) -> float:
    low, high = -_LIMIT_MM, _LIMIT_MM
    for _ in range(_BISECTIONS):
        middle = np.float32((low + high) / 2)
        grown = own - middle
        surface = np.maximum.reduce([grown, (grown - rival + np.float32(gap_mm)) / 2, clearance])
        occupied = np.clip(0.5 - surface / np.float32(LATTICE_MM), 0, 1)
        if float(occupied.sum(dtype=np.float64)) * LATTICE_MM**3 / 1000 < target_ml:
            low = float(middle)
        else:
            high = float(middle)
    return (low + high) / 2
