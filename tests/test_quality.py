"""Checks that need image, labels and numbers together."""

from dataclasses import replace

import ellipsoid_hip as ellipsoids
import numpy as np
import pytest

from grading.anatomy import GLUTEI, SIDES, Muscle, Region, Side, label_of
from grading.classify.context import GROUPS
from grading.fat import FatMap, Reference
from grading.findings import Finding
from grading.measure import MuscleMeasurement
from grading.quality import add_findings, check_laterality, check_study
from grading.settings import Settings

COARSE = ellipsoids.grid((3.0, 3.0, 5.0))
MAXIMUS = Muscle.GLUTEUS_MAXIMUS


def a_map(left=480.0, right=480.0):
    """A fat map that matters only for its references."""
    nothing = np.zeros((2, 2, 2))
    references = tuple(
        Reference("fat", s, v, 1.0, 1.0, 99) for s, v in zip(SIDES, (left, right), strict=True)
    )
    geometry = ellipsoids.grid((1.0, 1.0, 1.0), (2.0, 2.0, 2.0))
    return FatMap(nothing, nothing == 0, geometry, "t1", references)


def both_sides(**more):
    """Healthy gluteus maximus measurements."""
    return [
        MuscleMeasurement(MAXIMUS, side, **{"volume_ml": 600.0, "covered_volume_ml": 600.0} | more)
        for side in SIDES
    ]


def codes(findings):
    return [f.code for f in findings]


def test_healthy_hips_raise_nothing():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    assert check_laterality(volume, labels, Settings()) == ()
    assert check_study(a_map(), both_sides()) == ()


def test_left_muscles_lying_on_the_right_contradict():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    exchanged = ellipsoids.segmented(labels.labels[::-1], COARSE)
    assert codes(check_laterality(volume, exchanged, Settings())) == ["laterality_contradiction"]


@pytest.mark.parametrize("muscle", Muscle)
def test_one_muscle_whose_sides_are_exchanged_contradicts_although_the_others_lie_right(muscle):
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    mixed = np.where(np.isin(labels.labels, [label_of(muscle, side) for side in SIDES]), 0, labels.labels)
    for side in SIDES:
        mixed[labels.mask(muscle, side)] = label_of(muscle, side.other)
    (finding,) = check_laterality(volume, ellipsoids.segmented(mixed, COARSE), Settings())
    assert finding.code == "laterality_contradiction"
    assert finding.detail.endswith(f": {muscle.value.replace('_', ' ')}")


def test_a_header_that_names_the_other_hip_contradicts():
    volume, labels = ellipsoids.hips(0.0, geometry=COARSE)
    half = (slice(COARSE.shape[0] // 2, None), slice(None), slice(None))
    one, labels = ellipsoids.cropped(volume, labels, half)
    left = replace(one, series=replace(one.series, laterality=Side.LEFT))
    assert codes(check_laterality(left, labels, Settings())) == ["laterality_contradiction"]


def test_subcutaneous_fat_that_differs_between_the_sides_is_named():
    assert codes(check_study(a_map(480.0, 400.0), both_sides())) == ["reference_mismatch"]
    assert check_study(a_map(480.0, 450.0), both_sides()) == ()
    one = a_map(480.0, 400.0)
    for known in one.references:
        assert check_study(replace(one, references=(known,)), both_sides()) == (), "nothing to compare with"


def test_a_volume_beyond_any_published_one_is_named_and_a_small_part_in_view_is_not():
    assert codes(check_study(a_map(), both_sides(volume_ml=50.0))) == ["implausible_volume"] * 2
    assert check_study(a_map(), both_sides(volume_ml=None, covered_volume_ml=50.0)) == ()
    assert (
        codes(check_study(a_map(), both_sides(volume_ml=None, covered_volume_ml=2000.0)))
        == ["implausible_volume"] * 2
    )


def test_mean_fraction_and_share_of_fat_voxels_that_differ_are_named():
    found = check_study(a_map(), both_sides(fat_fraction=0.4, threshold_fraction=0.1))
    assert codes(found) == ["fractions_disagree"] * 2


def test_one_hip_in_view_is_named():
    found = check_study(a_map(), both_sides()[:1])
    assert codes(found) == ["one_side_in_view"]


@pytest.mark.parametrize("deviations", [-4, 4])
def test_no_healthy_adult_has_an_implausible_volume(deviations):
    for _, muscles in GROUPS.values():
        for muscle, reference in muscles.items():
            ml = reference.mean_ml + deviations * reference.sd_ml
            row = MuscleMeasurement(muscle, Side.LEFT, volume_ml=ml, covered_volume_ml=ml)
            assert codes(check_study(a_map(), [row])) == ["one_side_in_view"], (muscle, ml)


def test_twice_the_largest_healthy_volume_and_a_tenth_of_the_smallest_are_implausible():
    for muscle in GLUTEI:
        means = [muscles[muscle].mean_ml for _, muscles in GROUPS.values()]
        for ml in (2 * max(means), 0.1 * min(means)):
            row = MuscleMeasurement(muscle, Side.LEFT, volume_ml=ml, covered_volume_ml=ml)
            assert "implausible_volume" in codes(check_study(a_map(), [row])), (muscle, ml)


def test_a_fifth_of_the_muscle_between_mean_and_share_of_fat_voxels_is_named_and_a_tenth_is_not():
    for share, named in ((0.2, 2), (0.3, 0)):
        found = check_study(a_map(), both_sides(fat_fraction=0.4, threshold_fraction=share))
        assert codes(found) == ["fractions_disagree"] * named


def test_what_is_said_of_one_muscle_side_and_region_stands_in_no_other_row():
    rows = [
        MuscleMeasurement(muscle, side, region)
        for muscle in (MAXIMUS, Muscle.GLUTEUS_MEDIUS)
        for side in SIDES
        for region in (Region.WHOLE, Region.UPPER)
    ]
    for region, concerned in ((Region.UPPER, 1), (None, 2)):
        said = Finding("implausible_volume", "", MAXIMUS, Side.RIGHT, region)
        marked = [m for m in rows if add_findings(m, [said, Finding("side_assumed")]).findings]
        assert len(marked) == concerned
        assert {(m.muscle, m.side) for m in marked} == {(MAXIMUS, Side.RIGHT)}
        assert marked[-1].region is Region.UPPER
