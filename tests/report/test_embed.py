"""The images in a report are light, lie where the muscles lie, and say what the study's images say."""

import gzip
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from ellipsoid_hip import grid, hips

from grading.anatomy import Muscle, Side
from grading.fat import FatMap
from grading.report.embed import MOST_VOXELS, PLANE_STEP, STRUCTURES, borders, embed, light_grid
from grading.report.study_report import StudyImages
from grading.volume import Geometry


@pytest.fixture(scope="module")
def images():
    volume, labels = hips(geometry=grid((3.0, 6.0, 3.0)), shading=0.0, slice_axis=1)
    fraction = np.full(volume.geometry.shape, 0.3, dtype=np.float32)
    fraction[labels.mask(Muscle.GLUTEUS_MEDIUS, Side.RIGHT)] = 0.8
    return StudyImages(volume, labels, FatMap(fraction, volume.valid, volume.geometry, "t1"))


def opened(content):
    return nib.Nifti1Image.from_bytes(gzip.decompress(content))


def test_a_grid_that_is_light_enough_is_kept_and_cropped_to_whole_voxels():
    source = Geometry((40, 50, 60), np.diag([2.0, 3.0, 4.0, 1.0]))
    light = light_grid(source, (slice(20, 22), slice(0, 50), slice(30, 32)))
    assert light.spacing_mm == source.spacing_mm
    assert light.shape == (32, 50, 18)
    assert light.affine[:3, 3].tolist() == [10.0, 0.0, 88.0]


@pytest.mark.parametrize("shape", [(512, 512, 60), (384, 40, 384), (320, 320, 320)])
def test_a_large_image_is_made_coarser_where_it_is_finest_over_the_same_extent(shape):
    spacing = np.array([400.0 / n for n in shape])
    source = Geometry(shape, np.diag([*spacing, 1.0]))
    light = light_grid(source, None)
    assert np.prod(light.shape) <= MOST_VOXELS
    assert np.prod(light.shape) > 0.8 * MOST_VOXELS
    coarsest = spacing.argmax()
    if spacing.max() > 2 * spacing.min():
        assert light.spacing_mm[coarsest] == pytest.approx(spacing[coarsest])
    outer = light.affine[:3, 3] - np.array(light.spacing_mm) / 2
    assert outer == pytest.approx(-spacing / 2)
    reach = np.array(light.shape) * light.spacing_mm
    assert (reach >= 400 - 1e-6).all()
    assert (reach < 400 + np.array(light.spacing_mm)).all()


def test_embedded_fat_and_signal_are_those_of_the_study_where_the_muscle_is(images):
    embedded = embed(images)
    image, fat = opened(embedded.image), opened(embedded.fat)
    centre = np.argwhere(images.segmentation.mask(Muscle.GLUTEUS_MEDIUS, Side.RIGHT)).mean(axis=0)
    world = images.volume.geometry.affine @ [*centre, 1.0]
    at = tuple(np.round(np.linalg.solve(image.affine, world)[:3]).astype(int))
    assert fat.get_fdata()[at] == pytest.approx(80.0, abs=0.5)
    step = (embedded.range[1] - embedded.range[0]) / 255
    assert image.get_fdata()[at] == pytest.approx(
        images.volume.voxels[tuple(np.round(centre).astype(int))], abs=step + 1e-3
    )


def test_outside_the_muscles_and_where_fat_is_unknown_the_map_is_below_zero(images):
    valid = images.fat.valid & ~images.segmentation.mask(Muscle.GLUTEUS_MAXIMUS, Side.LEFT)
    fat = opened(embed(replace(images, fat=replace(images.fat, valid=valid))).fat).get_fdata()
    whole = opened(embed(images).fat).get_fdata()
    assert (fat[whole < 0] < 0).all()
    assert (fat < 0).sum() > (whole < 0).sum()
    assert np.isclose(fat[fat >= 0], 30.0).sum() + np.isclose(fat[fat >= 0], 80.0).sum() == (fat >= 0).sum()


def test_a_border_knows_the_planes_in_which_it_is_one():
    numbers = np.zeros((7, 7, 7), dtype=np.uint8)
    numbers[1:6, 1:6, 1:6] = 3
    found = borders(numbers)

    def planes(i, j, k):
        value = int(found[i, j, k])
        assert value == 0 or value % PLANE_STEP == 3
        return [axis for axis in range(3) if value // PLANE_STEP >> axis & 1]

    assert planes(3, 3, 3) == []
    assert planes(1, 3, 3) == [1, 2]  # its first slice along axis 0: inside within that slice
    assert planes(1, 1, 3) == [0, 1, 2]
    assert planes(0, 3, 3) == []
    assert len(STRUCTURES) < PLANE_STEP


def test_a_study_without_muscles_can_be_embedded(images):
    empty = replace(images.segmentation, labels=np.zeros_like(images.segmentation.labels))
    embedded = embed(replace(images, segmentation=empty))
    assert not opened(embedded.outlines).get_fdata().any()
