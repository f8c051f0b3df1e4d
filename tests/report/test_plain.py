"""What is written as JSON comes back as it was."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grading.anatomy import Muscle, Region, Side
from grading.findings import FINDINGS, Finding
from grading.measure import MuscleMeasurement
from grading.report.plain import from_plain, to_plain
from grading.settings import Settings

number = st.none() | st.floats(allow_nan=False, allow_infinity=False)
finding = st.builds(
    Finding, st.sampled_from(sorted(FINDINGS)), st.text(), st.none() | st.sampled_from(Muscle), st.none()
)
measurement = st.builds(
    MuscleMeasurement,
    st.sampled_from(Muscle), st.sampled_from(Side), st.sampled_from(Region),
    number, number, number, number, number, number, number, number,
    fat_method=st.none() | st.text(),
    extent_mm=st.none() | st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)),
    cut_faces=st.lists(st.text()).map(tuple),
    findings=st.lists(finding).map(tuple),
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(measurement)
def test_every_measurement_survives_json_to_the_last_bit(m):
    assert from_plain(MuscleMeasurement, json.loads(json.dumps(to_plain(m)))) == m


def test_settings_survive_json_with_their_paths_and_sides():
    chosen = Settings(masks=Path("a/b"), side=Side.LEFT, scales=("quartile",), threads=2)
    assert from_plain(Settings, json.loads(json.dumps(to_plain(chosen)))) == chosen


def test_a_field_that_an_older_file_lacks_takes_its_default():
    plain = to_plain(Settings(seed=5))
    del plain["threads"]
    assert from_plain(Settings, plain) == Settings(seed=5)


def test_a_number_that_is_not_one_is_written_as_not_known():
    assert to_plain([float("nan"), float("inf"), 1.5]) == [None, None, 1.5]


def test_text_where_a_flag_belongs_is_refused():
    with pytest.raises(TypeError, match="expected bool"):
        from_plain(Settings, {"identify": "yes"})


def test_a_value_without_plain_form_is_refused_when_written_not_when_read():
    @dataclass(frozen=True)
    class Odd:
        value: object

    with pytest.raises(TypeError, match="no plain form"):
        to_plain(Odd(object()))
