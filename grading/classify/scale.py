"""A grading scale: stages, the fat fractions between them, and where each number comes from."""

from dataclasses import dataclass

from grading.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a scale.

    Attributes:
        number: what the tables print; text where a scale has letters in it.
        meaning: the stage in the scale's own words.
    """

    number: int | str
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
        title: what a stage on it is, in words.
        variant: which of several published or conventional forms this is.
        stages: from least to most fat.
        edges: one fewer than stages, rising.
        calibrated: whether the edges were published as, or fitted to, measured fat fractions.
        source: citation; [R] read in the source named, [V] recalled, to be verified before it is quoted.
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
        rising = values == sorted(set(values)) and all(0 <= value <= 1 for value in values)
        if len(self.stages) != len(values) + 1 or not rising:
            raise ConfigurationError(
                f"scale {self.name!r}: {len(self.stages)} stages need {len(self.stages) - 1} rising edges "
                f"from 0 to 1, got {values}"
            )
