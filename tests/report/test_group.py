"""The summary of a group shows every distribution, reason and outlier, and no study's text as markup."""

import re
from dataclasses import replace

import pytest
from report_factory import measured, report_of

from grading.anatomy import SIDES, Muscle, Region, Side
from grading.findings import Finding
from grading.report.entry import Entry
from grading.report.group import distributions, findings, outliers, reasons, stages, ticks
from grading.report.group_page import summary_html
from grading.report.study_report import StudyFailure

MEDIUS = Muscle.GLUTEUS_MEDIUS


def graded(name, fat=0.2, **changes):
    return Entry.of(report_of(name, [measured(MEDIUS, side, fat, **changes) for side in SIDES]))


def test_whole_muscles_are_gathered_by_muscle_and_side_and_parts_are_not():
    part = replace(measured(MEDIUS, Side.LEFT, 0.9), region=Region.POSTERIOR)
    entry = Entry.of(report_of("a", [measured(MEDIUS, Side.LEFT, 0.1), part]))
    (left,) = distributions([entry, entry], "fat_fraction")
    assert (left.place.muscle, left.place.side, [v.number for v in left.values]) == (
        MEDIUS,
        "left",
        [0.1, 0.1],
    )


def test_fat_of_posterior_minimus_leads_and_its_volume_which_is_a_convention_is_left_out():
    whole = measured(Muscle.GLUTEUS_MINIMUS, Side.LEFT, 0.4)
    rows = [
        measured(MEDIUS, Side.LEFT, 0.1),
        whole,
        replace(whole, region=Region.POSTERIOR, fat_fraction=0.2),
    ]
    entry = Entry.of(report_of("a", rows))
    fat = [
        (d.place.muscle, d.place.region, d.values[0].number) for d in distributions([entry], "fat_fraction")
    ]
    assert fat[0] == (Muscle.GLUTEUS_MINIMUS, Region.POSTERIOR, 0.2)
    assert len(fat) == 3
    assert {d.place.region for d in distributions([entry], "volume_ml")} == {Region.WHOLE}
    assert "minimus, posterior left" in summary_html([entry])


def test_the_study_far_from_the_others_is_named_first():
    entries = [graded(f"s{n}", 0.20 + 0.005 * n) for n in range(10)] + [
        graded("odd", 0.8),
        graded("far", 0.5),
    ]
    found = outliers(distributions(entries, "fat_fraction"), 30)
    assert [o.value.study for o in found] == ["odd", "odd", "far", "far"]


def test_fat_of_t1_and_of_dixon_images_is_never_one_distribution_and_volume_is():
    entries = [graded(f"t{n}", 0.20 + 0.005 * n) for n in range(10)]
    entries += [graded(f"d{n}", 0.60 + 0.005 * n, fat_method="dixon") for n in range(2)]
    groups = distributions(entries, "fat_fraction")
    assert [(g.place.method, g.place.side, len(g.values)) for g in groups] == [
        ("t1", "right", 10), ("t1", "left", 10), ("dixon", "right", 2), ("dixon", "left", 2),
    ]  # fmt: skip
    assert not outliers(groups, 30), "two Dixon studies tell nothing about each other"
    assert [len(g.values) for g in distributions(entries, "volume_ml")] == [12, 12]
    assert "medius left, dixon" in summary_html(entries)
    assert "medius left, t1" not in summary_html(entries[:10])


def test_stages_from_t1_and_from_dixon_are_counted_apart_and_what_was_not_staged_is_no_zero():
    entries = [graded("a", 0.1), graded("b", 0.3), graded("c", 0.3, fat_method="dixon")]
    counts = stages(entries, "quartile")
    assert {(place.side, place.method): n for place, n in counts.items()} == {
        ("right", "t1"): {"1": 1, "2": 1}, ("left", "t1"): {"1": 1, "2": 1},
        ("right", "dixon"): {"2": 1}, ("left", "dixon"): {"2": 1},
    }  # fmt: skip
    html = summary_html(entries)
    tables = re.findall(r"<caption>(\w+)[^<]*</caption>(.*?)</table>", html, flags=re.DOTALL)
    split = [name for name, text in tables if '<th scope="row">medius left, dixon</th>' in text]
    assert split == ["Fat", "Quartile", "Goutallier"]
    assert "maximus" not in html
    nothing = summary_html([Entry.of(StudyFailure("c", "failed", "truncated"))])
    assert "Stages" not in nothing


