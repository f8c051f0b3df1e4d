"""Stages: edges, monotony, and the stages that an error leaves possible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.anatomy import Muscle, Side
from grading.classify.grade import grade
from grading.classify.scale import Edge, Scale, Stage
from grading.classify.scale_files import shipped_scales
from grading.classify.scales import scale
from grading.errors import ConfigurationError
from grading.findings import Finding
from grading.measure import MuscleMeasurement
from grading.settings import Settings

fractions = st.floats(-0.2, 1.2)
errors = st.floats(0.001, 0.3)
SCALES = {each.name: each for each in shipped_scales(Settings())}
scales = st.sampled_from(sorted(SCALES))


def measured(fraction, error=0.01, *findings):
    """A measurement that matters only for its fat."""
    return MuscleMeasurement(
        Muscle.GLUTEUS_MEDIUS, Side.LEFT, fat_fraction=fraction, fat_fraction_se=error, findings=findings
    )


@pytest.mark.parametrize(
    ("name", "stages"),
    [
        ("quartile", {-0.02: 1, 0.2499: 1, 0.25: 2, 0.4999: 2, 0.5: 3, 0.75: 4, 1.02: 4}),
        ("goutallier", {-0.02: 0, 0.0499: 0, 0.05: 1, 0.25: 2, 0.4499: 2, 0.45: 3, 0.55: 3, 0.5501: 4}),
        ("goutallier_fuchs", {0.2: 0, 0.25: 1, 0.45: 2}),
        ("quartile_5", {0.0: 0, 0.0499: 0, 0.05: 1, 0.25: 2, 0.4999: 2, 0.5: 3, 0.7499: 3, 0.75: 4}),
        ("mercuri", {0.0499: 1, 0.05: 2, 0.2999: 2, 0.30: 3, 0.60: 3, 0.6001: 4}),
        ("mercuri_2ab", {0.0499: "1", 0.05: "2a", 0.2999: "2a", 0.30: "2b", 0.60: "2b", 0.6001: "3"}),
        ("mercuri_2ab", {0.8999: "3", 0.90: "4"}),
        ("goutallier_slabaugh", {0.2: 0, 0.25: 1, 0.55: 1, 0.56: 2}),
    ],
)
def test_each_edge_belongs_to_the_stage_the_scale_says(name, stages):
    for fraction, stage in stages.items():
        assert grade(measured(fraction), scale(name)).stage == stage


def test_a_fraction_near_an_edge_leaves_both_stages_possible():
    near = grade(measured(0.23, 0.03), scale("quartile"))
    assert (near.stage, near.possible) == (1, (1, 2))
    assert grade(measured(0.23, 0.01), scale("quartile")).possible == (1,)


def test_a_large_error_leaves_stages_beyond_the_neighbour_possible():
    assert grade(measured(0.3, 0.2), scale("goutallier")).possible == (0, 1, 2, 3, 4)


def test_ten_percent_chance_is_where_a_stage_becomes_possible():
    error = 0.02
    assert grade(measured(0.25 - 1.28 * error, error), scale("quartile")).possible == (1, 2)
    assert grade(measured(0.25 - 1.29 * error, error), scale("quartile")).possible == (1,)


@given(scales, fractions, fractions, errors)
def test_more_fat_never_gives_a_lower_stage(name, one, other, error):
    low, high = sorted((one, other))
    numbers = [stage.number for stage in SCALES[name].stages]
    lower, higher = (grade(measured(fraction, error), SCALES[name]).stage for fraction in (low, high))
    assert numbers.index(lower) <= numbers.index(higher)


@given(scales, fractions, errors)
def test_chances_add_up_and_the_stage_itself_is_always_possible(name, fraction, error):
    result = grade(measured(fraction, error), SCALES[name])
    assert sum(result.chances) == pytest.approx(1)
    assert result.stage in result.possible
    numbers = [stage.number for stage in SCALES[name].stages]
    assert list(result.possible) == [number for number in numbers if number in result.possible]


def test_without_an_error_only_the_stage_itself_is_named():
    assert grade(measured(0.24, None), scale("quartile")).possible == (1,)


def test_what_was_not_measured_has_no_stage():
    result = grade(measured(None, None), scale("quartile"))
    assert (result.stage, result.possible) == (None, ())


def test_a_finding_that_stops_withholds_the_stage():
    assert grade(measured(0.3, 0.02, Finding("mostly_excluded")), scale("quartile")).stage is None
    assert grade(measured(0.3, 0.02, Finding("cut_by_field_of_view")), scale("quartile")).stage == 2


def test_an_unknown_scale_names_those_there_are():
    with pytest.raises(ConfigurationError, match="goutallier"):
        scale("mercury")


def test_every_scale_names_its_source_and_says_whether_it_is_calibrated():
    for each in SCALES.values():
        assert any(word in each.source for word in ("[R]", "[V]", "as quartile", "as goutallier"))
        assert each.calibrated or "convention" in each.source or "as goutallier" in each.source
    assert not scale("goutallier").calibrated


def test_a_scale_whose_edges_do_not_rise_is_refused():
    stages = (Stage(1, "a"), Stage(2, "b"), Stage(3, "c"))
    with pytest.raises(ConfigurationError, match="rising"):
        Scale("x", "x", "x", stages, (Edge(0.5), Edge(0.2)), calibrated=False, source="")


def test_a_fraction_whose_voxels_fold_at_one_half_may_be_anything_up_to_its_complement():
    folded = grade(measured(0.15, 0.01, Finding("two_point_folds")), scale("quartile"))
    assert (folded.stage, folded.possible, folded.chances) == (1, (1, 2, 3, 4), ())
    folded = grade(measured(0.3, 0.01, Finding("two_point_folds")), scale("quartile"))
    assert folded.possible == (2, 3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), scales)
def test_the_stage_of_muscle_whose_voxels_fold_is_among_the_possible(voxels, name):
    truth, read = sum(voxels) / len(voxels), sum(min(v, 1 - v) for v in voxels) / len(voxels)
    folded = grade(measured(read, 0.02, Finding("two_point_folds")), SCALES[name])
    assert grade(measured(truth), SCALES[name]).stage in folded.possible
