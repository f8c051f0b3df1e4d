"""Blank rims are not air; air, dark tissue and noise zeros are measured."""

import numpy as np
import pytest

from grading.errors import UnreadableSeries
from grading.io.padding import blank_rim, clean


def noise(shape: tuple[int, int, int] = (60, 50, 6), seed: int = 0) -> np.ndarray:
    """Rician-like background with an integer noise floor that is often exactly zero."""
    return np.floor(np.random.default_rng(seed).rayleigh(1.2, size=shape)).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_wedge_of_zeros_at_the_border_is_blank_in_any_plane(axis: int) -> None:
    image = np.moveaxis(noise() + 1, 2, axis)
    truth = np.zeros_like(image, dtype=bool)
    wedge = np.moveaxis(truth, axis, 2)
    wedge[:8, :10] = True
    image[truth] = 0
    assert np.array_equal(blank_rim(image, axis), truth)


def test_a_rim_one_voxel_wide_is_blank() -> None:
    image = noise() + 1
    image[:, 0] = 0
    assert blank_rim(image, 2)[:, 0].all()


def test_zeros_of_the_noise_floor_stay_valid() -> None:
    image = noise()
    assert (image == 0).mean() > 0.2
    assert blank_rim(image, 2).mean() < 0.01


def test_zeros_inside_the_body_stay_valid() -> None:
    image = noise() + 1
    image[20:30, 20:30] = 0
    assert not blank_rim(image, 2).any()


def test_a_slice_without_any_signal_is_blank() -> None:
    image = noise() + 1
    image[:, :, 5] = 0
    assert blank_rim(image, 2)[:, :, 5].all()
    assert not blank_rim(image, 2)[:, :, :5].any()


def test_declared_padding_is_not_valid() -> None:
    padding = np.zeros((60, 50, 6), dtype=bool)
    padding[3, 3, 3] = True
    _, valid = clean(noise() + 1, padding, 2, "x")
    assert np.array_equal(valid, ~padding)


def test_constant_and_empty_images_are_refused() -> None:
    with pytest.raises(UnreadableSeries, match="constant"):
        clean(np.full((5, 5, 5), 9.0), None, 2, "x")
    with pytest.raises(UnreadableSeries, match="no voxel holds"):
        clean(np.full((5, 5, 5), np.nan), None, 2, "x")
