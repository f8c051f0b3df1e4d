"""What a series is and what it shows, without anything that names the patient."""

from dataclasses import dataclass
from enum import StrEnum

from grading.anatomy import Side


class Role(StrEnum):
    """What the contrast of a series is good for."""

    T1 = "t1"
    T1_FAT_SUPPRESSED = "t1_fat_suppressed"
    T2 = "t2"
    T2_FAT_SUPPRESSED = "t2_fat_suppressed"
    PD = "pd"
    PD_FAT_SUPPRESSED = "pd_fat_suppressed"
    STIR = "stir"
    WATER = "water"
    FAT = "fat"
    IN_PHASE = "in_phase"
    OPPOSED_PHASE = "opposed_phase"
    FAT_FRACTION = "fat_fraction"
    DWI = "dwi"
    LOCALIZER = "localizer"
    CT = "ct"
    DERIVED = "derived"
    LABEL_MAP = "label_map"
    UNKNOWN = "unknown"


LONG_ECHO_MS = 20.0  # of a Dixon image: muscle (T2 32 ms) fades before fat (68 ms, 3 T), 20 % fat reads 26 %


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """Identity-free description of the series that a volume was read from.

    Attributes:
        name: short, file-safe and unique within the study, e.g. "05-t1_tse_cor".
        role: what the contrast is good for.
        source: "dicom", "nifti" or "array".
        modality: DICOM modality ("MR", "CT") or "" when unknown.
        contrast_agent: True/False when the header says, None when it does not.
        laterality: side named by the header for a one-hip image, None when it names none.
        slice_axis: canonical axis (0 = right, 1 = anterior, 2 = superior) that slices stack along.
        echo_time_ms: echo time, None when unknown.
        repetition_time_ms: repetition time, None when unknown.
        field_strength_t: magnetic field in tesla, None when unknown.
        named_t2: the description or file name says T2.
        digest: SHA-256 over decoded voxels and affine, hex; equal content gives equal digest.
    """

    name: str
    role: Role = Role.UNKNOWN
    source: str = "array"
    modality: str = ""
    contrast_agent: bool | None = None
    laterality: Side | None = None
    slice_axis: int = 2
    echo_time_ms: float | None = None
    repetition_time_ms: float | None = None
    field_strength_t: float | None = None
    named_t2: bool = False
    digest: str = ""

    @property
    def long_echo(self) -> bool:
        """Whether a Dixon fraction from it reads far too high because water has faded before fat."""
        return self.named_t2 if self.echo_time_ms is None else self.echo_time_ms > LONG_ECHO_MS

    @property
    def echo_words(self) -> str:
        """What is known of its echo time, in words."""
        if self.echo_time_ms is not None:
            return f"echo time {self.echo_time_ms:g} ms"
        return "T2 by its name" if self.named_t2 else "echo time not known"
