"""Stray pieces are dropped, the muscle and the fat inside it stay."""

import numpy as np

from grading.anatomy import Muscle, Side, label_of
from grading.segment.cleanup import gluteal_volume_ml, tidy
from grading.volume import Geometry

GRID = Geometry((40, 40, 40), np.diag([3.0, 3, 3, 1]))
MEDIUS = label_of(Muscle.GLUTEUS_MEDIUS, Side.LEFT)
BONE = label_of("hip_bone", Side.LEFT)


def _block() -> np.ndarray:
    labels = np.zeros(GRID.shape, dtype=np.uint16)
    labels[5:20, 5:20, 5:20] = MEDIUS
    return labels


def test_a_stray_speck_is_dropped() -> None:
    labels = _block()
    labels[30:32, 30:32, 30:32] = MEDIUS
    np.testing.assert_array_equal(tidy(labels, GRID), _block())


def test_a_second_large_piece_stays() -> None:
    labels = _block()
    labels[25:35, 25:35, 25:35] = MEDIUS
    np.testing.assert_array_equal(tidy(labels, GRID), labels)


def test_fat_enclosed_by_the_muscle_belongs_to_it() -> None:
    labels = _block()
    labels[10:12, 10:12, 10:12] = 0
    np.testing.assert_array_equal(tidy(labels, GRID), _block())


def test_another_structure_enclosed_by_the_muscle_keeps_its_label() -> None:
    labels = _block()
    labels[10:12, 10:12, 10:12] = BONE
    np.testing.assert_array_equal(tidy(labels, GRID), labels)


def test_less_than_a_remnant_of_muscle_is_noise() -> None:
    labels = np.zeros(GRID.shape, dtype=np.uint16)
    labels[5:8, 5:8, 5:8] = MEDIUS  # 0.7 mL
    assert not tidy(labels, GRID).any()


def test_volume_is_counted_by_side() -> None:
    volume = gluteal_volume_ml(_block(), GRID)
    assert volume[Side.LEFT] == 15**3 * 0.027
    assert volume[Side.RIGHT] == 0


def test_a_piece_of_a_twentieth_is_another_structure_however_large_and_a_fifth_is_muscle() -> None:
    for depth, kept in ((5, False), (20, True)):
        labels = np.zeros(GRID.shape, dtype=np.uint16)
        labels[2:22, 2:22, 2:22] = MEDIUS  # 216 mL
        labels[26:36, 26:34, 5 : 5 + depth] = MEDIUS  # 11 and 43 mL
        assert tidy(labels, GRID)[30, 30, 7] == (MEDIUS if kept else 0)


def test_the_smallest_remnant_of_an_adult_minimus_stays_on_either_side() -> None:
    for side in Side:
        labels = np.zeros(GRID.shape, dtype=np.uint16)
        labels[5:13, 5:12, 5:12] = label_of(Muscle.GLUTEUS_MINIMUS, side)  # 10.6 mL
        np.testing.assert_array_equal(tidy(labels, GRID), labels)


def test_specks_are_dropped_on_the_right_and_of_every_muscle() -> None:
    for muscle in Muscle:
        labels = np.zeros(GRID.shape, dtype=np.uint16)
        labels[5:20, 5:20, 5:20] = label_of(muscle, Side.RIGHT)
        specked = labels.copy()
        specked[30:32, 30:32, 30:32] = label_of(muscle, Side.RIGHT)
        np.testing.assert_array_equal(tidy(specked, GRID), labels)
