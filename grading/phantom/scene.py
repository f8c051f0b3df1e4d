"""Everything both halves of a body share: signed distances on the lattice, before any muscle's state."""

from functools import cached_property

import numpy as np

from grading.phantom import body
from grading.phantom.frame import FAR_MM, HalfFrame, Slices
from grading.phantom.muscles import MUSCLE_SHAPES
from grading.phantom.shapes import Array
from grading.phantom.skeleton import Skeleton, skeleton

ABDOMINAL_WALL = "abdominal_wall"
NAMES = (*MUSCLE_SHAPES, ABDOMINAL_WALL)  # of every muscle, in the order that `Phantom.owner` counts them
_PERIOSTEUM_MM = 0.6


class Scene:
    """Signed distances (mm, on the lattice of `frame`) of a healthy body with these proportions.

    Attributes:
        frame: the lattice.
        skeleton: the bones.
        regions: lattice region that each muscle's distance is computed in; constant outside.
        muscles_mm: distance to each muscle, healthy and before it yields to its neighbours.
        trunk_mm: distance to the outside of the abdominal wall.
    """

    def __init__(self, frame: HalfFrame) -> None:
        self.frame = frame
        self.skeleton: Skeleton = skeleton(frame)
        self.trunk_mm = body.trunk(frame)
        self.regions: dict[str, Slices] = {
            name: frame.region(muscle.shape) for name, muscle in MUSCLE_SHAPES.items()
        }
        self.muscles_mm = {
            name: frame.evaluate(m.shape, self.regions[name]) for name, m in MUSCLE_SHAPES.items()
        }
        nx, ny, nz = self.trunk_mm.shape
        self.regions[ABDOMINAL_WALL] = (slice(0, nx), slice(0, ny), slice(0, nz))
        self.muscles_mm[ABDOMINAL_WALL] = np.minimum(
            body.abdominal_wall(frame, self.trunk_mm), np.float32(FAR_MM)
        )

    @staticmethod
    def structure(name: str) -> str:
        """Name in `grading.anatomy.STRUCTURES` that a muscle is labelled as."""
        return MUSCLE_SHAPES[name].structure if name in MUSCLE_SHAPES else "other_muscle"

    @staticmethod
    def swell_mm(name: str) -> float:
        """How far a muscle's surface lies outside its formula."""
        return MUSCLE_SHAPES[name].swell_mm if name in MUSCLE_SHAPES else 0.0

    @cached_property
    def bone_mm(self) -> Array:
        """Distance to the nearest bone."""
        return np.asarray(np.minimum.reduce([bone.distance_mm for bone in self.skeleton.bones]))

    @cached_property
    def clearance_mm(self) -> Array:
        """Positive where no muscle may be: bone with its periosteum, and the hip joint."""
        nearest = np.minimum(self.bone_mm, self.skeleton.joint_mm)
        return np.asarray(np.float32(_PERIOSTEUM_MM) - nearest, dtype=np.float32)

    @cached_property
    def fascia_mm(self) -> Array:
        """Distance to the deep fascia."""
        lean = [*self.muscles_mm.values(), self.bone_mm, self.trunk_mm, body.torso(self.frame)]
        return body.fascia(np.minimum.reduce(lean))

    @cached_property
    def skin_mm(self) -> Array:
        """Distance to the surface of the body."""
        return body.skin(self.frame, self.fascia_mm)
