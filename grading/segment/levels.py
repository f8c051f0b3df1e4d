"""Named levels of the body at which readers compare cross-sections, found on the segmented bones.

Gluteus maximus is cut just above the femoral head; gluteus medius at the lower end of the sacroiliac joint,
where the greater sciatic notch opens between hip bone and sacrum. Both are largest about there (Homma et
al., *Surg Radiol Anat* 2019; 41:109). A level is a height along the body's axis (world z). Each side has its
own, so that a pelvis that lies askew is cut through the same anatomy on both. Where the bone is not labelled,
or the view ends so near that more of it may lie beyond, there is no level.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.anatomy import Muscle, Side
from grading.masks import Box, bounding_box
from grading.segment.cleanup import SMALLEST_SHARE, main_pieces
from grading.volume import BoolArray, Geometry, Segmentation

Points = npt.NDArray[np.float64]
Voxels = npt.NDArray[np.intp]

LANDMARK_ML = 0.5  # of bone beyond a landmark's level: immune to specks; 2.6 mm of a head of 24 mm radius
HEAD_MM = 40.0  # from the femur's medial edge: the head, without the greater trochanter
MEDIAL_EDGE = 0.01  # quantile of that bone's lateral positions
PROXIMAL_MM = 60.0  # below the femur's top: head and trochanter, without the shaft, which runs medially
ABOVE_HEAD_MM = 5.0  # above `head_top_mm`, 2.4 mm above the pole: the first slice of 5 mm without the head
# [project convention]
JOINT_MM = 10.0  # between voxels of hip bone and sacrum at the joint: its gap and a voxel of 6 mm. The notch
# opens abruptly: in ten real studies 8 or 12 moves the level by 3 mm at most, 6 by up to 6 mm. In three
# digital pelves the level lies 0 to 4 mm above the first contact of the bones, with slices of 8 mm to 7 mm


def level_mm(
    segmentation: Segmentation, muscle: Muscle, side: Side, valid: BoolArray | None = None
) -> float | None:
    """World z of the level at which a muscle's cross-section is compared, mm; None where it is not known.

    Args:
        segmentation: labels, of which the bones give the level.
        muscle: which; those outside `LEVELS` have none.
        side: which side.
        valid: where the image was measured, (i, j, k); everywhere when None. Blank slices end the view.
    """
    level = LEVELS.get(muscle)
    return None if level is None else level.find_mm(segmentation, side, valid)


def head_top_mm(segmentation: Segmentation, side: Side, valid: BoolArray | None = None) -> float | None:
    """World z of a femoral head's top; None where no femur is labelled or the view cuts it there."""
    mask = segmentation.mask("femur", side)
    box = bounding_box(mask)
    view = shown(segmentation, valid)
    if box is None or box[2].stop >= view[2].stop:
        return None
    voxels = voxels_in(mask[box], box)
    points = points_mm(voxels, segmentation.geometry)
    count = _landmark_voxels(segmentation.geometry)
    if len(points) <= count:
        return None
    proximal = points[:, 2] > np.sort(points[:, 2])[-count] - PROXIMAL_MM
    voxels, points = voxels[proximal], points[proximal]
    lateral = lateral_mm(points, side)
    head = lateral < np.quantile(lateral, MEDIAL_EDGE) + HEAD_MM
    return _outermost(voxels[head], points[head, 2], segmentation.geometry, view, upward=True)


def joint_bottom_mm(segmentation: Segmentation, side: Side, valid: BoolArray | None = None) -> float | None:
    """World z of a sacroiliac joint's lower end; None where it is not labelled or the view ends beside it."""
    geometry = segmentation.geometry
    sacrum = segmentation.mask("sacrum", side)
    box = bounding_box(sacrum)
    if box is None:
        return None
    reach = [int(np.ceil(JOINT_MM / step)) for step in geometry.spacing_mm]
    near = tuple(slice(max(s.start - r, 0), s.stop + r) for s, r in zip(box, reach, strict=True))
    wide = (near[0], near[1], near[2])
    pieces = main_pieces(sacrum[wide], SMALLEST_SHARE)
    gap_mm = ndimage.distance_transform_edt(~pieces, sampling=geometry.spacing_mm)
    voxels = voxels_in(segmentation.mask("hip_bone", side)[wide] & (gap_mm <= JOINT_MM), wide)
    z = points_mm(voxels, geometry)[:, 2]
    return _outermost(voxels, z, geometry, shown(segmentation, valid), upward=False, margin_mm=JOINT_MM)


def _above_head_mm(segmentation: Segmentation, side: Side, valid: BoolArray | None) -> float | None:
    top = head_top_mm(segmentation, side, valid)
    return None if top is None else top + ABOVE_HEAD_MM


@dataclass(frozen=True, slots=True)
class Level:
    """A level by its name, and how to find its world z, mm, on one side."""

    name: str
    find_mm: Callable[[Segmentation, Side, BoolArray | None], float | None]


LEVELS: dict[Muscle, Level] = {
    Muscle.GLUTEUS_MAXIMUS: Level("just above the femoral head", _above_head_mm),
    Muscle.GLUTEUS_MEDIUS: Level("lower end of the sacroiliac joint", joint_bottom_mm),
}
"""Where the cross-section of each muscle is compared; the others have no such level."""


def _outermost(
    voxels: Voxels,
    z: npt.NDArray[np.float64],
    geometry: Geometry,
    view: Box,
    *,
    upward: bool,
    margin_mm: float = 0.0,
) -> float | None:
    """Level beyond which `LANDMARK_ML` of these voxels lie; None where fewer do or the view ends there.

    Args:
        voxels: indices of a landmark's voxels, (n, 3).
        z: their world z, mm, (n,).
        geometry: the grid.
        view: what was measured of it.
        upward: whether the landmark is the upper end of these voxels or the lower.
        margin_mm: how much of the view must lie beside the end; a voxel on the view's face is beyond it.
    """
    count = _landmark_voxels(geometry)
    if len(z) < count:
        return None
    order = np.argsort(-z if upward else z, kind="stable")[:count]
    for axis, (seen, step) in enumerate(zip(view, geometry.spacing_mm, strict=True)):
        index = voxels[order, axis]
        steps = min(int(index.min()) - seen.start, seen.stop - 1 - int(index.max()))
        if steps < 1 or steps * step < margin_mm:
            return None
    return float(z[order[-1]])


def _landmark_voxels(geometry: Geometry) -> int:
    return max(1, round(LANDMARK_ML / geometry.voxel_volume_ml))


def shown(segmentation: Segmentation, valid: BoolArray | None) -> Box:
    """Box of indices within which anything was measured."""
    box = None if valid is None else bounding_box(valid)
    i, j, k = segmentation.geometry.shape
    return (slice(0, i), slice(0, j), slice(0, k)) if box is None else box


def lateral_mm(points: Points, side: Side) -> npt.NDArray[np.float64]:
    """How far points lie towards the body's own side, mm: the same on both sides of a mirror."""
    return points[:, 0] if side is Side.RIGHT else -points[:, 0]


def voxels_in(inside: BoolArray, box: Box) -> Voxels:
    """Indices, on the whole grid, of the voxels of a boxed mask, shape (n, 3)."""
    return np.asarray(np.argwhere(inside) + [part.start for part in box])


def points_mm(voxels: Voxels, geometry: Geometry) -> Points:
    """World coordinates of voxel centres, mm, shape (n, 3)."""
    return np.asarray(voxels @ geometry.affine[:3, :3].T + geometry.affine[:3, 3])
