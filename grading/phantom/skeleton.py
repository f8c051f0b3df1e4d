"""Signed distances of the bones on the lattice, carved against each other at the joints."""

from dataclasses import dataclass

import numpy as np

from grading.phantom import bones as b
from grading.phantom.frame import HalfFrame
from grading.phantom.shapes import Array, smooth_max, smooth_min

_SACROILIAC_GAP_MM = 2.5
_SHAFT_CORTEX_MM, _THIN_CORTEX_MM = 6.0, 1.7


@dataclass(frozen=True, slots=True, eq=False)
class Bone:
    """One bone: name, signed distance on the lattice and thickness of its cortex, mm."""

    name: str
    distance_mm: Array
    cortex_mm: Array | float


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """All bones of one half, and the signed distance to the hip joint's ball (head and cartilage)."""

    bones: tuple[Bone, ...]
    joint_mm: Array


def skeleton(frame: HalfFrame) -> Skeleton:
    """Bones of one half of the body."""
    x, y, z = frame.nominal
    scale = np.float32(frame.parameters.scale)
    from_head = [p - np.float32(c) for p, c in zip((x, y, z), b.HEAD_CENTRE, strict=True)]
    radius = np.sqrt(sum(p * p for p in from_head)) * scale
    beyond_rim = sum(np.float32(o) * p for o, p in zip(b.SOCKET_OPENING, from_head, strict=True)) * scale
    joint = radius - np.float32(b.JOINT_RADIUS_MM) * scale
    socket = smooth_max(
        radius - np.float32(b.SOCKET_RADIUS_MM) * scale, beyond_rim - np.float32(b.SOCKET_RIM_MM), 4.0
    )

    femur = frame.evaluate(b.FEMUR)
    hip = smooth_min(frame.evaluate(b.ILIAC_BLADE), frame.evaluate(b.HIP_BONE_RODS), 10.0)
    hip = smooth_min(hip, socket, 6.0)
    # the joint's ball is free of hip bone, and so is the way of the neck out of it
    hip = np.maximum.reduce([hip, -joint, 3.0 - femur])
    sacrum = frame.evaluate(b.SACRUM)
    hip = np.maximum(hip, (hip - sacrum + _SACROILIAC_GAP_MM) / 2)
    sacrum = np.maximum(sacrum, (sacrum - hip + _SACROILIAC_GAP_MM) / 2)
    canal = frame.evaluate(b.SPINAL_CANAL)
    sacrum = np.maximum(sacrum, -canal)
    spine = np.minimum.reduce([frame.evaluate(v) for v in (*b.VERTEBRAE, b.SPINOUS)])
    spine = np.maximum.reduce([spine, -canal, 1.5 - sacrum])
    shaft = np.clip((-50 - z) / 40, 0, 1)
    cortex = np.float32(_THIN_CORTEX_MM) + np.float32(_SHAFT_CORTEX_MM - _THIN_CORTEX_MM) * shaft
    return Skeleton(
        (
            Bone("hip_bone", hip, _THIN_CORTEX_MM),
            Bone("sacrum", sacrum, _THIN_CORTEX_MM),
            Bone("femur", femur, cortex),
            Bone("vertebra", spine, 1.3),
        ),
        joint,
    )
