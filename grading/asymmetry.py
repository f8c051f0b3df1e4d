"""Left against right: how far volume and fat differ, and whether that exceeds error and normal variation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grading.anatomy import SIDES, Muscle, Region, Side
from grading.fat import FatMap
from grading.field_of_view import within_slab
from grading.findings import Finding, Severity
from grading.measure import MuscleMeasurement, read_part
from grading.segment.levels import head_top_mm
from grading.volume import Segmentation, Volume

TWO_SIDED_95 = 1.96  # two-sided 95 %
NORMAL_VOLUME_PERCENT = 12.0  # single limb muscles of healthy people differ by up to this [Rothwell, R]
UNLIKE_EXCLUSION = 0.15  # difference in the share without signal from which the rests are unlike parts
UNLIKE_LEVELS_MM = 10.0  # between the tops of the femoral heads: from there a tilt of the pelvis alone makes
# as much asymmetry of a muscle cut above as healthy people have [phantom: 7 % of medius at 6 mm]; in the ten
# women of the pelvis studies they are up to 9 mm apart
LEVELS = frozenset({"superior", "inferior"})  # cuts that a common slab makes good


@dataclass(frozen=True, slots=True)
class Asymmetry:
    """One muscle, left against right. None means not known; `findings` says why.

    Attributes:
        muscle: which one.
        volume_asymmetry_percent: 100 (L - R) / ((L + R) / 2), of whole muscles or of the common slab.
        volume_error_percent: the difference that measurement error alone exceeds once in twenty times:
            1.96 times the standard errors of both sides in quadrature, 1.96 sqrt(2) SEM where they are equal.
        fat_fraction_difference: L - R, as a fraction of 1.
        fat_fraction_error: the same for the fat fraction; what noise adds to both alike (Dixon) cancels.
        volume_exceeds_error, fat_exceeds_error: whether the difference is larger than that error.
        exceeds_normal: whether the volume differs more than single muscles of healthy people do; no limit is
            published for gluteal fat fraction, so fat has no part in it.
        common_slab_mm: height of the slab that was compared; None where whole muscles were.
        findings: what limits the comparison.
        affected: the side named as affected; None where none was.
    """

    muscle: Muscle
    volume_asymmetry_percent: float | None = None
    volume_error_percent: float | None = None
    fat_fraction_difference: float | None = None
    fat_fraction_error: float | None = None
    volume_exceeds_error: bool | None = None
    fat_exceeds_error: bool | None = None
    exceeds_normal: bool | None = None
    common_slab_mm: float | None = None
    findings: tuple[Finding, ...] = ()
    affected: Side | None = None

    @property
    def affected_volume_percent(self) -> float | None:
        """100 (affected - other) / other, from the same volumes; None where no side is named or known."""
        if self.affected is None or self.volume_asymmetry_percent is None:
            return None
        share = self._towards_affected(self.volume_asymmetry_percent) / 200
        return 100 * 2 * share / (1 - share) if share < 1 else None

    @property
    def affected_fat_difference(self) -> float | None:
        """Fat fraction of the affected side less that of the other; None where no side is named or known."""
        if self.affected is None or self.fat_fraction_difference is None:
            return None
        return self._towards_affected(self.fat_fraction_difference)

    def _towards_affected(self, left_less_right: float) -> float:
        return left_less_right if self.affected is Side.LEFT else -left_less_right

    @property
    def exceeds_error(self) -> bool | None:
        """Whether volume or fat differs by more than its error; None where neither is known."""
        known = [v for v in (self.volume_exceeds_error, self.fat_exceeds_error) if v is not None]
        return any(known) if known else None


@dataclass(frozen=True, slots=True)
class _Volumes:
    """Volumes to compare, mL, with their standard errors."""

    left: float
    right: float
    left_error: float
    right_error: float


@dataclass(frozen=True, slots=True)
class _Fat:
    """Fat fraction of one side, its standard error, and the part of that which both sides share."""

    fraction: float
    error: float
    shared: float


def compare(
    measurements: Sequence[MuscleMeasurement],
    segmentation: Segmentation,
    fat: FatMap,
    volume: Volume,
    affected: Side | None = None,
) -> tuple[Asymmetry, ...]:
    """Left against right for every muscle that has rows, in the order of the tables.

    Where the view cuts a muscle above or below, both volume and fat are compared within the levels (world z)
    that both sides show. Where another face cuts it volumes are not compared.

    Args:
        measurements: of both sides; regions other than the whole are ignored.
        segmentation: the labels they were measured on.
        fat: the fat map they were measured on.
        volume: the image, for how its slices lie.
        affected: the side that a user named as affected.
    """
    whole = {(m.muscle, m.side): m for m in measurements if m.region is Region.WHOLE}
    found = []
    for muscle in Muscle:
        if (muscle, Side.LEFT) in whole and (muscle, Side.RIGHT) in whole:
            pair = _Pair(whole[muscle, Side.LEFT], whole[muscle, Side.RIGHT], segmentation, fat, volume)
            found.append(replace(_compare_one(muscle, pair), affected=affected))
    return tuple(found)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """One muscle on both sides, and the images it was measured on."""

    left: MuscleMeasurement
    right: MuscleMeasurement
    segmentation: Segmentation
    fat: FatMap
    volume: Volume

    @property
    def both(self) -> tuple[MuscleMeasurement, MuscleMeasurement]:
        """Left and right."""
        return self.left, self.right

    @property
    def cuts(self) -> set[str]:
        """Faces of the view that cut the muscle on either side."""
        return {*self.left.cut_faces, *self.right.cut_faces}

    @property
    def cut_by_level(self) -> bool:
        """Whether the view ends above or below within the muscle, so that only common levels are compared."""
        return bool(self.cuts & LEVELS)

    @property
    def slab(self) -> tuple[float, float] | None:
        """Levels (world z, mm) that both sides show; None where no level is."""
        return _common_slab(self.left, self.right)


def _compare_one(muscle: Muscle, pair: _Pair) -> Asymmetry:
    findings: list[Finding] = []
    volumes = _volumes(muscle, pair, findings)
    percent = percent_error = difference = difference_error = None
    if volumes is not None:
        mean = (volumes.left + volumes.right) / 2
        percent = 100 * (volumes.left - volumes.right) / mean
        percent_error = 100 * TWO_SIDED_95 * _asymmetry_error(volumes)
    fats = _fats(muscle, pair, findings)
    if fats is not None:
        left, right = fats
        difference = left.fraction - right.fraction
        shared = left.shared * right.shared  # the covariance of the sides
        difference_error = TWO_SIDED_95 * math.sqrt(max(0.0, left.error**2 + right.error**2 - 2 * shared))
        findings.append(Finding("no_published_limit", "", muscle))
    slab = pair.slab if pair.cut_by_level and (volumes or fats) else None
    if slab is not None:
        findings.append(Finding("common_slab", f"{slab[1] - slab[0]:.0f} mm high", muscle))
        findings += _unlike_levels(muscle, pair)
    return Asymmetry(
        muscle,
        percent,
        percent_error,
        difference,
        difference_error,
        _exceeds(percent, percent_error),
        _exceeds(difference, difference_error),
        _exceeds(percent, NORMAL_VOLUME_PERCENT),
        slab[1] - slab[0] if slab else None,
        tuple(findings),
    )


def _fats(muscle: Muscle, pair: _Pair, findings: list[Finding]) -> tuple[_Fat, _Fat] | None:
    """Fat of both sides; within the levels both show where one is cut."""
    unknown = [m for m in pair.both if m.fat_fraction is None]
    if unknown:
        if all(m.covered_volume_ml for m in unknown):  # or `_volumes` has said that it was not found
            detail = "not known: " + "; ".join(f"{m.side.value}, {_stops(m)}" for m in unknown)
            findings.append(Finding("fat_not_comparable", detail, muscle))
        return None
    if pair.fat.folds:
        findings.append(
            Finding("fat_not_comparable", "in/opposed phase: either may be its complement", muscle)
        )
        return None
    left, right = (m.excluded_fraction or 0.0 for m in pair.both)
    if abs(left - right) > UNLIKE_EXCLUSION:
        detail = f"without signal: left {left:.0%}, right {right:.0%}"
        findings.append(Finding("fat_not_comparable", detail, muscle))
        return None
    slab = pair.slab if pair.cut_by_level else None
    if pair.cut_by_level and slab is None:
        findings.append(Finding("fat_not_comparable", "no level is in view on both sides", muscle))
        return None
    read = []
    for m in pair.both:
        fraction, error, sources = m.fat_fraction, m.fat_fraction_se, m.fat_error
        if slab is not None:
            within = within_slab(pair.segmentation.mask(muscle, m.side), pair.fat.geometry, *slab)
            reading = read_part(within, muscle, m.side, pair.segmentation, pair.fat, pair.volume)
            if reading is None:
                detail = f"too few voxels of the common slab on the {m.side.value}"
                findings.append(Finding("fat_not_comparable", detail, muscle))
                return None
            fraction, error, sources = reading.fraction, reading.error.total, reading.error
        read.append(_Fat(fraction or 0.0, error or 0.0, sources.floor if sources else 0.0))
    return read[0], read[1]


def _volumes(muscle: Muscle, pair: _Pair, findings: list[Finding]) -> _Volumes | None:
    """Volumes of whole muscles, or of the slab both sides show; None, with a finding, when neither works."""
    left, right = pair.both
    if not left.covered_volume_ml or not right.covered_volume_ml:
        missing = [m.side.value for m in pair.both if not m.covered_volume_ml]
        findings.append(Finding("not_comparable", f"not found on the {' and the '.join(missing)}", muscle))
        return None
    doubted = [m.side.value for m in pair.both if not m.outline_usable]
    if doubted:
        detail = f"outline not to be trusted on the {' and the '.join(doubted)}"
        findings.append(Finding("not_comparable", detail, muscle))
        return None
    in_part = [m.side.value for m in pair.both if m.coverage is None]
    if in_part:
        detail = f"outlined in part only on the {' and the '.join(in_part)}"
        findings.append(Finding("not_comparable", detail, muscle))
        return None
    if not pair.cuts <= LEVELS:
        detail = f"cut at {', '.join(sorted(pair.cuts - LEVELS))}"
        findings.append(Finding("not_comparable", detail, muscle))
        return None
    errors = (left.volume_se_ml or 0.0, right.volume_se_ml or 0.0)
    if not pair.cuts:
        return _Volumes(left.covered_volume_ml, right.covered_volume_ml, *errors)
    slab = pair.slab
    parts = [_slab_ml(muscle, m.side, slab, pair) if slab is not None else 0.0 for m in pair.both]
    if slab is None or not all(parts):
        findings.append(Finding("not_comparable", "no level is in view on both sides", muscle))
        return None
    shares = (parts[0] / left.covered_volume_ml, parts[1] / right.covered_volume_ml)
    return _Volumes(parts[0], parts[1], shares[0] * errors[0], shares[1] * errors[1])


def _stops(m: MuscleMeasurement) -> str:
    """Codes of what withholds its numbers."""
    return ", ".join(dict.fromkeys(f.code for f in m.findings if f.severity is Severity.STOP))


def _slab_ml(muscle: Muscle, side: Side, slab: tuple[float, float], pair: _Pair) -> float:
    """Volume of a muscle between two levels of world z, mL."""
    inside = within_slab(pair.segmentation.mask(muscle, side), pair.fat.geometry, *slab)
    return float(np.count_nonzero(inside)) * pair.fat.geometry.voxel_volume_ml


def _common_slab(left: MuscleMeasurement, right: MuscleMeasurement) -> tuple[float, float] | None:
    """Levels of world z between the cuts: below a cut above, above a cut below, ends of the muscles else."""
    extents = [(m, m.extent_mm) for m in (left, right) if m.extent_mm is not None]
    bottom = max(
        (e[0] for m, e in extents if "inferior" in m.cut_faces), default=min(e[0] for _, e in extents)
    )
    top = min((e[1] for m, e in extents if "superior" in m.cut_faces), default=max(e[1] for _, e in extents))
    return (bottom, top) if top > bottom else None


def _unlike_levels(muscle: Muscle, pair: _Pair) -> tuple[Finding, ...]:
    """`unlike_levels` where the femoral heads, which tell how the pelvis lies, are not at one height."""
    left, right = (head_top_mm(pair.segmentation, side, pair.volume.valid) for side in SIDES)
    if left is None or right is None or abs(left - right) <= UNLIKE_LEVELS_MM:
        return ()
    higher = Side.LEFT if left > right else Side.RIGHT
    detail = f"the {higher.value} femoral head lies {abs(left - right):.0f} mm higher than the other"
    return (Finding("unlike_levels", detail, muscle),)


def _asymmetry_error(v: _Volumes) -> float:
    """Standard error of (L - R) / ((L + R) / 2): each side weighs with the other's share of the sum."""
    return 4 * math.hypot(v.right * v.left_error, v.left * v.right_error) / (v.left + v.right) ** 2


def _exceeds(value: float | None, limit: float | None) -> bool | None:
    return None if value is None or limit is None else abs(value) > limit
