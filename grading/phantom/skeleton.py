"""Signed distances of the bones on the lattice, carved against each other at the joints."""

from dataclasses import dataclass

import numpy as np

from grading.phantom import bones as b
from grading.phantom.frame import LATTICE_MM, HalfFrame, Slices, occupied
from grading.phantom.shapes import Array, Shape, smooth_max, smooth_min

_SACROILIAC_GAP_MM = 2.5
_SHAFT_CORTEX_MM, _THIN_CORTEX_MM = 5.0, 1.3
_SHAFT_Z = [-90.0, -50.0]  # nominal heights between which the femur's cortex thickens


@dataclass(frozen=True, slots=True, eq=False)
class Bone:
    """One bone: name, signed distance on the lattice and thickness of its cortex, mm."""

    name: str
    distance_mm: Array
    cortex_mm: Array

    @property
    def region(self) -> Slices:
        """Lattice slices that hold the bone."""
        x, y, z = occupied(self.distance_mm < LATTICE_MM)
        return x, y, z


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
    z = frame.nominal[2]
    scale = np.float32(frame.parameters.scale)
    from_head = np.stack(frame.nominal) - np.asarray(b.HEAD_CENTRE, dtype=np.float32).reshape(3, 1, 1, 1)
    radius = np.asarray(np.linalg.norm(from_head, axis=0) * scale, dtype=np.float32)
    beyond_rim = np.tensordot(np.asarray(b.SOCKET_OPENING, dtype=np.float32), from_head, axes=1) * scale
    joint = np.asarray(radius - np.float32(b.JOINT_RADIUS_MM) * scale, dtype=np.float32)
    shell = np.asarray(radius - np.float32(b.SOCKET_RADIUS_MM) * scale, dtype=np.float32)
    socket = smooth_max(shell, np.asarray(beyond_rim - np.float32(b.SOCKET_RIM_MM), dtype=np.float32), 4.0)

    femur = frame.evaluate(b.FEMUR)
    hip = smooth_min(frame.evaluate(b.ILIAC_BLADE), frame.evaluate(b.HIP_BONE_RODS), 10.0)
    hip = smooth_min(hip, socket, 6.0)
    # the joint's ball is free of hip bone, and so is the way of the neck out of it
    hip = np.maximum.reduce([hip, -joint, 3.0 - femur])
    sacrum = smooth_min(frame.evaluate(b.SACRUM), frame.evaluate(b.SACRAL_CREST), 4.0)
    hip = np.maximum(hip, (hip - sacrum + _SACROILIAC_GAP_MM) / 2)
    sacrum = np.maximum(sacrum, (sacrum - hip + _SACROILIAC_GAP_MM) / 2)
    canal = frame.evaluate(b.SPINAL_CANAL)
    sacrum = np.maximum(sacrum, -canal)
    vertebrae: tuple[Shape, ...] = (*b.VERTEBRAL_BODIES, b.VERTEBRAL_ARCHES)
    spine = np.minimum.reduce([frame.evaluate(v) for v in vertebrae])
    discs = np.minimum.reduce([frame.evaluate(d) for d in b.DISCS])
    spine = np.maximum.reduce([spine, -canal, 1.5 - sacrum, -discs])
    thin = np.full_like(z, _THIN_CORTEX_MM)
    cortex = np.interp(z, _SHAFT_Z, [_SHAFT_CORTEX_MM, _THIN_CORTEX_MM]).astype(np.float32)
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
