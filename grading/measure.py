"""What is measured of each muscle: volume, cross-section, fat fraction, and how much of it is in view."""

from dataclasses import dataclass

import numpy as np

from grading.anatomy import SIDES, Muscle, Region, Side
from grading.fat import FatMap
from grading.field_of_view import View, view_of
from grading.findings import Finding, Severity
from grading.masks import bounding_box, interior
from grading.settings import Settings
from grading.volume import BoolArray, Segmentation, Volume

MINIMUM_VOXELS = 100  # inside voxels: at SNR 10 their mean is then good to 1 % of the fat-muscle contrast
PARTLY_EXCLUDED = 0.10  # share of a muscle without usable signal that deserves a word
MOSTLY_EXCLUDED = 0.50  # share past which the rest no longer speaks for the muscle
FAT_VOXEL = 0.5  # a voxel nearer fat than muscle
EROSIONS = (0, 1, 2)  # steps whose spread stands for the doubt about where the muscle ends


@dataclass(frozen=True, slots=True)
class MuscleMeasurement:
    """One muscle, or a region of it, on one side. None means not known; `findings` says why.

    Attributes:
        muscle, side, region: what was measured.
        volume_ml: whole volume, mL; None when the field of view cuts the muscle.
        volume_se_ml: standard error of `covered_volume_ml`: the border lies within half an in-plane voxel.
        covered_volume_ml: volume in view, mL.
        lean_volume_ml: V (1 - fat fraction), mL; None when either is.
        max_csa_cm2: largest axial (transverse to the body's axis) cross-section in view, cm2.
        fat_fraction: mean over the muscle's inside, unclipped, about 0-1.
        fat_fraction_se: standard error of `fat_fraction`.
        threshold_fraction: share of the inside that is nearer fat than muscle, 0-1.
        fat_method: "t1" or "dixon".
        coverage: share of the muscle in view, 0-1; an estimate below 1, see `grading.field_of_view`.
        cut_faces: faces of the view that cut the muscle.
        extent_mm: lowest and highest level (world z) in view, mm.
        excluded_fraction: share of the muscle's voxels without usable signal, 0-1.
        findings: what limits these numbers.
    """

    muscle: Muscle
    side: Side
    region: Region = Region.WHOLE
    volume_ml: float | None = None
    volume_se_ml: float | None = None
    covered_volume_ml: float | None = None
    lean_volume_ml: float | None = None
    max_csa_cm2: float | None = None
    fat_fraction: float | None = None
    fat_fraction_se: float | None = None
    threshold_fraction: float | None = None
    fat_method: str | None = None
    coverage: float | None = None
    cut_faces: tuple[str, ...] = ()
    extent_mm: tuple[float, float] | None = None
    excluded_fraction: float | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class FatReading:
    """Fat of one mask: mean fraction, its standard error and the share of fat voxels."""

    fraction: float
    standard_error: float
    threshold_fraction: float


def measure(
    fat: FatMap, segmentation: Segmentation, volume: Volume, settings: Settings | None = None
) -> tuple[MuscleMeasurement, ...]:
    """Every muscle on both sides, in the order of the tables; one that is absent has a row that says so.

    Args:
        fat: fat fraction on the image's grid.
        segmentation: labels on the same grid.
        volume: the image: where it is valid and how its slices lie.
        settings: choices of the run.
    """
    del settings  # nothing here is a matter of choice yet; regions will be
    views = {
        (muscle, side): view_of(segmentation.mask(muscle, side), volume)
        for muscle in Muscle
        for side in SIDES
    }
    return tuple(
        _measure_one(muscle, side, views[muscle, side], views[muscle, side.other], fat, segmentation, volume)
        for muscle in Muscle
        for side in SIDES
    )


