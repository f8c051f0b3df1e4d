"""Puts the formulas together: a labelled body on a fine grid, with the fat inside its muscles."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.anatomy import STRUCTURES, Side
from grading.phantom import body, interior
from grading.phantom.fat import infiltrate
from grading.phantom.frame import FineHalf, HalfFrame, fine_geometry
from grading.phantom.labels import DEEP_FAT, SUBCUTANEOUS_FAT, VERTEBRA
from grading.phantom.parameters import PhantomParameters, SideParameters
from grading.phantom.scene import NAMES, Scene
from grading.phantom.tissue import Tissue, fat_content
from grading.phantom.volumes import offsets_mm
from grading.volume import FloatArray, Geometry, LabelArray

MUSCLE_DEPTH_MM = 4.0  # no muscle comes closer to the surface of the body: skin and a film of fat
_FAR_MM = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A made-up body.

    Attributes:
        labels: uint16 (i, j, k), numbers of `grading.anatomy.STRUCTURES` and, for the rest, of
            `grading.phantom.labels`; 0 = outside the body.
        tissue: uint8 (i, j, k), members of `Tissue`; the voxels of fat next to muscle hold its fascia.
        fat_fraction: float32 (i, j, k), fat within each voxel of muscle, 0-1; 0 elsewhere.
        owner: uint8 (i, j, k), which muscle a voxel belongs to: 1 + index into `grading.phantom.scene.NAMES`,
            0 for none.
        geometry: isotropic grid, RAS+, mirror-symmetric about x = 0.
        parameters: what it was built from.
    """

    labels: LabelArray
    tissue: npt.NDArray[np.uint8]
    fat_fraction: FloatArray
    owner: npt.NDArray[np.uint8]
    geometry: Geometry
    parameters: PhantomParameters

    def fat_content(self, tissue: Tissue) -> float:
        """Fat share of a voxel of a tissue other than muscle, 0-1; beside a thin fascia there is fat."""
        if tissue is Tissue.FASCIA:
            return 1 - min(self.parameters.fascia_mm / self.geometry.spacing_mm[0], 1.0)
        return fat_content(tissue)


@dataclass(frozen=True, slots=True, eq=False)
class _Half:
    """Arrays of one half of the body, x lateral; `structure` holds left-side label numbers."""

    structure: LabelArray
    tissue: npt.NDArray[np.uint8]
    fat_fraction: FloatArray
    owner: npt.NDArray[np.uint8]


def build_phantom(parameters: PhantomParameters | None = None, spacing_mm: float = 1.5) -> Phantom:
    """Build a body.

    Equal `left` and `right` parameters give an exactly mirror-symmetric phantom; exchanging them mirrors it.

    Args:
        parameters: the person; a healthy adult when None.
        spacing_mm: edge of the cubic voxels.
    """
    person = parameters if parameters is not None else PhantomParameters()
    frame = HalfFrame(person)
    fine = FineHalf(frame, fine_geometry(frame, spacing_mm))
    scene = Scene(frame)
    right = _half(scene, fine, Side.RIGHT)
    left = right if person.left == person.right else _half(scene, fine, Side.LEFT)
    to_right = np.arange(np.iinfo(np.uint16).max + 1, dtype=np.uint16)
    for structure in STRUCTURES.values():
        to_right[structure.left] = structure.right
    return Phantom(
        labels=np.concatenate([left.structure[::-1], to_right[right.structure]]),
        tissue=np.concatenate([left.tissue[::-1], right.tissue]),
        fat_fraction=np.concatenate([left.fat_fraction[::-1], right.fat_fraction]),
        owner=np.concatenate([left.owner[::-1], right.owner]),
        geometry=fine.geometry,
        parameters=person,
    )


def with_fat(phantom: Phantom, left: SideParameters, right: SideParameters) -> Phantom:
    """The same body with other fat in its muscles and other grain: a fraction of the work of building it.

    Args:
        phantom: the body.
        left: fat and texture of its left half; volumes stay as they were built.
        right: the same of its right half.
    """
    fine = FineHalf(HalfFrame(phantom.parameters), phantom.geometry)
    middle = phantom.geometry.shape[0] // 2
    halves = (
        infiltrate(fine, phantom.owner[:middle][::-1], NAMES, left)[::-1],
        infiltrate(fine, phantom.owner[middle:], NAMES, right),
    )
    return replace(
        phantom,
        fat_fraction=np.concatenate(halves),
        parameters=replace(phantom.parameters, left=left, right=right),
    )


