"""The same patient in any storage order, slice direction or tilt has the same labels at the same place.

Slow: the bundled network reads a phantom in several planes.
"""

import itertools
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from grading.anatomy import SIDES, Muscle
from grading.io import read
from grading.io.nifti_write import write_nifti
from grading.phantom import Protocol, acquire
from grading.resample import resample
from grading.segment import segment
from grading.volume import Geometry, Segmentation, Volume
from tests.phantom.phantoms import healthy

pytestmark = pytest.mark.slow

IN_PLANE_MM, SLICE_MM = 3.0, 5.0
EXTENT_MM = {"coronal": ((390.0, 330.0), 40), "axial": ((390.0, 240.0), 60), "sagittal": ((240.0, 330.0), 78)}
ORDERS = [
    tuple("".join(pair[flip] for pair, flip in zip(pairs, flips, strict=True)))
    for pairs in itertools.permutations(("RL", "AP", "SI"))
    for flips in itertools.product((0, 1), repeat=3)
]
LARGE = (Muscle.GLUTEUS_MAXIMUS, Muscle.GLUTEUS_MEDIUS)


@cache
def scan(plane: str) -> Volume:
    fov_mm, slices = EXTENT_MM[plane]
    protocol = Protocol(plane, IN_PLANE_MM, SLICE_MM, fov_mm=fov_mm, slices=slices)
    return acquire(healthy(), protocol).volume


@cache
def tilted(plane: str, axis: int, degrees: float = 30.0) -> Volume:
    """The scan on a grid turned about one world axis through its centre."""
    straight = scan(plane)
    turn = np.eye(3)
    one, other = (a for a in range(3) if a != axis)
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn[[one, one, other, other], [one, other, one, other]] = cos, -sin, sin, cos
    affine = straight.geometry.affine.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    middle = (np.array(straight.geometry.shape) - 1) / 2
    affine[:3, 3] = straight.geometry.centre_mm - affine[:3, :3] @ middle
    affine = np.round(1024 * affine) / 1024  # a header's 32 bits then hold it exactly, in any storage order
    grid = Geometry(straight.geometry.shape, affine)
    voxels = resample(straight.voxels, straight.geometry, grid, order=1)
    return Volume(voxels, grid, np.ones(grid.shape, dtype=bool), straight.series)


def stored(volume: Volume, order: tuple[str, str, str], path: Path) -> Path:
    """The volume as a file whose axes run towards `order`."""
    affine = volume.geometry.affine
    image = nib.Nifti1Image(volume.voxels, affine)
    image.set_sform(affine, 1)
    turn = nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(order))
    image.as_reoriented(turn).to_filename(path)
    return path


def in_the_world(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Labels of a written file in canonical order, and their affine."""
    image = nib.as_closest_canonical(nib.Nifti1Image.from_filename(path))
    return np.asarray(image.dataobj), image.affine


@pytest.mark.parametrize(
    "volume",
    [
        pytest.param(lambda: scan("coronal"), id="coronal"),
        pytest.param(lambda: scan("axial"), id="axial"),
        pytest.param(lambda: scan("sagittal"), id="sagittal"),
        pytest.param(lambda: tilted("coronal", 0), id="oblique"),
    ],
)
def test_all_48_storage_orders_give_the_same_labels_in_the_world(volume, tmp_path):
    reference = read(stored(volume(), ("R", "A", "S"), tmp_path / "hip_t1.nii"))  # its zeros are padding
    expected = segment(reference).labels
    assert expected.any()
    seen: dict[str, Segmentation] = {}
    assert len(set(ORDERS)) == 48
    for order in ORDERS:
        image = read(stored(reference, order, tmp_path / "hip_t1.nii"))
        assert image.source_orientation == "".join(order)
        if image.series.digest not in seen:  # the network is a function: equal voxels need one run
            seen[image.series.digest] = segment(image)
        write_nifti(seen[image.series.digest].labels, image, tmp_path / "labels.nii")
        labels, affine = in_the_world(tmp_path / "labels.nii")
        np.testing.assert_allclose(affine, reference.geometry.affine, atol=1e-3)
        np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_scan_tilted_by_30_degrees_gives_nearly_the_same_muscles_in_the_world(axis, tmp_path):
    straight = scan("coronal")
    oblique = read(stored(tilted("coronal", axis), ("R", "A", "S"), tmp_path / "hip_t1.nii"))
    labels = segment(straight)
    found = resample(segment(oblique).labels, oblique.geometry, straight.geometry, order=0)
    seen = resample(oblique.valid.astype(np.uint8), oblique.geometry, straight.geometry, order=0) > 0
    other = Segmentation(found, straight.geometry, np.ones(found.shape), "tilted")
    for muscle, side in itertools.product(LARGE, SIDES):
        one, two = labels.mask(muscle, side) & seen, other.mask(muscle, side)
        dice = 2 * np.count_nonzero(one & two) / (np.count_nonzero(one) + np.count_nonzero(two))
        assert dice > 0.85, (muscle, side, dice)  # the tilted scan is resampled from 5 mm slices, so blurred
