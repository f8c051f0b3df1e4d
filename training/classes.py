"""What the network tells apart, how label maps map onto it, and what a partly labelled voxel may be.

Classes carry no side: one channel more says right (1) or left (0). Left and right muscles then share
every weight, and the side is read from the anatomy around (which way the sacrum lies).
"""

import numpy as np
import numpy.typing as npt

CLASSES: tuple[str, ...] = (
    "background",
    "gluteus_minimus",
    "gluteus_medius",
    "gluteus_maximus",
    "tensor_fasciae_latae",
    "iliopsoas",
    "hip_bone",
    "sacrum",
    "femur",
    "erector_spinae",
    "piriformis",
    "other_muscle",
)
INDEX = {name: i for i, name in enumerate(CLASSES)}
GLUTEAL = tuple(INDEX[n] for n in CLASSES[1:5])
BONES = tuple(INDEX[n] for n in ("hip_bone", "sacrum", "femur"))

# Groups: what a voxel may be. The first len(CLASSES) say "exactly this class"; the rest are what a
# partial label leaves open, so that a structure nobody outlined is neither rewarded nor punished.
ANY = len(CLASSES)
NOT_BONE = ANY + 1
NOT_GLUTEAL = ANY + 2
NEITHER = ANY + 3  # outlined slice, no bone: neither gluteal muscle nor bone


def group_table() -> npt.NDArray[np.bool_]:
    """Which classes each group allows, bool, shape (groups, classes)."""
    table = np.ones((NEITHER + 1, len(CLASSES)), dtype=bool)
    table[: len(CLASSES)] = np.eye(len(CLASSES), dtype=bool)
    table[NOT_BONE, BONES] = False
    table[NOT_GLUTEAL, GLUTEAL] = False
    table[NEITHER, BONES + GLUTEAL] = False
    return table


_PREFIX = {  # MuscleMap label // 10 -> class; anything from 1000 to 8999 not named here is another muscle
    610: "gluteus_minimus",
    611: "gluteus_medius",
    612: "gluteus_maximus",
    613: "tensor_fasciae_latae",
    614: "iliopsoas",
    512: "iliopsoas",
    615: "hip_bone",
    616: "sacrum",
    617: "femur",
    511: "erector_spinae",
    510: "erector_spinae",  # multifidus: one bundle with the erector at this resolution
    618: "piriformis",
}


def class_of(label: int) -> int:
    """Class index of a MuscleMap label number; 0 for background, organs and tissue numbers (9xxx)."""
    if label == 0 or label >= 9000:
        return 0
    return INDEX[_PREFIX.get(label // 10, "other_muscle")]


def classify(labels: npt.NDArray[np.uint16]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Class and side of every voxel of a label map, as `class_of` and `side_of` give them."""
    known, where = np.unique(labels, return_inverse=True)
    classes, sides = np.array([(class_of(int(n)), side_of(int(n))) for n in known]).T
    return classes[where].reshape(labels.shape), sides[where].reshape(labels.shape)


def side_of(label: int) -> int:
    """0 left, 1 right, -1 no side (midline, background, tissue)."""
    if class_of(label) in (0, INDEX["sacrum"]):
        return -1
    return 1 - label % 2
