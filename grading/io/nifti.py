"""NIfTI files to Volume and labels."""

import gzip
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt

from grading.errors import MixedSeries, UnreadableSeries
from grading.findings import Finding
from grading.io.canonical import canonical_axis_of, digest, to_canonical
from grading.io.names import nifti_stem
from grading.io.padding import clean
from grading.series import SeriesInfo
from grading.volume import Affine, Geometry, LabelArray, Volume

MAX_VOXELS = 2**27  # of one image: 0.5 GB as float32; a hip study has 5-50 million
FORM_DISAGREEMENT_MM = 0.5  # sform against qform at the corners: above float32 rounding, below a voxel
MIN_VOXEL_VOLUME_MM3 = 1e-6  # below it the affine is singular
MAX_SPACING_MM = 200.0  # a larger voxel is a wrong unit or a damaged header
_MM_PER_UNIT = {"meter": 1000.0, "micron": 0.001}  # "mm" and "unknown" are taken as mm


def open_nifti(path: Path, name: str = "") -> nib.Nifti1Image:
    """Open a NIfTI file and check everything that can be checked without its voxels.

    Args:
        path: .nii or .nii.gz file.
        name: what messages call it; by default its own name.

    Raises:
        UnreadableSeries: not a NIfTI file, damaged, colour or complex, or without a usable affine.
        MixedSeries: the file holds several volumes.
    """
    name = name or path.name
    if path.is_symlink() and not path.exists():
        raise UnreadableSeries(
            f"{name}: a link, and the file behind it is not there; fetch it (for example with datalad get)"
        )
    try:
        kind = nib.Nifti2Image if _is_nifti2(path) else nib.Nifti1Image
        with _without_log():
            image = kind.from_filename(path)
    except Exception as error:  # nibabel, gzip and the header parser each raise their own
        raise UnreadableSeries(
            f"{name}: not a readable NIfTI file ({type(error).__name__}); copy or convert it again"
        ) from None
    if image.get_data_dtype().fields is not None or image.get_data_dtype().kind not in "iuf":
        raise UnreadableSeries(
            f"{name}: voxels are {image.get_data_dtype()} (colour or complex); "
            "give a grey-scale magnitude image"
        )
    shape = image.shape
    voxels = int(np.prod([int(n) for n in shape], dtype=object)) if shape else 0
    if not 0 < voxels <= MAX_VOXELS:
        raise UnreadableSeries(
            f"{name}: the header declares shape {shape}, {voxels / 1e6:.0f} million voxels; "
            f"expected between 1 and {MAX_VOXELS / 1e6:.0f} million"
        )
    extra = int(np.prod(shape[3:])) if len(shape) > 3 else 1
    if extra > 1:
        raise MixedSeries(
            f"{name}: holds {extra} volumes (shape {shape}); split it into one file a volume "
            "(for example with fslsplit) and name water and fat images as such"
        )
    if len(shape) < 2:
        raise UnreadableSeries(f"{name}: shape {shape} is not an image")
    return image


def placement(image: nib.Nifti1Image, name: str) -> tuple[tuple[int, int, int], Affine, tuple[Finding, ...]]:
    """Shape, affine (stored index to RAS+ mm) and findings about the placement of an opened file.

    Raises:
        UnreadableSeries: there is no affine, or it is impossible.
    """
    header = image.header
    if int(header["sform_code"]) <= 0 and int(header["qform_code"]) <= 0:
        raise UnreadableSeries(
            f"{name}: neither sform nor qform is set, so which side is left is not known; "
            "convert it again from DICOM"
        )
    scale = _MM_PER_UNIT.get(_length_unit(header), 1.0)
    unit = np.diag([scale, scale, scale, 1.0])
    affine = unit @ np.asarray(image.affine, dtype=np.float64)
    shape = (*image.shape[:3], 1)[:3]
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    determinant = float(np.linalg.det(affine[:3, :3])) if np.isfinite(affine).all() else 0.0
    if abs(determinant) < MIN_VOXEL_VOLUME_MM3 or spacing.max() > MAX_SPACING_MM:
        said = " x ".join(f"{value:.3g}" for value in spacing)
        raise UnreadableSeries(
            f"{name}: the affine is not usable (voxel {said} mm, determinant {determinant:.3g}); "
            "convert the file again from DICOM"
        )
    grid = (int(shape[0]), int(shape[1]), int(shape[2]))
    findings: tuple[Finding, ...] = ()
    sform, qform = header.get_sform(coded=True)[0], _qform(header)
    if sform is not None and qform is not None:
        apart = Geometry(grid, unit @ sform).distance_mm(Geometry(grid, unit @ qform))
        if apart > FORM_DISAGREEMENT_MM:
            findings = (Finding("sform_qform_disagree", f"up to {apart:.1f} mm apart; sform used"),)
    return grid, affine, findings


