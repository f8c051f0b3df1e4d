"""What a run keeps in memory of each study: its rows of the tables as text, a few kilobytes."""

from dataclasses import dataclass

from grading.report.provenance import InputSeries, Origin
from grading.report.study_report import StudyFailure, StudyReport
from grading.report.tables import (
    ASYMMETRY_COLUMNS,
    MEASUREMENT_COLUMNS,
    STUDY_COLUMNS,
    asymmetry_rows,
    csv_lines,
    measurement_rows,
    study_rows,
    table_lines,
)

Result = StudyReport | StudyFailure

GRADED, NOT_GRADABLE, FAILED, PENDING = "graded", "not_gradable", "failed", "pending"
STATUSES = (GRADED, NOT_GRADABLE, FAILED, PENDING)
"""What may become of a study that was found: the values of the column `status`."""

STATUS_WORDS = {status: status.replace("_", " ") for status in STATUSES}
"""The same as people read them, on a page, in the terminal and in a log."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One study in the tables.

    Attributes:
        name: of the study.
        status: one of `STATUSES`.
        reason: why there is no grade; "" where there is one.
        origin: digests of what the result follows from.
        study: its line of studies.csv.
        measurements: its lines of measurements.csv.
        asymmetry: its lines of asymmetry.csv.
        inputs: the images that were read.
    """

    name: str
    status: str
    reason: str
    origin: Origin
    study: str
    measurements: str = ""
    asymmetry: str = ""
    inputs: tuple[InputSeries, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of all its findings, each once: those of the study, of its muscles, of its comparisons."""
        tables = (
            (self.study, STUDY_COLUMNS),
            (self.measurements, MEASUREMENT_COLUMNS),
            (self.asymmetry, ASYMMETRY_COLUMNS),
        )
        cells = [line["findings"] for text, columns in tables for line in table_lines(text, columns)]
        return tuple(dict.fromkeys(code for cell in cells for code in cell.split(";") if code))

    @property
    def segmentation(self) -> str:
        """Who drew its muscles; "" where there is no grade."""
        (line,) = table_lines(self.study, STUDY_COLUMNS)
        return line["segmentation"]

    @classmethod
    def of(cls, result: Result) -> "Entry":
        """The entry of a report or failure."""
        (row,) = study_rows([result])
        line = csv_lines([row], STUDY_COLUMNS)
        status, reason = str(row["status"]), str(row["reason"])
        if isinstance(result, StudyFailure):
            return cls(result.name, status, reason, result.origin, line)
        return cls(
            result.name,
            status,
            reason,
            result.provenance.origin,
            line,
            csv_lines(measurement_rows([result]), MEASUREMENT_COLUMNS),
            csv_lines(asymmetry_rows([result]), ASYMMETRY_COLUMNS),
            result.provenance.inputs,
        )

    @classmethod
    def pending(cls, name: str, origin: Origin, reason: str) -> "Entry":
        """A study that was found and has no result yet."""
        row = {"study": name, "status": PENDING, "reason": reason}
        return cls(name, PENDING, reason, origin, csv_lines([row], STUDY_COLUMNS))
