"""Random pelves as random scanners see them: what `benchmarks.fat_accuracy` measures on.

A body takes longer to build than to scan, so each is built once and scanned several times, every time with
other fat in its muscles, another protocol, other noise and another receive field. Ranges are those of
clinical T1 spin echo of the hip; muscle states run from no fat at all to nearly nothing but fat.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from grading.anatomy import Muscle
from grading.phantom import (
    MuscleState,
    Phantom,
    Protocol,
    SideParameters,
    acquire,
    build_phantom,
    random_parameters,
    with_fat,
)
from grading.series import Role, SeriesInfo
from grading.volume import Geometry, LabelArray, Volume

SPACING_MM = 1.5  # of the bodies: a streak of fat is 2.2 mm wide, a pixel 1.0 mm or more
SCANS_PER_BODY = 6
WHOLLY_FREE, ONE_SIDED = 0.2, 0.4  # share of scans without any fat in the graded muscles; with one side ill
HEALTHY_FAT, MOST_FAT = 0.12, 0.90


@dataclass(frozen=True, slots=True, eq=False)
class RandomHips:
    """One scan of one random body.

    Attributes:
        name: "seed-body-scan".
        volume: the T1 image.
        labels: true structure of each voxel.
        truth: per muscle and side `volume_ml`, `fat_fraction`, `coverage`, as `grading.phantom.acquire` says.
        bias: largest relative deviation of the receive field from 1.
        snr: signal of lean muscle over the noise.
    """

    name: str
    volume: Volume
    labels: LabelArray
    truth: pd.DataFrame
    bias: float
    snr: float


def random_hips(seed: int, count: int, cache: Path | None = None, *, first: int = 0) -> Iterator[RandomHips]:
    """`count` scans, the same for the same seed.

    Args:
        seed: draws everything.
        count: how many, those before `first` included.
        cache: folder that keeps what was scanned, and spares the work the next time.
        first: number of the first one wanted.
    """
    for index in range(first, count):
        yield kept(scan_name(seed, index), cache, partial(_scanned, seed, index))


def scan_name(seed: int, index: int) -> str:
    """Name of the scan with that number: "seed-body-scan"."""
    number, scan = divmod(index, SCANS_PER_BODY)
    return f"{seed}-{number}-{scan}"


def _scanned(seed: int, index: int, name: str) -> RandomHips:
    number, scan = divmod(index, SCANS_PER_BODY)
    return scanned(name, random_body(seed, number), np.random.default_rng([seed, number, scan]))


@lru_cache(maxsize=1)
def random_body(seed: int, number: int) -> Phantom:
    """A random person, the same for the same numbers; the next scan is mostly of the last one."""
    return build_phantom(random_parameters(np.random.default_rng([seed, number])), SPACING_MM)


def scanned(name: str, body: Phantom, rng: np.random.Generator, *, own_fat: bool = False) -> RandomHips:
    """A body in a random scanner, with random fat in its muscles or with the fat it was built with."""
    protocol = random_protocol(rng)
    scan = acquire(body if own_fat else with_fat(body, *random_sides(rng)), protocol)
    return RandomHips(name, scan.volume, scan.labels, scan.truth, protocol.bias, protocol.snr)


def random_protocol(rng: np.random.Generator) -> Protocol:
    """A clinical T1 spin echo of both hips, coronal or axial, with 0 to 50 % of shading."""
    coronal = rng.random() < 0.6
    slice_mm, field_strength_t = float(rng.uniform(4, 6)), float(rng.choice([1.5, 3.0]))
    return Protocol(
        plane="coronal" if coronal else "axial",
        in_plane_mm=float(rng.uniform(1.0, 1.5)),
        slice_mm=slice_mm,
        gap_mm=float(rng.choice([0.0, 0.1, 0.2])) * slice_mm,
        fov_mm=(400.0, 320.0) if coronal else (400.0, 300.0),
        slices=int((190 if coronal else 240) / slice_mm),
        tr_ms=float(rng.uniform(450, 800)),
        te_ms=float(rng.uniform(8, 15)),
        field_strength_t=field_strength_t,
        snr=float(rng.uniform(15, 50)),
        bias=float(rng.uniform(0, 0.5)),
        chemical_shift_mm=float(rng.uniform(0, 1.5)),
        seed=int(rng.integers(2**31)),
    )


def random_sides(rng: np.random.Generator) -> tuple[SideParameters, SideParameters]:
    """Fat of both halves: none at all, one side ill, or both; the other muscles lean to moderately fatty."""
    kind, other_fat = rng.random(), 0.15 * float(rng.beta(1, 3))
    first_ill = kind > WHOLLY_FREE
    second_ill = kind > WHOLLY_FREE + ONE_SIDED
    sides = [_side(rng, ill, other_fat, free=not first_ill) for ill in (first_ill, second_ill)]
    if rng.random() < 0.5:
        sides.reverse()
    return sides[0], sides[1]


def _side(rng: np.random.Generator, ill: bool, other_fat: float, *, free: bool) -> SideParameters:
    states = {muscle: _state(rng, ill, free=free) for muscle in Muscle}
    return SideParameters(
        maximus=states[Muscle.GLUTEUS_MAXIMUS],
        medius=states[Muscle.GLUTEUS_MEDIUS],
        minimus=states[Muscle.GLUTEUS_MINIMUS],
        tfl=states[Muscle.TENSOR_FASCIAE_LATAE],
        other_fat_fraction=other_fat,
        texture_seed=int(rng.integers(2**31)),
    )


def _state(rng: np.random.Generator, ill: bool, *, free: bool) -> MuscleState:
    fat = rng.uniform(0.0, MOST_FAT) if ill and rng.random() < 0.75 else rng.uniform(0, HEALTHY_FAT)
    return MuscleState(
        fat_fraction=0.0 if free else float(fat),
        posterior_fat=float(rng.uniform(-0.8, 0.8)),
        patchiness=float(rng.uniform(0.1, 0.9)),
    )


def kept(name: str, cache: Path | None, make: Callable[[str], RandomHips]) -> RandomHips:
    """A scan from its file in `cache`; where there is none, made, and kept there unless `cache` is None."""
    path = cache / f"{name}.npz" if cache else None
    if path and path.is_file():
        return load(name, path)
    hips = make(name)
    if path:
        save(hips, path)
    return hips


def save(hips: RandomHips, path: Path) -> None:
    """Keep a scan in a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part.npz")
    np.savez(
        partial,
        voxels=hips.volume.voxels,
        labels=hips.labels,
        affine=hips.volume.geometry.affine,
        slice_axis=hips.volume.series.slice_axis,
        scan=[hips.bias, hips.snr],
        truth=hips.truth.to_records(index=False, column_dtypes={"muscle": "U32", "side": "U8"}),
    )
    partial.replace(path)


def load(name: str, path: Path) -> RandomHips:
    """A scan that `save` kept."""
    with np.load(path) as kept:
        voxels, labels, truth = kept["voxels"], kept["labels"], pd.DataFrame(kept["truth"])
        affine, slice_axis, (bias, snr) = kept["affine"], int(kept["slice_axis"]), kept["scan"]
    i, j, k = voxels.shape
    series = SeriesInfo("phantom-t1", Role.T1, modality="MR", contrast_agent=False, slice_axis=slice_axis)
    volume = Volume(voxels, Geometry((i, j, k), affine), np.ones(voxels.shape, dtype=bool), series)
    return RandomHips(name, volume, labels, truth, float(bias), float(snr))
