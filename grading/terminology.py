"""Standard codes of what the package names, for objects that other systems read.

Glutei are coded in SNOMED CT, by the concept of the muscle's *structure* (a muscle cut by the field of view
is still that), not of the *entire* muscle that some published tables give for maximus (181674001); one of
those tables codes minimus as medius, which is not followed here. No SNOMED CT concept for tensor fasciae
latae could be checked against a published source, so it carries the code that DICOM itself gives it in
CID 3031 (ISO/IEEE 11073 MDC). Sides and parts of a muscle are modifiers, from DICOM CID 244 and CID 2.
"""

from dataclasses import dataclass

from grading.anatomy import Muscle, Region, Side


@dataclass(frozen=True, slots=True)
class Code:
    """One concept of one coding scheme.

    Attributes:
        value: the code itself.
        scheme: DICOM's designator of the coding scheme: "SCT", "DCM", "UCUM", "MDC", or `OWN_SCHEME`.
        meaning: the concept in words, at most `MEANING_CHARACTERS` long.
    """

    value: str
    scheme: str
    meaning: str


MEANING_CHARACTERS = 64  # room for a meaning in DICOM (Code Meaning is LO)

OWN_SCHEME = "99GRADING"
"""Designator of concepts that no standard names; DICOM reserves "99" for such (PS3.16 section 8.2)."""

MUSCLE_CODES: dict[Muscle, Code] = {
    Muscle.GLUTEUS_MAXIMUS: Code("206007", "SCT", "Gluteus maximus muscle"),
    Muscle.GLUTEUS_MEDIUS: Code("78333006", "SCT", "Gluteus medius muscle"),
    Muscle.GLUTEUS_MINIMUS: Code("75297007", "SCT", "Gluteus minimus muscle"),
    Muscle.TENSOR_FASCIAE_LATAE: Code("7:808", "MDC", "Musculus tensor fasciae latae"),
}

SIDES: dict[Side, Code] = {
    Side.LEFT: Code("7771000", "SCT", "Left"),
    Side.RIGHT: Code("24028007", "SCT", "Right"),
}

REGIONS: dict[Region, Code] = {
    Region.ANTERIOR: Code("255549009", "SCT", "Anterior"),
    Region.MIDDLE: Code("middle", OWN_SCHEME, "Middle third"),
    Region.POSTERIOR: Code("255551008", "SCT", "Posterior"),
    Region.UPPER: Code("264217000", "SCT", "Superior"),
    Region.LOWER: Code("261089000", "SCT", "Inferior"),
}
"""Parts of a muscle; the whole muscle has no modifier."""

ANATOMICAL_STRUCTURE = Code("91723000", "SCT", "Anatomical Structure")  # CID 7150, kind of every segment
MUSCLE = Code("91727004", "SCT", "Muscle")  # CID 7191

VOLUME = Code("118565006", "SCT", "Volume")  # CID 7469, as the next two
AREA = Code("131184002", "SCT", "Area of defined region")
FAT_FRACTION = Code("129100", "DCM", "Fat fraction")
MAXIMUM = Code("56851009", "SCT", "Maximum")  # CID 7464
LEVEL_AREAS: dict[Muscle, Code] = {
    Muscle.GLUTEUS_MAXIMUS: Code(
        "area-above-head", OWN_SCHEME, "Area of axial section just above the femoral head"
    ),
    Muscle.GLUTEUS_MEDIUS: Code(
        "area-joint-end", OWN_SCHEME, "Area of axial section at the sacroiliac joint's lower end"
    ),
}
"""Cross-sections at the levels of `grading.segment.levels`."""
COVERED_VOLUME = Code("covered-volume", OWN_SCHEME, "Volume of the part of the muscle in the image")
LEAN_VOLUME = Code("lean-volume", OWN_SCHEME, "Volume without intramuscular fat")
VOLUME_SE = Code("volume-se", OWN_SCHEME, "Standard error of the volume, or of the part in the image")
FAT_FRACTION_SE = Code("fat-fraction-se", OWN_SCHEME, "Standard error of the fat fraction")
COVERAGE = Code("coverage", OWN_SCHEME, "Share of the muscle in the image")

FAT_METHODS: dict[str, Code] = {
    "t1": Code("ff-t1", OWN_SCHEME, "T1 signal between lean muscle and subcutaneous fat"),
    "dixon": Code("ff-dixon", OWN_SCHEME, "Dixon: fat / (fat + water)"),
}
"""How a fat fraction was measured; the two are different quantities."""

CUBIC_CENTIMETRE = Code("cm3", "UCUM", "cubic centimeter")
SQUARE_CENTIMETRE = Code("cm2", "UCUM", "square centimeter")
PERCENT = Code("%", "UCUM", "Percent")

FINDING = Code("finding", OWN_SCHEME, "What limits this measurement")


def stage_name(scale: str) -> Code:
    """The concept of a stage on a grading scale."""
    return _own(f"{scale}-stage", f"Fat-fraction-derived {_words(scale)} stage")


def possible_stage_name(scale: str) -> Code:
    """The concept of a stage that the measurement's error leaves possible."""
    return _own(f"{scale}-possible", f"{_words(scale)} stage that the error leaves possible")


def stage_code(scale: str, stage: int | str) -> Code:
    """One stage of a grading scale."""
    return _own(f"{scale}-{stage}", f"{_words(scale)} stage {stage}")


def finding_code(code: str) -> Code:
    """A finding of `grading.findings`."""
    return _own(code, _words(code))


def _own(value: str, meaning: str) -> Code:
    """A concept of the package's own; a user may give a scale a longer name than DICOM has room for."""
    return Code(value, OWN_SCHEME, meaning[:MEANING_CHARACTERS])


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
