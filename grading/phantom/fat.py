"""Fat inside muscles: streaks along the fascicles, gathered in patches, with exactly the mean asked for."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from grading.phantom.frame import FineHalf
from grading.phantom.muscles import MUSCLE_SHAPES, MuscleShape
from grading.phantom.noise import smooth_noise
from grading.phantom.parameters import MuscleState, SideParameters
from grading.phantom.shapes import Array
from grading.volume import FloatArray

_STREAK_WIDTH_MM = 2.2
_STREAK_LENGTH_MM = 55.0
_PATCH_MM = 22.0
_EDGE = 0.7  # softness of a streak's border, in standard deviations of the noise
_BISECTIONS = 40


def infiltrate(
    fine: FineHalf, owner: npt.NDArray[np.uint8], names: Sequence[str], side: SideParameters
) -> FloatArray:
    """Fat fraction of every fine voxel of one half; the mean over each muscle is its state's fat fraction.

    Args:
        fine: the half grid.
        owner: 1 + index into `names` of the muscle at each voxel, 0 for none.
        names: muscle names.
        side: states of the muscles and the seed of the noise.
    """
    fat = np.zeros(fine.shape, dtype=np.float32)
    flat = np.flatnonzero(owner)
    order = np.argsort(owner.reshape(-1)[flat], kind="stable")
    flat, kinds = flat[order], owner.reshape(-1)[flat][order]
    nominal = [fine.refine(n).reshape(-1)[flat] for n in fine.frame.nominal]
    for number, name in enumerate(names, start=1):
        part = slice(*np.searchsorted(kinds, [number, number + 1]))
        state = side.state(name)
        if part.stop > part.start and state.fat_fraction > 0:
            points = [n[part] for n in nominal]
            rng = np.random.default_rng([side.texture_seed, sum(map(ord, name))])
            muscle = MUSCLE_SHAPES.get(name)
            fibre = points[::-1] if muscle is None else _fascicle_coordinates(points, muscle)  # flank: up
            fat.reshape(-1)[flat[part]] = fat_within(points, fibre, state, rng)
    return fat


def fat_within(
    points: list[Array], fibre: list[Array], state: MuscleState, rng: np.random.Generator
) -> Array:
    """Fat fraction of each voxel of one muscle; its mean is the state's fat fraction.

    Args:
        points: the voxels' three coordinates: lateral, anterior, superior, mm.
        fibre: their coordinates along and (twice) across the fascicles, mm.
        state: of the muscle.
        rng: draws the pattern.
    """
    return _with_mean(_score(points, fibre, state, rng), state.fat_fraction)


def _score(points: list[Array], fibre: list[Array], state: MuscleState, rng: np.random.Generator) -> Array:
    """Inclination of each voxel to be fat: unit-variance noise along the fascicles plus patches and trend."""
    widths = (_STREAK_LENGTH_MM, _STREAK_WIDTH_MM, _STREAK_WIDTH_MM)
    streaks = smooth_noise([f / np.float32(w) for f, w in zip(fibre, widths, strict=True)], rng)
    patches = smooth_noise([p / np.float32(_PATCH_MM) for p in points], rng)
    anterior = points[1] - points[1].mean()
    trend = anterior / max(float(anterior.std()), 1.0)
    mix, slope = np.float32(state.patchiness), np.float32(1.2 * state.posterior_fat)
    score = streaks * (1 - np.float32(0.45) * mix) + patches * (np.float32(1.1) * mix) - slope * trend
    return np.asarray(score, dtype=np.float32)


def _fascicle_coordinates(points: list[Array], muscle: MuscleShape) -> list[Array]:
    """Coordinates along and (twice) across the fascicles, mm at the muscle's middle."""
    start, end = np.asarray(muscle.fibres), np.asarray(muscle.towards)
    axis = (end - start) / np.linalg.norm(end - start)
    across = np.cross(axis, [0.3, 0.2, 0.93] if abs(axis[2]) < 0.8 else [0.84, -0.54, 0.0])
    across /= np.linalg.norm(across)
    third = np.cross(axis, across)
    offset = [p - np.float32(e) for p, e in zip(points, end, strict=True)]
    along, u, v = (
        sum(np.float32(a) * o for a, o in zip(d, offset, strict=True)) for d in (axis, across, third)
    )
    if muscle.fan:
        half = np.float32(np.linalg.norm(end - start) / 2)
        radius = np.maximum(np.sqrt(along * along + u * u + v * v), 0.35 * half)
        u, v = u / radius * half, v / radius * half
        along = radius
    return [np.asarray(along), np.asarray(u), np.asarray(v)]


def _with_mean(score: Array, mean: float) -> Array:
    """Soft threshold of `score` such that the result's mean is `mean`."""
    if mean >= 1:
        return np.ones_like(score)
    spread = np.float32(max(float(score.std()), 1e-6))
    low, high = float(score.min()) - 4 * spread, float(score.max()) + 4 * spread
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        fat = np.clip((score - np.float32(middle)) / (2 * _EDGE * spread) + 0.5, 0, 1)
        if float(fat.mean(dtype=np.float64)) > mean:
            low = middle
        else:
            high = middle
    return np.asarray(fat, dtype=np.float32)