def _half(scene: Scene, fine: FineHalf, side: Side) -> _Half:
    """Labels, tissue and fat of one side."""
    person = scene.frame.parameters
    skin_mm = fine.refine(scene.skin_mm)
    inside = skin_mm < 0
    structure = np.zeros(fine.shape, dtype=np.uint16)
    tissue = np.zeros(fine.shape, dtype=np.uint8)
    structure[inside] = np.where(fine.refine(scene.fascia_mm)[inside] > 0, SUBCUTANEOUS_FAT, DEEP_FAT)
    tissue[inside] = np.where(skin_mm[inside] > -body.SKIN_MM, Tissue.SKIN, Tissue.FAT)

    owner = _muscle_owner(scene, fine, side)
    owner[skin_mm > -MUSCLE_DEPTH_MM] = 0
    _place_bones(scene, fine, inside, owner, structure, tissue)
    muscle = owner > 0
    numbers = np.array([0, *(STRUCTURES[scene.structure(name)].left for name in NAMES)], dtype=np.uint16)
    structure[muscle] = numbers[owner[muscle]]
    tissue[muscle] = Tissue.MUSCLE
    fat = infiltrate(fine, owner, NAMES, person.side(side))
    interior.fill(fine, scene.skeleton, scene.trunk_mm, structure, tissue, person.side(side).texture_seed)
    tissue[ndimage.binary_dilation(muscle) & (tissue == Tissue.FAT)] = Tissue.FASCIA
    return _Half(structure, tissue, fat, owner)


def _muscle_owner(scene: Scene, fine: FineHalf, side: Side) -> npt.NDArray[np.uint8]:
    """Which muscle each fine voxel belongs to: 1 + index into `NAMES`, 0 for none.

    A voxel goes to the muscle whose surface it is deepest in, unless another is nearly as deep: there
    lies the fat plane between the two.
    """
    offsets = offsets_mm(scene, side)
    best = np.full(fine.shape, _FAR_MM, dtype=np.float32)
    second = best.copy()
    owner = np.zeros(fine.shape, dtype=np.uint8)
    for number, name in enumerate(NAMES, start=1):
        window = fine.window(scene.regions[name])
        distance = fine.refine(scene.muscles_mm[name], window) - np.float32(
            offsets.get(name, scene.swell_mm(name))
        )
        best_here, second_here = best[window], second[window]
        closer = distance < best_here
        np.minimum(second_here, np.maximum(best_here, distance), out=second_here)
        owner[window][closer] = number
        np.minimum(best_here, distance, out=best_here)
    muscle = (best < 0) & (second - best > np.float32(scene.frame.parameters.fat_plane_mm))
    owner[~(muscle & (fine.refine(scene.clearance_mm) < 0))] = 0
    return owner


def _place_bones(
    scene: Scene,
    fine: FineHalf,
    inside: npt.NDArray[np.bool_],
    owner: npt.NDArray[np.uint8],
    structure: LabelArray,
    tissue: npt.NDArray[np.uint8],
) -> None:
    """Bones with their cortex, and the hip joint's cartilage, over whatever is there."""
    joint = (fine.refine(scene.skeleton.joint_mm) < 0) & inside
    structure[joint], tissue[joint], owner[joint] = DEEP_FAT, Tissue.CARTILAGE, 0
    for bone in scene.skeleton.bones:
        window = fine.window(bone.region)
        distance, cortex = (fine.refine(values, window) for values in (bone.distance_mm, bone.cortex_mm))
        here = (distance < 0) & inside[window]
        owner[window][here] = 0
        structure[window][here] = STRUCTURES[bone.name].left if bone.name in STRUCTURES else VERTEBRA
        tissue[window][here] = np.where(distance[here] > -cortex[here], Tissue.CORTEX, Tissue.MARROW)
