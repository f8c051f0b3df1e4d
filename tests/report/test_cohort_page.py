"""The cohort page has every study, what it needs for a decision, and nothing of a study's text as markup."""

import re
from dataclasses import replace

from report_factory import absent, measured, report_of

from grading.anatomy import Muscle, Region, Side
from grading.findings import Finding
from grading.report.cohort_page import cohort_html
from grading.report.decisions import Decision, Verdict
from grading.report.entry import Entry
from grading.report.study_report import StudyFailure


def rows(html):
    return re.findall(r"<tr data-study=.*?</tr>", html, flags=re.DOTALL)


def test_every_study_is_listed_whatever_became_of_it(tmp_path):
    entries = [Entry.of(report_of("b")), Entry.of(StudyFailure("a", "failed", "gap of 8.0 mm"))]
    failed, graded = rows(cohort_html(entries, {}, tmp_path))
    assert "gap of 8.0 mm" in failed
    assert 'data-status="graded"' in graded


def test_fat_stands_right_before_left_and_sorts_by_the_fattier_side(tmp_path):
    muscle = Muscle.GLUTEUS_MEDIUS
    both = [measured(muscle, Side.LEFT, 0.12), measured(muscle, Side.RIGHT, 0.61)]
    (row,) = rows(cohort_html([Entry.of(report_of(measurements=both))], {}, tmp_path))
    assert re.search(r'data-sort="61\.0">61 \| 12<', row)
    one = [measured(muscle, Side.LEFT, 0.12), absent(muscle, Side.RIGHT)]
    (row,) = rows(cohort_html([Entry.of(report_of(measurements=one))], {}, tmp_path))
    assert re.search(r'data-sort="12\.0">– \| 12<', row)


def test_posterior_minimus_has_a_column_of_its_own_before_the_whole_muscles(tmp_path):
    part = replace(measured(Muscle.GLUTEUS_MINIMUS, Side.LEFT, 0.9), region=Region.POSTERIOR)
    html = cohort_html([Entry.of(report_of(measurements=[part]))], {}, tmp_path)
    assert html.index("minimus, posterior</th>") < html.index("maximus</th>")
    assert "– | 90" in html


def test_where_fat_was_measured_in_two_ways_each_study_says_in_which(tmp_path):
    muscle = Muscle.GLUTEUS_MEDIUS
    t1, dixon = (
        Entry.of(report_of(method, [measured(muscle, Side.LEFT, 0.1, fat_method=method)]))
        for method in ("t1", "dixon")
    )
    failed = Entry.of(StudyFailure("c", "failed", "gap of 8.0 mm"))
    html = cohort_html([t1, dixon, failed], {}, tmp_path)
    assert "fat by</th>" in html
    assert ['<td data-sort="dixon">dixon</td>' in row for row in rows(html)] == [False, True, False]
    assert "fat by" not in cohort_html([t1, failed], {}, tmp_path)


def test_pages_and_pictures_are_linked_only_where_they_are(tmp_path):
    name = "a b#1"
    (tmp_path / "studies" / name).mkdir(parents=True)
    (tmp_path / "studies" / name / "report.html").touch()
    html = cohort_html([Entry.of(report_of(name)), Entry.of(report_of("c"))], {}, tmp_path)
    assert re.findall(r'href="(studies.*?)"', html) == ["studies/a%20b%231/report.html"]
    assert "<img" not in html


def test_decisions_that_hold_are_shown(tmp_path):
    held = {"a": Decision("a", Verdict.FIX, 'left "minimus"')}
    (row,) = rows(cohort_html([Entry.of(report_of("a"))], held, tmp_path))
    assert "<option selected>fix</option>" in row
    assert "left &#34;minimus&#34;" in row


def test_no_text_of_a_study_becomes_markup(tmp_path):
    hostile = "<script>alert(1)</script>\"'"
    entries = [
        Entry.of(report_of(hostile, findings=(Finding("contrast_agent", hostile),))),
        Entry.of(StudyFailure("z" + hostile, "failed", hostile)),
    ]
    html = cohort_html(entries, {hostile: Decision(hostile, Verdict.FIX, hostile)}, tmp_path)
    assert hostile not in html
    assert html.count("<script>") == 1


def test_only_findings_that_limit_a_number_are_listed_and_nothing_reads_minus_zero(tmp_path):
    rounded = [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, -0.001)]
    findings = (Finding("contrast_agent"), Finding("contrast_assumed"))
    (row,) = rows(cohort_html([Entry.of(report_of(measurements=rounded, findings=findings))], {}, tmp_path))
    assert "contrast_assumed" in row
    assert "contrast_agent" not in row
    assert "– | 0<" in row
