"""Puts the formulas together: a labelled body on a fine grid, with the fat inside its muscles."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from grading.anatomy import SIDES, STRUCTURES, Muscle, Side
from grading.phantom import body
from grading.phantom.fat import infiltrate
from grading.phantom.frame import FAR_MM, FineHalf, HalfFrame, fine_geometry
from grading.phantom.muscles import MUSCLES
from grading.phantom.parameters import PhantomParameters
from grading.phantom.skeleton import skeleton
from grading.phantom.volumes import offsets_mm
from grading.volume import FloatArray, Geometry, LabelArray

DEEP_FAT, SUBCUTANEOUS_FAT = (
    9100,
    9101,
)  # own label numbers: fat between muscles; fat under the skin, with skin
VERTEBRA, BLADDER, VISCERA, VESSEL = 9016, 9010, 9011, 9014


class Tissue(IntEnum):
    """What a voxel of the phantom is made of."""

    AIR = 0
    MUSCLE = 1
    FAT = 2
    CORTEX = 3
    MARROW = 4
    CARTILAGE = 5
    SKIN = 6
    FLUID = 7
    ORGAN = 8
    VESSEL = 9
    DISC = 10
    GAS = 11
    NERVE = 12


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A made-up body.

    Attributes:
        labels: uint16 (i, j, k), numbers of `grading.anatomy.STRUCTURES` and, for the rest, of this module;
            0 = outside the body.
        tissue: uint8 (i, j, k), members of `Tissue`.
        fat_fraction: float32 (i, j, k), fat within each voxel of muscle, 0-1; 0 elsewhere.
        geometry: isotropic grid, RAS+, mirror-symmetric about x = 0.
        parameters: what it was built from.
    """

    labels: LabelArray
    tissue: npt.NDArray[np.uint8]
    fat_fraction: FloatArray
    geometry: Geometry
    parameters: PhantomParameters


@dataclass(frozen=True, slots=True, eq=False)
class _Half:
    """Arrays of one half of the body, x lateral; `structure` holds left-side label numbers."""

    structure: npt.NDArray[np.uint16]
    tissue: npt.NDArray[np.uint8]
    fat_fraction: FloatArray


def build_phantom(parameters: PhantomParameters | None = None, spacing_mm: float = 1.5) -> Phantom:
    """Build a body.

    Equal `left` and `right` parameters give an exactly mirror-symmetric phantom; exchanging them mirrors it.

    Args:
        parameters: the person; a healthy adult when None.
        spacing_mm: edge of the cubic voxels.
    """
    person = parameters if parameters is not None else PhantomParameters()
    frame = HalfFrame(person)
    geometry = fine_geometry(frame, spacing_mm)
    fine = FineHalf(frame, geometry)
    scene = _Scene(frame)
    right = _half(scene, fine, Side.RIGHT)
    left = right if person.left == person.right else _half(scene, fine, Side.LEFT)
    to_right = np.arange(2**16, dtype=np.uint16)
    for structure in STRUCTURES.values():
        to_right[structure.left] = structure.right
    return Phantom(
        labels=np.concatenate([left.structure[::-1], to_right[right.structure]]),
        tissue=np.concatenate([left.tissue[::-1], right.tissue]),
        fat_fraction=np.concatenate([left.fat_fraction[::-1], right.fat_fraction]),
        geometry=geometry,
        parameters=person,
    )


