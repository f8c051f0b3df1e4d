"""Writes an image as a DICOM series of classic MR images, one file a slice."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, RLELossless, generate_uid

from grading.phantom.protocol import Protocol
from grading.volume import Geometry

# per plane: canonical axes (and their direction) that columns run along to the right and rows downward
_LAYOUT: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "coronal": ((0, -1), (2, -1)),
    "axial": ((0, -1), (1, -1)),
    "sagittal": ((1, -1), (2, -1)),
}
_RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])
_HYDROGEN_MHZ_PER_T = 42.577
_WINDOW_SHARE = 0.6  # window centre over full fat signal


@dataclass(frozen=True, slots=True)
class SeriesHeader:
    """What a series says about itself.

    Attributes:
        study: seeds every UID: the same text gives the same UIDs.
        number: series number.
        description: series description.
        sequence_name: vendor's name of the pulse sequence.
        patient_name: fictitious, DICOM PN.
        patient_id: fictitious.
        date: of study and series, YYYYMMDD.
    """

    study: str
    number: int = 5
    description: str = "t1_tse_cor"
    sequence_name: str = "tse2d1_3"
    patient_name: str = "Phantom^Digital"
    patient_id: str = "PHANTOM-0001"
    date: str = "20240102"


def write_dicom(
    stored: npt.NDArray[np.uint16], geometry: Geometry, protocol: Protocol, header: SeriesHeader, folder: Path
) -> list[Path]:
    """Write one series into a folder.

    Args:
        stored: pixel values, canonical axes (i, j, k).
        geometry: grid of `stored`, axis-aligned RAS+.
        protocol: plane and timing.
        header: descriptions.
        folder: existing folder; files are named `0001.dcm` on, in stacking order.

    Returns:
        The files, in stacking order.
    """
    slices = np.moveaxis(stored, protocol.slice_axis, 0)
    files = []
    for index in range(slices.shape[0]):
        instance = _instance(stored, geometry, protocol, header, index)
        path = folder / f"{index + 1:04d}.dcm"
        instance.save_as(path, enforce_file_format=True)
        files.append(path)
    return files


def _instance(
    stored: npt.NDArray[np.uint16], geometry: Geometry, protocol: Protocol, header: SeriesHeader, index: int
) -> Dataset:
    axis = protocol.slice_axis
    columns, rows = _LAYOUT[protocol.plane]
    picture = np.take(stored, index, axis=axis)
    in_plane = [a for a in range(3) if a != axis]
    first = np.zeros(3)  # voxel index of the top left pixel
    first[axis] = index
    for canonical, direction in (columns, rows):
        if direction < 0:
            picture = np.flip(picture, in_plane.index(canonical))
            first[canonical] = geometry.shape[canonical] - 1
    if in_plane == [columns[0], rows[0]]:  # pixel arrays are (row, column)
        picture = picture.T
    steps = geometry.affine[:3, :3] / np.asarray(geometry.spacing_mm)
    orientation = [
        value for canonical, sign in (columns, rows) for value in sign * steps[:, canonical] * _RAS_TO_LPS
    ]
    position = (geometry.affine[:3, :3] @ first + geometry.affine[:3, 3]) * _RAS_TO_LPS

    ds = _common(protocol, header, float(stored.max()))
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID = MRImageStorage
    ds.file_meta.MediaStorageSOPInstanceUID = _uid(header, "instance", header.number, index)
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID
    ds.InstanceNumber = index + 1
    ds.ImageOrientationPatient = [round(float(v), 6) + 0.0 for v in orientation]
    ds.ImagePositionPatient = [round(float(v), 4) + 0.0 for v in position]
    ds.SliceLocation = round(float(position[axis]), 4)
    ds.PixelSpacing = [geometry.spacing_mm[rows[0]], geometry.spacing_mm[columns[0]]]
    ds.Rows, ds.Columns = picture.shape
    ds.PixelData = np.ascontiguousarray(picture, dtype="<u2").tobytes()
    ds["PixelData"].VR = "OW"
    ds.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    return ds


def _common(protocol: Protocol, header: SeriesHeader, brightest: float) -> Dataset:
    """Everything that all instances of the series share."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    ds.SOPClassUID = MRImageStorage
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = header.date
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = "120000"
    ds.AccessionNumber = ""
    ds.Modality = "MR"
    ds.Manufacturer = "Digital phantom"
    ds.ManufacturerModelName = "grading.phantom"
    ds.ReferringPhysicianName = ""
    ds.StudyDescription = "Synthetic pelvis, not a patient"
    ds.SeriesDescription = header.description
    ds.PatientName, ds.PatientID = header.patient_name, header.patient_id
    ds.PatientBirthDate, ds.PatientSex = "", "O"
    ds.PatientIdentityRemoved = "YES"
    ds.DeidentificationMethod = "computed from formulas: there is no patient"
    ds.BodyPartExamined = "PELVIS"
    ds.ScanningSequence = "SE"
    ds.SequenceVariant = "SK"
    ds.ScanOptions = ""
    ds.MRAcquisitionType = "2D"
    ds.SequenceName = header.sequence_name
    ds.SliceThickness = protocol.slice_mm
    ds.SpacingBetweenSlices = protocol.slice_mm + protocol.gap_mm
    ds.RepetitionTime, ds.EchoTime = protocol.tr_ms, protocol.te_ms
    ds.EchoTrainLength, ds.NumberOfAverages, ds.FlipAngle = 3, 1, 150
    ds.MagneticFieldStrength = protocol.field_strength_t
    ds.ImagingFrequency = round(protocol.field_strength_t * _HYDROGEN_MHZ_PER_T, 4)
    ds.ImagedNucleus = "1H"
    ds.PatientPosition = "HFS"
    ds.StudyInstanceUID = _uid(header, "study")
    ds.SeriesInstanceUID = _uid(header, "series", header.number)
    ds.FrameOfReferenceUID = _uid(header, "frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.StudyID, ds.SeriesNumber, ds.AcquisitionNumber = "1", header.number, 1
    ds.Laterality = ""
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.WindowCenter, ds.WindowWidth = round(_WINDOW_SHARE * brightest / 1.3), round(brightest / 1.1)
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
    return ds


def _uid(header: SeriesHeader, *what: str | int) -> UID:
    return generate_uid(entropy_srcs=["grading.phantom", header.study, *(str(w) for w in what)])
