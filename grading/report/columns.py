"""What each column of the tables means: the one dictionary, as written beside them and into BIDS sidecars."""

import json
from dataclasses import dataclass, field

from grading.report.decisions import DECISION_COLUMNS
from grading.report.tables import ASYMMETRY_COLUMNS, MEASUREMENT_COLUMNS, STUDY_COLUMNS


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        description: what a value says, in one or two sentences.
        units: UCUM unit; "" for text and for numbers that need none.
        levels: meaning of each value a text column may hold; {} where anything may stand.
    """

    description: str
    units: str = ""
    levels: dict[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, object]:
        """The column under the names that BIDS gives in the sidecar of a table."""
        parts = {"Description": self.description, "Units": self.units, "Levels": self.levels}
        return {name: value for name, value in parts.items() if value}


_TRUTH = {"true": "yes", "false": "no"}
_METHODS = {
    "t1": "signal between lean muscle and subcutaneous fat of the same image",
    "dixon": "fat / (fat + water)",
}
_POSSIBLE = "Every stage of the {} scale with a chance of 10 % or more, separated by |."

COLUMNS: dict[str, Column] = {
    "study": Column("Name of the study, free of patient identity."),
    "series": Column("Name of the series that was graded."),
    "muscle": Column("The muscle."),
    "side": Column("Side of the patient's body.", levels={"left": "the patient's left", "right": "right"}),
    "region": Column("Part of the muscle, or whole."),
    "volume_ml": Column(
        "Volume with the fat inside it; empty where the image cuts it or its outline is unusable or partial.",
        "mL",
    ),
    "lean_volume_ml": Column("Volume times (1 - fat fraction).", "mL"),
    "max_csa_cm2": Column("Largest cross-section across the body's axis, of the part in view.", "cm2"),
    "level_csa_cm2": Column(
        "Cross-section across the body's axis at a named level: just above the femoral head for the whole "
        "gluteus maximus, at the lower end of the sacroiliac joint for the whole medius, no other row. Empty "
        "where the bone is not labelled or not in view, or the image cuts the muscle at that level.",
        "cm2",
    ),
    "fat_fraction": Column(
        "Mean share of fat inside the muscle, 0 to 1, less what fat beside it adds to its outer voxels, so "
        "not quite the mean of the fat map; without fat it may read a little below 0.",
        "1",
    ),
    "fat_fraction_se": Column("Standard error of fat_fraction.", "1"),
    "fat_method": Column("How fat was measured; the two are different quantities.", levels=_METHODS),
    "coverage": Column("Share of the muscle that the image shows, 0 to 1; an estimate below 1.", "1"),
    "excluded_fraction": Column("Share of the muscle's voxels without usable signal, 0 to 1.", "1"),
    "quartile": Column("Quartile stage that follows from fat_fraction, 1 to 4."),
    "quartile_possible": Column(_POSSIBLE.format("Quartile")),
    "goutallier": Column("Goutallier stage that follows from fat_fraction, 0 to 4; edges are a convention."),
    "goutallier_possible": Column(_POSSIBLE.format("Goutallier")),
    "gradable": Column("Whether a stage could be given.", levels=_TRUTH),
    "findings": Column("Codes of what to know before reading the row, separated by semicolons."),
    "covered_volume_ml": Column("Volume of the part of the muscle that the image shows.", "mL"),
    "volume_se_ml": Column("Standard error of covered_volume_ml.", "mL"),
    "threshold_fraction": Column(
        "Share of the muscle's voxels that are nearer fat than muscle, 0 to 1; empty for in/opposed phase.",
        "1",
    ),
    "other_stages": Column("Stage, and the possible ones in brackets, on each further scale asked for."),
    "volume_z": Column("Volume less the mean of healthy adults of the same sex, over their SD.", "1"),
    "volume_percentile": Column("Share of healthy adults of the same sex with a smaller volume.", "%"),
    "volume_reference": Column("Who the healthy adults were, with the source."),
    "volume_of_expected": Column("Volume over that of healthy adults of the same lean body mass.", "1"),
    "fat_reference": Column("Fat fractions published for people of that sex and age, with the source."),
    "volume_asymmetry_percent": Column("Left - right volume over the mean of both sides.", "%"),
    "volume_error_percent": Column("Difference that measurement error alone may make (95 %).", "%"),
    "fat_fraction_difference": Column("Left - right fat fraction.", "1"),
    "fat_fraction_error": Column("Difference that measurement error alone may make (95 %).", "1"),
    "exceeds_error": Column("Whether volume or fat differs by more than its error.", levels=_TRUTH),
    "volume_exceeds_error": Column("Whether volume differs by more than its error.", levels=_TRUTH),
    "fat_exceeds_error": Column("Whether fat differs by more than its error.", levels=_TRUTH),
    "exceeds_normal": Column("Whether volume differs more than between healthy sides.", levels=_TRUTH),
    "common_slab_mm": Column("Height of the slab both sides share, where only that was compared.", "mm"),
    "affected": Column(
        "The side named as affected.", levels={"left": "the patient's left", "right": "right"}
    ),
    "affected_volume_percent": Column("Affected - other volume over the other.", "%"),
    "affected_fat_difference": Column("Affected - other fat fraction.", "1"),
    "pattern": Column("How fat of a quarter or more is distributed; empty where that is not certain."),
    "status": Column(
        "What became of the study.",
        levels={
            "graded": "at least one muscle has a stage",
            "not_gradable": "sound images that do not show what is needed",
            "failed": "something is broken; see reason",
            "pending": "not reached yet",
        },
    ),
    "reason": Column("Why a study has no grade, and what to do."),
    "seconds": Column("Wall-clock time spent on the study.", "s"),
    "peak_memory_mb": Column("Most memory that the process held.", "MB"),
    "decision": Column(
        "What a reader decided after looking at the study; empty where nobody has.",
        levels={"good": "stands", "fix": "to be outlined again", "reject": "not in the other tables"},
    ),
    "note": Column("The reader's note on the decision."),
    "segmentation": Column("Who drew the muscles: the network with its digest, or label maps."),
}

DICTIONARIES: dict[str, tuple[str, ...]] = {
    "measurements.json": MEASUREMENT_COLUMNS,
    "asymmetry.json": ASYMMETRY_COLUMNS,
    "studies.json": (*STUDY_COLUMNS, *DECISION_COLUMNS[1:]),
}
"""File beside the table of the same name -> its columns."""


def dictionary_text(columns: tuple[str, ...]) -> str:
    """JSON that describes these columns, in their order."""
    return json.dumps({name: COLUMNS[name].plain() for name in columns}, indent=1, ensure_ascii=False) + "\n"
