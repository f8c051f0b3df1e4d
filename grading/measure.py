"""What is measured of each muscle: volume, cross-section, fat fraction, and how much of it is in view."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grading.anatomy import REGIONS, SIDES, Muscle, Region, Side
from grading.fat import FatError, FatMap, FatReading, read_fat
from grading.fat.reading import MINIMUM_VOXELS
from grading.fat.zones import INSIDE, ZoneArray, zones_of
from grading.field_of_view import View, csa_at_cm2, view_of
from grading.findings import Finding, Severity, says
from grading.masks import bounding_box
from grading.mass import possible_mass, widest_lean_ball_mm
from grading.segment.expected_dice import expected_dice, outline_doubts
from grading.segment.levels import level_mm
from grading.segment.regions import Part, divide
from grading.volume import BoolArray, Segmentation, Volume
from grading.volume_error import VolumeError, volume_error

PARTLY_EXCLUDED = 0.10  # share of a muscle without usable signal that deserves a word
MOSTLY_EXCLUDED = 0.50  # share past which the rest no longer speaks for the muscle


@dataclass(frozen=True, slots=True)
class MuscleMeasurement:
    """One muscle, or a region of it, on one side. None means not known; `findings` says why.

    Coverage and cuts of a region are its muscle's: where that is cut, regions are parts of what is in view.

    Attributes:
        muscle, side, region: what was measured.
        volume_ml: whole volume, mL; None when the field of view cuts the muscle, it was outlined in part only
            or its outline is unusable.
        volume_se_ml: standard error of `covered_volume_ml`, from all sources.
        covered_volume_ml: volume in view, mL, as far as it is outlined.
        lean_volume_ml: V (1 - fat fraction), mL; None when either is.
        max_csa_cm2: largest axial (transverse to the body's axis) cross-section in view, cm2; None where the
            muscle was outlined in part only or its outline is unusable.
        level_csa_cm2: axial cross-section of the whole muscle at its named level (`grading.segment.levels`),
            cm2; None where `max_csa_cm2` is, for muscles without such a level, where the bone that gives it
            is not labelled or not in view, and where the view cuts the muscle there.
        fat_fraction: mean over the muscle's inside, unclipped, less what fat beside the muscle adds to its
            outer voxels (see `grading.fat.partial_volume`), about 0-1.
        fat_fraction_se: standard error of `fat_fraction`, from all sources.
        threshold_fraction: share of the inside that is nearer fat than muscle, 0-1; None where fat folds.
        fat_method: "t1" or "dixon".
        coverage: share of the muscle in view, 0-1; an estimate below 1, see `grading.field_of_view`. None
            where it was outlined in part only.
        cut_faces: faces of the view that cut the muscle.
        extent_mm: lowest and highest level (world z) in view, mm.
        excluded_fraction: share of the muscle's voxels without usable signal, 0-1.
        findings: what limits these numbers.
        volume_error: `volume_se_ml` by source.
        fat_error: `fat_fraction_se` by source.
    """

    muscle: Muscle
    side: Side
    region: Region = Region.WHOLE
    volume_ml: float | None = None
    volume_se_ml: float | None = None
    covered_volume_ml: float | None = None
    lean_volume_ml: float | None = None
    max_csa_cm2: float | None = None
    level_csa_cm2: float | None = None
    fat_fraction: float | None = None
    fat_fraction_se: float | None = None
    threshold_fraction: float | None = None
    fat_method: str | None = None
    coverage: float | None = None
    cut_faces: tuple[str, ...] = ()
    extent_mm: tuple[float, float] | None = None
    excluded_fraction: float | None = None
    findings: tuple[Finding, ...] = ()
    volume_error: VolumeError | None = None
    fat_error: FatError | None = None

    @property
    def outline_usable(self) -> bool:
        """Whether the outline is good enough for anything to be measured on it."""
        return _usable(self.findings)


@dataclass(frozen=True, slots=True, eq=False)
class _Body:
    """One muscle in view, with what all its rows share.

    Attributes:
        muscle, side: which.
        zones: where each voxel of `view.box` lies in it.
        view: how the image shows it.
        coverage: share of it in view, 0-1; None where it was outlined in part only.
        trust: likely Dice overlap of its outline with the truth, 0-1.
        findings: what limits every number of it.
    """

    muscle: Muscle
    side: Side
    zones: ZoneArray
    view: View
    coverage: float | None
    trust: float
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether all of the muscle is in view and outlined."""
        return self.coverage is not None and not self.view.cuts


def measure(fat: FatMap, segmentation: Segmentation, volume: Volume) -> tuple[MuscleMeasurement, ...]:
    """Every muscle and its regions on both sides, in table order; what is absent has its rows too.

    Args:
        fat: fat fraction on the image's grid.
        segmentation: labels on the same grid.
        volume: the image: where it is valid and how its slices lie.
    """
    rows: list[MuscleMeasurement] = []
    in_part = says(segmentation.findings, "partly_outlined")
    for muscle in Muscle:
        masks = {side: segmentation.mask(muscle, side) for side in SIDES}
        views = {side: view_of(mask, volume) for side, mask in masks.items()}
        balls_mm = {
            side: widest_lean_ball_mm(
                fat.fraction[view.box], masks[side][view.box], volume.geometry.spacing_mm
            )
            for side, view in views.items()
            if view is not None and not fat.folds  # else a ball of fat reads as one without
        }
        for side in SIDES:
            regions = (Region.WHOLE, *REGIONS[muscle])
            view = views[side]
            if view is None:
                absent = (Finding("not_found", "", muscle, side),)
                rows += [MuscleMeasurement(muscle, side, region, findings=absent) for region in regions]
                continue
            trust = expected_dice(segmentation, muscle, side)
            doubts = outline_doubts(trust, muscle, side) + possible_mass(muscle, side, balls_mm)
            limits = (*doubts, *_limits(fat, muscle, side))
            coverage = None if in_part else view.coverage(muscle, views[side.other])
            body = _body(muscle, side, masks[side], view, coverage, trust, limits, volume)
            level = level_mm(segmentation, muscle, side, volume.valid)
            csa_cm2 = None if level is None else csa_at_cm2(masks[side], volume, level)
            regions_in_view = divide(segmentation, muscle, side, volume.valid)
            rows.append(_measure_part(Part(Region.WHOLE, masks[side], ()), body, fat, volume, csa_cm2))
            rows += [_measure_part(part, body, fat, volume) for part in regions_in_view]
    return tuple(rows)


def _body(
    muscle: Muscle,
    side: Side,
    mask: BoolArray,
    view: View,
    coverage: float | None,
    trust: float,
    limits: tuple[Finding, ...],
    volume: Volume,
) -> _Body:
    zones = zones_of(mask, view.box, volume.geometry, volume.series.slice_axis)
    if view.cuts:
        share = "" if coverage is None else f"; about {coverage:.0%} in view"
        detail = f"cut at {', '.join(view.faces(side))}{share}"
        limits = (Finding("cut_by_field_of_view", detail, muscle, side), *limits)
    return _Body(muscle, side, zones, view, coverage, trust, limits)


def _measure_part(
    part: Part, body: _Body, fat: FatMap, volume: Volume, level_csa_cm2: float | None = None
) -> MuscleMeasurement:
    """A region of a muscle, or the whole of it with its cross-section at the named level."""
    muscle, side, box = body.muscle, body.side, body.view.box
    view = body.view if part.region is Region.WHOLE else view_of(part.mask, volume)
    findings = [*body.findings, *part.findings]
    if view is None:
        if not _stopped(findings):
            findings.append(Finding("not_found", "no voxel of it in view", muscle, side, part.region))
        return MuscleMeasurement(muscle, side, part.region, findings=tuple(findings))
    within = part.mask[box]
    voxel_ml = volume.geometry.voxel_volume_ml
    excluded = float(np.count_nonzero(within & ~fat.valid[box])) / view.voxels
    findings += _exclusion(excluded, muscle, side, part.region)
    reading = None
    if not _stopped(findings):
        reading = read_fat(fat, box, body.zones, within, side, body.trust)
        if reading is None:
            detail = f"fewer than {MINIMUM_VOXELS} inside voxels"
            findings.append(Finding("too_small", detail, muscle, side, part.region))
    covered = view.voxels * voxel_ml
    border = float(np.count_nonzero(within & (body.zones < INSIDE)))
    doubt = volume_error(covered, border * voxel_ml, body.trust)
    usable = _usable(findings)
    whole = covered if usable and body.whole else None
    sections = usable and body.coverage is not None
    return MuscleMeasurement(
        muscle,
        side,
        part.region,
        volume_ml=whole,
        volume_se_ml=doubt.total,
        volume_error=doubt,
        covered_volume_ml=covered,
        lean_volume_ml=whole * (1 - reading.fraction) if whole is not None and reading else None,
        max_csa_cm2=view.max_csa_cm2 if sections else None,
        level_csa_cm2=level_csa_cm2 if sections else None,
        fat_fraction=reading.fraction if reading else None,
        fat_fraction_se=reading.error.total if reading else None,
        fat_error=reading.error if reading else None,
        threshold_fraction=reading.threshold_fraction if reading else None,
        fat_method=fat.method,
        coverage=body.coverage,
        cut_faces=body.view.faces(side),
        extent_mm=(view.bottom_mm, view.top_mm),
        excluded_fraction=excluded,
        findings=tuple(findings),
    )


def read_part(
    part: BoolArray, muscle: Muscle, side: Side, segmentation: Segmentation, fat: FatMap, volume: Volume
) -> FatReading | None:
    """Fat of any part of a muscle, with the muscle's own border left out; None when too little is inside.

    Args:
        part: bool, shape (i, j, k), inside the muscle.
        muscle: which muscle it is a part of.
        side: on which side.
        segmentation: the labels.
        fat: the fat map.
        volume: the image, for how its slices lie.
    """
    mask = segmentation.mask(muscle, side)
    box = bounding_box(mask)
    if box is None:
        return None
    zones = zones_of(mask, box, volume.geometry, volume.series.slice_axis)
    return read_fat(fat, box, zones, part[box], side, expected_dice(segmentation, muscle, side))


def _usable(findings: Sequence[Finding]) -> bool:
    """Whether none of the findings on an outline calls it unusable."""
    return not says(findings, "outline_unusable")


def _stopped(findings: Sequence[Finding]) -> bool:
    return any(f.severity is Severity.STOP for f in findings)


def _exclusion(excluded: float, muscle: Muscle, side: Side, region: Region) -> list[Finding]:
    if excluded <= PARTLY_EXCLUDED:
        return []
    code = "mostly_excluded" if excluded > MOSTLY_EXCLUDED else "partly_excluded"
    return [Finding(code, f"{excluded:.0%} of its voxels carry no usable signal", muscle, side, region)]


def _limits(fat: FatMap, muscle: Muscle, side: Side) -> list[Finding]:
    """What the fat map says about this side, as said of this muscle."""
    return [Finding(f.code, f.detail, muscle, side) for f in fat.findings if f.side in (None, side)]
