"""DICOM headers of one study to the series in it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from grading.errors import InputError, UnreadableSeries
from grading.findings import Finding
from grading.io.canonical import canonical_axis_of, plane_name, to_canonical
from grading.io.dicom_geometry import stack
from grading.io.dicom_headers import Instance
from grading.io.dicom_split import UNPLACED, Part, split
from grading.io.found import SeriesFound
from grading.io.frames import Frame
from grading.io.identity import Identity, short_uid
from grading.io.names import series_name, unique
from grading.io.roles import Acquisition, role_of
from grading.io.words import named_side, names_contrast_agent, names_t2
from grading.series import Role, SeriesInfo
from grading.volume import Geometry

_LOCALIZER_PLANES = 3  # sagittal, coronal and axial images in one series were made to plan the next one

_COMPARED = frozenset({Role.WATER, Role.FAT, Role.IN_PHASE, Role.OPPOSED_PHASE})  # signal against signal


def series_of(instances: Sequence[Instance], unreadable: Sequence[Path] = ()) -> list[SeriesFound]:
    """The images of one study, several from a series that holds several; names are unique.

    Args:
        instances: all DICOM files of the study.
        unreadable: files beside them whose headers are damaged; every series is told about them.
    """
    identity = Identity()
    for instance in instances:
        identity |= instance.identity
    groups: dict[tuple[str, str], list[Instance]] = {}
    for instance in instances:
        where = f"{instance.path.parent} {instance.series_number}"
        key = (instance.series_uid or where, "" if instance.frames else "no image")
        groups.setdefault(key, []).append(instance)
    findings: tuple[Finding, ...] = ()
    if unreadable:
        findings = (Finding("unreadable_files", f"{len(unreadable)} damaged beside the series"),)
    found = [
        replace(series, findings=(*series.findings, *findings))
        for group in groups.values()
        for series in _series(sorted(group, key=lambda instance: instance.path), identity)
    ]
    found.sort(key=lambda series: (series.info.name, not series.affine, series.affine, series.files))
    names = unique([series.info.name for series in found])
    return [replace(s, info=replace(s.info, name=name)) for s, name in zip(found, names, strict=True)]


def _series(instances: list[Instance], identity: Identity) -> list[SeriesFound]:
    """One DICOM series as one or more images."""
    first = instances[0]
    by_path = {instance.path: instance for instance in instances}
    frames = [frame for instance in instances for frame in instance.frames]
    if not frames:
        return [_without_image(instances, identity)]
    parts = split(frames)
    planes = {word for part in parts for word in part.trait.split() if word in ("sag", "cor", "tra")}
    found = []
    for part in parts:
        owner = by_path[part.frames[0].path]
        acquisition = _of_frame(owner.acquisition, part.frames[0])
        role, reason = role_of(acquisition)
        if len(planes) >= _LOCALIZER_PLANES:
            role, reason = Role.LOCALIZER, "images in three planes"
        if role in _COMPARED:
            part = replace(part, frames=tuple(frame.as_measured() for frame in part.frames))
        name = series_name(first.series_number, owner.description, identity, part.trait)
        found.append(_describe(part, _info(name, role, owner, acquisition), reason))
    lost = sum(len(part.frames) for part in parts if part.trait == UNPLACED)
    if lost:
        finding = Finding("unreadable_files", f"{lost} images of it do not say where in the patient they lie")
        found = [replace(series, findings=(finding,)) for series in found]
    return found


def _of_frame(acquisition: Acquisition, frame: Frame) -> Acquisition:
    """The file's acquisition with what this frame says of its own echo time and image type."""
    echo_time, image_type = frame.traits[0], frame.traits[1]
    try:
        milliseconds = float(echo_time) or acquisition.echo_time_ms
    except ValueError:
        milliseconds = acquisition.echo_time_ms
    return replace(acquisition, echo_time_ms=milliseconds, image_type=tuple(image_type.upper().split("\\")))


def _info(name: str, role: Role, owner: Instance, acquisition: Acquisition) -> SeriesInfo:
    agent = owner.contrast_agent
    if agent is None and names_contrast_agent(acquisition.text):
        agent = True
    return SeriesInfo(
        name=name,
        role=role,
        source="dicom",
        modality=acquisition.modality,
        contrast_agent=agent,
        laterality=owner.laterality or named_side(acquisition.text),
        echo_time_ms=acquisition.echo_time_ms,
        repetition_time_ms=acquisition.repetition_time_ms,
        field_strength_t=acquisition.field_strength_t,
        named_t2=names_t2(acquisition.text),
    )


def _describe(part: Part, info: SeriesInfo, reason: str) -> SeriesFound:
    files = tuple(sorted({frame.path for frame in part.frames}))
    found = SeriesFound(info=info, files=files, reason=reason, frames=part.frames)
    try:
        if part.refusal:
            raise UnreadableSeries(f"series {info.name}: {part.refusal}")
        planned = stack(part.frames, info.name)
    except InputError as problem:
        return replace(found, problem=problem)
    grid = np.broadcast_to(np.uint8(0), planned.shape)
    reordered, affine, _ = to_canonical(grid, planned.affine)
    return described(found, Geometry(reordered.shape, affine), canonical_axis_of(2, planned.affine))


def described(found: SeriesFound, geometry: Geometry, slice_axis: int) -> SeriesFound:
    """`found` with the fields that follow from its canonical grid."""
    spacing = geometry.spacing_mm
    shape = geometry.shape
    return replace(
        found,
        info=replace(found.info, slice_axis=slice_axis),
        shape=shape,
        spacing_mm=spacing,
        plane=plane_name(geometry.affine, slice_axis),
        extent_mm=(shape[0] * spacing[0], shape[1] * spacing[1], shape[2] * spacing[2]),
        affine=tuple(tuple(float(value) for value in row) for row in geometry.affine),
    )


def _without_image(instances: list[Instance], identity: Identity) -> SeriesFound:
    """A report, plan or refused image: listed, so that the user sees it was noticed."""
    first = instances[0]
    name = series_name(first.series_number, first.description, identity)
    role, reason = role_of(first.acquisition)
    refusal = next((instance.refusal for instance in instances if instance.refusal), "")
    problem = (
        UnreadableSeries(f"series {name} ({short_uid(first.series_uid)}): {refusal}") if refusal else None
    )
    if role is not Role.LABEL_MAP and not refusal:
        role = Role.DERIVED
    return SeriesFound(
        info=_info(name, role, first, first.acquisition),
        files=tuple(instance.path for instance in instances),
        reason=reason,
        problem=problem,
    )
