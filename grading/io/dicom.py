"""DICOM instances to a Volume."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grading.errors import MixedSeries
from grading.findings import Finding
from grading.io.canonical import canonical_axis_of, digest, to_canonical
from grading.io.dicom_geometry import SHEAR_NOTE_DEG, Stack, stack
from grading.io.dicom_pixels import decode
from grading.io.frames import Frame
from grading.io.padding import clean
from grading.series import SeriesInfo
from grading.volume import FloatArray, Geometry, SliceSource, Volume


def read_dicom(frames: Sequence[Frame], info: SeriesInfo) -> Volume:
    """Read the frames of one stack.

    Args:
        frames: parallel frames of one size, sorted along the normal, as `split` gives them.
        info: description of the series, free of identity; its name stands in messages.

    Returns:
        Signal in canonical RAS+ order; padding, blank rims and values that are not numbers are not valid.

    Raises:
        MixedSeries: two different images lie at one place.
        IncompleteSeries: slices are missing.
        UnreadableSeries: files are truncated, undecodable, constant, or impossible in their geometry.
    """
    planned = stack(frames, info.name)
    stored = np.empty(planned.shape[::-1], dtype=np.float32)
    padding = np.zeros(stored.shape, dtype=bool)
    place_of = {frame: place for place, copies in enumerate(planned.slices) for frame in copies}
    filled: set[int] = set()
    copies = 0
    for frame, signal, pad in decode(list(place_of), info.name):
        place = place_of[frame]
        if place in filled:
            _refuse_different(stored[place], signal, place, planned, info.name)
            copies += 1
            continue
        filled.add(place)
        stored[place] = signal
        if pad is not None:
            padding[place] = pad
    voxels, affine, orientation = to_canonical(stored.transpose(2, 1, 0), planned.affine)
    slice_axis = canonical_axis_of(2, planned.affine)
    padded = to_canonical(padding.transpose(2, 1, 0), planned.affine)[0] if padding.any() else None
    values, valid = clean(
        np.ascontiguousarray(voxels, dtype=np.float32),
        None if padded is None else np.asarray(padded, dtype=bool),
        slice_axis,
        info.name,
    )
    return Volume(
        voxels=values,
        geometry=Geometry(values.shape, affine),
        valid=valid,
        series=replace(info, slice_axis=slice_axis, digest=digest(values, affine)),
        source_orientation=orientation,
        findings=_findings(planned, copies, info),
        slices=tuple(SliceSource(place[0].path, place[0].index) for place in planned.slices),
    )


def _refuse_different(kept: FloatArray, other: FloatArray, place: int, planned: Stack, name: str) -> None:
    """Two images at one place are fine only when they are copies."""
    if np.array_equal(kept, other, equal_nan=True):
        return
    doubled = sum(len(copies) > 1 for copies in planned.slices)
    raise MixedSeries(
        f"series {name}: {doubled} of {len(planned.slices)} slice places hold more than one image, "
        f"and at slice {place + 1} they differ (by up to {np.abs(kept - other).max():g} of "
        f"{np.abs(kept).max():g}) while echo, image type, time and acquisition do not tell them apart; "
        "export the images as separate series"
    )


def _findings(planned: Stack, copies: int, info: SeriesInfo) -> tuple[Finding, ...]:
    findings = []
    if copies:
        findings.append(Finding("duplicate_slices", f"{copies} identical copies of slices dropped"))
    if planned.shear_deg > SHEAR_NOTE_DEG:
        findings.append(
            Finding("sheared_stack", f"slices are stacked {planned.shear_deg:.1f} degrees off normal")
        )
    if len(planned.slices) == 1:
        findings.append(Finding("single_slice", "one slice; its depth is the header's claim"))
    if info.contrast_agent:
        findings.append(Finding("contrast_agent", "said by the header or the description"))
    return tuple(findings)
