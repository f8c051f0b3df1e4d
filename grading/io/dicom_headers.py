"""One DICOM file's header, read without its pixels and without trusting any of it."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from sys import intern

from grading.anatomy import Side
from grading.errors import UnreadableSeries
from grading.io.dicom_library import pydicom
from grading.io.frames import Frame
from grading.io.identity import Identity
from grading.io.roles import Acquisition, is_spin_echo, series_text
from grading.io.tags import FRAME_TAGS, HEADER_TAG_NUMBERS, PHILIPS_FRAME, PHILIPS_SCALE_SLOPE, Tags
from grading.io.words import is_no_agent

MAX_VOXELS = 2**27  # of one image: 0.5 GB as float32; a hip study has 5-50 million
MAX_PIXELS = 2**24  # of one slice, 4096 x 4096; a few bytes of a compressed stream may stand for them
_DICOMDIR = "1.2.840.10008.1.3.10"
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_IMAGES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{last}" for last in ("2", "2.1", "2.2", "4", "4.1", "4.3", "4.4")
) | {""}  # CT and MR; spectra, raw data and vendors' own reports are no images, whatever their modality
_PREAMBLE = 128  # bytes before the magic word
_FIRST_ELEMENTS = (b"\x02\x00", b"\x08\x00", b"\x00\x02", b"\x00\x08")  # groups 2 and 8, either byte order
_SIDES = {"R": Side.RIGHT, "L": Side.LEFT}
_PULSES = {
    "SPIN": {"SE"},
    "GRADIENT": {"GR"},
}  # Echo Pulse Sequence of Enhanced MR as Scanning Sequence has it
_IDENTITY_TAGS = (
    *("PatientName", "PatientID", "OtherPatientIDs", "OtherPatientNames"),
    *("PatientBirthName", "PatientBirthDate", "AccessionNumber"),
)


@dataclass(frozen=True, slots=True)
class Instance:
    """What one DICOM file says about itself.

    Attributes:
        path: the file.
        study_uid: Study Instance UID, "" when absent.
        series_uid: Series Instance UID, "" when absent.
        series_number: Series Number, None when absent.
        description: Series Description or, without one, Protocol Name; not yet free of identity.
        acquisition: how the image was made.
        contrast_agent: whether contrast agent was given, None when not said.
        laterality: side of a one-hip image, None when not said.
        identity: what names the patient; for comparing, never for printing.
        visit: Patient ID and Study Date, "" when absent; for comparing, never for printing.
        frames: its images, none when it holds no image.
        refusal: why its images cannot be used, "" when they can.
    """

    path: Path
    study_uid: str
    series_uid: str
    series_number: int | None
    description: str
    acquisition: Acquisition
    contrast_agent: bool | None
    laterality: Side | None
    identity: Identity
    frames: tuple[Frame, ...]
    refusal: str = ""
    visit: tuple[str, str] = ("", "")


def is_dicom(path: Path) -> bool:
    """Whether the file starts like DICOM: the magic word, or an old file that begins with group 2 or 8."""
    with path.open("rb") as file:
        start = file.read(_PREAMBLE + 4)
    if start[_PREAMBLE:] == b"DICM":
        return True
    old_vr = start[4:6].isalpha() or start[4:8].count(0) >= 2  # explicit VR, or a short implicit length
    return len(start) > 8 and start[:2] in _FIRST_ELEMENTS and old_vr


def read_instance(path: Path) -> Instance | None:
    """The header of one file; None when it is not DICOM, or is a DICOMDIR, which only lists other files.

    Raises:
        UnreadableSeries: it is DICOM but its header is damaged.
    """
    if not is_dicom(path):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote header values, so could print the patient's name
            dataset = pydicom.dcmread(
                path, stop_before_pixels=True, force=True, specific_tags=HEADER_TAG_NUMBERS
            )
            return _instance(path, dataset)
    except UnreadableSeries:
        raise
    except Exception as error:  # pydicom raises many kinds on damaged bytes, and quotes header values in them
        raise UnreadableSeries(
            f"the DICOM header is damaged ({type(error).__name__}); export the file again"
        ) from None


def _instance(path: Path, dataset: pydicom.Dataset) -> Instance | None:
    tags = Tags((dataset,))
    sop_class = tags.text("SOPClassUID") or str(
        getattr(getattr(dataset, "file_meta", None), "MediaStorageSOPClassUID", "")
    )
    if sop_class == _DICOMDIR:
        return None
    if not sop_class and not tags.text("Modality") and not tags.text("StudyInstanceUID"):
        raise UnreadableSeries("the file starts like DICOM but holds no study, modality or object class")
    names = tuple(chain.from_iterable(tags.texts(keyword) for keyword in _IDENTITY_TAGS))
    others = tuple(str(item.get("PatientID", "")) for item in dataset.get("OtherPatientIDsSequence") or ())
    identity = _identity((*names, *others))
    rows, columns = tags.integer("Rows"), tags.integer("Columns")
    label = identity.scrub(path.name) or "file"
    description = tags.text("SeriesDescription") or tags.text("ProtocolName")
    frames: tuple[Frame, ...] = ()
    refusal = ""
    if sop_class.startswith(_SECONDARY_CAPTURE):
        pass  # a picture of the screen: no slice of the series whose number it bears
    elif rows and columns:
        refusal = _refusal(tags, rows, columns, path.stat().st_size)
        if not refusal:
            frames = tuple(_frames(path, label, tags, rows, columns))
    elif tags.text("Modality") in {"MR", "CT"} and sop_class in _IMAGES:
        refusal = "the header does not say how large the image is; the file is damaged or incomplete"
    first = _frame_tags(tags, 0)
    return Instance(
        path=path,
        study_uid=intern(tags.text("StudyInstanceUID")),  # thousands of files share one
        series_uid=intern(tags.text("SeriesInstanceUID")),
        series_number=tags.integer("SeriesNumber"),
        description=description,
        acquisition=_acquisition(first, description, sop_class, bool(rows and columns)),
        contrast_agent=_contrast_agent(tags),
        laterality=_laterality(first),
        identity=identity,
        frames=frames,
        refusal=refusal,
        visit=(intern(tags.text("PatientID")), intern(tags.text("StudyDate"))),
    )


@lru_cache(maxsize=64)  # files come patient by patient
def _identity(values: tuple[str, ...]) -> Identity:
    return Identity.of(values)


def _refusal(tags: Tags, rows: int, columns: int, size: int) -> str:
    """Why these images, in a file of `size` bytes, cannot be read as signal; "" when the header allows it."""
    samples = tags.integer("SamplesPerPixel") or 1
    photometric = tags.text("PhotometricInterpretation") or "MONOCHROME2"
    if samples != 1 or not photometric.startswith("MONOCHROME"):
        return (
            f"colour image ({photometric}, {samples} values a pixel); fat is measured on grey-scale MR only"
        )
    if photometric == "MONOCHROME1":
        return (
            "the image is inverted (MONOCHROME1: low values are bright), so its values are no signal; export "
            "the series again as MONOCHROME2"
        )
    try:
        frames = int(tags.text("NumberOfFrames") or 1)
    except ValueError:
        return "the number of frames in the header is not a number"
    voxels = rows * columns * max(frames, 0)
    if min(rows, columns) < 1 or not 0 < voxels <= MAX_VOXELS or rows * columns > MAX_PIXELS:
        return (
            f"the header declares {columns} x {rows} pixels x {frames} frames = {voxels / 1e6:.0f} million "
            f"voxels, beyond the limit of {MAX_VOXELS / 1e6:.0f} million ({MAX_PIXELS / 1e6:.0f} a slice); "
            "the header is wrong"
        )
    if frames > 1 and frames > size:
        return f"the header declares {frames} frames in a file of {size} bytes; the file is incomplete"
    return ""


def _frames(path: Path, label: str, top: Tags, rows: int, columns: int) -> Iterator[Frame]:
    count = top.integer("NumberOfFrames") or 1
    per_frame = len(top.levels[0].get("PerFrameFunctionalGroupsSequence") or ())
    if per_frame and per_frame != count:
        raise UnreadableSeries(
            f"the header declares {count} frames but describes {per_frame}; the file is incomplete"
        )
    for index in range(count):
        tags = _frame_tags(top, index)
        slope = tags.number("RescaleSlope")
        yield Frame(
            path=path,
            index=index,
            label=label if count == 1 else f"{label} frame {index + 1}",
            rows=rows,
            columns=columns,
            position_mm=tags.numbers("ImagePositionPatient", 3),
            orientation=tags.numbers("ImageOrientationPatient", 6),
            pixel_spacing_mm=tags.numbers("PixelSpacing", 2),
            depth_mm=tags.number("SpacingBetweenSlices") or tags.number("SliceThickness"),
            traits=_traits(tags),
            slope=slope or 1.0,
            intercept=tags.number("RescaleIntercept") or 0.0,
            sop_uid=top.text("SOPInstanceUID"),
            scale_slope=_scale_slope(top, index),
        )


def _scale_slope(top: Tags, index: int) -> float | None:
    """Philips' scale slope of one frame: in Enhanced MR from its private classic header."""
    if not top.text("Manufacturer").casefold().startswith("philips"):
        return None
    levels = list(top.levels)
    for group in (top.levels[0].get("PerFrameFunctionalGroupsSequence") or ())[index : index + 1]:
        private = group.get(pydicom.tag.Tag(PHILIPS_FRAME))
        levels[:0] = private.value[:1] if private is not None and private.VR == "SQ" else ()
    slope = Tags(tuple(levels)).number(PHILIPS_SCALE_SLOPE)
    return slope if slope and slope > 0 else None


