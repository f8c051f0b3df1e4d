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
    cortex_mm: Array


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """All bones of one half, with signed distances (mm, on the lattice) to the softer parts between them.

    Attributes:
        bones: hip bone, sacrum, femur, lumbar vertebrae.
        joint_mm: ball of the hip joint, head and cartilage.
        discs_mm: intervertebral discs.
        canal_mm: spinal canal.
    """

    bones: tuple[Bone, ...]
    joint_mm: Array
    discs_mm: Array
    canal_mm: Array


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
    sacrum = smooth_min(frame.evaluate(b.SACRUM), frame.evaluate(b.SACRAL_CREST), 4.0)
    hip = np.maximum(hip, (hip - sacrum + _SACROILIAC_GAP_MM) / 2)
    sacrum = np.maximum(sacrum, (sacrum - hip + _SACROILIAC_GAP_MM) / 2)
    canal = frame.evaluate(b.SPINAL_CANAL)
    foramina = np.minimum.reduce([frame.evaluate(f) for f in b.SACRAL_FORAMINA])
    sacrum = np.maximum.reduce([sacrum, -canal, -foramina])
    spine = np.minimum.reduce([frame.evaluate(v) for v in (*b.VERTEBRAL_BODIES, b.VERTEBRAL_ARCHES)])
    discs = np.minimum.reduce([frame.evaluate(d) for d in b.DISCS])
    spine = np.maximum.reduce([spine, -canal, 1.5 - sacrum, -discs])
    thin = np.full_like(z, _THIN_CORTEX_MM)
    shaft = np.clip((-50 - z) / 40, 0, 1)
    cortex = thin + np.float32(_SHAFT_CORTEX_MM - _THIN_CORTEX_MM) * shaft
    return Skeleton(
        (
            Bone("hip_bone", hip, thin),
            Bone("sacrum", sacrum, thin),
            Bone("femur", femur, cortex),
            Bone("vertebra", spine, thin),
        ),
        joint,
        discs,
        canal,
    )
