"""Small variations of brightness that no label holds: septa in fat, marrow, and what noise is not."""

import numpy as np
import numpy.typing as npt

from grading.anatomy import SIDES, Side
from grading.phantom.build import Phantom
from grading.phantom.noise import smooth_noise
from grading.phantom.tissue import Tissue
from grading.volume import FloatArray

_SEPTUM_KNOT_MM = (16.0, 8.0, 14.0)
_SEPTUM_LEVEL = 0.06  # |noise| below which a voxel lies on a septum
_SEPTUM_SIGNAL = 0.80
_GRAIN_KNOT_MM = 4.0
_GRAIN = {Tissue.MUSCLE: 0.045, Tissue.FAT: 0.02, Tissue.MARROW: 0.07, Tissue.ORGAN: 0.16, Tissue.VESSEL: 0.2}


def texture(phantom: Phantom) -> FloatArray:
    """Factor on the signal of each fine voxel, float32 (i, j, k), about 1.

    Drawn per half of the body from its texture seed, so that mirroring the person mirrors it.
    """
    nx = phantom.geometry.shape[0] // 2
    axes = [
        (o + s * np.arange(n)).astype(np.float32)
        for o, s, n in zip(
            phantom.geometry.affine[:3, 3], phantom.geometry.spacing_mm, phantom.geometry.shape, strict=True
        )
    ]
    lateral = (axes[0][nx:], axes[1], axes[2])
    right = _half(phantom.tissue[nx:], lateral, phantom.parameters.right.texture_seed)
    left = _half(phantom.tissue[:nx][::-1], lateral, phantom.parameters.left.texture_seed)
    halves = {Side.LEFT: left[::-1], Side.RIGHT: right}
    return np.concatenate([halves[side] for side in SIDES])


def _half(tissue: npt.NDArray[np.uint8], axes: tuple[FloatArray, ...], seed: int) -> FloatArray:
    factor = np.ones(tissue.shape, dtype=np.float32)
    flat, kinds = factor.reshape(-1), tissue.reshape(-1)
    for kind, amplitude in _GRAIN.items():
        where = np.flatnonzero(kinds == kind)
        points = [a[i] for a, i in zip(axes, np.unravel_index(where, tissue.shape), strict=True)]
        rng = np.random.default_rng([seed, int(kind), 29])
        grain = smooth_noise([p / np.float32(_GRAIN_KNOT_MM) for p in points], rng)
        flat[where] += np.float32(amplitude) * np.clip(grain, -2.5, 2.5)
        if kind is Tissue.FAT:
            sheets = smooth_noise(
                [p / np.float32(k) for p, k in zip(points, _SEPTUM_KNOT_MM, strict=True)], rng
            )
            flat[where[np.abs(sheets) < _SEPTUM_LEVEL]] *= np.float32(_SEPTUM_SIGNAL)
    return factor