def _frame_tags(top: Tags, index: int) -> Tags:
    """Where to look for a frame's attributes: its own groups, then the shared ones, then the top level."""
    (dataset,) = top.levels
    levels: list[pydicom.Dataset] = []
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    shared = dataset.get("SharedFunctionalGroupsSequence") or ()
    for groups in (per_frame[index : index + 1], shared[:1]):
        levels += [
            item for group in groups for keyword in FRAME_TAGS for item in (group.get(keyword) or ())[:1]
        ]
    return Tags((*levels, dataset)) if levels else top


def _traits(tags: Tags) -> tuple[str, ...]:
    """Values of `grading.io.frames.TRAITS` for one frame."""
    return (
        tags.text("EffectiveEchoTime") or tags.text("EchoTime"),
        "\\".join(
            (*(tags.texts("FrameType") or tags.texts("ImageType")), tags.text("ComplexImageComponent"))
        ),
        tags.text("InversionTimes") or tags.text("InversionTime"),
        tags.text("DiffusionBValue") + "/".join(tags.texts("DiffusionGradientOrientation")),
        tags.text("TemporalPositionIndex") or tags.text("TemporalPositionIdentifier"),
        tags.text("NominalCardiacTriggerDelayTime") or tags.text("TriggerTime"),
        tags.text("FrameAcquisitionNumber") or tags.text("AcquisitionNumber"),
        tags.text("StackID"),
        tags.text("FrameAcquisitionDateTime") or tags.text("AcquisitionTime"),
    )


