"""Findings: what a reader must know before believing a number.

Every code that can stand in a `findings` column is a row of `FINDINGS`, so a reader can look it up
and a typo cannot invent a new one.
"""

from dataclasses import dataclass
from enum import StrEnum

from grading.anatomy import Muscle, Side


class Severity(StrEnum):
    """How much a finding limits the number beside it."""

    NOTE = "note"  # worth knowing, the number stands
    CAUTION = "caution"  # the number is weaker than its error says
    STOP = "stop"  # the number is withheld


@dataclass(frozen=True, slots=True)
class FindingKind:
    """One kind of finding: its severity and one sentence for people."""

    severity: Severity
    meaning: str


FINDINGS: dict[str, FindingKind] = {
    "sform_qform_disagree": FindingKind(
        Severity.CAUTION, "NIfTI sform and qform place the image differently; the sform was used."
    ),
    "contrast_agent": FindingKind(
        Severity.NOTE, "Contrast agent was given; the muscle reference comes from this image, so it cancels."
    ),
    "contrast_assumed": FindingKind(
        Severity.CAUTION, "Neither header nor name tells the contrast; the image was taken to be T1-weighted."
    ),
    "duplicate_slices": FindingKind(Severity.NOTE, "Identical copies of slices were dropped."),
    "sheared_stack": FindingKind(Severity.NOTE, "Slices are not stacked along their normal; the true grid is used."),
    "single_slice": FindingKind(Severity.CAUTION, "The image is one slice; its depth is only the header's claim."),
    "unreadable_files": FindingKind(
        Severity.CAUTION, "Files beside the series could not be read; slices may be missing at its ends."
    ),
    "cut_by_field_of_view": FindingKind(
        Severity.CAUTION, "The muscle leaves the image; its whole volume is not known."
    ),
    "not_found": FindingKind(Severity.STOP, "The muscle was not found in the image."),
    "too_small": FindingKind(Severity.STOP, "Too few voxels remain after erosion to measure fat."),
    "no_fat_reference": FindingKind(Severity.STOP, "No subcutaneous fat in view to scale the signal against."),
    "no_muscle_reference": FindingKind(Severity.STOP, "No lean muscle in view to scale the signal against."),
    "laterality_contradiction": FindingKind(
        Severity.CAUTION, "The header and the anatomy disagree about which side is which."
    ),
    "side_assumed": FindingKind(
        Severity.CAUTION, "One hip is in view and nothing names its side; name it with --side."
    ),
    "mask_resampled": FindingKind(Severity.NOTE, "The label map was resampled onto the image's grid."),
    "unknown_labels": FindingKind(Severity.NOTE, "The label map holds numbers its scheme does not name; ignored."),
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One observation about a study (`muscle` and `side` None) or about one muscle.

    Attributes:
        code: a key of `FINDINGS`.
        detail: what was measured, with numbers, free of patient identity.
        muscle: the muscle concerned, or None for the whole study.
        side: the side concerned, or None.
    """

    code: str
    detail: str = ""
    muscle: Muscle | None = None
    side: Side | None = None

    def __post_init__(self) -> None:
        if self.code not in FINDINGS:
            raise ValueError(f"unknown finding code {self.code!r}; add it to FINDINGS")

    @property
    def severity(self) -> Severity:
        """Severity of this kind of finding."""
        return FINDINGS[self.code].severity
