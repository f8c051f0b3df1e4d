"""What discovery found: one frozen value per study and per line of `grading inspect`."""

from dataclasses import dataclass, field
from pathlib import Path

from grading.errors import InputError
from grading.findings import Finding
from grading.io.frames import Frame
from grading.series import SeriesInfo


@dataclass(frozen=True, slots=True)
class SeriesFound:
    """One image that was found, read from headers only.

    Attributes:
        info: what it is, free of patient identity.
        files: where it is.
        shape: voxels along right, anterior, superior; zeros when unknown.
        spacing_mm: distance between voxel centres in the same order; zeros when unknown.
        plane: "axial", "oblique coronal", ...; "" when unknown.
        extent_mm: size of the field of view, right, anterior, superior.
        chosen: whether it will be graded.
        reason: why it was chosen or left, in plain words.
        problem: why it cannot be read, None when nothing speaks against it.
        findings: what a reader of its numbers must know.
        affine: canonical voxel index to RAS+ world, mm, row by row; () when unknown.
        frames: its DICOM images; () for NIfTI.
    """

    info: SeriesInfo
    files: tuple[Path, ...]
    shape: tuple[int, int, int] = (0, 0, 0)
    spacing_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    plane: str = ""
    extent_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    chosen: bool = False
    reason: str = ""
    problem: InputError | None = None
    findings: tuple[Finding, ...] = ()
    affine: tuple[tuple[float, ...], ...] = ()
    frames: tuple[Frame, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class StudyFound:
    """All images of one study.

    Attributes:
        name: as outputs call it; file-safe, free of patient identity, unique within one discovery.
        series: what was found, sorted by name.
        chosen: what will be graded: (T1,), (water, fat), or () with `problem` saying why.
        problem: why nothing is gradable, None when something is.
        place: what makes it this study and no other: its Study Instance UID or where it lies. It may name
            the patient: for comparing, never for printing.
        hip_of: name of the study whose other hip it shows, see `grading.io.hips`; "" for most.
    """

    name: str
    series: tuple[SeriesFound, ...]
    chosen: tuple[SeriesFound, ...]
    problem: InputError | None = None
    place: str = field(default="", repr=False)
    hip_of: str = ""
