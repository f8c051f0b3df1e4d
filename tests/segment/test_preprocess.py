"""What reaches the network does not depend on gain, storage or mirror."""

import numpy as np
import pytest

from grading.segment.preprocess import antialias, network_grid, normalise, to_network
from grading.volume import Geometry

OBLIQUE = np.array(
    [[0.9, 0.05, 0.02, -160.0], [-0.05, 5.2, 0.0, -90.0], [0.01, 0.1, 0.9, -140.0], [0, 0, 0, 1]]
)


def test_gain_of_the_scanner_cancels() -> None:
    image = np.random.default_rng(0).random((8, 9, 10)).astype(np.float32)
    valid = np.ones(image.shape, dtype=bool)
    np.testing.assert_allclose(normalise(image, valid), normalise(37.5 * image, valid), rtol=1e-5)


def test_padding_is_zero_and_does_not_set_the_scale() -> None:
    image = np.full((6, 6, 6), 10.0, dtype=np.float32)
    image[0] = 5000
    valid = np.ones(image.shape, dtype=bool)
    valid[0] = False
    scaled = normalise(image, valid)
    assert (scaled[0] == 0).all()
    assert scaled[1:].max() == pytest.approx(1.0)


def test_image_without_signal_is_refused() -> None:
    with pytest.raises(ValueError, match="no signal"):
        normalise(np.zeros((3, 3, 3), dtype=np.float32), np.ones((3, 3, 3), dtype=bool))


def test_grid_covers_an_oblique_image_and_is_even() -> None:
    geometry = Geometry((384, 39, 384), OBLIQUE)
    grid = network_grid(geometry, 2.5, 2)
    assert all(n % 2 == 0 for n in grid.shape)
    low, high = grid.corners_mm().min(0) - 1.25, grid.corners_mm().max(0) + 1.25
    assert (geometry.corners_mm() > low).all()
    assert (geometry.corners_mm() < high).all()


def test_grid_is_centred_so_that_a_mirrored_image_has_a_mirrored_grid() -> None:
    geometry = Geometry((384, 39, 384), OBLIQUE)
    mirrored = Geometry(geometry.shape, np.diag([-1.0, 1, 1, 1]) @ geometry.affine)
    grid, other = network_grid(geometry, 2.5, 2), network_grid(mirrored, 2.5, 2)
    assert grid.shape == other.shape
    assert grid.centre_mm[0] == pytest.approx(-other.centre_mm[0])


def test_blur_acts_only_along_axes_finer_than_the_network() -> None:
    image = np.zeros((21, 21, 21), dtype=np.float32)
    image[10, 10, 10] = 1
    blurred = antialias(image, (0.9, 5.2, 0.9), 2.5)
    assert blurred[10, 9, 10] == 0
    assert blurred[9, 10, 10] > 0
    assert blurred.sum() == pytest.approx(1, abs=1e-3)


def test_no_image_outside_the_source() -> None:
    geometry = Geometry((20, 20, 20), np.diag([2.0, 2, 2, 1]))
    ones = np.ones(geometry.shape, dtype=np.float32)
    grid = Geometry((40, 40, 40), np.array([[2.0, 0, 0, -20], [0, 2, 0, -20], [0, 0, 2, -20], [0, 0, 0, 1]]))
    image = to_network(ones, geometry, grid)
    assert image.sum() == pytest.approx(20**3)
