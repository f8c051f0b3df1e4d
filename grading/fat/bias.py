"""Receive-coil shading of a T1 image: a smooth multiplicative field fitted on tissue of one signal each.

Fitting on labelled lean muscle and subcutaneous fat at once is what keeps fat infiltration out of the
field: a fatty muscle beside normally bright fat cannot pass for shading, as it can for methods that look at
the histogram alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

from grading.volume import FloatArray

DEGREE = 4  # total degree of the log field: follows a spine or body array over one pelvis (3 leaves 8 % of
# spread in subcutaneous fat, 4 leaves 6 %), yet is far smoother than a muscle is wide
CUTOFFS = (0.9, 0.6, 0.4, 0.3, 0.25)  # natural-log residual that still counts, pass by pass: from
# half the fat-muscle gap (so that 50 % shading is not thrown out) down to 25 % (so that vessels are)
FAT_ONLY_PASSES = 2  # enough for the field to be right to within the muscle cutoffs
FAT_WEIGHT = 3.0  # total weight of all fat against all muscle: fat has one signal, muscle may be infiltrated
LEAN_QUANTILE = 0.25  # of muscle: its level stays lean when up to two thirds are infiltrated
UPWARD = 0.8  # cutoff for muscle brighter than the lean level, relative to darker
STIFFNESS = 1e-3  # ridge, relative to the data: keeps corners without tissue from running away


@dataclass(frozen=True, slots=True, eq=False)
class BiasField:
    """A smooth multiplicative field over one voxel grid.

    Attributes:
        coefficients: Legendre coefficients of the natural-log field along (i, j, k), `DEGREE` + 1 each.
        shape: the grid, whose outermost voxel centres lie at -1 and +1 of each Legendre axis.
    """

    coefficients: npt.NDArray[np.float64]
    shape: tuple[int, int, int]

    def gain(self) -> FloatArray:
        """The field at every voxel of the grid, float32, shape `shape`; divide the image by it."""
        return self.gain_on([np.linspace(-1, 1, n) if n > 1 else np.zeros(1) for n in self.shape])

    def gain_on(self, axes: Sequence[npt.NDArray[np.float64]]) -> FloatArray:
        """The field on the lattice spanned by positions along the three Legendre axes, float32."""
        i, j, k = (_basis(axis) for axis in axes)
        planes = np.einsum("abc,ia,jb->ijc", self.coefficients, i, j, optimize=True)
        return np.asarray(np.exp(planes.astype(np.float32) @ k.T.astype(np.float32)))


@dataclass(frozen=True, slots=True, eq=False)
class TissueSample:
    """Voxels of one tissue that has one signal wherever it lies.

    Attributes:
        position: shape (n, 3), each axis scaled so that the outermost voxel centres lie at -1 and +1.
        signal: shape (n,), positive.
    """

    position: npt.NDArray[np.float64]
    signal: npt.NDArray[np.float64]


def fit_bias(fat: TissueSample, muscle: TissueSample, shape: tuple[int, int, int]) -> BiasField:
    """Smooth field that makes each tissue's signal the same everywhere.

    Iteratively reweighted least squares on log signal (Tukey's biweight) with one free level per tissue.
    Fat alone goes first; muscle then joins where it is near the lean level, more readily from below than
    from above, since infiltration only brightens it. Only ratios of corrected signals mean anything.

    Args:
        fat: subcutaneous fat; at least one voxel.
        muscle: labelled muscle; at least one voxel.
        shape: grid on which the field will be evaluated.
    """
    design = np.concatenate([_design(fat.position), _design(muscle.position)])
    log_signal = np.log(np.concatenate([fat.signal, muscle.signal]))
    is_muscle = np.repeat([False, True], [fat.signal.size, muscle.signal.size])
    columns = np.concatenate([design, np.stack([~is_muscle, is_muscle], axis=1)], axis=1)
    share = np.where(is_muscle, 1 / muscle.signal.size, FAT_WEIGHT / fat.signal.size)
    ridge = np.diag([STIFFNESS] * design.shape[1] + [0.0, 0.0])
    terms = design.shape[1]
    field = np.zeros(terms)
    for step, cutoff in enumerate(CUTOFFS):
        flat = log_signal - design @ field
        level = np.where(is_muscle, np.quantile(flat[is_muscle], LEAN_QUANTILE), np.median(flat[~is_muscle]))
        residual = flat - level
        limit = np.where(is_muscle & (residual > 0), cutoff * UPWARD, cutoff)
        weight = share * np.square(np.clip(1 - np.square(residual / limit), 0, None))
        if step < FAT_ONLY_PASSES:
            weight = np.where(is_muscle, 1e-6 * weight, weight)  # a trace: where fat says nothing at all
        weighted = columns * weight[:, None]
        field = np.linalg.solve(columns.T @ weighted + ridge, weighted.T @ log_signal)[:terms]
    coefficients = np.zeros((DEGREE + 1,) * 3)
    for term, value in zip(_terms(), field, strict=True):
        coefficients[term] = value
    return BiasField(coefficients, shape)


def _terms() -> list[tuple[int, int, int]]:
    """Exponents of every term up to the total degree, without the constant."""
    degrees = range(DEGREE + 1)
    return [(a, b, c) for a in degrees for b in degrees for c in degrees if 0 < a + b + c <= DEGREE]


def _basis(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(legendre.legvander(x, DEGREE), dtype=np.float64)


def _design(position: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    i, j, k = (_basis(position[:, axis]) for axis in range(3))
    return np.stack([i[:, a] * j[:, b] * k[:, c] for a, b, c in _terms()], axis=1)
