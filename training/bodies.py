"""Label maps of real bodies as phantoms: bent, wasted, filled with fat, and scanned by the phantom's physics.

What `synthesis` paints is as coarse as its patches, 2.5 mm; a scan of these has pixels of 1 to 1.5 mm, thin
fascia and thick slices, as a real one has.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from math import erf, sqrt
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from benchmarks.random_hips import RandomHips, kept, random_protocol, random_sides
from grading.anatomy import SIDES, STRUCTURES, Side
from grading.masks import bounding_box
from grading.phantom import Phantom, PhantomParameters, Protocol, acquire
from grading.phantom.build import MUSCLE_DEPTH_MM
from grading.phantom.fat import fat_within
from grading.phantom.labels import DEEP_FAT, SUBCUTANEOUS_FAT, VISCERA
from grading.phantom.tissue import Tissue
from grading.volume import Geometry, Volume
from training.anatomies import Anatomy
from training.classes import BONES, CLASSES, GLUTEAL, classify
from training.warp import Warp, random_warp, smooth_noise

SPACING_MM = 1.5
SCANS_PER_PERSON = 4
_BELOW_MM, _ABOVE_MM, _BESIDE_MM = 110.0, 60.0, 60.0  # kept round the glutei
_BLUR_MM = 1.4  # of a label's border: takes the steps of its voxels away
_FAT_PLANE_MM = (0.5, 2.5)  # between two muscles
_STRENGTH = 0.6  # of the bends: people, not caricatures
_THINNED, _THINNER_MM = 0.3, 2.2  # share of gluteal muscles of anyone; at most, on each of their faces
_WASTED, _REMAINS = 0.6, (0.3, 0.8)  # share of those of a wasted person; of the muscle's volume
_CORTEX_MM = (1.0, 2.2)
FASCIA_MM = (0.2, 1.1)  # as of random phantoms
_SKIN_MM = 2.0
_CAVITY_MM = 8.0  # from any named structure: from here on there is bowel
_SLICE_MM = (3.0, 8.0)
_OFF_CENTRE_MM = 12.0  # standard deviation of where the scan is centred
_COARSE = 8  # voxels at which the box of a structure is looked for


def person(body: Anatomy, rng: np.random.Generator, *, wasted: bool = False) -> Phantom:
    """A random person built like `body`: bent, with muscles thinner here and there, under fat of any depth.

    Muscles hold no fat yet, see `with_fat`.

    Args:
        body: the label map.
        rng: draws everything.
        wasted: most gluteal muscles have lost a fifth to two thirds of their volume; fat has its place.
    """
    low, high = body.around_glutei_mm(_BELOW_MM, _ABOVE_MM, _BESIDE_MM)
    i, j, k = (2 * int(np.ceil(extent / SPACING_MM / 2)) for extent in high - low)
    shape, middle = (i, j, k), (low + high) / 2
    warp = random_warp(body.geometry, middle, shape, rng, strength=_STRENGTH, spacing_mm=SPACING_MM)
    best, inside, plane = _structures(body, warp, rng, wasted=wasted)
    labels, tissue = _tissues(body, warp, best, inside, plane, rng)
    affine = np.diag([SPACING_MM] * 3 + [1.0])
    affine[:3, 3] = -SPACING_MM * (np.array(shape) - 1) / 2
    nothing = np.zeros(shape, dtype=np.float32)
    fascia = PhantomParameters(fascia_mm=float(rng.uniform(*FASCIA_MM)))
    return Phantom(labels, tissue, nothing, nothing.astype(np.uint8), Geometry(shape, affine), fascia)


def _structures(
    body: Anatomy, warp: Warp, rng: np.random.Generator, *, wasted: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What each voxel holds: index into `body.labels`, how far inside its border it is (mm), fat planes.

    Every structure is blurred by itself, so that its border has no steps, and wins where it has the largest
    share; where a muscle wins by little another one lies against it, and the plane of fat between them.
    """
    shape = warp.world.shape[:3]
    kinds = body.lookup("class").numpy()
    most, second = torch.full(shape, 0.5), torch.zeros(shape)
    best = torch.zeros(shape, dtype=torch.uint8)
    for index in range(1, len(body.labels)):
        if kinds[index] == 0:
            continue
        gluteal = kinds[index] in GLUTEAL
        remains = rng.uniform(*_REMAINS) if wasted and gluteal and rng.random() < _WASTED else 1.0
        share = _share(body, warp, index, remains)
        if share is None:
            continue
        window, values = share
        if gluteal and rng.random() < _THINNED:
            values = values - _share_at(float(rng.uniform(0, _THINNER_MM))) + 0.5
        more = values > most[window]
        second[window] = torch.where(
            more, most[window].where(best[window] > 0, second[window]), second[window].maximum(values)
        )
        best[window] = torch.where(more, torch.tensor(index, dtype=torch.uint8), best[window])
        most[window] = most[window].maximum(values)
    gap = 2 * _share_at(float(rng.uniform(*_FAT_PLANE_MM)) / 2) - 1
    bone = torch.isin(torch.from_numpy(kinds), torch.tensor(BONES))[best.long()]
    plane = (best > 0) & ~bone & (most - second < gap) & (second > 0.1)
    depth = _BLUR_MM * torch.erfinv((2 * most - 1).clamp(-0.999, 0.999)) * sqrt(2)
    return best.numpy(), depth.numpy(), plane.numpy()


