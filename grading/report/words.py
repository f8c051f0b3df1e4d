"""A graded muscle in the few words that a picture or a terminal has room for; percent appear only here."""

from collections.abc import Collection, Set
from dataclasses import dataclass

from grading.anatomy import Muscle, Region, Side
from grading.classify.grade import Grade
from grading.findings import Severity, says
from grading.measure import MuscleMeasurement
from grading.report.study_report import GradedMuscle, StudyReport

SHORT: dict[Muscle, str] = {
    Muscle.GLUTEUS_MAXIMUS: "maximus",
    Muscle.GLUTEUS_MEDIUS: "medius",
    Muscle.GLUTEUS_MINIMUS: "minimus",
    Muscle.TENSOR_FASCIAE_LATAE: "TFL",
}

LEADING: tuple[tuple[Muscle, Region], ...] = (
    (Muscle.GLUTEUS_MINIMUS, Region.POSTERIOR),
    *((muscle, Region.WHOLE) for muscle in Muscle),
)
"""What is looked at first: posterior minimus, because its anterior part is fatty without symptoms too."""

DASH = "–"

_Place = tuple[Muscle, Side]


@dataclass(frozen=True, slots=True)
class Words:
    """Cells of one muscle's line.

    Attributes:
        fat: fat fraction and its standard error, "12.3 ± 1.1", percent.
        quartile: stage, and in brackets the stages the error leaves possible where there are several.
        goutallier: the same.
        volume: mL and its standard error, "345 ± 12"; where the field of view cuts the muscle or it was
            outlined in part only ">" and that part.
    """

    fat: str
    quartile: str
    goutallier: str
    volume: str


def words(graded: GradedMuscle) -> Words:
    """The few words for one muscle."""
    m = graded.measurement
    fat = DASH if m.fat_fraction is None else f"{100 * m.fat_fraction:z.1f}"
    if m.fat_fraction is not None and m.fat_fraction_se is not None:
        fat += f" ± {100 * m.fat_fraction_se:.1f}"
    volume = DASH
    if m.covered_volume_ml and m.outline_usable:
        volume = f"{'> ' if m.volume_ml is None else ''}{m.covered_volume_ml:.0f}"
        if m.volume_se_ml is not None:
            volume += f" ± {m.volume_se_ml:.0f}"
    return Words(fat, stage_words(graded.grade("quartile")), stage_words(graded.grade("goutallier")), volume)


def name_of(m: MuscleMeasurement) -> str:
    """The muscle's short name, with the region where it is a part: "minimus, posterior"."""
    return short_name(m.muscle, m.region)


def short_name(muscle: Muscle, region: Region) -> str:
    """The same of a muscle or region that was not measured."""
    return SHORT[muscle] if region is Region.WHOLE else f"{SHORT[muscle]}, {region.value}"


def leading_rows(report: StudyReport) -> list[GradedMuscle]:
    """The rows of `LEADING` that there are, right before left, as in the pictures."""
    return [
        graded
        for place in LEADING
        for graded in sorted(report.muscles, key=lambda g: g.measurement.side is Side.LEFT)
        if (graded.measurement.muscle, graded.measurement.region) == place
    ]


def findings_by_code(report: StudyReport) -> dict[str, str]:
    """Each finding's code with where it holds, "study", "all", "left side", "minimus right, TFL left".

    What limits the comparison of the sides holds for a muscle of both.
    """
    muscles: dict[str, dict[_Place, None]] = {}  # a muscle and its regions share most findings: one place
    for m in (graded.measurement for graded in report.muscles):
        for finding in m.findings:
            muscles.setdefault(finding.code, {})[m.muscle, m.side] = None
    compared: dict[str, dict[str, None]] = {}
    for asymmetry in report.asymmetries:
        for finding in asymmetry.findings:
            if finding.severity is not Severity.NOTE:
                compared.setdefault(finding.code, {})[SHORT[asymmetry.muscle]] = None
    everyone = {(graded.measurement.muscle, graded.measurement.side) for graded in report.muscles}
    places = {f.code: ["study"] for f in report.findings}
    for code, held in muscles.items():
        places.setdefault(code, []).extend(_named(held, everyone))
    for code, names in compared.items():
        places.setdefault(code, []).extend(["all"] if len(names) == len(report.asymmetries) else names)
    return {code: "all" if "all" in where else ", ".join(where) for code, where in places.items()}


def sides_not_found(report: StudyReport) -> list[Side]:
    """Sides that have rows, none of which is of a muscle that was found."""
    rows = [graded.measurement for graded in report.muscles]
    found = {m.side for m in rows if not says(m.findings, "not_found")}
    return sorted({m.side for m in rows} - found)


def _named(held: Collection[_Place], everyone: Set[_Place]) -> list[str]:
    """Places in few words: a side whose muscles are all among them is one."""
    if everyone <= set(held):
        return ["all"]
    free = {side for _, side in everyone - set(held)}
    whole = sorted({side for _, side in held} - free)
    return [f"{s.value} side" for s in whole] + [f"{SHORT[m]} {s.value}" for m, s in held if s not in whole]


def stage_words(grade: Grade | None) -> str:
    """A stage, and in brackets the stages the error leaves possible where there are several."""
    if grade is None or grade.stage is None:
        return DASH
    if len(grade.possible) < 2:
        return str(grade.stage)
    return f"{grade.stage} ({'|'.join(str(stage) for stage in grade.possible)})"


def signed(value: float | None, error: float | None, scale: float) -> str:
    """A difference with its sign and error, times `scale`: "-8.8 ± 4.4"."""
    if value is None:
        return DASH
    return f"{scale * value:+z.1f}" + ("" if error is None else f" ± {scale * error:.1f}")
