"""Parts of the glutei that are read by themselves, divided by geometry.

Readers grade the anterior and posterior half of minimus, the thirds of medius, and upper and lower maximus,
but the published rules are incomplete. Here minimus and medius are cut into equal lengths of the arc that
they make round the ilium, seen along the body's axis; maximus is cut at the level of the top of the femoral
head [project convention]. Everything is computed in the patient's own mm and toward the body's side, so
that neither grid nor orientation nor a mirror changes a region.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from grading.anatomy import REGIONS, Muscle, Region, Side
from grading.findings import Finding
from grading.masks import Box, bounding_box
from grading.segment.levels import Points, head_top_mm, lateral_mm, points_mm, shown, voxels_in
from grading.volume import BoolArray, Segmentation

Notes = tuple[tuple[str, str], ...]  # findings: code and detail

TAIL = 0.05  # share of the volume beyond the points from which the ends are extrapolated: tips are ragged
ARC_STEP_MM = 0.5  # of the polyline that stands for the arc: far below any voxel
HEAD_TOP_SHARE = 0.58  # of maximus' height that lies below the head's top: ten women, own outlines, 0.56 (SD
# 0.055, that is 12 mm); Visible Human Female and Male and one MuscleMap body 0.63 to 0.70


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One region of a muscle.

    Attributes:
        region: which.
        mask: bool, shape (i, j, k), on the segmentation's grid; may be empty.
        findings: how it was cut out, and what to know before reading it.
    """

    region: Region
    mask: BoolArray
    findings: tuple[Finding, ...]


def divide(
    segmentation: Segmentation, muscle: Muscle, side: Side, valid: BoolArray | None = None
) -> tuple[Part, ...]:
    """The regions of one muscle, in the order of `REGIONS`; together they are the whole of it.

    Args:
        segmentation: labels; those of the femora give the level that divides maximus.
        muscle: which one; tensor fasciae latae has no regions.
        side: which side.
        valid: where the image was measured, (i, j, k); everywhere when None. Blank slices end the view.

    Returns:
        Parts whose finding `region_by_geometry` says how they were cut. Anterior minimus also carries
        `anterior_often_fatty`; the parts of maximus `region_level_assumed` where its own femoral head does
        not show the level, and empty masks with `region_undefined` where nothing does.
    """
    mask = segmentation.mask(muscle, side)
    box = bounding_box(mask)
    regions = REGIONS[muscle]
    if box is None or not regions:
        return tuple(Part(region, mask, ()) for region in regions)
    points = points_mm(voxels_in(mask[box], box), segmentation.geometry)
    if muscle is Muscle.GLUTEUS_MAXIMUS:
        cut = _at_level(points, segmentation, side, box, valid)
    else:
        cut = _along_arc(points, side, len(regions))
    parts = []
    for rank, region in enumerate(regions):
        own = np.zeros_like(mask)
        own[box][mask[box]] = cut.rank == rank
        findings = [Finding(code, detail, muscle, side, region) for code, detail in cut.notes]
        if (muscle, region) == (Muscle.GLUTEUS_MINIMUS, Region.ANTERIOR):
            findings.append(Finding("anterior_often_fatty", "", muscle, side, region))
        parts.append(Part(region, own, tuple(findings)))
    return tuple(parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """Number of the part that each voxel of a muscle belongs to (-1: none), and findings (code, detail)."""

    rank: npt.NDArray[np.intp]
    notes: Notes


def _along_arc(points: Points, side: Side, parts: int) -> _Cut:
    """Equal lengths of the muscle's arc, counted from the front.

    The arc is the parabola that fits the muscle best, seen along the body's axis, about its longer principal
    direction; each voxel belongs where its nearest point of the parabola lies. A few voxels make a line.
    """
    seen = np.column_stack([lateral_mm(points, side), points[:, 1]])
    offset = seen - seen.mean(axis=0)
    across, along = np.linalg.eigh(offset.T @ offset).eigenvectors.T
    along = along if along[1] < 0 else -along  # from front to back
    s, t = offset @ along, offset @ across
    station = np.arange(s.min(), s.max() + ARC_STEP_MM, ARC_STEP_MM)
    bends = min(2, np.unique(np.round(s, 6)).size - 1)
    arc = np.column_stack([station, np.polyval(np.polyfit(s, t, bends), station)])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(arc, axis=0), axis=1))])
    _, nearest = KDTree(arc).query(np.column_stack([s, t]))
    position = length[nearest]
    start, stop = _ends(position)
    borders = np.linspace(start, stop, parts + 1)[1:-1]
    rank = np.searchsorted(np.round(borders, 6), np.round(position, 6), side="right")  # a mirror has no ties
    words = {2: "half", 3: "third"}[parts]
    return _Cut(rank, (("region_by_geometry", f"{words} of an arc of {stop - start:.0f} mm"),))


def _ends(position: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Where a muscle begins and ends along an axis, mm, as if its tips were as thick as the rest."""
    first, last = np.quantile(position, [TAIL, 1 - TAIL])
    reach = TAIL / (1 - 2 * TAIL) * (last - first)
    return float(first - reach), float(last + reach)


def _at_level(
    points: Points, segmentation: Segmentation, side: Side, box: Box, valid: BoolArray | None
) -> _Cut:
    """Above (0) and below (1) the top of the femoral head."""
    level_mm, notes = _level(points, segmentation, side, box, valid)
    if level_mm is None:
        return _Cut(np.full(len(points), -1), notes)
    detail = f"cut at the level of the femoral head's top, z = {level_mm:.0f} mm"
    return _Cut(np.where(points[:, 2] > level_mm, 0, 1), (("region_by_geometry", detail), *notes))


def _level(
    points: Points, segmentation: Segmentation, side: Side, box: Box, valid: BoolArray | None
) -> tuple[float | None, Notes]:
    """World z of the femoral head's top, from what shows it best, and what to know of it."""
    own, other = (head_top_mm(segmentation, s, valid) for s in (side, side.other))
    if own is not None:
        return own, ()
    if other is not None:
        return other, (("region_level_assumed", "level of the other side's femoral head"),)
    seen = shown(segmentation, valid)[2]
    if box[2].start <= seen.start or box[2].stop >= seen.stop:
        detail = "no femoral head is labelled, and the muscle is cut above or below"
        return None, (("region_undefined", detail),)
    bottom, top = _ends(points[:, 2])
    detail = f"at {HEAD_TOP_SHARE:.0%} of the muscle's height, as in thirteen bodies"
    return float(bottom + HEAD_TOP_SHARE * (top - bottom)), (("region_level_assumed", detail),)