def _acquisition(tags: Tags, description: str, sop_class: str, has_pixels: bool) -> Acquisition:
    sequence = {value.upper() for value in tags.texts("ScanningSequence")}
    pulse = tags.text("EchoPulseSequence").upper()
    spectral = tags.text("SpectrallySelectedSuppression").upper()
    water_alone = tags.text("SpectrallySelectedExcitation").upper() == "WATER"
    return Acquisition(
        modality=tags.text("Modality").upper(),
        is_image=has_pixels and not sop_class.startswith(_SECONDARY_CAPTURE),
        text=series_text(description, tags.text("ProtocolName"), tags.text("Manufacturer")),
        image_type=tuple(value.upper() for value in tags.texts("FrameType") or tags.texts("ImageType")),
        sequence_name=tags.text("SequenceName") or tags.text("PulseSequenceName"),
        spin_echo=is_spin_echo(sequence | _PULSES.get(pulse, set())),
        inversion="IR" in sequence or tags.text("InversionRecovery").upper() == "YES",
        scan_options=tuple(value.upper() for value in tags.texts("ScanOptions")),
        fat_suppressed="FAT" in spectral or water_alone if spectral or water_alone else None,
        echo_time_ms=tags.number("EffectiveEchoTime") or tags.number("EchoTime") or None,  # 0: not known
        repetition_time_ms=tags.number("RepetitionTime"),
        inversion_time_ms=tags.number("InversionTimes") or tags.number("InversionTime"),
        flip_angle_deg=tags.number("FlipAngle"),
        b_value=tags.number("DiffusionBValue"),
        field_strength_t=tags.number("MagneticFieldStrength"),
    )


def _contrast_agent(top: Tags) -> bool | None:
    """Whether an agent was given: by its name or, as in Enhanced MR, by codes that stand there only then."""
    agent = top.text("ContrastBolusAgent")
    if agent:
        return not is_no_agent(agent)
    return True if top.levels[0].get("ContrastBolusAgentSequence") else None


def _laterality(tags: Tags) -> Side | None:
    for keyword in ("FrameLaterality", "ImageLaterality", "Laterality"):
        if tags.text(keyword).upper() in _SIDES:
            return _SIDES[tags.text(keyword).upper()]
    return None
