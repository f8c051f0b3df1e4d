"""How well the bundled networks do on real images, as rows of tables."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from grading.anatomy import GLUTEI, SIDES, Muscle, Side, label_of
from grading.errors import SegmentationError
from grading.io import read
from grading.masks import Box
from grading.segment import segment
from grading.volume import BoolArray, FloatArray, Geometry, Segmentation, Volume
from training import real
from training.metrics import dice

IN_VIEW_ML = 5.0  # less of a muscle than this in view says little
ONE_HIP_MM = 180.0  # a usual field of view for one hip
_BONES = {"femur": 1, "hip_bone": 2, "sacrum": 4}
_HEAD_MM = 25.0  # of a femur from its top down: head and greater trochanter, the middle of such a field

Row = dict[str, Any]
Picture = Callable[[str, Volume, Segmentation], None]


def real_rows(studies: Iterable[Path], held_out: Collection[str], picture: Picture) -> Iterator[Row]:
    """One row per real study: Dice of muscles on outlined slices, of bones everywhere, muscle inside bone."""
    for study in studies:
        volume = read(study / "dicom")
        found = segment(volume)
        picture(study.name, volume, found)
        bones = real.on_grid(study / "bones.nii.gz", volume.geometry)
        row: Row = {"study": study.name + (" (held out)" if study.name in held_out else "")}
        row |= _outlined(found, real.on_grid(study / "reader_labels.nii.gz", volume.geometry))
        for name, number in _BONES.items():
            masks = [found.mask(name, side) for side in SIDES]
            row[name] = dice(masks[0] | masks[1], bones == number)
        inside = [
            float((bones[mask] > 0).mean()) if mask.any() else 1.0
            for mask in (found.mask(muscle, side) for muscle in GLUTEI for side in SIDES)
        ]
        row["worst share in bone"] = max(inside)
        yield row


def one_hip_rows(folder: Path, picture: Picture) -> Iterator[Row]:
    """One row per cropped one-hip image (right hips): Dice on outlined slices, what is called left."""
    for study in sorted(folder.iterdir()):
        image = next(p for p in sorted(study.glob("*.nii.gz")) if "t1" in p.name.lower())
        volume = read(image)
        row: Row = {"study": study.name}
        try:
            found = segment(volume)
        except SegmentationError as error:
            yield row | {"refused": str(error)}
            continue
        picture(study.name, volume, found)
        row |= _outlined(found, real.on_grid(study / "reader_labels.nii.gz", volume.geometry))
        left = sum(int(found.mask(muscle, Side.LEFT).sum()) for muscle in Muscle)
        row["called left, mL"] = left * volume.geometry.voxel_volume_ml
        yield row


def cropped_rows(studies: Iterable[Path], held_out: Collection[str]) -> Iterator[Row]:
    """One row per real study, of both hips: Dice on the outlined slices of a field of view of one hip.

    The field is `ONE_HIP_MM` wide and high round the hip, as deep as the study. What is labelled of the
    other side counts as wrong: `Dice` is of the hip's own side, and `other side` in mL.
    """
    for study in studies:
        volume = read(study / "dicom")
        labels = real.on_grid(study / "reader_labels.nii.gz", volume.geometry)
        bones = real.on_grid(study / "bones.nii.gz", volume.geometry)
        hips, other_ml = [], 0.0
        for side in SIDES:
            window = _window(volume.geometry, _hip_mm(bones == _BONES["femur"], volume.geometry, side))
            found = segment(_cropped(volume, window))
            hips.append(_outlined(found, labels[window], (side,)))
            other = sum(int(found.mask(muscle, side.other).sum()) for muscle in Muscle)
            other_ml += other * volume.geometry.voxel_volume_ml
        row: Row = {"study": study.name + (" (held out)" if study.name in held_out else "")}
        row |= {muscle: float(np.nanmean([hip[muscle] for hip in hips])) for muscle in Muscle}
        yield row | {"other side, mL": other_ml}


def _hip_mm(femora: BoolArray, geometry: Geometry, side: Side) -> FloatArray:
    """Middle of the uppermost part of one side's femur, world mm."""
    points = np.argwhere(femora) @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]
    right = points[:, 0] > points[:, 0].mean()
    own = points[right == (side is Side.RIGHT)]
    middle: FloatArray = own[own[:, 2] > own[:, 2].max() - _HEAD_MM].mean(axis=0)
    return middle


def _window(geometry: Geometry, middle_mm: FloatArray) -> Box:
    """The voxels of a field of view of one hip, all of the image from front to back."""
    to_voxel = np.linalg.inv(geometry.affine)
    middle = to_voxel[:3, :3] @ middle_mm + to_voxel[:3, 3]
    depth = np.abs(geometry.affine[:3, :3]).argmax(axis=0) == 1  # axes that run from back to front
    half = np.where(depth, np.inf, ONE_HIP_MM / 2 / np.array(geometry.spacing_mm))
    i, j, k = (
        slice(int(max(0, m - h)), int(min(n, m + h + 1)))
        for m, h, n in zip(middle, half, geometry.shape, strict=True)
    )
    return i, j, k


def _cropped(volume: Volume, window: Box) -> Volume:
    """The part of an image in a box of its voxels."""
    return replace(
        volume,
        voxels=volume.voxels[window],
        valid=volume.valid[window],
        geometry=volume.geometry.part(window),
    )


def _outlined(found: Segmentation, labels: np.ndarray, sides: Collection[Side] = SIDES) -> Row:
    """Dice of each muscle on the outlined slices, mean over those sides of which enough is outlined."""
    outlined = labels != real.NOT_OUTLINED
    least = IN_VIEW_ML / found.geometry.voxel_volume_ml
    row: Row = {}
    for muscle in Muscle:
        numbers = [label_of(muscle, side) for side in sides]
        shown = [n for n in numbers if (labels == n).sum() >= least]
        overlaps = [dice((found.labels == n) & outlined, labels == n) for n in shown]
        row[muscle] = float(np.mean(overlaps)) if overlaps else float("nan")
    return row
