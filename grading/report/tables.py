"""The tables: which columns, in which order, how rounded, and how they become CSV.

An empty cell means not known; the `findings` column says why.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from grading.anatomy import Side
from grading.asymmetry import Asymmetry
from grading.classify.grade import Grade
from grading.findings import Finding
from grading.report.study_report import GradedMuscle, StudyFailure, StudyReport

if TYPE_CHECKING:
    import pandas as pd

Cell = str | int | float | bool | None
Row = Mapping[str, Cell]

MEASUREMENT_COLUMNS = (
    "study", "series", "muscle", "side", "region", "volume_ml", "lean_volume_ml", "max_csa_cm2",
    "level_csa_cm2", "fat_fraction", "fat_fraction_se", "fat_method", "coverage", "excluded_fraction",
    "quartile", "quartile_possible", "goutallier", "goutallier_possible", "gradable", "findings",
    "covered_volume_ml", "volume_se_ml", "threshold_fraction", "other_stages", "volume_z",
    "volume_percentile", "volume_reference", "volume_of_expected", "fat_reference",
)  # fmt: skip
ASYMMETRY_COLUMNS = (
    "study", "muscle", "volume_asymmetry_percent", "volume_error_percent", "fat_fraction_difference",
    "fat_fraction_error", "exceeds_error", "exceeds_normal", "common_slab_mm", "findings", "affected",
    "affected_volume_percent", "affected_fat_difference", "fat_method", "volume_exceeds_error",
    "fat_exceeds_error",
)  # fmt: skip
STUDY_COLUMNS = (
    "study", "status", "reason", "seconds", "peak_memory_mb", "series", "fat_method", "segmentation",
    "findings", "pattern",
)  # fmt: skip

OWN_COLUMNS = ("quartile", "goutallier")
"""Scales whose stages have columns of their own; those of others stand together in one."""

TRUTHS = ("gradable", "exceeds_error", "exceeds_normal", "volume_exceeds_error", "fat_exceeds_error")
"""Columns of true and false; an empty cell is not known, which is neither."""

DECIMALS: dict[str, int] = {
    "volume_ml": 2, "lean_volume_ml": 2, "covered_volume_ml": 2, "volume_se_ml": 2, "max_csa_cm2": 2,
    "level_csa_cm2": 2,
    "fat_fraction": 4, "fat_fraction_se": 4, "threshold_fraction": 4, "coverage": 4, "excluded_fraction": 4,
    "volume_asymmetry_percent": 2, "volume_error_percent": 2, "fat_fraction_difference": 4,
    "fat_fraction_error": 4, "common_slab_mm": 1, "volume_z": 2, "volume_percentile": 0,
    "volume_of_expected": 2,
    "affected_volume_percent": 2, "affected_fat_difference": 4, "seconds": 2, "peak_memory_mb": 0,
}  # fmt: skip
"""Decimals written per column: about a tenth of the best error the measurement can have."""

_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
"""First characters that make a spreadsheet run a text cell as a formula (OWASP, CSV injection)."""


def measurement_rows(reports: Iterable[StudyReport]) -> list[Row]:
    """Rows of measurements.csv: one per study, muscle, side and region."""
    return [
        _measurement_row(report, graded)
        for report in sorted(reports, key=lambda r: r.name)
        for graded in report.muscles
    ]


def asymmetry_rows(reports: Iterable[StudyReport]) -> list[Row]:
    """Rows of asymmetry.csv: one per study and muscle."""
    return [
        _asymmetry_row(report, asymmetry)
        for report in sorted(reports, key=lambda r: r.name)
        for asymmetry in report.asymmetries
    ]


def study_rows(results: Iterable[StudyReport | StudyFailure]) -> list[Row]:
    """Rows of studies.csv: one per study found, whatever became of it."""
    return [_study_row(result) for result in sorted(results, key=lambda r: r.name)]


def frame(rows: Sequence[Row], columns: Sequence[str]) -> "pd.DataFrame":
    """Rows as a DataFrame with exactly these columns; whole numbers and truths stay such where some lack."""
    import pandas as pd

    table = pd.DataFrame([[row.get(c) for c in columns] for row in rows], columns=list(columns))
    for name in OWN_COLUMNS:
        if name in table:
            table[name] = table[name].astype("Int64")
    for name in set(TRUTHS) & set(columns):
        table[name] = table[name].astype("boolean")
    for name in set(DECIMALS) & set(columns):
        table[name] = table[name].astype("float64")
    return table


def csv_text(rows: Iterable[Row], columns: Sequence[str]) -> str:
    """Rows as CSV: a header, point decimals, line feeds, and no cell that a spreadsheet would execute."""
    return csv_heading(columns) + csv_lines(rows, columns)


def csv_heading(columns: Sequence[str]) -> str:
    """The first line of a table."""
    return ",".join(columns) + "\n"


def csv_lines(rows: Iterable[Row], columns: Sequence[str]) -> str:
    """Rows as CSV without the heading."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_cell(name, row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