def _share_at(depth_mm: float) -> float:
    """Share of a structure that remains in a blurred voxel so far inside its border."""
    return (1 + erf(depth_mm / _BLUR_MM / sqrt(2))) / 2


def _share(body: Anatomy, warp: Warp, index: int, remains: float) -> tuple[tuple[slice, ...], Tensor] | None:
    """Blurred mask of one structure in the window of the patch that it may touch; None if out of view.

    Of its volume at least the share `remains` is left, the innermost part; voxels of one depth stay together.
    """
    mask = body.tissue.numpy() == index
    box = bounding_box(mask)
    if box is None:
        return None
    sigma = _BLUR_MM / np.array(body.geometry.spacing_mm)
    i, j, k = (slice(max(0, s.start - 4), min(n, s.stop + 4)) for s, n in zip(box, mask.shape, strict=True))
    mask = mask[i, j, k]
    if remains < 1:
        depth = ndimage.distance_transform_edt(mask, sampling=body.geometry.spacing_mm)
        mask = depth >= np.quantile(depth[mask], 1 - remains)
    blurred = ndimage.gaussian_filter(mask.astype(np.float32), sigma)
    grid = body.geometry.part((i, j, k))
    corners = grid.corners_mm()
    world = warp.world[::_COARSE, ::_COARSE, ::_COARSE].numpy()
    margin = 2 * _COARSE * SPACING_MM
    near = bounding_box(((world > corners.min(0) - margin) & (world < corners.max(0) + margin)).all(-1))
    if near is None:
        return None
    window = tuple(slice(s.start * _COARSE, s.stop * _COARSE) for s in near)
    part = Warp(warp.world[window], warp.grid, warp.mirrored).onto(grid)
    return window, part.image(torch.from_numpy(blurred))


