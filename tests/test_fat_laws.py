"""Laws that a fat fraction keeps: monotony, offset, resolution; and what its error is made of."""

from dataclasses import asdict, replace

import ellipsoid_hip as ellipsoids
import numpy as np
import pytest

from grading.anatomy import Muscle, Side
from grading.classify.grade import grade
from grading.classify.scales import scale
from grading.fat import fat_map
from grading.fat.partial_volume import read_partial_volume
from grading.fat.zones import Zone, muscle_zones, zones_of
from grading.masks import bounding_box
from grading.measure import measure

COARSE = ellipsoids.grid((3.0, 3.0, 5.0))
ONE = (Muscle.GLUTEUS_MEDIUS, Side.RIGHT)


def read(volume, labels):
    """The right medius."""
    found = measure(fat_map(volume, labels), labels, volume)
    return next(m for m in found if (m.muscle, m.side, m.region) == (*ONE, "whole"))


def test_more_fat_never_reads_as_less_nor_gives_a_lower_stage():
    found = [read(*ellipsoids.hips({ONE: truth}, geometry=COARSE)) for truth in (0.0, 0.04, 0.2, 0.5, 0.9)]
    fractions = [m.fat_fraction for m in found]
    assert fractions == sorted(fractions)
    for name in ("quartile", "goutallier"):
        stages = [grade(m, scale(name)).stage for m in found]
        assert stages == sorted(stages)


@pytest.mark.parametrize("offset", [-20.0, 30.0])
def test_an_offset_of_the_signal_changes_no_fraction(offset):
    volume, labels = ellipsoids.hips({ONE: 0.4}, geometry=COARSE, shading=0.0)
    lifted = replace(volume, voxels=np.clip(volume.voxels + np.float32(offset), 0, None))
    assert read(lifted, labels).fat_fraction == pytest.approx(read(volume, labels).fat_fraction, abs=0.015)


@pytest.mark.parametrize("spacing_mm", [(2.0, 2.0, 4.0), (2.0, 5.0, 2.0), (3.0, 3.0, 3.0)])
def test_a_fraction_does_not_hang_on_resolution(spacing_mm):
    geometry = ellipsoids.grid(spacing_mm)
    axis = int(np.argmax(spacing_mm)) if len(set(spacing_mm)) > 1 else 2
    read_here = read(*ellipsoids.hips({ONE: 0.4}, geometry=geometry, slice_axis=axis)).fat_fraction
    assert read_here == pytest.approx(0.4, abs=0.02)


def test_the_error_is_the_sum_of_its_named_sources():
    m = read(*ellipsoids.hips({ONE: 0.4}, geometry=COARSE))
    sources = asdict(m.fat_error)
    named = {"references", "shading", "outline", "partial_volume", "noise", "segmentation", "floor"}
    assert set(sources) == named
    assert m.fat_fraction_se == pytest.approx(np.sqrt(sum(np.square(list(sources.values())))))


def test_zones_run_from_the_border_inwards_and_the_edge_of_the_view_is_no_border():
    mask = np.zeros((12, 12, 6), dtype=bool)
    mask[2:10, 2:10, 1:] = True
    box = bounding_box(mask)
    zones = zones_of(mask, box, ellipsoids.grid((1.0, 1.0, 5.0), (12.0, 12.0, 30.0)), 2)
    assert zones[0, 4, 2] == Zone.BORDER
    assert zones[1, 4, 2] == Zone.RIM
    assert zones[3, 4, 2] == Zone.CORE
    assert zones[3, 4, 0] == Zone.END
    assert zones[3, 4, 4] == Zone.CORE  # the view ends here, not the muscle


def blurred_ends(fraction_inside):
    """Muscles whose end slices hold a fifth of fat from beside them."""
    volume, labels = ellipsoids.hips(0.0)
    fraction = np.full(volume.voxels.shape, fraction_inside, dtype=np.float32)
    muscles = tuple(muscle_zones(labels, 2))
    for muscle in muscles:
        part = fraction[muscle.box]
        ends = muscle.zones == Zone.END
        part[ends] = 0.2 + 0.8 * part[ends]
    return fraction, volume.valid, muscles


@pytest.mark.parametrize("inside", [0.0, 0.3])
def test_fat_from_beside_the_muscle_is_found_whatever_fat_lies_inside(inside):
    shares = read_partial_volume(*blurred_ends(inside))
    assert shares.end.value == pytest.approx(0.2, abs=1e-3)
    assert shares.rim.value == pytest.approx(0.0, abs=1e-3)


def test_outlines_that_run_into_fat_do_not_change_what_is_taken_off_the_others():
    fraction, valid, muscles = blurred_ends(0.0)
    for muscle in muscles:
        if muscle.side is Side.LEFT:
            fraction[muscle.box][muscle.zones == Zone.END] = 0.6
    shares = read_partial_volume(fraction, valid, muscles)
    assert shares.end.value == pytest.approx(0.2, abs=1e-3)


def test_with_too_few_muscles_to_tell_nothing_is_corrected_and_the_error_says_so():
    fraction, valid, muscles = blurred_ends(0.0)
    shares = read_partial_volume(fraction, valid, muscles[:2])
    assert shares.end.value == 0.0
    assert shares.end.error > 0.02
