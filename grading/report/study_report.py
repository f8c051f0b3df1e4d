"""The graded study as one value, and its form on disk."""

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grading.anatomy import SIDES, Muscle, Side
from grading.asymmetry import Asymmetry
from grading.classify.context import NO_CONTEXT, Context
from grading.classify.grade import Grade
from grading.classify.pattern import Pattern
from grading.errors import ConfigurationError
from grading.fat import FatMap
from grading.findings import FINDINGS, Finding, Severity
from grading.measure import MuscleMeasurement
from grading.report.plain import from_plain, to_plain
from grading.report.provenance import UNKNOWN_ORIGIN, Origin, Provenance
from grading.volume import Segmentation, Volume

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

FORMAT = 1
"""Version of report.json; raised when an old file could be misread."""

DISCLAIMER = "Research software, not a medical device: measurements, no diagnosis. Look at the picture first."


@dataclass(frozen=True, slots=True)
class GradedMuscle:
    """What was measured of one muscle and region on one side, its stage on each scale, and its context."""

    measurement: MuscleMeasurement
    grades: tuple[Grade, ...]
    context: Context = NO_CONTEXT

    @property
    def gradable(self) -> bool:
        """Whether at least one scale gave a stage."""
        return any(grade.stage is not None for grade in self.grades)

    def grade(self, scale: str) -> Grade | None:
        """The grade on the scale of that name, None when that scale was not asked for."""
        return next((grade for grade in self.grades if grade.scale == scale), None)


@dataclass(frozen=True, slots=True, eq=False)
class StudyImages:
    """The images behind a report's numbers, all on one grid; for Dixon `volume` is the water image."""

    volume: Volume
    segmentation: Segmentation
    fat: FatMap


