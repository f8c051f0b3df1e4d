"""The segmentation as a DICOM SEG object: one binary segment per muscle and side, coded, on the image's grid.

The object lies in the study of the images it was made from and carries the patient's identity (see
`grading.report.dicom_source`). Only the muscles that are graded become segments; bones and other muscles of a
label map do not.
"""

from dataclasses import dataclass

import highdicom as hd
import numpy as np
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.seg import (
    SegmentAlgorithmTypeValues,
    SegmentationTypeValues,
    SegmentDescription,
)
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code as SrCode
from pydicom.uid import ExplicitVRLittleEndian

from grading.anatomy import SIDES, Muscle, Side, label_of
from grading.report.dicom_source import DicomSource
from grading.report.palette import COLOURS
from grading.report.provenance import package_version
from grading.report.words import SHORT
from grading.segment.base import is_users_own
from grading.terminology import ANATOMICAL_STRUCTURE, MUSCLE_CODES, OWN_SCHEME, Code
from grading.terminology import SIDES as SIDE_CODES
from grading.volume import Segmentation

MANUFACTURER = "grading (research software, not a medical device)"
SERIES_NUMBER_STEP = 1000
"""Numbers of derived series: the source's plus one or two of these, so they sort behind scanned ones."""


@dataclass(frozen=True, slots=True, order=True)
class Segment:
    """One segment of the object.

    Attributes:
        number: its number, from 1 without gaps.
        muscle: what it shows.
        side: the patient's side.
        tracking_uid: by which a report speaks of the same region.
    """

    number: int
    muscle: Muscle
    side: Side
    tracking_uid: str

    @property
    def name(self) -> str:
        """The segment in words, e.g. "Gluteus medius muscle, right"."""
        return f"{MUSCLE_CODES[self.muscle].meaning}, {self.side.value}"


def sr_code(code: Code) -> SrCode:
    """A code as the DICOM libraries take it."""
    return SrCode(code.value, code.scheme, code.meaning)


def own_scheme() -> CodingSchemeIdentificationItem:
    """What the designator of the package's own concepts stands for."""
    return CodingSchemeIdentificationItem(
        OWN_SCHEME, name="Concepts of the program grading", responsible_organization="grading"
    )


def segments_of(segmentation: Segmentation) -> tuple[Segment, ...]:
    """The segments that a segmentation gives: each muscle and side that has a voxel."""
    present = set(np.unique(segmentation.labels).tolist())
    found = [(m, s) for m in Muscle for s in SIDES if label_of(m, s) in present]
    return tuple(
        Segment(number, muscle, side, str(hd.UID())) for number, (muscle, side) in enumerate(found, start=1)
    )


def dicom_seg(
    source: DicomSource, segmentation: Segmentation, segments: tuple[Segment, ...]
) -> hd.seg.Segmentation:
    """The SEG object: BINARY, a frame for each slice that shows a segment.

    Args:
        source: the images; planes, frame of reference and the patient come from them.
        segmentation: labels on their grid.
        segments: which of them to write, see `segments_of`.
    """
    number_of = {label_of(s.muscle, s.side): s.number for s in segments}
    numbers = np.zeros(segmentation.labels.shape, dtype=np.uint8)
    for label, number in number_of.items():
        numbers[segmentation.labels == label] = number
    first = source.images[0]
    version = package_version("grading")
    seg = hd.seg.Segmentation(
        source_images=list(source.images),
        pixel_array=source.planes(numbers),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(s, segmentation.method, version) for s in segments],
        series_instance_uid=hd.UID(),
        series_number=int(first.get("SeriesNumber") or 0) + SERIES_NUMBER_STEP,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name="grading",
        software_versions=version,
        device_serial_number=version,
        content_label="GLUTEAL_MUSCLES",
        content_description="Gluteal muscles; research software, no medical device",
        series_description="Gluteal muscles (grading)",
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    if source.multi_frame:
        _number_frames(seg, source.frames)
    return seg


def _description(segment: Segment, method: str, version: str) -> SegmentDescription:
    """Coded description of one segment; whoever segmented is named, and a user's label map is not ours."""
    by_user = is_users_own(method)
    algorithm = hd.AlgorithmIdentificationSequence(
        name=method[:64], family=codes.DCM.ArtificialIntelligence, version=version, source="grading"
    )
    description = SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.name,
        segmented_property_category=sr_code(ANATOMICAL_STRUCTURE),
        segmented_property_type=sr_code(MUSCLE_CODES[segment.muscle]),
        algorithm_type=SegmentAlgorithmTypeValues.MANUAL if by_user else SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=None if by_user else algorithm,
        tracking_uid=segment.tracking_uid,
        tracking_id=f"{SHORT[segment.muscle]} {segment.side.value}",
        display_color=hd.color.CIELabColor.from_string(COLOURS[segment.muscle]),
    )
    side = hd.sr.CodedConcept.from_code(sr_code(SIDE_CODES[segment.side]))
    description.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [side]
    return description


def _number_frames(seg: hd.seg.Segmentation, frames: tuple[int, ...]) -> None:
    """Name source frames by their number in the file, not by their place in the stack."""
    named = {  # segments that share a slice share its reference: each is one object, to be changed once
        id(image): image
        for group in seg.PerFrameFunctionalGroupsSequence
        for derivation in group.DerivationImageSequence
        for image in derivation.SourceImageSequence
    }
    for image in named.values():
        image.ReferencedFrameNumber = frames[int(image.ReferencedFrameNumber) - 1]
