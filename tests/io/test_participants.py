"""The participants table."""

import pytest

from grading.anatomy import Sex
from grading.errors import ConfigurationError
from grading.io.participants import Person, person_of


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
    assert person_of("sub-01_ses-2_T1w", path).sex is Sex.FEMALE
    assert person_of("sub-02", path).sex is Sex.MALE
    assert person_of("limping", path).sex is Sex.FEMALE
    assert person_of("sub-03", path).sex is None
    assert person_of("nobody", path).sex is None


def test_commas_and_a_byte_order_mark_do(table):
    assert person_of("a", table("\ufeffstudy,sex\na,M\n")).sex is Sex.MALE


def test_a_table_as_a_german_spreadsheet_saves_it_is_read(table):
    path = table("Study;Sex;Height;Weight\na;W;1,75;NA\nb;M;180;80,5\n")
    assert person_of("a", path) == Person(Sex.FEMALE, height_cm=175)
    assert person_of("b", path) == Person(Sex.MALE, height_cm=180, weight_kg=80.5)


def test_the_age_of_the_oldest_may_be_hidden(table):
    assert person_of("a", table("participant_id\tsex\tage\na\tF\t89+\n")).age_years == 89


def test_without_a_table_nothing_is_known():
    assert person_of("a", None) == Person()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("participant_id\tage\na\t3\n", "sex"),
        ("study\tsex\na\tx\n", "line 2"),
        ("", "none"),
        ("study,sex,height\na,F,tall\n", "line 2.*height"),
    ],
)
def test_a_table_that_is_not_in_order_says_what_is_wrong(table, text, says):
    with pytest.raises(ConfigurationError, match=says):
        person_of("a", table(text))


def test_a_table_that_is_absent_says_so(tmp_path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        person_of("a", tmp_path / "no.tsv")


def test_age_height_and_weight_are_taken_where_they_are_given(table):
    path = table("study\tsex\tage\theight\tweight\na\tF\t72\t1.65\t62\nb\tF\tn/a\t165\t\n")
    assert person_of("a", path) == Person(Sex.FEMALE, 72, 165, 62)
    assert person_of("b", path) == Person(Sex.FEMALE, height_cm=165)