def test_the_numbers_of_a_chart_can_be_read_by_those_who_do_not_see_it():
    html = summary_html([graded(name, fat) for name, fat in (("a", 0.1), ("b", 0.2), ("c", 0.4))])
    row = re.search(r'<th scope="row">medius left</th><td class="number">3</td>.*?</tr>', html)
    assert row is not None
    assert re.findall(r">([\d.]+)<", row[0]) == ["3", "15.0", "20.0", "30.0"]


def test_a_fraction_a_hair_below_zero_is_zero():
    html = summary_html([graded(f"s{n}", fat) for n, fat in enumerate([-0.0004, *[0.3] * 8])])
    assert "s0: 0.0</title>" in html
    assert "fat fraction 0.0 %" in html
    assert "-0.0" not in html


def test_of_a_small_group_it_is_not_said_that_no_value_lies_far_out():
    few = [graded(f"s{n}", fat) for n, fat in enumerate((0.1, 0.1, 0.9))]
    page = summary_html(few)
    assert "No value lies" not in page
    assert "Too few studies to tell which values lie far out" in page
    assert "No value lies" in summary_html([graded(f"s{n}") for n in range(8)])


def test_equal_studies_and_small_groups_have_no_outliers():
    equal = [graded(f"s{n}", 0.2) for n in range(20)] + [graded("near", 0.21)]
    assert not outliers(distributions(equal, "fat_fraction"), 30)
    assert not outliers(distributions([graded("a", 0.1), graded("b", 0.9)], "fat_fraction"), 30)


def test_reasons_that_differ_in_numbers_are_one_and_the_commonest_comes_first():
    texts = ["series 05-t1: gap of 8.0 mm", "series 07-t1: gap of 12.5 mm", "out of memory"]
    entries = [Entry.of(StudyFailure(f"s{n}", "failed", text)) for n, text in enumerate(texts)]
    gap, memory = reasons([entries[2], *entries[:2], graded("fine")])
    assert gap.studies == ("s0", "s1")
    assert memory.studies == ("s2",)


def test_findings_are_counted_by_study_the_gravest_first_and_notes_are_not():
    doubts = [
        ("a", ("low_confidence", "contrast_agent")), ("b", ("low_confidence",)),
        ("c", ("laterality_contradiction", "single_slice")),
    ]  # fmt: skip
    entries = [Entry.of(report_of(n, findings=tuple(Finding(code) for code in codes))) for n, codes in doubts]
    assert list(findings(entries).items()) == [
        ("laterality_contradiction", ["c"]), ("low_confidence", ["a", "b"]), ("single_slice", ["c"]),
    ]  # fmt: skip
    html = summary_html(entries)
    assert "<td>settle first</td>" in html
    assert '<a href="studies/a/report.html">a</a>, <a href="studies/b/report.html">b</a></td>' in html
    assert "contrast_agent" not in html
    assert "Findings" not in summary_html([graded("a")])


def test_the_page_draws_a_dot_per_study_and_escapes_what_studies_say():
    entries = [graded("a"), graded("b"), Entry.of(StudyFailure("c", "failed", "<script>alert(1)</script>"))]
    html = summary_html(entries)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert html.count("<circle") == 2 * len(SIDES) * 2  # fat and volume
    assert "2 graded" in html
    assert "1 failed" in html


def test_a_group_without_any_grade_still_has_its_page():
    html = summary_html([Entry.of(StudyFailure("c", "failed", "truncated"))])
    assert "truncated" in html
    assert "<svg" not in html


@pytest.mark.parametrize("highest", [0.03, 0.2, 0.77, 1.0, 96.0, 733.0, 2000.0])
def test_an_axis_reaches_past_the_largest_value_in_a_few_steps(highest):
    marks = ticks(highest)
    assert marks[-1] >= highest > marks[-2]
    assert len(marks) <= 8


def test_dots_lie_inside_the_chart():
    html = summary_html([graded(f"s{n}", fat) for n, fat in enumerate((-0.02, 0.0, 0.5, 1.0))])
    places = [float(x) for x in re.findall(r'cx="([\d.-]+)"', html)]
    assert all(210 <= place <= 760 for place in places)
