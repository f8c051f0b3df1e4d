"""The fat fraction of one muscle, or of a part of it, from the fat map: a mean and what it may be off by."""

import math
from dataclasses import dataclass, fields

import numpy as np

from grading.anatomy import Side
from grading.fat.values import FatMap
from grading.fat.zones import INSIDE, Zone, ZoneArray
from grading.masks import Box, widened
from grading.volume import BoolArray

MINIMUM_VOXELS = 100  # inside voxels: at SNR 10 their mean is then good to 1 % of the fat-muscle contrast
FAT_VOXEL = 0.5  # a voxel nearer fat than muscle
OUTLINE_PIXELS = 0.8  # an outline, or fat displaced by chemical shift, may be off by it [phantoms, seed 100]
WRONG_OUTLINE = 0.4  # fat fraction per share of a wrong outline [network on phantoms, seed 100]
PATCHES_SEEN = 4  # patches of subcutaneous fat beside one muscle: their mean strays half as far as one


@dataclass(frozen=True, slots=True)
class FatError:
    """Standard errors of one fat fraction by source, all as fractions of 1.

    Attributes:
        references: of the signals of pure muscle and pure fat (Dixon: what subcutaneous fat lacks to 1).
        shading: how far pure tissue strays from place to place after shading correction.
        outline: what moving the outline changes; fat displaced by chemical shift does the same.
        partial_volume: of the correction for fat beside the muscle.
        noise: of the voxels, counted as if all spread were noise.
        segmentation: of a network's outline that takes in what is not the muscle or leaves out what is.
        floor: of what noise adds to the fat image of a Dixon pair, much the same on both sides.
    """

    references: float
    shading: float
    outline: float
    partial_volume: float
    noise: float
    segmentation: float
    floor: float = 0.0

    @property
    def total(self) -> float:
        """All sources in quadrature."""
        return math.hypot(*(getattr(self, source.name) for source in fields(self)))


@dataclass(frozen=True, slots=True)
class FatReading:
    """Fat of one mask: mean fraction (unclipped), its errors, and the share of voxels nearer fat.

    That share is None where the map folds: no voxel of it reads as fat.
    """

    fraction: float
    error: FatError
    threshold_fraction: float | None


def read_fat(
    fat: FatMap, box: Box, zones: ZoneArray, within: BoolArray, side: Side, expected_dice: float
) -> FatReading | None:
    """Fat of a muscle or a region of it; None when too few valid voxels lie inside.

    Only the muscle's own border is left out, not the borders between its regions.

    Args:
        fat: the fat map.
        box: where the muscle lies.
        zones: the whole muscle's zones in that box.
        within: the region, bool, shape of the box.
        side: side it lies on, which tells the references.
        expected_dice: likely overlap of the outline with the true muscle, 0-1.
    """
    fraction = fat.fraction[box]
    usable = within & fat.valid[box] & (zones >= INSIDE)
    values = fraction[usable].astype(float)
    if values.size < MINIMUM_VOXELS:
        return None
    total, doubt = 0.0, 0.0
    for zone in (Zone.END, Zone.RIM, Zone.CORE):
        own = values[zones[usable] == zone]
        share = fat.partial_volume.share(zone)
        corrected = (float(own.sum()) - share.value * own.size) / (1 - share.value)
        total += corrected
        doubt = math.hypot(doubt, share.error * own.size / (1 - share.value))
    mean = total / values.size
    references, shading = _reference_errors(mean, side, fat)
    error = FatError(
        references=references,
        shading=shading,
        outline=OUTLINE_PIXELS * _change_per_pixel(fat, box, usable),
        partial_volume=doubt / values.size * max(0.0, 1 - mean),
        noise=float(values.std()) / math.sqrt(values.size),
        segmentation=WRONG_OUTLINE * (1 - expected_dice),
        floor=_floor_error(mean, side, fat),
    )
    return FatReading(mean, error, None if fat.folds else float(np.mean(values > FAT_VOXEL)))


def _change_per_pixel(fat: FatMap, box: Box, usable: BoolArray) -> float:
    """What the mean changes when the outline moves by one in-plane pixel, along the axis where that is most.

    Half of the difference between a step one way and the other, scaled from the axis' spacing to the pixel's.
    """
    wide, inner = widened(box)
    fraction, valid = fat.fraction[wide], fat.valid[wide]
    inside = np.zeros_like(valid)
    inside[inner] = usable
    pixel = min(fat.geometry.spacing_mm)
    changes = []
    for axis, spacing in enumerate(fat.geometry.spacing_mm):
        means = []
        for step in (1, -1):
            moved = np.zeros_like(inside)
            source, target = [slice(None)] * 3, [slice(None)] * 3
            source[axis], target[axis] = (slice(None, -1), slice(1, None))[::step]
            moved[tuple(target)] = inside[tuple(source)]
            moved &= valid
            if moved.any():
                means.append(float(fraction[moved].mean(dtype=float)))
        if len(means) == 2:
            changes.append(abs(means[0] - means[1]) / 2 * pixel / spacing)
    return max(changes, default=0.0)


def _reference_errors(fraction: float, side: Side, fat: FatMap) -> tuple[float, float]:
    """Errors of a fraction through its references: of the signals themselves, and of their place.

    A side that shows no subcutaneous fat is judged by the other's, which lies farther away than any patch.
    T1: df = -((1 - f) dI_muscle + f dI_fat) / (I_fat - I_muscle). Dixon has no references to err; what its
    subcutaneous fat falls short of 1 by (noise, T1 weighting) stands for its scale error.
    """
    lipid, muscle = fat.reference("fat", side), fat.reference("muscle", side)
    patches = PATCHES_SEEN
    if lipid is None:
        lipid, patches = fat.reference("fat", side.other), 1
    if lipid is None:
        return 0.0, 0.0
    if muscle is None:
        return abs(fraction) * max(0.0, 1 - lipid.signal), 0.0
    contrast = lipid.signal - muscle.signal
    lean, fatty = (1 - fraction) / contrast, fraction / contrast
    signal = math.hypot(lean * muscle.standard_error, fatty * lipid.standard_error)
    place = math.hypot(lean * muscle.spread, fatty * lipid.spread / math.sqrt(patches))
    return signal, place


def _floor_error(fraction: float, side: Side, fat: FatMap) -> float:
    """What noise may add: magnitudes never average it out (Rician), so lean muscle reads it as fat."""
    air = fat.reference("air", side)
    return air.signal * abs(1 - fraction) if air else 0.0
