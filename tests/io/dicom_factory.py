"""DICOM made in memory with a known place in the patient, for tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
MR = UID("1.2.840.10008.5.1.4.1.1.4")
ENHANCED_MR = UID("1.2.840.10008.5.1.4.1.1.4.1")
T1 = {"ScanningSequence": "SE", "RepetitionTime": 500, "EchoTime": 10, "SeriesDescription": "t1_tse"}


def uid(text: str) -> str:
    """A UID that is always the same for the same text."""
    return str(generate_uid(entropy_srcs=[text]))


def image(shape: tuple[int, int, int] = (12, 10, 6), seed: int = 0) -> npt.NDArray[np.uint16]:
    """Noise with axes (column, row, slice), without zeros."""
    return np.random.default_rng(seed).integers(1, 1000, size=shape).astype(np.uint16)


def dataset(
    study: str = "study", series: str = "series", syntax: UID = ExplicitVRLittleEndian, **tags: Any
) -> Dataset:
    """An MR instance without pixels."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = MR
    ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid(study), uid(series)
    ds.Modality, ds.SeriesNumber = "MR", 5
    ds.PatientName, ds.PatientID = "Doe^Jane", "PID-4711"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    for keyword, value in tags.items():
        setattr(ds, keyword, value)
    return ds


def add_pixels(ds: Dataset, pixels: npt.NDArray[np.generic]) -> Dataset:
    """Store pixels of shape (rows, columns) or (frames, rows, columns)."""
    ds.Rows, ds.Columns = pixels.shape[-2:]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = pixels.dtype.itemsize * 8
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, int(pixels.dtype.kind == "i")
    big = not ds.file_meta.TransferSyntaxUID.is_little_endian
    ds.PixelData = np.ascontiguousarray(
        pixels, dtype=pixels.dtype.newbyteorder(">" if big else "<")
    ).tobytes()
    ds["PixelData"].VR = "OW"
    return ds


def positions(
    count: int, orientation: Sequence[float], origin: Sequence[float], step_mm: float
) -> npt.NDArray[np.float64]:
    """Positions of `count` slices along the normal, LPS mm."""
    normal = np.cross(orientation[:3], orientation[3:])
    return np.asarray(origin) + np.outer(np.arange(count) * step_mm, normal)


def slices(
    voxels: npt.NDArray[np.generic],
    *,
    orientation: Sequence[float] = AXIAL,
    origin: Sequence[float] = (-50.0, -40.0, 30.0),
    pixel_spacing: tuple[float, float] = (0.8, 1.2),
    step_mm: float = 4.0,
    places: npt.NDArray[np.float64] | None = None,
    **tags: Any,
) -> list[Dataset]:
    """One classic instance a slice from voxels with axes (column, row, slice)."""
    where = positions(voxels.shape[2], orientation, origin, step_mm) if places is None else places
    result = []
    for k in range(voxels.shape[2]):
        ds = dataset(**{**T1, **tags})
        ds.ImageOrientationPatient = [f"{v:.9f}" for v in orientation]
        ds.ImagePositionPatient = [f"{v:.9f}" for v in where[k]]
        ds.PixelSpacing = list(pixel_spacing)
        ds.SliceThickness = 99  # a lie that nobody may use
        ds.InstanceNumber = 1  # another
        result.append(add_pixels(ds, np.ascontiguousarray(voxels[:, :, k].T)))
    return result


def save(instances: Sequence[Dataset], folder: Path, names: Sequence[str] | None = None) -> Path:
    """Write instances as files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, ds in enumerate(instances):
        name = names[number] if names else f"IM{number:04d}"
        ds.save_as(folder / name, enforce_file_format=True)
    return folder


def enhanced(
    voxels: npt.NDArray[np.generic],
    *,
    orientation: Sequence[float] = AXIAL,
    origin: Sequence[float] = (-50.0, -40.0, 30.0),
    pixel_spacing: tuple[float, float] = (0.8, 1.2),
    step_mm: float = 4.0,
    frame_types: Sequence[str] = ("M",),
    slope: float = 1.0,
    order: Sequence[int] | None = None,
) -> Dataset:
    """One Enhanced MR instance; `frame_types` repeats the stack once for each, scaled by its number."""
    where = positions(voxels.shape[2], orientation, origin, step_mm)
    ds = dataset(SeriesDescription="t1_enhanced")
    ds.SOPClassUID = ENHANCED_MR
    shared = Dataset()
    shared.PlaneOrientationSequence = Items([_group(ImageOrientationPatient=list(orientation))])
    shared.PixelMeasuresSequence = Items([_group(PixelSpacing=list(pixel_spacing), SliceThickness=99)])
    shared.MRTimingAndRelatedParametersSequence = Items([_group(RepetitionTime=500, FlipAngle=90)])
    shared.MREchoSequence = Items([_group(EffectiveEchoTime=10.0)])
    ds.EchoPulseSequence = "SPIN"
    ds.SharedFunctionalGroupsSequence = Items([shared])
    frames, groups = [], []
    for number, frame_type in enumerate(frame_types, start=1):
        for k in order or range(voxels.shape[2]):
            group = Dataset()
            group.PlanePositionSequence = Items([_group(ImagePositionPatient=[float(v) for v in where[k]])])
            kind = ["ORIGINAL", "PRIMARY", frame_type, "NONE"]
            group.MRImageFrameTypeSequence = Items([_group(FrameType=kind)])
            group.PixelValueTransformationSequence = Items([_group(RescaleSlope=slope, RescaleIntercept=0)])
            groups.append(group)
            frames.append(voxels[:, :, k].T * number)
    ds.PerFrameFunctionalGroupsSequence = Items(groups)
    ds.NumberOfFrames = len(frames)
    return add_pixels(ds, np.stack(frames).astype(voxels.dtype))


def _group(**tags: Any) -> Dataset:
    item = Dataset()
    for keyword, value in tags.items():
        setattr(item, keyword, value)
    return item
