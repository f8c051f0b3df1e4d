"""Reports made by hand, for tests of what is done with a report."""

from grading.anatomy import SIDES, Muscle, Side
from grading.asymmetry import Asymmetry
from grading.classify.grade import grade
from grading.classify.scales import scale
from grading.findings import Finding
from grading.measure import MuscleMeasurement
from grading.report.provenance import InputSeries, Provenance
from grading.report.study_report import GradedMuscle, StudyReport
from grading.settings import Settings

SCALES = [scale(name) for name in Settings().scales]


def measured(muscle: Muscle, side: Side, fat: float = 0.2, **changes: object) -> MuscleMeasurement:
    """A muscle in full view, 100 mL."""
    values: dict[str, object] = {
        "volume_ml": 100.0, "volume_se_ml": 1.0, "covered_volume_ml": 100.0,
        "lean_volume_ml": 100 * (1 - fat),
        "max_csa_cm2": 20.0, "fat_fraction": fat, "fat_fraction_se": 0.02, "threshold_fraction": fat,
        "fat_method": "t1", "coverage": 1.0, "excluded_fraction": 0.0,
    }  # fmt: skip
    return MuscleMeasurement(muscle, side, **{**values, **changes})  # type: ignore[arg-type]


def absent(muscle: Muscle, side: Side) -> MuscleMeasurement:
    """A muscle that was not found."""
    return MuscleMeasurement(muscle, side, findings=(Finding("not_found", "", muscle, side),))


def report_of(
    name: str = "study",
    measurements: list[MuscleMeasurement] | None = None,
    *,
    findings: tuple[Finding, ...] = (),
    series: str = "05-t1_tse",
    settings: Settings = Settings(),  # noqa: B008
) -> StudyReport:
    """A report of these measurements, by default of all muscles in full view."""
    rows = measurements or [measured(muscle, side) for muscle in Muscle for side in SIDES]
    return StudyReport(
        name=name,
        series=series,
        muscles=tuple(GradedMuscle(m, tuple(grade(m, s) for s in SCALES)) for m in rows),
        asymmetries=tuple(Asymmetry(muscle, 1.5, 5.0, -0.01, 0.05, False, False, False) for muscle in Muscle),
        findings=findings,
        provenance=Provenance(
            packages={"grading": "0"},
            python="3",
            platform="any",
            segmentation="true labels",
            settings=settings,
            inputs=(InputSeries(series, "t1", "00"),),
            seconds={"read": 0.5, "measure": 1.5},
        ),
    )
