"""What the muscles leave room for: discs, spinal canal, pelvic organs, bowel, vessels and nerves."""

import numpy as np
import numpy.typing as npt

from grading.phantom.body import SCIATIC_NERVE, VESSELS, WALL_MM
from grading.phantom.frame import FineHalf
from grading.phantom.labels import BLADDER, DEEP_FAT, VERTEBRA, VESSEL, VISCERA
from grading.phantom.noise import smooth_noise
from grading.phantom.shapes import Array, Ellipsoid, Shape, Tube
from grading.phantom.skeleton import Skeleton
from grading.phantom.tissue import Tissue

_BLADDER = Ellipsoid((0, 44, 8), (40, 21, 19))
_UTERUS_OR_PROSTATE = Ellipsoid((0, 10, 14), (23, 22, 25))
_RECTUM = Tube(((4, -36, 84, 10), (2, -50, 50, 12), (0, -50, 18, 13), (0, -42, -12, 10), (0, -50, -46, 7)))
_WALL_THICKNESS_MM = 3.0
_BOWEL_FLOOR_Z = 16.0  # bowel loops lie above the pelvic organs
_BOWEL_KNOT_MM = 8.0
_BOWEL_SMOOTHING_KNOTS = 1.3  # loops about 25 mm across, rounded
_BOWEL_LEVEL, _LUMEN_LEVEL = 0.6, 0.9  # of the noise, standard deviations: a fifth of the cavity is bowel


def fill(
    fine: FineHalf,
    skeleton: Skeleton,
    trunk_mm: Array,
    structure: npt.NDArray[np.uint16],
    tissue: npt.NDArray[np.uint8],
    seed: int,
) -> None:
    """Place everything that is neither bone nor muscle into the free space of one half, in place."""
    cavity = fine.refine(trunk_mm) < -(WALL_MM + 3)
    free = structure == DEEP_FAT
    _bowel(fine, cavity & free, structure, tissue, seed)
    for organ, content, label in (
        (_UTERUS_OR_PROSTATE, Tissue.ORGAN, VISCERA),
        (_BLADDER, Tissue.FLUID, BLADDER),
        (_RECTUM, Tissue.ORGAN, VISCERA),
    ):
        window, distance = _near(fine, organ)
        here = (distance < 0) & free[window]
        structure[window][here] = label
        tissue[window][here] = np.where(distance[here] > -_WALL_THICKNESS_MM, Tissue.ORGAN, content)
    for vessel in VESSELS:
        _place(fine, vessel, free, structure, tissue, VESSEL, Tissue.VESSEL)
    _place(fine, SCIATIC_NERVE, free, structure, tissue, DEEP_FAT, Tissue.NERVE)
    for distance_mm, content in ((skeleton.discs_mm, Tissue.DISC), (skeleton.canal_mm, Tissue.FLUID)):
        here = (fine.refine(distance_mm) < 0) & free
        structure[here], tissue[here] = VERTEBRA, content


def _near(fine: FineHalf, shape: Shape) -> tuple[tuple[slice, slice, slice], Array]:
    region = fine.frame.region(shape)
    window = fine.window(region)
    return window, fine.refine(fine.frame.evaluate(shape, region), window)


def _place(
    fine: FineHalf,
    shape: Shape,
    free: npt.NDArray[np.bool_],
    structure: npt.NDArray[np.uint16],
    tissue: npt.NDArray[np.uint8],
    label: int,
    content: Tissue,
) -> None:
    window, distance = _near(fine, shape)
    here = (distance < 0) & free[window]
    structure[window][here], tissue[window][here] = label, content


def _bowel(
    fine: FineHalf,
    room: npt.NDArray[np.bool_],
    structure: npt.NDArray[np.uint16],
    tissue: npt.NDArray[np.uint8],
    seed: int,
) -> None:
    """Loops of bowel: the peaks of a random field, with a wall and mixed content."""
    axes = [a.astype(np.float32) for a in fine.axes_mm]
    floor = np.float32(_BOWEL_FLOOR_Z * fine.frame.parameters.scale)
    where = np.flatnonzero(room & (axes[2] > floor))
    if not len(where):
        return
    points = [a[i] for a, i in zip(axes, np.unravel_index(where, fine.shape), strict=True)]
    rng = np.random.default_rng([seed, 17])
    knot = np.float32(_BOWEL_KNOT_MM)
    loops = smooth_noise([p / knot for p in points], rng, _BOWEL_SMOOTHING_KNOTS)
    # no loop is cut flat where the halves of the body meet, or at the floor
    loops -= np.clip(2 - points[0] / knot, 0, None) + np.clip(2 - (points[2] - floor) / (2 * knot), 0, None)
    kind = smooth_noise([p / (6 * knot) for p in points], rng)
    content = np.select([kind > 0.9, kind > -0.2], [Tissue.GAS, Tissue.ORGAN], Tissue.FLUID)
    bowel = loops > _BOWEL_LEVEL
    structure.reshape(-1)[where[bowel]] = VISCERA
    tissue.reshape(-1)[where[bowel]] = np.where(loops[bowel] > _LUMEN_LEVEL, content[bowel], Tissue.ORGAN)
