"""Left against right: how far volume and fat differ, and whether that exceeds error and normal variation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grading.anatomy import Muscle, Region, Side
from grading.fat import FatMap
from grading.field_of_view import within_slab
from grading.findings import Finding
from grading.measure import MuscleMeasurement
from grading.volume import Segmentation

CONFIDENCE = 1.96  # two-sided 95 %
NORMAL_VOLUME_PERCENT = 12.0  # single limb muscles of healthy people differ by up to this [Rothwell, R]
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
        fat_fraction_error: the same for the fat fraction.
        volume_exceeds_error, fat_exceeds_error: whether the difference is larger than that error.
        exceeds_normal: whether the volume differs more than single muscles of healthy people do; no limit is
            published for gluteal fat fraction, so fat has no part in it.
        common_slab_mm: height of the slab that was compared; None where whole muscles were.
        findings: what limits the comparison.
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

    @property
    def exceeds_error(self) -> bool | None:
        """Whether volume or fat differs by more than its error; None where neither is known."""
        known = [v for v in (self.volume_exceeds_error, self.fat_exceeds_error) if v is not None]
        return any(known) if known else None


@dataclass(frozen=True, slots=True)
class _Volumes:
    """Volumes to compare, mL, with their standard errors and the slab they lie in."""

    left: float
    right: float
    left_error: float
    right_error: float
    slab_mm: float | None


def compare(
    measurements: Sequence[MuscleMeasurement], segmentation: Segmentation, fat: FatMap
) -> tuple[Asymmetry, ...]:
    """Left against right for every muscle that has rows, in the order of the tables.

    Where the view cuts a muscle above or below, volumes are compared within the levels (world z) that both
    sides show. Where another face cuts it they are not compared.

    Args:
        measurements: of both sides; regions other than the whole are ignored.
        segmentation: the labels they were measured on.
        fat: the fat map they were measured on, for its grid.
    """
    whole = {(m.muscle, m.side): m for m in measurements if m.region is Region.WHOLE}
    return tuple(
        _compare_one(muscle, whole[muscle, Side.LEFT], whole[muscle, Side.RIGHT], segmentation, fat)
        for muscle in Muscle
        if (muscle, Side.LEFT) in whole and (muscle, Side.RIGHT) in whole
    )


def _compare_one(
    muscle: Muscle,
    left: MuscleMeasurement,
    right: MuscleMeasurement,
    segmentation: Segmentation,
    fat: FatMap,
) -> Asymmetry:
    findings: list[Finding] = []
    volumes = _volumes(muscle, left, right, segmentation, fat, findings)
    percent = percent_error = difference = difference_error = None
    if volumes is not None:
        mean = (volumes.left + volumes.right) / 2
        percent = 100 * (volumes.left - volumes.right) / mean
        percent_error = 100 * CONFIDENCE * _asymmetry_error(volumes)
    if left.fat_fraction is not None and right.fat_fraction is not None:
        difference = left.fat_fraction - right.fat_fraction
        difference_error = CONFIDENCE * math.hypot(left.fat_fraction_se or 0, right.fat_fraction_se or 0)
        findings.append(Finding("no_published_limit", "", muscle))
    return Asymmetry(
        muscle,
        percent,
        percent_error,
        difference,
        difference_error,
        _exceeds(percent, percent_error),
        _exceeds(difference, difference_error),
        _exceeds(percent, NORMAL_VOLUME_PERCENT),
        volumes.slab_mm if volumes else None,
        tuple(findings),
    )


def _volumes(
    muscle: Muscle,
    left: MuscleMeasurement,
    right: MuscleMeasurement,
    segmentation: Segmentation,
    fat: FatMap,
    findings: list[Finding],
) -> _Volumes | None:
    """Volumes of whole muscles, or of the slab both sides show; None, with a finding, when neither works."""
    if not left.covered_volume_ml or not right.covered_volume_ml:
        missing = [m.side.value for m in (left, right) if not m.covered_volume_ml]
        findings.append(Finding("not_comparable", f"not found on the {' and the '.join(missing)}", muscle))
        return None
    cuts = {*left.cut_faces, *right.cut_faces}
    if not cuts <= LEVELS:
        detail = f"cut at {', '.join(sorted(cuts - LEVELS))}"
        findings.append(Finding("not_comparable", detail, muscle))
        return None
    if not cuts:
        return _Volumes(
            left.covered_volume_ml,
            right.covered_volume_ml,
            left.volume_se_ml or 0.0,
            right.volume_se_ml or 0.0,
            None,
        )
    slab = _common_slab(left, right)
    if slab is None:
        findings.append(Finding("not_comparable", "no level is in view on both sides", muscle))
        return None
    shares, parts = [], []
    for m, whole in ((left, left.covered_volume_ml), (right, right.covered_volume_ml)):
        inside = within_slab(segmentation.mask(muscle, m.side), fat.geometry, *slab)
        parts.append(float(inside.sum()) * fat.geometry.voxel_volume_ml)
        shares.append(parts[-1] / whole * (m.volume_se_ml or 0.0))
    if not all(parts):
        findings.append(Finding("not_comparable", "no level is in view on both sides", muscle))
        return None
    height = slab[1] - slab[0]
    findings.append(Finding("common_slab", f"{height:.0f} mm high", muscle))
    return _Volumes(parts[0], parts[1], shares[0], shares[1], height)


def _common_slab(left: MuscleMeasurement, right: MuscleMeasurement) -> tuple[float, float] | None:
    """Levels of world z between the cuts: below a cut above, above a cut below, ends of the muscles else."""
    extents = [(m, m.extent_mm) for m in (left, right) if m.extent_mm is not None]
    bottom = max(
        (e[0] for m, e in extents if "inferior" in m.cut_faces), default=min(e[0] for _, e in extents)
    )
    top = min((e[1] for m, e in extents if "superior" in m.cut_faces), default=max(e[1] for _, e in extents))
    return (bottom, top) if top > bottom else None


def _asymmetry_error(v: _Volumes) -> float:
    """Standard error of (L - R) / ((L + R) / 2): each side weighs with the other's share of the sum."""
    return 4 * math.hypot(v.right * v.left_error, v.left * v.right_error) / (v.left + v.right) ** 2


def _exceeds(value: float | None, limit: float | None) -> bool | None:
    return None if value is None or limit is None else abs(value) > limit