def table_lines(text: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """Lines that `csv_lines` wrote, as texts by column."""
    return list(csv.DictReader(io.StringIO(text), fieldnames=list(columns)))


def codes(findings: Iterable[Finding]) -> str:
    """Finding codes as one cell: each once, in order of first appearance, separated by semicolons."""
    return ";".join(dict.fromkeys(f.code for f in findings))


def _cell(column: str, value: Cell) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = f"{value:.{DECIMALS.get(column, 4)}f}"
        return text.removeprefix("-") if float(text) == 0 else text  # no "-0.00"
    if isinstance(value, int):
        return str(value)
    line = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return f"'{line}" if line.startswith(_FORMULA_START) else line


def _measurement_row(report: StudyReport, graded: GradedMuscle) -> Row:
    m = graded.measurement
    quartile, goutallier = graded.grade("quartile"), graded.grade("goutallier")
    return {
        "study": report.name,
        "series": report.series,
        "muscle": m.muscle.value,
        "side": m.side.value,
        "region": str(m.region),
        "volume_ml": m.volume_ml,
        "lean_volume_ml": m.lean_volume_ml,
        "max_csa_cm2": m.max_csa_cm2,
        "level_csa_cm2": m.level_csa_cm2,
        "fat_fraction": m.fat_fraction,
        "fat_fraction_se": m.fat_fraction_se,
        "fat_method": m.fat_method,
        "coverage": m.coverage,
        "excluded_fraction": m.excluded_fraction,
        "quartile": quartile.stage if quartile else None,
        "quartile_possible": _possible(quartile),
        "goutallier": goutallier.stage if goutallier else None,
        "goutallier_possible": _possible(goutallier),
        "gradable": graded.gradable,
        "findings": codes(report.findings_of(graded)),
        "covered_volume_ml": m.covered_volume_ml,
        "volume_se_ml": m.volume_se_ml,
        "threshold_fraction": m.threshold_fraction,
        "other_stages": _other_stages(graded),
        "volume_z": graded.context.z,
        "volume_percentile": graded.context.percentile,
        "volume_reference": graded.context.group,
        "volume_of_expected": graded.context.of_expected,
        "fat_reference": graded.context.fat,
    }


def _possible(grade: Grade | None) -> str | None:
    """Stages the error leaves possible, "1|2"; None when there is no stage."""
    return "|".join(str(stage) for stage in grade.possible) if grade and grade.possible else None


def _other_stages(graded: GradedMuscle) -> str | None:
    """Stages on scales without columns of their own, "mercuri=2 (1|2); quartile_5=1"; None without any."""
    stages = [
        f"{grade.scale}={grade.stage}" + (f" ({_possible(grade)})" if len(grade.possible) > 1 else "")
        for grade in graded.grades
        if grade.scale not in OWN_COLUMNS and grade.stage is not None
    ]
    return "; ".join(stages) or None


def _asymmetry_row(report: StudyReport, a: Asymmetry) -> Row:
    left = report.find(a.muscle, Side.LEFT) if a.fat_fraction_difference is not None else None
    return {
        "study": report.name,
        "muscle": a.muscle.value,
        "volume_asymmetry_percent": a.volume_asymmetry_percent,
        "volume_error_percent": a.volume_error_percent,
        "fat_fraction_difference": a.fat_fraction_difference,
        "fat_fraction_error": a.fat_fraction_error,
        "exceeds_error": a.exceeds_error,
        "exceeds_normal": a.exceeds_normal,
        "common_slab_mm": a.common_slab_mm,
        "findings": codes(report.findings_of_sides(a)),
        "affected": a.affected.value if a.affected else None,
        "affected_volume_percent": a.affected_volume_percent,
        "affected_fat_difference": a.affected_fat_difference,
        "fat_method": left.measurement.fat_method if left else None,
        "volume_exceeds_error": a.volume_exceeds_error,
        "fat_exceeds_error": a.fat_exceeds_error,
    }


def _study_row(result: StudyReport | StudyFailure) -> Row:
    if isinstance(result, StudyFailure):
        return {
            "study": result.name,
            "status": result.status,
            "reason": result.reason,
            "seconds": result.seconds,
            "peak_memory_mb": result.peak_memory_mb,
        }
    return {
        "study": result.name,
        "status": "graded" if result.gradable else "not_gradable",
        "reason": "" if result.gradable else "no muscle could be graded; measurements.csv says why for each",
        "seconds": sum(result.provenance.seconds.values()),
        "peak_memory_mb": result.provenance.peak_memory_mb,
        "series": result.series,
        "fat_method": ";".join(sorted({m.measurement.fat_method or "" for m in result.muscles} - {""})),
        "segmentation": result.provenance.segmentation,
        "findings": codes(result.findings),
        "pattern": result.pattern.sentence if result.pattern else None,
    }
