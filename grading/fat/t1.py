"""Fat fraction from a T1 image: f = (I - I_muscle) / (I_fat - I_muscle) once shading is removed.

The linear two-reference model [Belzunce 2022] needs no fat class to exist inside a muscle, so healthy
muscle reads about 0, where mixture models and Otsu's threshold find 25-50 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from grading.anatomy import Side
from grading.fat.bias import BiasField, TissueSample, fit_bias
from grading.fat.metal import VOID, find_metal
from grading.fat.partial_volume import read_partial_volume
from grading.fat.references import (
    Array,
    Reference,
    bootstrap_error,
    lean_signal,
    mode,
    robust_spread,
    weighted_reference,
)
from grading.fat.tissue import (
    FAT_OVER_MUSCLE,
    MINIMUM_ML,
    Scene,
    coarse_scene,
    find_fat,
    labelled_sides,
    midline,
)
from grading.fat.values import FatMap
from grading.fat.zones import INSIDE, MuscleZones, Zone, muscle_zones
from grading.findings import Finding
from grading.settings import Settings
from grading.volume import BoolArray, FloatArray, Segmentation, Volume

SHADING_PASSES = 2  # fat is found again on the image that the first field flattened
LEAN_END = 0.1  # quantile of muscle signal that fat is told from: lean even where most muscle is fatty
DOUBTFUL_CONTRAST = 1.6  # fat over lean muscle: of clinical T1 spin echoes only the longest TR show less
USUAL_CONTRAST = 2.2  # middle of the 1.4 to 3.0 of clinical T1 spin echo
MINIMUM_MUSCLE_ML = 1.0  # inside of a muscle that its own mode is read from
LEVEL_MARGIN_MM = 20.0  # fat counts from this far below to this far above the labelled muscles
PATCH_MM = 40.0  # edge of the patches of fat that the reference's error is bootstrapped over
PATCH_VOXELS = 30
FEW_PATCHES = 3  # fewer do not tell how far fat strays from place to place
LEFT_SHADING = 0.06  # SD of subcutaneous fat over its signal that a field of `bias.DEGREE` leaves, see there
MIDLINE_BLEND_MM = 30.0  # the two sides' fat signals pass into each other over this distance either way


@dataclass(frozen=True, slots=True, eq=False)
class _Shading:
    """The bias field, the fat it was fitted on and that fat's corrected signal."""

    field: BiasField
    fat: BoolArray
    signal: FloatArray


def t1_fat_map(volume: Volume, segmentation: Segmentation, settings: Settings) -> FatMap:
    """Fat fraction of a T1 image by two references; see `grading.fat.fat_map`."""
    scene = coarse_scene(volume, segmentation.labels)
    shading = _shading(scene)
    if shading is None:
        return _without(volume, _why_no_fat(scene))
    corrected = volume.voxels / shading.field.gain()
    muscles = tuple(muscle_zones(segmentation, volume.series.slice_axis))
    sides, middle = labelled_sides(segmentation), midline(segmentation)
    fats = _fat_references(scene, shading, sides, middle, settings.seed)
    void = VOID / USUAL_CONTRAST * max((f.signal for f in fats.values()), default=0.0)
    muscle = _muscle_reference(corrected, volume, muscles, void)
    if muscle is None:
        return _without(volume, Finding("no_muscle_reference", "no two muscles agree on a lean signal"))
    if not fats:
        return _without(volume, Finding("no_fat_reference", f"under {MINIMUM_ML:g} mL of subcutaneous fat"))
    contrast = min(f.signal for f in fats.values()) / muscle.signal
    if contrast < FAT_OVER_MUSCLE:
        detail = f"subcutaneous fat is only {contrast:.2f} times as bright as the leanest muscles"
        return _without(volume, Finding("no_muscle_reference", detail))
    fat_signal = _fat_signal(fats, middle, volume)
    fraction = (corrected - np.float32(muscle.signal)) / (fat_signal - np.float32(muscle.signal))
    findings = [
        Finding("fat_reference_other_side", "no subcutaneous fat in view on this side", side=side)
        for side in sides
        if side not in fats
    ]
    if contrast < DOUBTFUL_CONTRAST:
        muscle = _doubted(muscle, min(f.signal for f in fats.values()))
        detail = f"subcutaneous fat is {contrast:.2f} times as bright as the leanest muscles"
        findings.append(Finding("lean_reference_doubtful", detail))
    if len({m.name for m in muscles}) == 1:
        findings.append(
            Finding("lean_reference_alone", f"only {muscles[0].name.replace('_', ' ')} is labelled")
        )
    valid = volume.valid & (corrected > VOID * muscle.signal)
    metal = find_metal(scene, shading.signal, muscle.signal, max(f.signal for f in fats.values()))
    if metal is not None:
        valid &= ~metal
        disturbed_ml = np.count_nonzero(metal) * volume.geometry.voxel_volume_ml
        findings.append(Finding("metal_artefact", f"{disturbed_ml:.0f} mL with its margin"))
    fraction[~valid] = np.nan
    beside = read_partial_volume(fraction, valid, muscles)
    return FatMap(fraction, valid, volume.geometry, "t1", (*fats.values(), muscle), tuple(findings), beside)


def _doubted(muscle: Reference, fat_signal: float) -> Reference:
    """The lean reference with an error that reaches half way to where lean muscle usually lies."""
    usual = fat_signal / USUAL_CONTRAST
    return replace(muscle, standard_error=max(muscle.standard_error, (muscle.signal - usual) / 2))


