"""A pair of hips made of ellipsoid muscles in fat in air: small, quick, and with answers known exactly."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from grading.anatomy import Muscle, Side, label_of
from grading.series import Role, SeriesInfo
from grading.volume import Geometry, Segmentation, Volume

MUSCLE_SIGNAL, FAT_SIGNAL = 200.0, 480.0
BODY_MM = (150.0, 95.0, 400.0)  # half axes; longer than the view, so that it is a cylinder
MUSCLES_MM = {  # centre of the right one and half axes; the left one is its mirror image
    "gluteus_maximus": ((65.0, -55.0, -10.0), (38.0, 18.0, 45.0)),
    "gluteus_medius": ((95.0, 0.0, 5.0), (16.0, 26.0, 42.0)),
    "gluteus_minimus": ((72.0, 5.0, 0.0), (6.0, 22.0, 30.0)),
    "tensor_fasciae_latae": ((95.0, 45.0, -10.0), (11.0, 11.0, 35.0)),
    "iliopsoas": ((45.0, 45.0, 0.0), (18.0, 18.0, 45.0)),
}
Fractions = Mapping[tuple[Muscle, Side], float]


def grid(spacing_mm=(2.0, 2.0, 4.0), extent_mm=(330.0, 220.0, 130.0)) -> Geometry:
    """A grid centred on the world's origin."""
    shape = tuple(round(e / s) for e, s in zip(extent_mm, spacing_mm, strict=True))
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = [-s * (n - 1) / 2 for s, n in zip(spacing_mm, shape, strict=True)]
    return Geometry(shape, affine)


def hips(
    fractions: Fractions | float = 0.0,
    *,
    geometry: Geometry | None = None,
    snr: float = 20.0,
    shading: float = 0.2,
    slice_axis: int = 2,
    streaks: bool = False,
    seed: int = 0,
) -> tuple[Volume, Segmentation]:
    """A T1 image of both hips and its true labels.

    Args:
        fractions: true fat fraction of the muscles named, 0 elsewhere; one number for every graded muscle.
        geometry: the grid.
        snr: signal of fat over the noise's SD.
        shading: receive field runs from 1 - shading to 1 + shading along the body's diagonal.
        slice_axis: axis the slices stack along.
        streaks: fat as whole voxels at random instead of evenly spread.
        seed: of the noise.
    """
    geometry = geometry or grid()
    x, y, z = _world(geometry)
    random = np.random.default_rng(seed)
    labels = np.zeros(geometry.shape, dtype=np.uint16)
    fat = np.ones(geometry.shape)
    for name, (centre, half) in MUSCLES_MM.items():
        for side, sign in ((Side.LEFT, -1), (Side.RIGHT, 1)):
            inside = _ellipsoid((x - sign * centre[0], y - centre[1], z - centre[2]), half)
            labels[inside] = label_of(name, side)
            fraction = _fraction(fractions, name, side)
            fat[inside] = random.random(int(inside.sum())) < fraction if streaks else fraction
    tissue = _ellipsoid((x, y, z), BODY_MM)
    signal = np.where(tissue, MUSCLE_SIGNAL + fat * (FAT_SIGNAL - MUSCLE_SIGNAL), 0.0)
    signal *= 1 + shading * (0.6 * x / 150 + 0.3 * y / 100 + 0.3 * (z / 60) ** 2 - 0.2)
    noise = FAT_SIGNAL / snr * random.standard_normal((2, *geometry.shape))
    voxels = np.hypot(signal + noise[0], noise[1]).astype(np.float32)  # Rician
    series = SeriesInfo("ellipsoids", Role.T1, slice_axis=slice_axis)
    volume = Volume(voxels, geometry, np.ones(geometry.shape, dtype=bool), series)
    return volume, segmented(labels, geometry)


def dixon(fractions: Fractions | float = 0.0, *, snr: float = 20.0) -> tuple[Volume, Volume, Segmentation]:
    """Water image, fat image and true labels; fat under the skin reads 0.95, muscle what `fractions` says."""
    volume, labels = hips(fractions, snr=1e6, shading=0.0)
    share = np.clip((volume.voxels - MUSCLE_SIGNAL) / (FAT_SIGNAL - MUSCLE_SIGNAL), 0, 0.95)
    total = np.where(volume.voxels > MUSCLE_SIGNAL / 2, 300.0, 0.0)
    noise = 300.0 / snr * np.random.default_rng(0).standard_normal((2, *share.shape))
    water, fat = (np.abs(total * part + n) for part, n in zip((1 - share, share), noise, strict=True))
    return replace(volume, voxels=water), replace(volume, voxels=fat), labels


def segmented(labels: np.ndarray, geometry: Geometry) -> Segmentation:
    """Labels as a segmentation that is sure of itself."""
    return Segmentation(labels, geometry, np.ones(geometry.shape, dtype=np.float32), "true labels")


def mirrored(volume: Volume, segmentation: Segmentation) -> tuple[Volume, Segmentation]:
    """The mirror image of a patient: flipped along axis 0, labels of the sides exchanged."""
    labels = segmentation.labels[::-1].copy()
    swapped = labels.copy()
    for name in MUSCLES_MM:
        left, right = label_of(name, Side.LEFT), label_of(name, Side.RIGHT)
        swapped[labels == left], swapped[labels == right] = right, left
    flipped = replace(volume, voxels=volume.voxels[::-1], valid=volume.valid[::-1])
    return flipped, segmented(swapped, volume.geometry)


def cropped(volume: Volume, segmentation: Segmentation, box: tuple[slice, slice, slice]):
    """The part of both inside a box of voxel indices, where it lay in the world."""
    affine = volume.geometry.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [s.start or 0 for s in box]
    voxels = volume.voxels[box]
    geometry = Geometry(voxels.shape, affine)
    part = replace(volume, voxels=voxels, valid=volume.valid[box], geometry=geometry)
    return part, segmented(segmentation.labels[box], geometry)


def ellipsoid_ml(muscle: Muscle) -> float:
    """True volume of one muscle, mL (those that nothing overlaps)."""
    a, b, c = MUSCLES_MM[muscle][1]
    return 4 / 3 * np.pi * a * b * c / 1000


def _fraction(fractions: Fractions | float, name: str, side: Side) -> float:
    if isinstance(fractions, float):
        return fractions if name in set(Muscle) else 0.0
    return fractions.get((Muscle(name), side), 0.0) if name in set(Muscle) else 0.0


def _world(geometry: Geometry):
    index = np.meshgrid(*[np.arange(n) for n in geometry.shape], indexing="ij", sparse=True)
    row = geometry.affine
    return [sum(row[a, b] * index[b] for b in range(3)) + row[a, 3] for a in range(3)]


def _ellipsoid(offset, half) -> np.ndarray:
    return sum((o / h) ** 2 for o, h in zip(offset, half, strict=True)) < 1
