"""A group of studies in numbers: distributions, reasons for failures, and the studies to look at first."""

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from grading.anatomy import Muscle, Region, Side
from grading.findings import FINDINGS, Severity
from grading.report.entry import FAILED, NOT_GRADABLE, Entry
from grading.report.tables import MEASUREMENT_COLUMNS, table_lines
from grading.report.words import LEADING

FAR = 3.5
"""Robust deviations from the median beyond which a value is an outlier (Iglewicz and Hoaglin 1993)."""

FEWEST = 8
"""Studies a group needs before it can say that one of them lies far out."""

_MAD_TO_SD = 1.4826  # of a normal distribution
_LEAST_SPREAD = {"fat_fraction": 0.02, "volume_ml": 10.0}  # the measurement's own error: less is no spread
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True)
class Place:
    """A muscle or region on one side, and how its fat was measured: T1 and Dixon are never mixed.

    Attributes:
        muscle: the muscle.
        region: the whole of it, or posterior minimus.
        side: "left" or "right".
        method: "t1" or "dixon"; "" for what does not depend on fat.
    """

    muscle: Muscle
    region: Region
    side: str
    method: str = ""

    @property
    def order(self) -> tuple[bool, int, bool]:
        """T1 before Dixon, posterior minimus before the whole muscles, right before left."""
        return self.method == "dixon", LEADING.index((self.muscle, self.region)), self.side == Side.LEFT


@dataclass(frozen=True, slots=True)
class Value:
    """One number of one study."""

    study: str
    number: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """One quantity of one muscle or region on one side over all studies.

    Attributes:
        quantity: "fat_fraction" (0-1) or "volume_ml".
        place: of what.
        values: of every study that has one, ascending.
    """

    quantity: str
    place: Place
    values: tuple[Value, ...]

    def quartiles(self) -> tuple[float, float, float]:
        """First quartile, median and third quartile; all the same for a single value."""
        numbers = [value.number for value in self.values]
        if len(numbers) == 1:
            return numbers[0], numbers[0], numbers[0]
        low, middle, high = statistics.quantiles(numbers, n=4, method="inclusive")
        return low, middle, high

    def deviations(self) -> list[tuple[Value, float]]:
        """Each value with its distance from the median in robust standard deviations."""
        if len(self.values) < FEWEST:
            return []
        middle = self.quartiles()[1]
        spread = _MAD_TO_SD * statistics.median(abs(v.number - middle) for v in self.values)
        spread = max(spread, _LEAST_SPREAD[self.quantity])
        return [(value, (value.number - middle) / spread) for value in self.values]


@dataclass(frozen=True, slots=True)
class Outlier:
    """A value to look at first: how many robust deviations it lies from the group's median."""

    value: Value
    distribution: Distribution
    deviations: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Studies without a grade for one reason, its first wording given; numbers in it may differ."""

    status: str
    text: str
    studies: tuple[str, ...]


def distributions(entries: Iterable[Entry], quantity: str) -> list[Distribution]:
    """`quantity` of each whole muscle and of posterior minimus; entries without a value are left out.

    Fat fractions from T1 and from Dixon images are different quantities and stand apart. The volume of a
    region is left out: where it ends is a convention.
    """
    of_fat = quantity == "fat_fraction"
    found: dict[Place, list[Value]] = {}
    for entry in entries:
        for place, cell in _cells(entry, quantity):
            if of_fat or place.region is Region.WHOLE:
                one = place if of_fat else replace(place, method="")
                found.setdefault(one, []).append(Value(entry.name, float(cell)))
    return [
        Distribution(quantity, place, tuple(sorted(found[place], key=lambda v: (v.number, v.study))))
        for place in sorted(found, key=lambda place: place.order)
    ]


def outliers(groups: Iterable[Distribution], most: int) -> list[Outlier]:
    """Values that lie far out, the farthest first."""
    found = [
        Outlier(value, group, deviations)
        for group in groups
        for value, deviations in group.deviations()
        if abs(deviations) > FAR
    ]
    found.sort(key=lambda o: (-abs(o.deviations), o.value.study, o.distribution.place.order))
    return found[:most]


def reasons(entries: Iterable[Entry]) -> list[Reason]:
    """Why studies have no grade, the commonest reason first; reasons that differ in numbers only are one."""
    found: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        if entry.status in (FAILED, NOT_GRADABLE):
            found.setdefault((entry.status, _kind(entry)), []).append(entry)
    listed = [
        Reason(status, members[0].reason, tuple(member.name for member in members))
        for (status, _), members in found.items()
    ]
    return sorted(listed, key=lambda reason: (-len(reason.studies), reason.text))


def findings(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Each kind of finding that limits numbers, with its studies: the gravest first, then the commonest."""
    found: dict[str, list[str]] = {}
    for entry in entries:
        for code in entry.codes:
            if FINDINGS[code].severity is not Severity.NOTE:
                found.setdefault(code, []).append(entry.name)
    gravest = list(reversed(Severity))
    return dict(
        sorted(found.items(), key=lambda f: (gravest.index(FINDINGS[f[0]].severity), -len(f[1]), f[0]))
    )


def stages(entries: Iterable[Entry], column: str) -> dict[Place, dict[str, int]]:
    """How many studies have each stage of a scale, by place."""
    counts: dict[Place, dict[str, int]] = {}
    for entry in entries:
        for place, stage in _cells(entry, column):
            row = counts.setdefault(place, {})
            row[stage] = row.get(stage, 0) + 1
    return {place: counts[place] for place in sorted(counts, key=lambda place: place.order)}


def _cells(entry: Entry, column: str) -> list[tuple[Place, str]]:
    """What a study has in `column`, of whole muscles and posterior minimus, where it is known."""
    lines = table_lines(entry.measurements, MEASUREMENT_COLUMNS)
    cells = [
        (
            Place(Muscle(line["muscle"]), Region(line["region"]), line["side"], line["fat_method"]),
            line[column],
        )
        for line in lines
    ]
    return [(place, cell) for place, cell in cells if cell and (place.muscle, place.region) in LEADING]


def _kind(entry: Entry) -> str:
    """The reason without what differs from study to study: numbers, and the name of the series."""
    return _NUMBER.sub("#", re.sub(r"series \S+", "series", entry.reason))


def ticks(highest: float) -> Sequence[float]:
    """Round numbers from 0 to at least `highest`, about five of them."""
    for step in (0.05, 0.1, 0.2, 0.25, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0):
        if step * 6 >= highest:
            return [step * n for n in range(int(highest / step + 0.999) + 1)]
    return [0.0, highest]