def _shading(scene: Scene) -> _Shading | None:
    """Bias field and subcutaneous fat, found in turns; None when either tissue is missing."""
    known = scene.muscle & (scene.signal > 0) & scene.valid
    thin = _thinned(scene.signal.shape)
    if not (known & thin).any():
        return None
    muscle = TissueSample(scene.position(known & thin), scene.signal[known & thin].astype(float))
    signal, shading = scene.signal, None
    for _ in range(SHADING_PASSES):
        fat = find_fat(scene, signal, float(np.quantile(signal[known], LEAN_END)))
        if not (fat.subcutaneous & thin).any():
            return shading
        use = fat.compact & thin
        sample = TissueSample(scene.position(use), scene.signal[use].astype(float))
        field = fit_bias(sample, muscle, scene.fine.shape)
        signal = scene.signal / field.gain_on(scene.axes())
        shading = _Shading(field, fat.subcutaneous, signal)
    return shading


def _thinned(shape: tuple[int, ...]) -> BoolArray:
    """A quarter of the voxels, in a mirror-symmetric pattern: plenty for a smooth field, and quick."""
    i, j, k = (np.floor(np.abs(np.arange(n) - (n - 1) / 2)) % 2 == 0 for n in shape)
    return np.asarray(i[:, None, None] & (j[None, :, None] == k[None, None, :]))


def _why_no_fat(scene: Scene) -> Finding:
    if not scene.muscle.any():
        return Finding("no_muscle_reference", "no labelled muscle is thick enough to hold a pure voxel")
    return Finding("no_fat_reference", f"nothing under the skin is over {FAT_OVER_MUSCLE:g} times muscle")


def _muscle_reference(
    corrected: FloatArray, volume: Volume, muscles: Sequence[MuscleZones], void: float
) -> Reference | None:
    """Lean signal pooled over the muscles of both sides brighter than `void`; None when no two agree."""
    modes: list[float] = []
    voxels: list[int] = []
    for muscle in muscles:
        for purest in (Zone.RIM, INSIDE):  # a thin muscle may have no voxel between two others
            pure = (muscle.zones >= purest) & volume.valid[muscle.box]
            count = int(np.count_nonzero(pure))
            if count * volume.geometry.voxel_volume_ml >= MINIMUM_MUSCLE_ML:
                level = mode(corrected[muscle.box][pure].astype(float))
                if level > void:  # metal on both sides makes two muscles agree on none
                    modes.append(level)
                    voxels.append(count)
                break
    lean = lean_signal(modes)
    if lean is None:
        return None
    _, weights = lean
    pooled = sum(n for n, weight in zip(voxels, weights, strict=True) if weight > 0)
    return Reference("muscle", None, *weighted_reference(*lean), pooled)


def _fat_references(
    scene: Scene, shading: _Shading, sides: tuple[Side, ...], middle: float | None, seed: int
) -> dict[Side, Reference]:
    """Subcutaneous fat of each side at the level of the muscles; sides with too little are left out."""
    where = np.argwhere(shading.fat)
    signal = shading.signal[shading.fat].astype(float)
    along = scene.fine_index(where)[:, 0]
    level = np.flatnonzero(scene.muscle.any(axis=(0, 1)))
    margin = round(LEVEL_MARGIN_MM / scene.geometry.spacing_mm[2], 3)  # a slice is in or out, whatever rounds
    near = (where[:, 2] >= level[0] - margin) & (where[:, 2] <= level[-1] + margin)
    centred = (where - (np.asarray(shading.fat.shape) - 1) / 2) * scene.geometry.spacing_mm
    patch = np.rint((centred / PATCH_MM).round(6))
    found = {}
    for side in sides:
        own = near
        if middle is not None:
            own = near & (along < middle if side is Side.LEFT else along > middle)
        if own.sum() * scene.geometry.voxel_volume_ml < MINIMUM_ML:
            continue
        pure, medians = mode(signal[own]), _patch_medians(patch[own], signal[own])
        error, spread = bootstrap_error(medians, seed), robust_spread(medians)
        if medians.size < FEW_PATCHES:
            spread = LEFT_SHADING * pure
            error = spread / float(np.sqrt(medians.size))
        found[side] = Reference("fat", side, pure, error, spread, int(own.sum()))
    return found


def _patch_medians(patch: Array, signal: Array) -> Array:
    """Median signal of every patch that holds enough voxels; of all voxels together where none does."""
    cell = (patch - patch.min(axis=0)).astype(np.intp)
    _, member = np.unique(np.ravel_multi_index(tuple(cell.T), cell.max(axis=0) + 1), return_inverse=True)
    groups = np.split(signal[np.argsort(member)], np.cumsum(np.bincount(member))[:-1])
    medians = [float(np.median(g)) for g in groups if g.size >= PATCH_VOXELS]
    return np.array(medians or [float(np.median(signal))])


def _fat_signal(fats: dict[Side, Reference], middle: float | None, volume: Volume) -> FloatArray:
    """Fat signal that holds at each index along axis 0, shape (i, 1, 1)."""
    left = fats.get(Side.LEFT) or fats[Side.RIGHT]
    right = fats.get(Side.RIGHT) or left
    centre = middle or 0.0
    reach = MIDLINE_BLEND_MM / volume.geometry.spacing_mm[0]
    index = np.arange(volume.geometry.shape[0])
    along = np.interp(index, [centre - reach, centre + reach], [left.signal, right.signal])
    return np.asarray(along, dtype=np.float32)[:, None, None]


def _without(volume: Volume, finding: Finding) -> FatMap:
    """A map without a single fraction, and the reason."""
    nothing = np.full(volume.geometry.shape, np.nan, dtype=np.float32)
    return FatMap(nothing, volume.valid, volume.geometry, "t1", (), (finding,))