def slice_axis_of(image: nib.Nifti1Image, affine: Affine) -> int:
    """Stored axis that slices stack along: the header's word, else the axis of widest spacing."""
    said = image.header.get_dim_info()[2]
    if said is not None:
        return int(said)
    spacing = np.round(np.linalg.norm(affine[:3, :3], axis=0), 3)
    return int(2 - np.argmax(spacing[::-1]))  # the last axis where spacings are equal


def read_nifti(path: Path, info: SeriesInfo | None = None) -> Volume:
    """Read a 3D NIfTI image.

    Args:
        path: .nii or .nii.gz file.
        info: description of the series; by default only its name, made from the file's.

    Raises:
        UnreadableSeries: damaged, colour, constant, or without a usable affine.
        MixedSeries: the file holds several volumes.
    """
    path = Path(path)
    image = open_nifti(path)
    shape, affine, findings = placement(image, path.name)
    stored = _voxels(image, path.name).reshape(shape)
    series = info or SeriesInfo(name=nifti_stem(path), source="nifti")
    slice_axis = canonical_axis_of(slice_axis_of(image, affine), affine)
    voxels, canonical, orientation = to_canonical(stored, affine)
    values, valid = clean(np.ascontiguousarray(voxels), None, slice_axis, series.name)
    if shape[2] == 1 or 1 in shape:
        findings += (Finding("single_slice", "one slice; its depth is the header's claim"),)
    if series.contrast_agent:
        findings += (Finding("contrast_agent", "said by the sidecar or name"),)
    return Volume(
        voxels=values,
        geometry=Geometry(values.shape, canonical),
        valid=valid,
        series=replace(series, source="nifti", slice_axis=slice_axis, digest=digest(values, canonical)),
        source_orientation=orientation,
        findings=findings,
    )


def read_labels(path: Path, name: str = "") -> tuple[LabelArray, Geometry]:
    """Read a label map in canonical axes.

    Args:
        path: .nii or .nii.gz file.
        name: what messages call it; by default its own name.

    Raises:
        UnreadableSeries: damaged, without a usable affine, or its values are not label numbers.
        MixedSeries: the file holds several volumes.
    """
    path = Path(path)
    name = name or path.name
    image = open_nifti(path, name)
    shape, affine, _ = placement(image, name)
    stored = _stored_labels(image, name) if _is_plain(image) else _voxels(image, name)
    if stored.dtype.kind == "f":
        whole = np.rint(stored)
        off = np.abs(stored - whole)
        if not np.isfinite(off).all() or off.max() > 1e-3:  # float rounding of stored integers
            raise UnreadableSeries(f"{name}: holds values that are not whole numbers; give a label map")
        stored = whole
    low, high = int(stored.min()), int(stored.max())
    if low < 0 or high > np.iinfo(np.uint16).max:
        raise UnreadableSeries(f"{name}: label numbers run from {low} to {high}; expected 0 to 65535")
    labels, canonical, _ = to_canonical(stored.reshape(shape).astype(np.uint16), affine)
    ordered = np.ascontiguousarray(labels, dtype=np.uint16)
    return ordered, Geometry(ordered.shape, canonical)


@contextmanager
def _without_log() -> Iterator[None]:
    """The library prints each header repair; what matters of them is judged and worded here."""
    log = logging.getLogger("nibabel.global")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _is_nifti2(path: Path) -> bool:
    """Whether the first header word is NIfTI-2's 540 in either byte order."""
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rb") as file:
        size = file.read(4)
    return size in (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")


def _is_plain(image: nib.Nifti1Image) -> bool:
    """Whether stored integers are the values, without scaling."""
    slope, intercept = image.header.get_slope_inter()
    return image.get_data_dtype().kind in "iu" and slope in (None, 1) and intercept in (None, 0)


def _length_unit(header: nib.Nifti1Header) -> str:
    """Unit of the affine, "unknown" where the header's number means none."""
    try:
        return str(header.get_xyzt_units()[0])
    except KeyError:
        return "unknown"


def _qform(header: nib.Nifti1Header) -> Affine | None:
    """The qform when it is set and sound, else None."""
    try:
        qform = header.get_qform(coded=True)[0]
    except (ValueError, nib.spatialimages.HeaderDataError):
        return None
    return None if qform is None else np.asarray(qform, dtype=np.float64)


def _stored_labels(image: nib.Nifti1Image, name: str) -> npt.NDArray[np.generic]:
    with _said_as_damage(name):
        return np.asanyarray(image.dataobj)


def _voxels(image: nib.Nifti1Image, name: str) -> npt.NDArray[np.float32]:
    with _said_as_damage(name):
        return np.asarray(image.get_fdata(dtype=np.float32, caching="unchanged"))


@contextmanager
def _said_as_damage(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # gzip, zlib and numpy each raise their own on damaged bytes
        raise UnreadableSeries(
            f"{name}: the voxels cannot be read ({type(error).__name__}), the file is truncated or damaged; "
            "copy it again"
        ) from None
