"""The DICOM images that a volume was read from, as the objects made from them need them.

A DICOM object made from a study belongs to that study and to its patient: it repeats the name, identifier,
birth date and sex of the patient and the identifiers of the study, or an archive could not file it beside the
images. So the patient's identity is read here, and only here, in order to be written again, and only where
`--dicom` asked for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grading.errors import InputError
from grading.io.canonical import from_canonical
from grading.io.dicom_library import pydicom
from grading.volume import Volume

_MAY_BE_EMPTY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate",
    "StudyTime", "ReferringPhysicianName", "PositionReferenceIndicator",
)  # fmt: skip
"""Type 2 of the Patient, Study and Frame of Reference modules: must be there, may be empty."""
_NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
_SPACING_DECIMALS = 6  # of a mm: a decimal string holds 16 characters


@dataclass(frozen=True, slots=True, eq=False)
class DicomSource:
    """Headers of the images behind a volume.

    Attributes:
        images: one data set a slice in the order of the stack or, for a multi-frame image, that image with
            only the frames of this volume, in the order of the stack. They hold the patient's identity.
        frames: number within its file of each slice's image, from 1.
        volume: what was read from them.
    """

    images: tuple[pydicom.Dataset, ...]
    frames: tuple[int, ...]
    volume: Volume

    @property
    def multi_frame(self) -> bool:
        """Whether the slices are frames of one file."""
        return "PerFrameFunctionalGroupsSequence" in self.images[0]

    def planes(self, array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """An array on the volume's grid as the source stores images: shape (slices, rows, columns)."""
        stored, _ = from_canonical(
            array, np.asarray(self.volume.geometry.affine), self.volume.source_orientation
        )
        return np.ascontiguousarray(stored.transpose(2, 1, 0))


def dicom_source(volume: Volume) -> DicomSource:
    """Read the headers of a volume's images again, this time with the patient's identity.

    Raises:
        InputError: the volume does not come from DICOM, its files are gone, they lack an identifier that
            objects made from them must name, or its slices are spread over several multi-frame files.
    """
    name = volume.series.name
    if not volume.slices:
        raise InputError(
            f"series {name}: no DICOM objects from {volume.series.source} images, which name no patient or "
            "study to file them under; grade the DICOM series, or leave out --dicom"
        )
    paths = list(dict.fromkeys(piece.path for piece in volume.slices))
    try:
        images = [_header(path) for path in paths]
    except Exception as error:  # damaged bytes raise many kinds, whose messages quote the header
        raise InputError(
            f"series {name}: the images cannot be read again for DICOM output ({type(error).__name__}); "
            "are they still where they were?"
        ) from None
    for image in images:
        lacking = [keyword for keyword in _NEEDED if not image.get(keyword)]
        if lacking:
            raise InputError(
                f"series {name}: no DICOM objects, because the images hold no {' and no '.join(lacking)}; "
                "export the series again from the archive"
            )
        for keyword in _MAY_BE_EMPTY:
            if keyword not in image:
                setattr(image, keyword, None)
    frames = tuple(piece.frame + 1 for piece in volume.slices)
    if "PerFrameFunctionalGroupsSequence" in images[0]:
        images = [_only_frames(images, frames, volume)]
    else:
        _settle_geometry(images, volume)
    return DicomSource(tuple(images), frames, volume)


def _header(path: Path) -> pydicom.Dataset:
    return pydicom.dcmread(path, stop_before_pixels=True, force=True)


def _settle_geometry(images: Sequence[pydicom.Dataset], volume: Volume) -> None:
    """One orientation for all slices, which differ by header rounding, and the spacing that is true."""
    step = _step_mm(volume)
    for image in images:
        image.ImageOrientationPatient = images[0].ImageOrientationPatient
        image.SpacingBetweenSlices = step
        if not image.get("SliceThickness"):
            image.SliceThickness = step


def _only_frames(images: Sequence[pydicom.Dataset], frames: Sequence[int], volume: Volume) -> pydicom.Dataset:
    """A multi-frame image's header with only these frames, and what all share in the shared groups."""
    if len(images) > 1:
        raise InputError(
            f"series {volume.series.name}: no DICOM objects, because its slices are spread over "
            f"{len(images)} multi-frame files; export the series as one file, or as one file a slice"
        )
    image = images[0]
    groups = image.PerFrameFunctionalGroupsSequence
    chosen = [groups[number - 1] for number in frames]
    image.PerFrameFunctionalGroupsSequence = pydicom.Sequence(chosen)
    image.NumberOfFrames = len(chosen)
    shared = image.SharedFunctionalGroupsSequence[0]
    for keyword in ("PlaneOrientationSequence", "PixelMeasuresSequence"):
        if keyword not in shared:
            setattr(shared, keyword, getattr(chosen[0], keyword))
    measures = shared.PixelMeasuresSequence[0]
    measures.SpacingBetweenSlices = _step_mm(volume)
    if not measures.get("SliceThickness"):
        measures.SliceThickness = measures.SpacingBetweenSlices
    return image


def _step_mm(volume: Volume) -> float:
    """Distance between neighbouring slices, mm."""
    return round(volume.geometry.spacing_mm[volume.series.slice_axis], _SPACING_DECIMALS)
