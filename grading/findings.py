"""Findings: what a reader must know before believing a number.

Every code that can stand in a `findings` column is a row of `FINDINGS`, so a reader can look it up
and a typo cannot invent a new one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from grading.anatomy import Muscle, Region, Side


class Severity(StrEnum):
    """How much a finding limits the number beside it."""

    NOTE = "note"  # worth knowing, the number stands
    CAUTION = "caution"  # the number is weaker than its error says
    STOP = "stop"  # the number is withheld
    ALARM = "alarm"  # to be settled before anything is read: every number may be of the other side


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
    "sheared_stack": FindingKind(
        Severity.NOTE, "Slices are not stacked along their normal; the true grid is used."
    ),
    "single_slice": FindingKind(
        Severity.CAUTION, "The image is one slice; its depth is only the header's claim."
    ),
    "unreadable_files": FindingKind(
        Severity.CAUTION, "Files beside the series could not be read; slices may be missing at its ends."
    ),
    "cut_by_field_of_view": FindingKind(
        Severity.CAUTION, "The muscle leaves the image; its whole volume is not known."
    ),
    "not_found": FindingKind(Severity.STOP, "The muscle, or this region of it, was not found in the image."),
    "low_confidence": FindingKind(
        Severity.CAUTION, "The network is unsure of this outline; look at it before believing its numbers."
    ),
    "outline_unusable": FindingKind(
        Severity.STOP, "The network is too unsure of this outline; correct it and run again with --masks."
    ),
    "too_small": FindingKind(Severity.STOP, "Too few voxels remain after erosion to measure fat."),
    "no_fat_reference": FindingKind(
        Severity.STOP, "No subcutaneous fat in view to scale the signal against."
    ),
    "no_muscle_reference": FindingKind(Severity.STOP, "No lean muscle in view to scale the signal against."),
    "fat_reference_other_side": FindingKind(
        Severity.CAUTION, "Subcutaneous fat of the other side served as reference; this side shows none."
    ),
    "lean_reference_doubtful": FindingKind(
        Severity.CAUTION,
        "Even the leanest muscles are nearly as bright as fat, so none may be lean; the error is widened.",
    ),
    "lean_reference_alone": FindingKind(
        Severity.CAUTION,
        "One muscle alone is outlined, its own lean reference: fat that both sides have is missed.",
    ),
    "metal_artefact": FindingKind(
        Severity.CAUTION, "Metal disturbs the image; its surroundings were left out of every fat fraction."
    ),
    "fat_fraction_scale": FindingKind(
        Severity.NOTE,
        "The scale of the ready-made fat-fraction map was read from the fat beside the muscles.",
    ),
    "two_point_folds": FindingKind(
        Severity.CAUTION,
        "In/opposed phase: a voxel over one half reads as its complement, so fatty can pass for lean.",
    ),
    "dixon_long_echo": FindingKind(
        Severity.CAUTION,
        "Dixon images of a long echo time: water has faded before fat, so fat fractions read too high.",
    ),
    "water_fat_swap": FindingKind(
        Severity.STOP, "Subcutaneous fat reads as water: the Dixon images are exchanged here."
    ),
    "fat_reads_low": FindingKind(
        Severity.CAUTION, "Subcutaneous fat reads lower than fat should; Dixon fractions may be too low."
    ),
    "swap_not_checked": FindingKind(
        Severity.NOTE, "No subcutaneous fat in view to check that fat and water were not exchanged."
    ),
    "partly_excluded": FindingKind(
        Severity.CAUTION, "Part of the muscle carries no usable signal and was left out of its fat fraction."
    ),
    "mostly_excluded": FindingKind(Severity.STOP, "Most of the muscle carries no usable signal."),
    "one_side_in_view": FindingKind(
        Severity.NOTE, "Gluteal muscles of one side only were found; sides cannot be compared."
    ),
    "reference_mismatch": FindingKind(
        Severity.CAUTION, "Subcutaneous fat differs between the sides after shading correction."
    ),
    "implausible_volume": FindingKind(
        Severity.CAUTION, "The muscle's volume lies far outside published values; look at its outline."
    ),
    "possible_mass": FindingKind(
        Severity.CAUTION,
        "A large ball of the outline holds no streak of fat, as a mass would; look at the picture.",
    ),
    "fractions_disagree": FindingKind(
        Severity.NOTE,
        "Mean fat fraction and share of fat voxels differ: fine fat, or references that are off.",
    ),
    "common_slab": FindingKind(
        Severity.NOTE, "Sides were compared on the part of the muscle that both show, not on whole muscles."
    ),
    "unlike_levels": FindingKind(
        Severity.CAUTION,
        "One hip lies higher than the other: levels that both show are not the same part of both muscles.",
    ),
    "not_comparable": FindingKind(
        Severity.STOP,
        "Volumes of the sides cannot be compared: one is missing, cut unlike, badly or partly outlined.",
    ),
    "fat_not_comparable": FindingKind(
        Severity.STOP,
        "Fat of the sides cannot be compared: not known, or read of unlike parts, or folded at one half.",
    ),
    "no_published_limit": FindingKind(
        Severity.NOTE, "No normal side-to-side limit is published for gluteal fat fraction."
    ),
    "laterality_contradiction": FindingKind(
        Severity.ALARM, "The header and the anatomy disagree about which side is which."
    ),
    "side_assumed": FindingKind(
        Severity.CAUTION, "One hip is in view and nothing names its side; name it with --side."
    ),
    "other_hip_apart": FindingKind(
        Severity.NOTE,
        "Each hip has an image, and a study, of its own; sides of two images are not compared.",
    ),
    "region_by_geometry": FindingKind(
        Severity.NOTE, "No complete rule is published for this region; it was cut out by geometry."
    ),
    "region_level_assumed": FindingKind(
        Severity.CAUTION,
        "This side shows no labelled femoral head; the level between upper and lower maximus is an estimate.",
    ),
    "region_undefined": FindingKind(
        Severity.STOP, "Nothing in view tells where this region of the muscle begins."
    ),
    "anterior_often_fatty": FindingKind(
        Severity.NOTE,
        "Anterior gluteus minimus is fatty in people without symptoms too; read the posterior part first.",
    ),
    "dicom_not_written": FindingKind(
        Severity.NOTE, "DICOM objects were asked for but the images do not allow them."
    ),
    "mask_resampled": FindingKind(Severity.NOTE, "The label map was resampled onto the image's grid."),
    "partly_outlined": FindingKind(
        Severity.CAUTION,
        "The label map leaves part of the image not outlined; volumes are of the rest only.",
    ),
    "unknown_labels": FindingKind(
        Severity.NOTE, "The label map holds numbers its scheme does not name; ignored."
    ),
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One observation about a study (`muscle` and `side` None) or about one muscle.

    Attributes:
        code: a key of `FINDINGS`.
        detail: what was measured, with numbers, free of patient identity.
        muscle: the muscle concerned, or None for the whole study.
        side: the side concerned, or None.
        region: the region concerned (`Region.WHOLE`: the whole muscle only), or None for all of them.
    """

    code: str
    detail: str = ""
    muscle: Muscle | None = None
    side: Side | None = None
    region: Region | None = None

    def __post_init__(self) -> None:
        if self.code not in FINDINGS:
            raise ValueError(f"unknown finding code {self.code!r}; add it to FINDINGS")

    @property
    def severity(self) -> Severity:
        """Severity of this kind of finding."""
        return FINDINGS[self.code].severity


def says(findings: Iterable[Finding], code: str) -> bool:
    """Whether a finding of this kind is among them."""
    return any(finding.code == code for finding in findings)
