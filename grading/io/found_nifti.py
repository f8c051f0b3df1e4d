"""NIfTI files to series, from names and sidecars; from values only where both are silent."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grading.errors import InputError
from grading.findings import Finding
from grading.io.bids import acquisition_of, ends_in_sex, sidecar, subject_session
from grading.io.canonical import canonical_axis_of, to_canonical
from grading.io.found import SeriesFound
from grading.io.found_dicom import described
from grading.io.names import nifti_stem
from grading.io.nifti import open_nifti, placement, read_nifti, slice_axis_of
from grading.io.roles import names_dixon, names_fat_suppression, role_of
from grading.io.words import is_no_agent, named_side, names_contrast_agent, names_t2
from grading.series import Role, SeriesInfo
from grading.volume import Geometry

_AGENT_KEYS = ("ContrastBolusIngredient", "ContrastBolusAgent")  # BIDS' and DICOM's name for it
MAX_LABELS = 64  # more distinct whole numbers than any muscle label map; far fewer than any image
MAX_HOUNSFIELD_AIR = -300.0  # MR signal is never this negative, air on CT always is


def series_of_file(path: Path, *, paired: bool = False) -> SeriesFound:
    """Describe one NIfTI file; what is wrong with it stands in `problem`.

    Args:
        path: the file.
        paired: whether the letter that its name ends in has its partner beside it.
    """
    acquisition = acquisition_of(path, paired=paired)
    role, reason = role_of(acquisition, names_labels=True)
    said = [str(sidecar(path).get(key) or "") for key in _AGENT_KEYS]
    agent = names_contrast_agent(acquisition.text) or not all(map(is_no_agent, said))
    info = SeriesInfo(
        name=nifti_stem(path),
        role=role,
        source="nifti",
        modality=acquisition.modality,
        contrast_agent=True if agent else None,
        laterality=named_side(acquisition.text),
        echo_time_ms=acquisition.echo_time_ms,
        repetition_time_ms=acquisition.repetition_time_ms,
        field_strength_t=acquisition.field_strength_t,
        named_t2=names_t2(acquisition.text),
    )
    found = SeriesFound(info=info, files=(path,), reason=reason)
    try:
        image = open_nifti(path)
        shape, affine, findings = placement(image, path.name)
        reordered, canonical, _ = to_canonical(np.broadcast_to(np.uint8(0), shape), affine)
        slice_axis = canonical_axis_of(slice_axis_of(image, affine), affine)
        found = described(found, Geometry(reordered.shape, canonical), slice_axis)
        if role is Role.UNKNOWN and not subject_session(path) and not names_dixon(acquisition.text):
            role, reason = _role_from_values(read_nifti(path).voxels)
            if role is Role.T1 and names_fat_suppression(acquisition.text):
                role, reason = Role.UNKNOWN, "fat suppressed by its name"
            if role is Role.T1:
                findings += (Finding("contrast_assumed", "no hint in the file's name, no sidecar"),)
            found = replace(found, info=replace(found.info, role=role), reason=reason)
        if role is Role.T1 and ends_in_sex(path):
            findings += (Finding("contrast_assumed", "F in its name: no fat image, as no W is beside it"),)
    except InputError as problem:
        return replace(found, problem=problem)
    return replace(found, findings=findings)


def _role_from_values(voxels: npt.NDArray[np.float32]) -> tuple[Role, str]:
    """Label map, CT, or else an image taken to be T1, by its values."""
    if float(voxels.min()) < MAX_HOUNSFIELD_AIR:
        return Role.CT, f"values down to {float(voxels.min()):.0f}, as Hounsfield units"
    sample = np.unique(voxels.ravel()[:: max(voxels.size // 100_000, 1)])  # few values there, few everywhere
    if sample.size <= MAX_LABELS:
        values = np.unique(voxels)
        if values.size <= MAX_LABELS and np.array_equal(values, np.rint(values)):
            return Role.LABEL_MAP, f"{values.size} distinct whole numbers, as a label map"
    return Role.T1, "assumed, as neither name nor sidecar tells the contrast"