def _tissues(
    body: Anatomy,
    warp: Warp,
    best: np.ndarray,
    inside_mm: np.ndarray,
    plane: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Label numbers of `grading.anatomy` and tissues of every voxel."""
    shape = best.shape
    far = 200.0
    outside_mm = (warp.image(body.outside_mm - far) + far).numpy()
    bumps = smooth_noise(shape, (40, 40, 40), rng).numpy()
    depth_mm = np.maximum(rng.uniform(6, 45) * np.clip(1 + 0.3 * bumps, 0.4, 2), MUSCLE_DEPTH_MM + 1)
    body_mm = depth_mm - outside_mm  # below the surface
    labels = np.where(outside_mm > 0, SUBCUTANEOUS_FAT, DEEP_FAT).astype(np.uint16)
    tissue = np.where(body_mm < _SKIN_MM, Tissue.SKIN, Tissue.FAT).astype(np.uint8)
    numbers = _numbers(body, mirrored=warp.mirrored)
    kinds = body.lookup("class").numpy()[best]
    bone, named = np.isin(kinds, BONES), kinds > 0
    muscle = named & ~bone & ~plane
    labels[bone | muscle] = numbers[best][bone | muscle]
    tissue[muscle] = Tissue.MUSCLE
    tissue[bone] = np.where(inside_mm[bone] < rng.uniform(*_CORTEX_MM), Tissue.CORTEX, Tissue.MARROW)
    deep = ~named & (outside_mm <= 0)
    deep &= ndimage.distance_transform_edt(~named, sampling=SPACING_MM) > _CAVITY_MM
    loops, content = (smooth_noise(shape, (n, n, n), rng).numpy() for n in (8, 14))
    bowel = deep & (loops > 0.3)
    labels[bowel] = VISCERA
    tissue[bowel] = np.where(content > 0.9, Tissue.FLUID, Tissue.ORGAN)[bowel]
    tissue[ndimage.binary_dilation(muscle) & (tissue == Tissue.FAT)] = Tissue.FASCIA
    air = (body_mm <= 0) | (warp.image(torch.ones(body.geometry.shape)).numpy() < 0.5)  # or the map ends
    labels[air], tissue[air] = 0, Tissue.AIR
    return labels, tissue


def _numbers(body: Anatomy, *, mirrored: bool) -> np.ndarray:
    """Label number in `STRUCTURES` of each of `body.labels`, 0 for what is not named there."""
    kinds, sides = body.lookup("class").tolist(), body.lookup("side").tolist()
    return np.array(
        [
            STRUCTURES[CLASSES[kind]].label(Side.RIGHT if (side == 1) != mirrored else Side.LEFT)
            if kind
            else 0
            for kind, side in zip(kinds, sides, strict=True)
        ]
    )


def with_fat(someone: Phantom, rng: np.random.Generator) -> Phantom:
    """The same person with random fat in every muscle, in streaks along it."""
    left, right = random_sides(rng)
    fat = np.zeros(someone.labels.shape, dtype=np.float32)
    steps = np.array(someone.geometry.spacing_mm)
    for side, half in zip(SIDES, (left, right), strict=True):
        for name, structure in STRUCTURES.items():
            where = np.nonzero((someone.labels == structure.label(side)) & (someone.tissue == Tissue.MUSCLE))
            state = half.state(name)
            if not len(where[0]) or state.fat_fraction == 0:
                continue
            points = [np.asarray(p * s, dtype=np.float32) for p, s in zip(where, steps, strict=True)]
            fat[where] = fat_within(points, _along(points), state, rng)
    return replace(someone, fat_fraction=fat, parameters=replace(someone.parameters, left=left, right=right))


def _along(points: list[np.ndarray]) -> list[np.ndarray]:
    """Coordinates along a muscle's longest axis and across it."""
    centred = np.stack([p - p.mean() for p in points])
    _, axes = np.linalg.eigh(centred @ centred.T)
    return list((axes.T[::-1] @ centred).astype(np.float32))


def _protocol(rng: np.random.Generator) -> Protocol:
    """A random T1 spin echo round the glutei, in slices of 3 to 8 mm."""
    protocol = random_protocol(rng)
    extent_mm = protocol.slices * protocol.slice_mm
    slice_mm = float(rng.uniform(*_SLICE_MM))
    x, y, z = rng.normal(0, _OFF_CENTRE_MM, 3)
    return replace(
        protocol,
        slice_mm=slice_mm,
        gap_mm=0.0,
        slices=round(extent_mm / slice_mm),
        centre_mm=(float(x), float(y), float(z)),
    )


def body_scans(
    body: Anatomy, count: int, seed: int, cache: Path | None = None, *, wasted: bool = False
) -> Iterator[RandomHips]:
    """`count` T1 scans of random people built like `body`, some from every person; kept in `cache`."""
    draw = (seed, 1) if wasted else (seed,)
    built = lru_cache(maxsize=1)(
        lambda which: person(body, np.random.default_rng([*draw, which]), wasted=wasted)
    )
    for number in range(count):
        which = number // SCANS_PER_PERSON
        name = f"{'wasted-' * wasted}{body.name}-{seed}-{which}-{number}"
        yield kept(name, cache, partial(_scanned, built, seed, which, number))


def _scanned(built: Callable[[int], Phantom], seed: int, which: int, number: int, name: str) -> RandomHips:
    rng = np.random.default_rng([seed, which, number])
    protocol = _protocol(rng)
    scan = acquire(with_fat(built(which), rng), protocol)
    return RandomHips(name, scan.volume, scan.labels, scan.truth, protocol.bias, protocol.snr)


def labelled_scans(
    people: Iterable[Anatomy], count: int, seed: int, cache: Path, *, wasted: bool = False
) -> Iterator[tuple[Volume, np.ndarray, np.ndarray]]:
    """`count` scans built like each body, with class and side of every voxel; kept in `cache`."""
    for body in people:
        for hips in body_scans(body, count, seed, cache, wasted=wasted):
            yield hips.volume, *classify(hips.labels)
