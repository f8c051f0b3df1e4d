"""Grading scales as data: stages, the fat fractions between them, and where each number comes from.

Marks in `source`: [R] read in the source named; [V] recalled, to be verified before it is quoted.
"""

from dataclasses import dataclass

from grading.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a scale.

    Attributes:
        number: what the table prints.
        meaning: the stage in the scale's own words.
    """

    number: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Edge:
    """Border between two neighbouring stages.

    Attributes:
        fat_fraction: where it lies, 0-1.
        belongs_above: whether exactly this fraction is of the upper stage.
    """

    fat_fraction: float
    belongs_above: bool = True


@dataclass(frozen=True, slots=True)
class Scale:
    """A grading scale on measured fat fraction.

    Attributes:
        name: key that a user asks for.
        title: what reports call it.
        variant: which of several published or conventional forms this is.
        stages: from least to most fat.
        edges: one fewer than stages, rising.
        calibrated: whether the edges were published as, or fitted to, measured fat fractions.
        source: citation, with a mark for what is verified.
    """

    name: str
    title: str
    variant: str
    stages: tuple[Stage, ...]
    edges: tuple[Edge, ...]
    calibrated: bool
    source: str

    def __post_init__(self) -> None:
        values = [edge.fat_fraction for edge in self.edges]
        if len(self.stages) != len(values) + 1 or values != sorted(set(values)):
            raise ConfigurationError(
                f"scale {self.name!r}: {len(self.stages)} stages need {len(self.stages) - 1} rising edges, "
                f"got {values}"
            )


_FUCHS = (
    "visual grades of Goutallier 1994 (CT), carried to MRI by Fuchs 1999; the originals name no fat fraction "
    "[R]; edges are this project's convention, uncalibrated"
)

SCALES: dict[str, Scale] = {
    s.name: s
    for s in (
        Scale(
            "quartile",
            "fat-fraction-derived Quartile stage",
            "four stages",
            (
                Stage(1, "under a quarter fat"),
                Stage(2, "a quarter to under half"),
                Stage(3, "half to under three quarters"),
                Stage(4, "three quarters or more"),
            ),
            (Edge(0.25), Edge(0.50), Edge(0.75)),
            calibrated=True,
            source="Engelken 2014, J Arthroplasty 29:149; Khodarahmi 2021, Skeletal Radiol, "
            "doi 10.1007/s00256-020-03611-9 [R]; which stage owns an edge [V]",
        ),
        Scale(
            "goutallier",
            "fat-fraction-derived Goutallier grade",
            "five grades (Goutallier 1994, Fuchs 1999)",
            (
                Stage(0, "no fat"),
                Stage(1, "some fatty streaks"),
                Stage(2, "fat, but less than muscle"),
                Stage(3, "as much fat as muscle"),
                Stage(4, "more fat than muscle"),
            ),
            (Edge(0.05), Edge(0.25), Edge(0.45), Edge(0.55, belongs_above=False)),
            calibrated=False,
            source=_FUCHS,
        ),
        Scale(
            "goutallier_fuchs",
            "fat-fraction-derived Goutallier tier",
            "three tiers {0,1} {2} {3,4} (Fuchs)",
            (Stage(0, "grades 0 and 1"), Stage(1, "grade 2"), Stage(2, "grades 3 and 4")),
            (Edge(0.25), Edge(0.45)),
            calibrated=False,
            source=f"{_FUCHS}; grouping of Fuchs 1999 [V]",
        ),
        Scale(
            "goutallier_slabaugh",
            "fat-fraction-derived Goutallier tier",
            "three tiers {0,1} {2,3} {4} (Slabaugh)",
            (Stage(0, "grades 0 and 1"), Stage(1, "grades 2 and 3"), Stage(2, "grade 4")),
            (Edge(0.25), Edge(0.55, belongs_above=False)),
            calibrated=False,
            source=f"{_FUCHS}; grouping of Slabaugh 2012 [V]",
        ),
    )
}


def scale(name: str) -> Scale:
    """The scale of that name.

    Raises:
        ConfigurationError: there is none.
    """
    if name not in SCALES:
        raise ConfigurationError(f"unknown scale {name!r}; choose from {', '.join(sorted(SCALES))}")
    return SCALES[name]
