"""From image planes to one grid: order, affine, and every reason why slices do not form a volume.

Only Image Position, Image Orientation and Pixel Spacing decide. File order, instance numbers and the
claimed thickness do not: vendors fill them differently, and they survive export badly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grading.errors import IncompleteSeries, MixedSeries, UnreadableSeries
from grading.io.dicom_headers import MAX_VOXELS
from grading.io.dicom_split import SAME_POSITION_MM, distance_mm
from grading.io.frames import Frame
from grading.volume import Affine
from grading.wording import listed

SLICE_GAP_TOLERANCE = 0.02  # share of the slice step, or
SLICE_GAP_TOLERANCE_MM = 0.11  # mm, whichever is larger: old headers round positions to 0.1 mm
MISSING_SLICE_STEP = 1.5  # a step this much above the usual one means slices are missing, not rounding
ORTHONORMAL_TOLERANCE = 1e-2  # direction cosines: some vendors keep only four digits
SHEAR_NOTE_DEG = 0.5  # tilt of the stack against the slice normal worth telling; less is rounding
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])
_GAPS_NAMED = 3  # gaps named in one message; more would only be noise


@dataclass(frozen=True, slots=True)
class Stack:
    """Parallel slices on one grid.

    Attributes:
        slices: for each place, along the slice normal, the images that lie there (more than one: copies).
        affine: 4x4, (column, row, slice) index to RAS+ world, mm.
        shear_deg: angle between the stacking direction and the slice normal.
    """

    slices: tuple[tuple[Frame, ...], ...]
    affine: Affine
    shear_deg: float

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (column, row, slice)."""
        return self.slices[0][0].columns, self.slices[0][0].rows, len(self.slices)


def stack(frames: Sequence[Frame], name: str) -> Stack:
    """Order parallel frames by place and compute their affine.

    Args:
        frames: placed frames of one orientation and size, sorted along the normal (see `split`).
        name: of the series, for messages.

    Raises:
        UnreadableSeries: the header's directions or spacings are impossible.
        MixedSeries: the slices do not lie on one straight line.
        IncompleteSeries: slices are missing or unevenly spaced.
    """
    places = _places(frames)
    first = places[0][0]
    if first.orientation is None or first.position_mm is None or first.pixel_spacing_mm is None:
        raise UnreadableSeries(f"series {name}: images without a place in the patient")
    _check_header(first, len(places), name)
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    normal = np.cross(row, column)
    normal /= np.linalg.norm(normal)
    positions = np.array([place[0].position_mm for place in places], dtype=np.float64)
    step = _step(positions, normal, first, name)
    between_rows, between_columns = first.pixel_spacing_mm
    affine = np.eye(4)
    affine[:3, 0] = _LPS_TO_RAS @ row * between_columns
    affine[:3, 1] = _LPS_TO_RAS @ column * between_rows
    affine[:3, 2] = _LPS_TO_RAS @ step
    affine[:3, 3] = _LPS_TO_RAS @ positions[0]
    cosine = min(float(step @ normal / np.linalg.norm(step)), 1.0)
    return Stack(tuple(places), affine, float(np.degrees(np.arccos(cosine))))


def _places(frames: Sequence[Frame]) -> list[tuple[Frame, ...]]:
    """Frames that share a place, place by place along the normal."""
    places: list[list[Frame]] = []
    last = -np.inf
    for frame in frames:
        here = distance_mm(frame)
        if here - last > SAME_POSITION_MM:
            places.append([])
            last = here
        places[-1].append(frame)
    return [tuple(place) for place in places]


def _check_header(frame: Frame, slices: int, name: str) -> None:
    """Refuse directions and spacings no scanner can have, and sizes no memory should be given for."""
    row, column = np.array(frame.orientation).reshape(2, 3)
    lengths = np.linalg.norm([row, column], axis=1)
    cosine = float(row @ column)
    if np.abs(lengths - 1).max() > ORTHONORMAL_TOLERANCE or abs(cosine) > ORTHONORMAL_TOLERANCE:
        raise UnreadableSeries(
            f"series {name}: Image Orientation is not two perpendicular unit directions (lengths "
            f"{lengths[0]:.3f} and {lengths[1]:.3f}, cosine {cosine:.3f}); export the series again"
        )
    spacing = frame.pixel_spacing_mm or (0.0, 0.0)
    if min(spacing) <= 0:
        raise UnreadableSeries(
            f"series {name}: Pixel Spacing {spacing[0]:g} x {spacing[1]:g} mm is not positive; "
            "export the series again"
        )
    voxels = slices * frame.rows * frame.columns
    if voxels > MAX_VOXELS:
        raise UnreadableSeries(
            f"series {name}: {voxels / 1e6:.0f} million voxels, beyond the limit of {MAX_VOXELS / 1e6:.0f}"
        )


def _step(
    positions: npt.NDArray[np.float64], normal: npt.NDArray[np.float64], first: Frame, name: str
) -> npt.NDArray[np.float64]:
    """Vector from one slice to the next, LPS mm, after checking that all steps are that vector."""
    if len(positions) == 1:
        return normal * (first.depth_mm if first.depth_mm and first.depth_mm > 0 else 1.0)
    steps = np.diff(positions @ normal)
    usual = float(np.median(steps))
    tolerance = max(SLICE_GAP_TOLERANCE * usual, SLICE_GAP_TOLERANCE_MM)
    _refuse_gaps(steps, usual, name)
    step = np.asarray((positions[-1] - positions[0]) / (len(positions) - 1))
    off = positions - (positions[0] + np.arange(len(positions))[:, None] * step)
    aside = np.linalg.norm(off - np.outer(off @ normal, normal), axis=1)
    if aside.max() > tolerance:
        raise MixedSeries(
            f"series {name}: slice {int(aside.argmax()) + 1} of {len(positions)} lies {aside.max():.1f} mm "
            "beside the line through the others, so the slices form no single stack; export each stack as "
            "its own series"
        )
    if np.abs(off @ normal).max() > tolerance:
        raise IncompleteSeries(
            f"series {name}: uneven slice positions, steps from {steps.min():.2f} to {steps.max():.2f} mm "
            f"where {usual:.2f} mm is usual; export the series again"
        )
    return step


def _refuse_gaps(steps: npt.NDArray[np.float64], usual: float, name: str) -> None:
    gaps = np.flatnonzero(steps > MISSING_SLICE_STEP * usual)
    if gaps.size == 0:
        return
    named = listed([f"{steps[k]:.1f} mm after slice {k + 1}" for k in gaps], _GAPS_NAMED)
    missing = int(np.round(steps[gaps] / usual - 1).sum())
    raise IncompleteSeries(
        f"series {name}: gap of {named} of {len(steps) + 1}, expected {usual:.1f} mm "
        f"({missing} slice{'s' if missing != 1 else ''} missing); export the series again"
    )