@dataclass(frozen=True, slots=True)
class StudyReport:
    """A graded study.

    Attributes:
        name: name of the study, safe as a file name, without patient identity.
        series: name of the series that was graded.
        muscles: one per muscle, side and region, in the order of the tables.
        asymmetries: left against right, one per muscle.
        findings: what concerns the study as a whole.
        provenance: how it was made.
        pattern: how the fat is distributed, in one sentence, or why that cannot be said.
        images: the images, None in a report read back from disk.
    """

    name: str
    series: str
    muscles: tuple[GradedMuscle, ...] = dataclasses.field(repr=False)
    asymmetries: tuple[Asymmetry, ...] = dataclasses.field(repr=False)
    findings: tuple[Finding, ...]
    provenance: Provenance = dataclasses.field(repr=False)
    pattern: Pattern | None = None
    images: StudyImages | None = dataclasses.field(default=None, compare=False, repr=False)

    @property
    def gradable(self) -> bool:
        """Whether at least one muscle has a stage."""
        return any(muscle.gradable for muscle in self.muscles)

    @property
    def measurements(self) -> "pd.DataFrame":
        """One row per muscle, side and region: the columns of measurements.csv, not rounded."""
        from grading.report.tables import MEASUREMENT_COLUMNS, frame, measurement_rows

        return frame(measurement_rows([self]), MEASUREMENT_COLUMNS)

    @property
    def asymmetry(self) -> "pd.DataFrame":
        """One row per muscle: the columns of asymmetry.csv, not rounded."""
        from grading.report.tables import ASYMMETRY_COLUMNS, asymmetry_rows, frame

        return frame(asymmetry_rows([self]), ASYMMETRY_COLUMNS)

    def to_frame(self) -> "pd.DataFrame":
        """The measurements, indexed by muscle, side and region."""
        return self.measurements.set_index(["muscle", "side", "region"])

    def find(self, muscle: Muscle, side: Side) -> GradedMuscle | None:
        """The whole muscle on one side."""
        return next(
            (
                m
                for m in self.muscles
                if (m.measurement.muscle, m.measurement.side, m.measurement.region) == (muscle, side, "whole")
            ),
            None,
        )

    def findings_of(self, graded: GradedMuscle) -> tuple[Finding, ...]:
        """What a reader of this one row must know: its own findings, and the study's that weaken it."""
        study = tuple(f for f in self.findings if f.severity is not Severity.NOTE)
        return tuple(dict.fromkeys((*graded.measurement.findings, *study)))

    def findings_of_sides(self, asymmetry: Asymmetry) -> tuple[Finding, ...]:
        """What a reader of a comparison must know: its findings, and what weakens either muscle."""
        both = [self.find(asymmetry.muscle, side) for side in SIDES]
        of_muscles = [f for graded in both if graded for f in self.findings_of(graded)]
        weaken = [f for f in of_muscles if f.severity is not Severity.NOTE]
        return tuple(dict.fromkeys((*asymmetry.findings, *weaken)))

    def save(self, out: Path | str, *, dicom: bool = False) -> Path:
        """Write the study's files below `out` and bring the tables there up to date.

        Args:
            out: output folder, made if needed.
            dicom: also write segmentation.dcm and report.dcm, which carry the patient's identity.

        Returns:
            The study's own folder, `out/studies/<name>`.

        Raises:
            ConfigurationError: `out` cannot be written, or `dicom` lacks its extra.
            InputError: `dicom` was asked for but the images do not allow it; then nothing is written.
        """
        from grading.report.dicom_objects import remove_dicom, write_dicom
        from grading.report.files import make_folder
        from grading.report.folder import OutputFolder

        folder = OutputFolder.open(Path(out))
        own = make_folder(folder.study_folder(self.name))
        remove_dicom(own)
        if dicom:
            write_dicom(self, own)
        folder.write_pictures(self)
        folder.add(self)
        folder.write_tables()
        return folder.study_folder(self.name)

    def without_images(self) -> "StudyReport":
        """The numbers alone: small enough to keep thousands, or to send between processes."""
        return dataclasses.replace(self, images=None)

    def to_json(self) -> str:
        """All values at full precision, with settings, provenance, and the meaning of each finding."""
        plain = to_plain(self.without_images())
        del plain["images"]
        codes = {f.code for f in _all_findings(self)}
        meanings = {code: to_plain(FINDINGS[code]) for code in sorted(codes)}
        content = {"format": FORMAT, "notice": DISCLAIMER, **plain, "meaning_of_findings": meanings}
        return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "StudyReport":
        """The report that `to_json` wrote, without its images.

        Raises:
            ValueError: the text is not a report, or one of another format.
        """
        try:
            plain = json.loads(text)
            if plain["format"] != FORMAT:
                raise ValueError(f"report of format {plain['format']!r}, this version reads {FORMAT}")
            return from_plain(cls, {k: v for k, v in plain.items() if k != "images"})
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a report: {error}") from error

    def plot(self) -> "Axes":
        """Draw the report with matplotlib: key slices where it has its images, fat fractions, stage edges.

        Returns:
            The axes of the fat fractions, on a new pyplot figure.

        Raises:
            ConfigurationError: matplotlib is not installed (pip install 'grading[plots]').
        """
        try:
            from grading.report.figure import study_axes
        except ImportError as error:
            raise ConfigurationError("plots need matplotlib: pip install 'grading[plots]'") from error
        return study_axes(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: findings, leading numbers, the overview."""
        from grading.report.notebook import notebook_html

        return notebook_html(self)


@dataclass(frozen=True, slots=True)
class StudyFailure:
    """A study that was found and gave no report.

    Attributes:
        name: name of the study.
        status: "not_gradable" (sound input that does not show what is needed) or "failed".
        reason: what was wrong and what to do, without patient identity.
        seconds: wall-clock time until then, s.
        peak_memory_mb: most memory the process held, MB; None when not known.
        origin: digests of what the failure follows from.
    """

    name: str
    status: str
    reason: str
    seconds: float = 0.0
    peak_memory_mb: float | None = None
    origin: Origin = UNKNOWN_ORIGIN


def _all_findings(report: StudyReport) -> Iterable[Finding]:
    yield from report.findings
    for muscle in report.muscles:
        yield from muscle.measurement.findings
    for asymmetry in report.asymmetries:
        yield from asymmetry.findings
