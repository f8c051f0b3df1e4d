"""A reader of DICOM SEG and SR that shares no code with the writer: bits, positions and the content tree."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from grading.anatomy import SIDES, Muscle, label_of
from grading.terminology import MUSCLE_CODES
from grading.terminology import SIDES as SIDE_CODES
from grading.volume import Geometry


def labels_of(seg: Dataset, geometry: Geometry) -> npt.NDArray[np.uint16]:
    """Label map on `geometry`'s grid: each set bit goes to the voxel at its own position in the patient.

    The label of a segment follows from its coded muscle and side alone.
    """
    labels = np.zeros(geometry.shape, dtype=np.uint16)
    inverse = np.linalg.inv(geometry.affine)
    bits = np.unpackbits(np.frombuffer(seg.PixelData, dtype=np.uint8), bitorder="little")
    size = seg.Rows * seg.Columns
    names = {int(item.SegmentNumber): _label(item) for item in seg.SegmentSequence}
    shared = seg.SharedFunctionalGroupsSequence[0]
    rows, columns = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient).reshape(2, 3)
    between_rows, between_columns = shared.PixelMeasuresSequence[0].PixelSpacing
    for number, group in enumerate(seg.PerFrameFunctionalGroupsSequence):
        plane = bits[number * size : (number + 1) * size].reshape(seg.Rows, seg.Columns)
        r, c = np.nonzero(plane)
        origin = np.array(group.PlanePositionSequence[0].ImagePositionPatient, dtype=float)
        lps = origin + np.outer(c * between_columns, rows) + np.outer(r * between_rows, columns)
        ras = np.column_stack([lps * (-1, -1, 1), np.ones(len(lps))])
        index = (ras @ inverse.T)[:, :3]
        whole = np.rint(index).astype(int)
        assert np.abs(index - whole).max(initial=0) < 0.02, "a pixel lies beside the grid"
        label = names[int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)]
        assert not labels[tuple(whole.T)].any(), "a voxel is set twice"
        labels[tuple(whole.T)] = label
    return labels


def _label(segment: Dataset) -> int:
    kind = segment.SegmentedPropertyTypeCodeSequence[0]
    side = kind.SegmentedPropertyTypeModifierCodeSequence[0]
    (label,) = (
        label_of(m, s)
        for m in Muscle
        for s in SIDES
        if (MUSCLE_CODES[m].value, MUSCLE_CODES[m].scheme) == (kind.CodeValue, kind.CodingSchemeDesignator)
        and SIDE_CODES[s].value == side.CodeValue
    )
    return label


def code_value(item: Dataset) -> str:
    """Value of a coded entry, short or long."""
    return str(item.get("CodeValue") or item.LongCodeValue)


def items(node: Dataset, concept: str) -> Iterator[Dataset]:
    """Content items of that concept anywhere below a node of an SR tree."""
    for item in node.get("ContentSequence", ()):
        name = item.get("ConceptNameCodeSequence")
        if name and code_value(name[0]) == concept:
            yield item
        yield from items(item, concept)


def groups(sr: Dataset) -> list[Dataset]:
    """Measurement groups of a TID 1500 report (125007, DCM)."""
    return list(items(sr, "125007"))


def number(group: Dataset, concept: str) -> float | None:
    """Value of the one measurement of that concept in a group, None where there is none."""
    found = list(items(group, concept))
    assert len(found) <= 1
    return float(found[0].MeasuredValueSequence[0].NumericValue) if found else None


def coded(group: Dataset, concept: str) -> list[str]:
    """Values of all coded items of that concept in a group."""
    return [code_value(item.ConceptCodeSequence[0]) for item in items(group, concept)]
