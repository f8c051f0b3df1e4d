"""Looking up DICOM attributes that may be absent, empty, malformed or nested."""

import math
from collections.abc import MutableSequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, overload

from grading.io.dicom_library import pydicom

# Functional groups of Enhanced MR that hold what classic instances keep at the top level.
FRAME_TAGS = (
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "PixelValueTransformationSequence",
    "FrameContentSequence",
    "FrameAnatomySequence",
    "MRImageFrameTypeSequence",
    "MREchoSequence",
    "MRModifierSequence",
    "MRTimingAndRelatedParametersSequence",
    "MRDiffusionSequence",
    "MRMetaboliteMapSequence",
    "CardiacSynchronizationSequence",
    "UnassignedPerFrameConvertedAttributesSequence",  # of classic files that an archive joined to one
    "UnassignedSharedConvertedAttributesSequence",
)
HEADER_TAGS = (
    *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber"),
    *("PatientName", "PatientID", "OtherPatientIDs", "OtherPatientNames"),
    *("OtherPatientIDsSequence", "PatientBirthName", "PatientBirthDate", "AccessionNumber", "StudyDate"),
    *("Modality", "Manufacturer", "ImageType", "SeriesDescription", "ProtocolName"),
    *("SequenceName", "PulseSequenceName"),
    *("ScanningSequence", "ScanOptions", "EchoPulseSequence", "InversionRecovery", "ComplexImageComponent"),
    *("EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "MagneticFieldStrength"),
    *(
        "SpectrallySelectedSuppression",
        "SpectrallySelectedExcitation",
        "DiffusionBValue",
        "DiffusionGradientOrientation",
    ),
    *("TemporalPositionIdentifier", "TriggerTime", "AcquisitionNumber", "AcquisitionTime"),
    *("ContrastBolusAgent", "ContrastBolusAgentSequence", "Laterality", "ImageLaterality"),
    *("Rows", "Columns", "NumberOfFrames"),
    *("SamplesPerPixel", "PhotometricInterpretation", "ImagePositionPatient", "ImageOrientationPatient"),
    *("PixelSpacing", "SpacingBetweenSlices", "SliceThickness", "RescaleSlope", "RescaleIntercept"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
)
PHILIPS_CREATOR, PHILIPS_SCALE_SLOPE = "20050010", "2005100E"  # of block "Philips MR Imaging DD 001"
PHILIPS_FRAME = "2005140F"  # sequence in the functional groups of a frame: its classic header
HEADER_TAG_NUMBERS = [
    pydicom.tag.Tag(keyword) for keyword in (*HEADER_TAGS, PHILIPS_CREATOR, PHILIPS_SCALE_SLOPE)
]
"""The same as numbers, because looking up the words takes longer than reading the header."""

_SIGN_ELSEWHERE = frozenset(map(pydicom.tag.Tag, ("PixelPaddingValue", "PixelPaddingRangeLimit")))
"""Where types are implicit, Pixel Representation decides whether these are signed: the bytes alone do not."""

_MALFORMED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, NotImplementedError)


@cache
def _number_of(keyword: str) -> pydicom.tag.BaseTag:
    return pydicom.tag.Tag(keyword)


_seen: dict[tuple[object, ...], tuple[str, ...]] = {}
"""Texts of raw values met before: most of a header is the same in all files of a series."""
_MOST_SEEN, _LONGEST_SEEN = 4096, 64


def _texts(level: pydicom.Dataset, number: pydicom.tag.BaseTag) -> tuple[str, ...]:
    """Values of an element that is there, as stripped text; () when empty or malformed."""
    raw = level.get_item(number, keep_deferred=True)
    raw_type = pydicom.dataelem.RawDataElement
    if not isinstance(raw, raw_type) or raw.value is None or len(raw.value) > _LONGEST_SEEN:
        return _converted(level, number)
    if number in _SIGN_ELSEWHERE:
        return _converted(level, number)
    key = (*raw[:2], raw.value, raw.is_little_endian, str(level.original_character_set))
    if key not in _seen:
        if len(_seen) >= _MOST_SEEN:
            _seen.clear()
        _seen[key] = _converted(level, number)
    return _seen[key]


def _converted(level: pydicom.Dataset, number: pydicom.tag.BaseTag) -> tuple[str, ...]:
    try:
        value = level[number].value
        if value is None or value == "":
            return ()
        many = list(value) if isinstance(value, MutableSequence) else [value]
        return tuple(str(item).strip(" \0") for item in many)
    except _MALFORMED:
        return ()


@dataclass(frozen=True, slots=True)
class Tags:
    """Data sets in order of precedence; a malformed value reads as an absent one."""

    levels: tuple[pydicom.Dataset, ...]
    known: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)

    def texts(self, keyword: str) -> tuple[str, ...]:
        """All values as stripped text; () when absent or empty."""
        if keyword not in self.known:
            self.known[keyword] = self._look_up(keyword)
        return self.known[keyword]

    def _look_up(self, keyword: str) -> tuple[str, ...]:
        number = _number_of(keyword)
        for level in self.levels:
            if number in level:  # much the fastest way to learn that, and most are absent
                texts = _texts(level, number)
                if any(texts):
                    return texts
        return ()

    def text(self, keyword: str) -> str:
        """The first value as stripped text; "" when absent or empty."""
        values = self.texts(keyword)
        return values[0] if values else ""

    @overload
    def numbers(self, keyword: str, count: Literal[2]) -> tuple[float, float] | None: ...
    @overload
    def numbers(self, keyword: str, count: Literal[3]) -> tuple[float, float, float] | None: ...
    @overload
    def numbers(
        self, keyword: str, count: Literal[6]
    ) -> tuple[float, float, float, float, float, float] | None: ...
    def numbers(self, keyword: str, count: int) -> tuple[float, ...] | None:
        """Exactly `count` finite numbers, else None."""
        try:
            values = tuple(float(text) for text in self.texts(keyword))
        except ValueError:
            return None
        return values if len(values) == count and all(map(math.isfinite, values)) else None

    def number(self, keyword: str) -> float | None:
        """The first value as a finite number, else None."""
        try:
            value = float(self.text(keyword))
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def integer(self, keyword: str) -> int | None:
        """The first value as an integer, else None."""
        value = self.number(keyword)
        return int(value) if value is not None and value == int(value) else None
