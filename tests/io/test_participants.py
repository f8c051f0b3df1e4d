"""The participants table."""

import pytest

from grading.anatomy import Sex
from grading.errors import ConfigurationError
from grading.io.participants import sex_of


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "participants.tsv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_bids_table_is_matched_by_subject_and_by_study(table):
    path = table(
        "participant_id\tage\tsex\nsub-01\t60\tF\nsub-02\t50\tm\nlimping\t40\tfemale\nsub-03\t1\tn/a\n"
    )
    assert sex_of("sub-01_ses-2_T1w", path) is Sex.FEMALE
    assert sex_of("sub-02", path) is Sex.MALE
    assert sex_of("limping", path) is Sex.FEMALE
    assert sex_of("sub-03", path) is None
    assert sex_of("nobody", path) is None


def test_commas_and_a_byte_order_mark_do(table):
    assert sex_of("a", table("\ufeffstudy,sex\na,M\n")) is Sex.MALE


def test_without_a_table_nothing_is_known():
    assert sex_of("a", None) is None


@pytest.mark.parametrize(
    ("text", "says"), [("participant_id\tage\na\t3\n", "sex"), ("study\tsex\na\tx\n", "line 2"), ("", "none")]
)
def test_a_table_that_is_not_in_order_says_what_is_wrong(table, text, says):
    with pytest.raises(ConfigurationError, match=says):
        sex_of("a", table(text))


def test_a_table_that_is_absent_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        sex_of("a", tmp_path / "no.tsv")
