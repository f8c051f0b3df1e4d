"""Outlines lie on the muscle's border, fat colours inside it, on the correct side of the picture."""

from dataclasses import replace

import numpy as np
import pytest
from ellipsoid_hip import grid, hips
from PIL import Image

from grading.anatomy import Muscle, Side
from grading.fat import FatMap
from grading.report.drawing import (
    draw_outlines,
    drawable,
    fat_panel,
    grey_panel,
    panel_size,
)
from grading.report.palette import COLOURS, FAT_SCALE, fat_colours
from grading.report.slices import grey_window, key_slices
from grading.report.study_report import StudyImages

WIDTH = 330


@pytest.fixture(scope="module")
def images():
    volume, labels = hips(geometry=grid((2.0, 4.0, 2.0)), shading=0.0, slice_axis=1)
    fraction = np.zeros(volume.geometry.shape, dtype=np.float32)
    return StudyImages(volume, labels, FatMap(fraction, volume.valid, volume.geometry, "t1"))


def drawn(draw, images) -> np.ndarray:
    cut = key_slices(images)[0]
    size = panel_size(images, cut, WIDTH, tallest=2.0)
    return np.asarray(draw(images, cut, size, grey_window(images.volume))).astype(int)


def mask_in_panel(images, muscle, side, shape) -> np.ndarray:
    plane = key_slices(images)[0].cut(images.segmentation.mask(muscle, side))
    return np.array(Image.fromarray(plane).resize(shape[1::-1], Image.Resampling.NEAREST))


def test_a_panel_has_the_patients_proportions(images):
    height, width, _ = drawn(grey_panel, images).shape
    assert width / height == pytest.approx(330 / 130, rel=0.03)


def test_a_tall_plane_is_shown_smaller_not_squeezed(images):
    cut = key_slices(images)[0]
    width, height = panel_size(images, cut, WIDTH, tallest=0.2)
    assert height == 66
    assert width / height == pytest.approx(330 / 130, rel=0.03)


def test_the_outline_follows_the_muscles_border_and_leaves_the_rest_alone(images):
    def outlined_only(images, cut, size, window):
        panel = grey_panel(images, cut, size, window)
        draw_outlines(panel, images, cut)
        return panel

    plain, outlined = drawn(grey_panel, images), drawn(outlined_only, images)
    changed = np.abs(outlined - plain).sum(axis=2) > 60
    colour = np.array([int(COLOURS[Muscle.GLUTEUS_MAXIMUS][i : i + 2], 16) for i in (1, 3, 5)])
    for side in Side:
        mask = mask_in_panel(images, Muscle.GLUTEUS_MAXIMUS, side, plain.shape)
        rows, columns = np.nonzero(mask)
        nearby = np.zeros_like(mask)
        nearby[rows.min() - 3 : rows.max() + 4, columns.min() - 3 : columns.max() + 4] = True
        line = np.argwhere(changed & nearby)
        assert abs(line[:, 0].min() - rows.min()) <= 2
        assert abs(line[:, 0].max() - rows.max()) <= 2
        assert abs(line[:, 1].min() - columns.min()) <= 2
        assert abs(line[:, 1].max() - columns.max()) <= 2
        centre = round(rows.mean()), round(columns.mean())
        assert not changed[centre]
    assert np.abs(outlined - colour).sum(axis=2).min() < 30


def test_the_patients_right_is_on_the_pictures_left(images):
    fraction = images.fat.fraction.copy()
    fraction[images.segmentation.mask(Muscle.GLUTEUS_MAXIMUS, Side.RIGHT)] = 1.0
    fatty = replace(images.fat, fraction=fraction)
    changed = drawn(fat_panel, replace(images, fat=fatty)) - drawn(fat_panel, images)
    columns = np.flatnonzero(np.abs(changed).sum(axis=(0, 2)))
    assert columns.size
    assert columns.max() < WIDTH / 2


def test_fat_that_is_not_known_is_not_coloured(images):
    valid = images.fat.valid & ~images.segmentation.mask(Muscle.GLUTEUS_MAXIMUS, Side.LEFT)
    fraction = np.where(valid, 0.9, np.nan).astype(np.float32)
    shown = drawn(fat_panel, replace(images, fat=replace(images.fat, fraction=fraction, valid=valid)))
    grey = drawn(grey_panel, images)
    unknown = mask_in_panel(images, Muscle.GLUTEUS_MAXIMUS, Side.LEFT, shown.shape)
    known = mask_in_panel(images, Muscle.GLUTEUS_MAXIMUS, Side.RIGHT, shown.shape)
    unknown[:40] = known[:40] = False
    assert (shown[unknown] == grey[unknown]).all()
    assert (shown[known] == fat_colours(np.array(0.9))).all()


def test_more_fat_is_lighter_and_beyond_the_scale_stays_at_its_ends():
    colours = fat_colours(np.array([-0.2, 0.0, 0.25, 0.5, 0.75, 1.0, 1.4])).astype(int)
    lightness = colours @ [299, 587, 114]
    assert (np.diff(lightness)[1:-1] > 0).all()
    assert (colours[0] == colours[1]).all()
    assert (colours[-1] == colours[-2]).all()
    assert bytes(colours[-1].astype(np.uint8)).hex() == FAT_SCALE[-1]


def test_text_is_drawn_in_letters_that_the_font_has():
    assert drawable("é ± 10×5 – 日本") == "e ± 10x5 - ??"
