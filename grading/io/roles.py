"""What a series shows: from header fields, names and echo physics to a `Role` and the reason for it.

DICOM headers and NIfTI names with sidecars are first brought into one `Acquisition`, so one set of
tables decides for both. Tables come first; physics decides the weighting, words only where it is silent.
"""

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from grading.io.words import finds, words_of
from grading.series import Role

MAX_T1_TR_MS = 1200.0  # spin echo: T1 weighting needs TR near tissue T1; clinical T1 TSE is 400-900 ms
MAX_T1_TE_MS = 35.0  # spin echo: T1 TSE is 8-15 ms, older SE up to 30 ms
MIN_T2_TE_MS = 55.0  # spin echo: between the two lies proton density
MIN_SPIN_ECHO_TR_MS = 250.0  # where the kind of echo is not said: volumes by gradient echo repeat faster
MAX_STIR_TI_MS = 300.0  # inversion time that nulls fat: 130-180 ms at 1.5 T, 200-240 ms at 3 T
MAX_T1_TI_MS = 1200.0  # longer inversion times null fluid (FLAIR), not T1-weight
MAX_T1_GRADIENT_TE_MS = 12.0  # gradient echo: beyond it T2* decides
MIN_T1_FLIP_DEG = 8.0  # gradient echo with short TR: below it proton density decides
FAT_WATER_SHIFT_PPM = 3.4  # main methylene peak against water
GYROMAGNETIC_MHZ_PER_T = 42.577

_IMAGE_TYPES: dict[str, Role] = {
    "LOCALIZER": Role.LOCALIZER,
    "DIFFUSION": Role.DWI, "ADC": Role.DWI, "TRACEW": Role.DWI, "FA": Role.DWI,
    "WATER": Role.WATER, "W": Role.WATER,
    "FAT": Role.FAT, "F": Role.FAT,
    "IN_PHASE": Role.IN_PHASE, "IP": Role.IN_PHASE,
    "OUT_PHASE": Role.OPPOSED_PHASE, "OPP_PHASE": Role.OPPOSED_PHASE, "OP": Role.OPPOSED_PHASE,
    "OPPOSED_PHASE": Role.OPPOSED_PHASE, "OUT_OF_PHASE": Role.OPPOSED_PHASE,
    "FAT_FRACTION": Role.FAT_FRACTION, "FATFRACTION": Role.FAT_FRACTION, "FF": Role.FAT_FRACTION,
    "PDFF": Role.FAT_FRACTION,
    "MPR": Role.DERIVED, "CSA MPR": Role.DERIVED, "MIP": Role.DERIVED, "MIN IP": Role.DERIVED,
    "MAX_IP": Role.DERIVED, "MIN_IP": Role.DERIVED,
    "PROJECTION IMAGE": Role.DERIVED, "REFORMATTED": Role.DERIVED, "SUB": Role.DERIVED,
    "SUBTRACTION": Role.DERIVED, "SUBTRACT": Role.DERIVED, "SCREEN SAVE": Role.DERIVED,
    "SECONDARY CAPTURE": Role.DERIVED, "T1 MAP": Role.DERIVED, "T2 MAP": Role.DERIVED,
    "T2_STAR MAP": Role.DERIVED, "R2_STAR": Role.DERIVED, "R2STAR": Role.DERIVED, "P": Role.DERIVED,
    "PHASE MAP": Role.DERIVED, "PHASE": Role.DERIVED, "REAL": Role.DERIVED, "IMAGINARY": Role.DERIVED,
    "R": Role.DERIVED, "I": Role.DERIVED, "B0 MAP": Role.DERIVED,
}  # fmt: skip  # values from Siemens, GE, Philips and the Enhanced MR common types
_IMAGE_TYPE_START = 2  # values 1 and 2 (ORIGINAL/DERIVED, PRIMARY/SECONDARY) say nothing about contrast

