"""An MR acquisition of a phantom, with the truth about what it shows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

from grading.anatomy import SIDES, STRUCTURES, Muscle, label_of
from grading.phantom.build import Phantom
from grading.phantom.labels import BLADDER, DEEP_FAT, SUBCUTANEOUS_FAT, VERTEBRA, VESSEL, VISCERA
from grading.phantom.protocol import Protocol
from grading.phantom.sampling import Sampler
from grading.phantom.texture import texture
from grading.phantom.tissue import Tissue, fat, water
from grading.series import Role, SeriesInfo
from grading.volume import FloatArray, LabelArray, Volume

FULL_SCALE = 1000.0  # signal of pure fat (T1) or of pure muscle water (Dixon) in the image
_BIAS_KNOTS = 4  # the receive field bends once or twice over the field of view
_OTHER_LABELS = (DEEP_FAT, SUBCUTANEOUS_FAT, VERTEBRA, BLADDER, VISCERA, VESSEL)


@dataclass(frozen=True, slots=True, eq=False)
class Acquisition:
    """What a scan of a phantom yields.

    Attributes:
        volume: the T1 image, or the water image of a Dixon acquisition.
        fat: the fat image of a Dixon acquisition; None for T1.
        labels: uint16 on the image's grid: the structure that fills most of each voxel.
        truth: a row per muscle and side: `volume_ml` and `fat_fraction` of the fine phantom, `coverage`
            (share of the muscle within the field of view), `volume_on_grid_ml` (of `labels`) and
            `fat_fraction_on_grid` (all fat in the voxels of `labels`: what partial volume adds included).
    """

    volume: Volume
    fat: Volume | None
    labels: LabelArray
    truth: pd.DataFrame


def acquire(phantom: Phantom, protocol: Protocol | None = None) -> Acquisition:
    """Scan a phantom.

    Args:
        phantom: the body.
        protocol: the scan; a clinical coronal T1 TSE of both hips when None.
    """
    scan = protocol if protocol is not None else Protocol()
    sampler = Sampler(phantom.geometry, scan)
    water_image, fat_image, muscle_signal = _components(phantom, scan, sampler)
    rng = np.random.default_rng(scan.seed)
    shading = _bias_field(sampler.target.shape, scan.bias, rng)
    noise = muscle_signal / scan.snr
    labels = _labels(phantom, sampler)
    truth = _truth(phantom, sampler, labels)
    if scan.contrast == "dixon":
        images = [(Role.WATER, water_image), (Role.FAT, fat_image)]
    else:
        images = [(Role.T1, water_image + fat_image)]
    volumes = [_volume(_rician(image * shading, noise, rng), role, scan, sampler) for role, image in images]
    return Acquisition(volumes[0], volumes[1] if len(volumes) > 1 else None, labels, truth)


def _components(phantom: Phantom, scan: Protocol, sampler: Sampler) -> tuple[FloatArray, FloatArray, float]:
    """Noise-free water and fat images, and the signal of lean muscle in them."""
    waters, lipid = water(scan.field_strength_t), fat(scan.field_strength_t)
    count = max(Tissue) + 1
    brightness, share = np.zeros(count, dtype=np.float32), np.zeros(count, dtype=np.float32)
    for tissue in Tissue:
        share[tissue] = phantom.fat_content(tissue)
        if tissue in waters:
            relaxation = waters[tissue]
            spin_echo = relaxation.spin_echo(scan.tr_ms, scan.te_ms)
            brightness[tissue] = spin_echo if scan.contrast == "t1" else relaxation.density
    lipid_signal = lipid.spin_echo(scan.tr_ms, scan.te_ms) if scan.contrast == "t1" else lipid.density
    gain = FULL_SCALE / (lipid_signal if scan.contrast == "t1" else float(brightness[Tissue.MUSCLE]))
    fraction = np.where(phantom.tissue == Tissue.MUSCLE, phantom.fat_fraction, share[phantom.tissue])
    factor = texture(phantom) if scan.textured else np.float32(1.0)
    water_image = sampler((1 - fraction) * brightness[phantom.tissue] * factor * np.float32(gain))
    fat_image = sampler(fraction * factor * np.float32(gain * lipid_signal), displaced=True)
    return water_image, fat_image, float(gain * brightness[Tissue.MUSCLE])


def _bias_field(shape: tuple[int, int, int], amplitude: float, rng: np.random.Generator) -> FloatArray:
    """Smooth positive field between 1 - amplitude and 1 + amplitude, geometric mean about 1."""
    knots = rng.normal(size=(_BIAS_KNOTS,) * 3)
    grid = np.meshgrid(*[np.linspace(0.5, _BIAS_KNOTS - 1.5, n) for n in shape], indexing="ij", sparse=True)
    smooth = ndimage.map_coordinates(
        ndimage.gaussian_filter(knots, 0.7), np.stack(np.broadcast_arrays(*grid)), order=3, mode="nearest"
    )
    smooth -= smooth.mean()
    largest = float(np.abs(smooth).max())
    return np.asarray(np.exp(np.log1p(amplitude) * smooth / max(largest, 1e-9)), dtype=np.float32)


def _rician(signal: FloatArray, noise: float, rng: np.random.Generator) -> FloatArray:
    """Magnitude of a complex signal with Gaussian noise in both channels."""
    if noise == 0:
        return signal
    real = signal + rng.normal(0, noise, signal.shape)
    imaginary = rng.normal(0, noise, signal.shape)
    return np.asarray(np.hypot(real, imaginary), dtype=np.float32)


def _volume(voxels: FloatArray, role: Role, scan: Protocol, sampler: Sampler) -> Volume:
    series = SeriesInfo(
        name=f"phantom-{role.value}",
        role=role,
        modality="MR",
        contrast_agent=False,
        slice_axis=scan.slice_axis,
        echo_time_ms=scan.te_ms,
        repetition_time_ms=scan.tr_ms,
        field_strength_t=scan.field_strength_t,
    )
    return Volume(voxels, sampler.target, np.ones(voxels.shape, dtype=bool), series)


def _labels(phantom: Phantom, sampler: Sampler) -> LabelArray:
    """The label with the largest share of each image voxel; 0 where most of it is outside the body."""
    numbers = sorted({n for s in STRUCTURES.values() for n in (s.left, s.right)} | set(_OTHER_LABELS))
    body = sampler((phantom.labels > 0).astype(np.float32))
    most = 1 - body
    labels = np.zeros(sampler.target.shape, dtype=np.uint16)
    for number in numbers:
        share = sampler(phantom.labels == number)
        larger = share > most
        labels[larger] = number
        np.maximum(most, share, out=most)
    return labels


def _truth(phantom: Phantom, sampler: Sampler, labels: LabelArray) -> pd.DataFrame:
    fatty = np.where(phantom.tissue == Tissue.FAT, np.float32(1), phantom.fat_fraction)
    fatty[phantom.tissue == Tissue.FASCIA] = phantom.fat_content(Tissue.FASCIA)
    fat_on_grid = sampler(fatty)
    rows = []
    for muscle in Muscle:
        for side in SIDES:
            number = label_of(muscle, side)
            fine, coarse = phantom.labels == number, labels == number
            voxels = int(fine.sum())
            if not voxels:
                continue  # a body of which this muscle is not known
            rows.append(
                {
                    "muscle": muscle.value,
                    "side": side.value,
                    "volume_ml": voxels * phantom.geometry.voxel_volume_ml,
                    "fat_fraction": float(phantom.fat_fraction[fine].mean(dtype=np.float64)),
                    "coverage": float(sampler.inside(fine).sum() / voxels),
                    "volume_on_grid_ml": int(coarse.sum()) * sampler.target.voxel_volume_ml,
                    "fat_fraction_on_grid": float(fat_on_grid[coarse].mean(dtype=np.float64))
                    if coarse.any()
                    else np.nan,
                }
            )
    return pd.DataFrame(rows)