def _measure_one(
    muscle: Muscle,
    side: Side,
    view: View | None,
    other: View | None,
    fat: FatMap,
    segmentation: Segmentation,
    volume: Volume,
) -> MuscleMeasurement:
    if view is None:
        return MuscleMeasurement(muscle, side, findings=(Finding("not_found", "", muscle, side),))
    mask = segmentation.mask(muscle, side)
    voxel_ml = volume.geometry.voxel_volume_ml
    covered = view.voxels * voxel_ml
    cut = view.faces(side)
    coverage = view.coverage(muscle, other)
    findings = []
    if cut:
        detail = f"cut at {', '.join(cut)}; about {coverage:.0%} in view"
        findings.append(Finding("cut_by_field_of_view", detail, muscle, side))
    excluded = float(np.count_nonzero(mask & ~fat.valid)) / view.voxels
    findings += _exclusion(excluded, muscle, side)
    findings += _limits(fat, muscle, side)
    reading = None
    if not any(f.severity is Severity.STOP for f in findings):
        reading = read_fat(mask, side, fat, volume)
        if reading is None:
            detail = f"fewer than {MINIMUM_VOXELS} inside voxels"
            findings.append(Finding("too_small", detail, muscle, side))
    whole = None if cut else covered
    return MuscleMeasurement(
        muscle,
        side,
        volume_ml=whole,
        volume_se_ml=_border_ml(mask, volume) / 2,
        covered_volume_ml=covered,
        lean_volume_ml=whole * (1 - reading.fraction) if whole is not None and reading else None,
        max_csa_cm2=view.max_csa_cm2,
        fat_fraction=reading.fraction if reading else None,
        fat_fraction_se=reading.standard_error if reading else None,
        threshold_fraction=reading.threshold_fraction if reading else None,
        fat_method=fat.method,
        coverage=coverage,
        cut_faces=cut,
        extent_mm=(view.bottom_mm, view.top_mm),
        excluded_fraction=excluded,
        findings=tuple(findings),
    )


def read_fat(mask: BoolArray, side: Side, fat: FatMap, volume: Volume) -> FatReading | None:
    """Fat of the inside of a mask; None when too few valid voxels are inside.

    The standard error combines the references' errors, how far the same tissue strays elsewhere from the
    references, and the spread of the mean over erosion by 0, 1 and 2 voxels.

    Args:
        mask: bool, shape (i, j, k).
        side: side it lies on, to choose the references.
        fat: the fat map.
        volume: the image, for how its slices lie.
    """
    box = bounding_box(mask)
    if box is None:
        return None
    means = []
    threshold = 0.0
    for steps in EROSIONS:
        inside = interior(mask[box], volume.geometry, volume.series.slice_axis, steps) & fat.valid[box]
        values = fat.fraction[box][inside].astype(float)
        if values.size < MINIMUM_VOXELS:
            break
        means.append(float(values.mean()))
        if steps == 1:
            threshold = float(np.mean(values > FAT_VOXEL))
    if len(means) < 2:
        return None
    fraction = means[1]
    error = np.hypot(float(np.std(means, ddof=1)), _reference_error(fraction, side, fat))
    return FatReading(fraction, float(error), threshold)


def _reference_error(fraction: float, side: Side, fat: FatMap) -> float:
    """Error of a fraction through its references.

    T1: df = -((1 - f) dI_muscle + f dI_fat) / (I_fat - I_muscle). Dixon has no references to err; what its
    subcutaneous fat falls short of 1 by (noise bias, T1 weighting) stands for its scale error.
    """
    lipid, muscle = fat.reference("fat", side), fat.reference("muscle", side)
    if lipid is None:
        return 0.0
    if muscle is None:
        return abs(fraction) * max(0.0, 1 - lipid.signal)
    contrast = lipid.signal - muscle.signal
    by_muscle = (1 - fraction) * np.hypot(muscle.standard_error, muscle.spread) / contrast
    by_fat = fraction * np.hypot(lipid.standard_error, lipid.spread) / contrast
    return float(np.hypot(by_muscle, by_fat))


def _border_ml(mask: BoolArray, volume: Volume) -> float:
    """Volume of the outermost voxel of the mask, in plane, mL."""
    box = bounding_box(mask)
    if box is None:
        return 0.0
    inside = interior(mask[box], volume.geometry, volume.series.slice_axis)
    return float(np.count_nonzero(mask[box] & ~inside)) * volume.geometry.voxel_volume_ml


def _exclusion(excluded: float, muscle: Muscle, side: Side) -> list[Finding]:
    if excluded <= PARTLY_EXCLUDED:
        return []
    code = "mostly_excluded" if excluded > MOSTLY_EXCLUDED else "partly_excluded"
    return [Finding(code, f"{excluded:.0%} of its voxels carry no usable signal", muscle, side)]


def _limits(fat: FatMap, muscle: Muscle, side: Side) -> list[Finding]:
    """What the fat map says about this side, as said of this muscle."""
    return [Finding(f.code, f.detail, muscle, side) for f in fat.findings if f.side in (None, side)]