_FAT_SUPPRESSED = (
    r"f ?s|sfs|f ?sat|fat ?sat\w*|fat ?supp?\w*|fat null\w*|spir|spair|aspir|spec ?ir|chess|watex|"
    r"water ?exc\w*|watsc?|proset|we|e?thrive|lava(?! ?flex)"
)  # THRIVE and LAVA suppress fat by design, WATS excites water alone
_NOT_SUPPRESSED = (
    rf"\b(?:no|non|not|without|w o|wo|ohne|sans) ?(?:{_FAT_SUPPRESSED})\b|\bnon?fs\b|"
    rf"\b(?:{_FAT_SUPPRESSED}) off\b"
)
_DIXON = (
    r"\b(?:m?dixon|ideal|flex|lavaflex|iqon|fwi|wfi)\b|"
    r"\b(?:vibe|gre|flash|fl[23]d|ffe|tse|fse)\b.* (?:w|f|in|ip|opp?|out)(?: composed)?$"  # "vibe_tra_W"
)

# First match wins. `None` in the middle means always; a pattern there must also be in the text.
_WORDS: tuple[tuple[Role, str | None, str], ...] = (
    (Role.LOCALIZER, None, r"loc|locali[sz]er\w*|scout|aahscout|survey|smartbrain|(?:3|three) ?plane"),
    (Role.LOCALIZER, None, r"calibration|shim|b0 ?map|field ?map"),
    (Role.LOCALIZER, r"^(?!.*\b(?:t1w?|t2w?|pdw?|stir)\b)", r"asset|pilot"),  # else a method, a pilot study
    (Role.FAT_FRACTION, None, r"pdff|ff|fat ?(?:fraction|frac|percent\w*|pct)"),
    (Role.DWI, None, r"dwi|dti|diff|diffusion|resolve|adc|trace|tracew|ivim|ep2d diff"),
    (
        Role.DERIVED,
        None,
        r"mpr|mip|minip|subtraction|subtracted|screen ?(?:save|shot|capture)|report|collage",
    ),
    (
        Role.DERIVED,
        None,
        r"[tr][12] ?(?:star)? ?map(?:ping|it)?|t1 ?rho|r2 ?star|r2s|r2(?=\*)|perfusion|reformat\w*",
    ),
    (Role.DERIVED, _DIXON, r"t2 ?star|t2s|t2(?=\*)"),
    (Role.IN_PHASE, None, r"in ?phase|inph"),
    (Role.OPPOSED_PHASE, None, r"(?:out|opp|opposed|out of|outof) ?phase"),
    (Role.WATER, None, r"water(?! ?exc)|wateronly|wat"),
    (Role.FAT, None, r"fat(?! ?(?:sat|supp?|null|free|fraction|frac))|fatonly"),
    (Role.WATER, _DIXON, r"w"),
    (Role.FAT, _DIXON, r"f"),
    (Role.IN_PHASE, _DIXON, r"ip|in"),
    (Role.OPPOSED_PHASE, _DIXON, r"op|opp|out"),
    (Role.STIR, None, r"stir|tirm|t2 ?ir"),
)
_PHASES = frozenset({Role.IN_PHASE, Role.OPPOSED_PHASE})
_BOTH_PHASES = (
    r"\bin(?: ?phase)?(?: and)? (?:out|opp|opposed)(?: of)? ?phase|(?:out|opp|opposed)(?: and)? in ?phase"
)
_LABEL_WORDS = (
    r"(?:seg|segm|segs|segmentations?|masks?|labels?|labelmap|dseg|probseg|rois?|contours?|annotations?|"
    r"truth)\d*"
)
_NO_MAGNITUDE = r"ph$|part (?:phase|real|imag)|imaginary"  # files: converters' "_ph", BIDS' "part-phase"
_CT_WORDS = r"ct|cbct"
_WEIGHTINGS: tuple[tuple[Role, str], ...] = (
    (Role.T1, r"t1w?|t1 ?weighted|mprage|bravo"),
    (Role.T2, r"t2w?|t2 ?weighted|t2 ?star|haste|ssfse|flair|bold|fiesta|trufi|bffe|ciss|dess|medic|swi"),
    (Role.PD, r"pdw?|pd ?weighted|proton ?density|dp"),
)
_SUPPRESSED: dict[Role, Role] = {
    Role.T1: Role.T1_FAT_SUPPRESSED,
    Role.T2: Role.T2_FAT_SUPPRESSED,
    Role.PD: Role.PD_FAT_SUPPRESSED,
}
_SUPPRESSING_OPTIONS = frozenset({"FS", "FATSAT", "WE", "SPIR", "SPAIR", "SAT_FAT"})
_STEADY_STATE = r"tfi\w*|true ?fisp|trufi\w*|fiesta|b ?ffe|balanced"
_DIFFUSION_SEQUENCE = r"(?:ep|re) b\w*|ep2d diff"
_MAGNETIC_MODALITIES = frozenset({"MR", "MRI", ""})  # sidecars written by hand say MRI
_PROTOCOL_OF_SERIES = ("siemens", "philips")  # elsewhere the protocol may be the whole examination's


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How an image was made, as far as its header or name says; None and empty mean not said.

    Attributes:
        modality: DICOM modality, "" when unknown.
        is_image: False for reports, plans, presentation states and other objects without a usable image.
        text: `series_text`, or file name; identity may still be in it, so it is never printed.
        image_type: upper-case values of Image Type.
        sequence_name: vendor's sequence name.
        spin_echo: True spin echo, False gradient echo, None unknown.
        inversion: an inversion pulse was used.
        scan_options: upper-case values of Scan Options.
        fat_suppressed: said outright (Enhanced MR), else None.
        echo_time_ms: echo time.
        repetition_time_ms: repetition time.
        inversion_time_ms: inversion time.
        flip_angle_deg: excitation flip angle.
        b_value: diffusion weighting, s/mm2.
        field_strength_t: magnetic field.
    """

    modality: str = ""
    is_image: bool = True
    text: str = ""
    image_type: tuple[str, ...] = ()
    sequence_name: str = ""
    spin_echo: bool | None = None
    inversion: bool = False
    scan_options: tuple[str, ...] = ()
    fat_suppressed: bool | None = None
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    inversion_time_ms: float | None = None
    flip_angle_deg: float | None = None
    b_value: float | None = None
    field_strength_t: float | None = None


def role_of(acquisition: Acquisition, *, names_labels: bool = False) -> tuple[Role, str]:
    """Role of a series and the reason in a few words.

    Args:
        acquisition: what is known about it.
        names_labels: whether words like "mask" in the text mean a label map (file names, not protocols).
    """
    a = acquisition
    text = words_of(a.text)
    if not a.is_image:
        return Role.DERIVED, f"{a.modality or 'object'} without an image of its own"
    if a.modality == "SEG" or (names_labels and finds(_LABEL_WORDS, text)):
        return Role.LABEL_MAP, "a label map by its name" if names_labels else "a segmentation object"
    weighted = any(finds(pattern, text) for _, pattern in _WEIGHTINGS)  # then "CT" is a group of people
    if a.modality == "CT" or (names_labels and not a.modality and not weighted and finds(_CT_WORDS, text)):
        return Role.CT, "computed tomography"
    if a.modality not in _MAGNETIC_MODALITIES:
        return Role.DERIVED, f"modality {a.modality} is not MR"
    for value in a.image_type[_IMAGE_TYPE_START:]:
        if value in _IMAGE_TYPES:
            return _IMAGE_TYPES[value], f"image type {value}"
    if names_labels and finds(_NO_MAGNITUDE, text):
        return Role.DERIVED, f"named '{finds(_NO_MAGNITUDE, text)}'"
    if (a.b_value or 0) > 0 or finds(_DIFFUSION_SEQUENCE, words_of(a.sequence_name)):
        return Role.DWI, "diffusion weighting"
    told_by_echo = bool(a.echo_time_ms and a.field_strength_t and re.search(_BOTH_PHASES, text))
    for role, context, pattern in _WORDS:
        found = finds(pattern, text) if not (told_by_echo and role in _PHASES) else ""
        if found and (context is None or re.search(context, text)):
            return role, f"named '{found}'"
    if names_dixon(a.text):
        return Role.UNKNOWN, "a Dixon image, but neither header nor name tells which"
    role, reason = _weighting(a, text)
    if role in _SUPPRESSED and _is_fat_suppressed(a, text):
        return _SUPPRESSED[role], f"{reason}, fat suppressed"
    return role, reason


def is_spin_echo(sequence: Collection[str]) -> bool | None:
    """Whether Scanning Sequence says spin echo; None where it says neither echo.

    GE writes only RM, research mode, for some fast spin echoes too.
    """
    return True if "SE" in sequence else False if {"GR", "EP"}.intersection(sequence) else None


def series_text(description: str, protocol: str, manufacturer: str) -> str:
    """The words that speak of one series: its description, and its protocol's name where that is its own.

    GE gives every series the name of the examination's protocol ("BILAT HIPS T1 STIR"), which would turn a
    T1 series into STIR; it counts only where there is no description.
    """
    own = not description.strip() or manufacturer.strip().casefold().startswith(_PROTOCOL_OF_SERIES)
    return f"{description} {protocol}".strip() if own else description


def names_dixon(text: str) -> bool:
    """Whether a description says Dixon, so that the image may be any of four."""
    return bool(finds("m?dixon|lava ?flex|ideal", words_of(text)))


def names_fat_suppression(text: str) -> bool:
    """Whether a description says that fat is suppressed."""
    return bool(finds(_FAT_SUPPRESSED, re.sub(_NOT_SUPPRESSED, " ", words_of(text))))


def without_label_words(text: str) -> str:
    """Words of a file name without "seg", "mask" and the like: what image and label map share."""
    return " ".join(re.sub(rf"\b(?:{_LABEL_WORDS})\b", " ", words_of(text)).split())


def opposes_fat_and_water(echo_time_ms: float, field_strength_t: float) -> bool:
    """Whether fat and water signals point against each other at a gradient echo."""
    cycles = FAT_WATER_SHIFT_PPM * GYROMAGNETIC_MHZ_PER_T * field_strength_t * echo_time_ms / 1000.0
    return math.cos(2 * math.pi * cycles) < 0


def _is_fat_suppressed(a: Acquisition, text: str) -> bool:
    if a.fat_suppressed is not None:
        return a.fat_suppressed
    if _SUPPRESSING_OPTIONS.intersection(a.scan_options):
        return True
    return names_fat_suppression(text)


def _weighting(a: Acquisition, text: str) -> tuple[Role, str]:
    """T1, T2, PD or STIR; physics where TE and TR are known, words elsewhere."""
    by_word = next((role for role, pattern in _WEIGHTINGS if finds(pattern, text)), Role.UNKNOWN)
    te, tr, ti = a.echo_time_ms, a.repetition_time_ms, a.inversion_time_ms
    if te and tr:
        timing = f"TR {tr:g} ms, TE {te:g} ms"
        if a.inversion and ti:
            timing += f", TI {ti:g} ms"
            if ti <= MAX_STIR_TI_MS:
                return Role.STIR, f"inversion recovery, {timing}"
            return (Role.T1 if ti <= MAX_T1_TI_MS and te < MIN_T2_TE_MS else Role.T2), timing
        if a.spin_echo:
            role = _spin_echo(te, tr)
            if role is Role.T1 and by_word in (Role.PD, Role.T2):  # PD in 3D, the first echo of several
                return by_word, f"named {by_word.value.upper()}, spin echo, {timing}"
            return role, f"spin echo, {timing}"
        if a.spin_echo is False:
            return _gradient_echo(a, te, tr, by_word, text), f"gradient echo, {timing}{_field(a)}"
        if te >= MIN_T2_TE_MS or (by_word is Role.UNKNOWN and tr >= MIN_SPIN_ECHO_TR_MS):
            return _spin_echo(te, tr), timing
    if by_word is not Role.UNKNOWN:
        return by_word, f"named {by_word.value.upper()}"
    return Role.UNKNOWN, "neither header nor name tells the contrast"


def _spin_echo(te: float, tr: float) -> Role:
    if te >= MIN_T2_TE_MS:
        return Role.T2
    return Role.T1 if tr <= MAX_T1_TR_MS and te <= MAX_T1_TE_MS else Role.PD


def _gradient_echo(a: Acquisition, te: float, tr: float, by_word: Role, text: str) -> Role:
    if te > MAX_T1_GRADIENT_TE_MS or finds(_STEADY_STATE, f"{text} {words_of(a.sequence_name)}"):
        return Role.T2
    opposed = a.field_strength_t and opposes_fat_and_water(te, a.field_strength_t)
    if opposed and not _is_fat_suppressed(a, text):
        return Role.OPPOSED_PHASE
    if by_word is not Role.UNKNOWN:
        return by_word
    return Role.T1 if tr <= MAX_T1_TR_MS and (a.flip_angle_deg or 0) >= MIN_T1_FLIP_DEG else Role.PD


def _field(a: Acquisition) -> str:
    return f" at {a.field_strength_t:.3g} T" if a.field_strength_t else ""
