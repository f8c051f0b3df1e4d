"""Gives each graded muscle the volume it is asked to have, by growing or shrinking its surface."""

import numpy as np

from grading.anatomy import Muscle, Side
from grading.phantom.frame import LATTICE_MM, occupied
from grading.phantom.parameters import REFERENCE_VOLUME_ML
from grading.phantom.scene import Scene
from grading.phantom.shapes import Array

_ROUNDS = 4  # neighbours share borders: volumes settle to 0.3 % after three
_BISECTIONS = 12
_LIMIT_MM = 12.0  # no surface moves further than this


def offsets_mm(scene: Scene, side: Side) -> dict[str, float]:
    """How far the surface of each graded muscle moves outward (negative: atrophy) to hold its volume, mm."""
    person = scene.frame.parameters
    size = person.scale**3 * person.width
    graded = tuple(Muscle)
    rest = np.minimum.reduce(
        [d - np.float32(scene.swell_mm(name)) for name, d in scene.muscles_mm.items() if name not in graded]
    )
    crops = {muscle: occupied(scene.muscles_mm[muscle] < _LIMIT_MM + LATTICE_MM) for muscle in graded}
    offsets = dict.fromkeys(graded, 0.0)
    for _ in range(_ROUNDS):
        for muscle in graded:
            crop = crops[muscle]
            rivals = [scene.muscles_mm[m][crop] - np.float32(offsets[m]) for m in graded if m is not muscle]
            offsets[muscle] = _solve(
                scene.muscles_mm[muscle][crop],
                np.minimum.reduce([rest[crop], *rivals]),
                scene.clearance_mm[crop],
                person.fat_plane_mm,
                REFERENCE_VOLUME_ML[muscle] * size * person.side(side).state(muscle).volume_scale,
            )
    return {muscle.value: offset for muscle, offset in offsets.items()}


def _solve(own: Array, rival: Array, clearance: Array, gap_mm: float, target_ml: float) -> float:
    """Offset at which the muscle, cut by its rivals and by bone, has the target volume; by bisection."""
    low, high = -_LIMIT_MM, _LIMIT_MM
    possible = (own < _LIMIT_MM + LATTICE_MM) & (clearance < LATTICE_MM)
    own, rival, clearance = own[possible], rival[possible], clearance[possible]
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        grown = own - np.float32(middle)
        surface = np.maximum(np.maximum(grown, (grown - rival + np.float32(gap_mm)) / 2), clearance)
        occupied = np.clip(0.5 - surface / np.float32(LATTICE_MM), 0, 1)
        if float(occupied.sum(dtype=np.float64)) * LATTICE_MM**3 / 1000 < target_ml:
            low = middle
        else:
            high = middle
    return (low + high) / 2