class _Scene:
    """Signed distances on the lattice that both halves share: everything but the state of the muscles."""

    def __init__(self, frame: HalfFrame) -> None:
        self.frame = frame
        self.skeleton = skeleton(frame)
        self.bone = np.minimum.reduce([b.distance_mm for b in self.skeleton.bones])
        self.trunk = body.trunk(frame)
        self.regions = {name: frame.region(muscle) for name, muscle in MUSCLES.items()}
        clearance = 0.6 - np.minimum(self.bone, self.skeleton.joint_mm)  # periosteum
        shapes = {name: frame.evaluate(muscle, self.regions[name]) for name, muscle in MUSCLES.items()}
        shapes["abdominal_wall"] = np.minimum(body.abdominal_wall(frame, self.trunk), FAR_MM)
        self.regions["abdominal_wall"] = (
            slice(0, self.bone.shape[0]),
            slice(0, self.bone.shape[1]),
            slice(0, self.bone.shape[2]),
        )
        self.muscles = shapes
        self.clearance = clearance
        nearest = np.minimum.reduce([*shapes.values(), self.bone, self.trunk])
        self.fascia = body.fascia(nearest)
        self.skin = body.skin(frame, self.fascia)


def _half(scene: _Scene, fine: FineHalf, side: Side) -> _Half:
    """Labels, tissue and fat of one side."""
    person = scene.frame.parameters
    gap = np.float32(person.fat_plane_mm)
    offsets = offsets_mm(scene.muscles, scene.clearance, person, side)
    names = list(scene.muscles)
    best = np.full(fine.shape, FAR_MM, dtype=np.float32)
    second = best.copy()
    owner = np.zeros(fine.shape, dtype=np.uint8)
    for number, name in enumerate(names):
        window = fine.window(scene.regions[name])
        value = fine.refine(scene.muscles[name], window) - np.float32(offsets.get(name, 0.0))
        b, s, o = best[window], second[window], owner[window]
        closer = value < b
        np.minimum(s, np.where(closer, b, value), out=s)
        o[closer] = number
        np.minimum(b, value, out=b)
    skin_mm = fine.refine(scene.skin)
    inside = skin_mm < 0
    muscle = (best < 0) & (second - best > gap) & (fine.refine(scene.clearance) < 0) & (skin_mm < -4)

    structure = np.zeros(fine.shape, dtype=np.uint16)
    tissue = np.zeros(fine.shape, dtype=np.uint8)
    structure[inside] = np.where(fine.refine(scene.fascia)[inside] > 0, SUBCUTANEOUS_FAT, DEEP_FAT)
    tissue[inside] = Tissue.FAT
    tissue[inside & (skin_mm > -body.SKIN_MM)] = Tissue.SKIN
    numbers = np.array([STRUCTURES[_structure(n)].left for n in names], dtype=np.uint16)
    structure[muscle] = numbers[owner[muscle]]
    tissue[muscle] = Tissue.MUSCLE
    fat = infiltrate(fine, muscle, owner, names, person.side(side))
    _place_bones(scene, fine, inside, structure, tissue)
    return _Half(structure, tissue, np.where(tissue == Tissue.MUSCLE, fat, np.float32(0)))


def _structure(name: str) -> str:
    return MUSCLES[name].structure if name in MUSCLES else "other_muscle"


def _place_bones(
    scene: _Scene,
    fine: FineHalf,
    inside: npt.NDArray[np.bool_],
    structure: npt.NDArray[np.uint16],
    tissue: npt.NDArray[np.uint8],
) -> None:
    """Bones with their cortex, and the joint's cartilage, over whatever is there."""
    joint = (fine.refine(scene.skeleton.joint_mm) < 0) & inside
    structure[joint], tissue[joint] = DEEP_FAT, Tissue.CARTILAGE
    for bone in scene.skeleton.bones:
        distance = fine.refine(bone.distance_mm)
        here = (distance < 0) & inside
        structure[here] = STRUCTURES[bone.name].left if bone.name in STRUCTURES else VERTEBRA
        cortex = fine.refine(bone.cortex_mm) if isinstance(bone.cortex_mm, np.ndarray) else bone.cortex_mm
        tissue[here] = np.where(
            distance[here] > -(cortex[here] if isinstance(cortex, np.ndarray) else cortex),
            Tissue.CORTEX,
            Tissue.MARROW,
        )


def reference_muscles() -> tuple[Muscle, ...]:
    """Muscles whose volume and fat are set and known."""
    return tuple(Muscle)


assert SIDES  # noqa: S101
