"""The terminal shows names and reasons literally."""

from dataclasses import replace
from pathlib import Path

import pytest
from report_factory import absent, measured, report_of
from rich.console import Console

from grading.anatomy import Muscle, Region, Side
from grading.classify.scale_files import shipped_scales
from grading.errors import ConfigurationError, UnsupportedContrast
from grading.findings import Finding
from grading.io.found import SeriesFound, StudyFound
from grading.report.entry import Entry
from grading.report.scale_table import scale_table
from grading.report.study_report import StudyFailure
from grading.report.summary import MOST_STUDIES, foretold, found, summary
from grading.series import Role, SeriesInfo
from grading.settings import Settings


def printed(content, width=100):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    console.print(content)
    return console.export_text(styles=False)


def closing(results):
    """The closing table of these results."""
    return summary([Entry.of(r) for r in results], {r.name: r for r in results}.__getitem__)


def minimus(region):
    """That part of minimus on both sides."""
    return [measured(Muscle.GLUTEUS_MINIMUS, side, region=region) for side in Side]


def test_a_study_shows_each_muscle_and_side_with_its_error_and_possible_stages():
    text = printed(closing([report_of()]))
    assert text.count("20.0 ± 2.0") == 8
    assert "maximus" in text
    assert "not a medical device" in text


def test_a_muscle_not_found_is_a_dash_with_the_reason_below():
    text = printed(closing([report_of(measurements=[absent(Muscle.GLUTEUS_MINIMUS, Side.LEFT)])]))
    assert "–" in text
    assert "not_found" in text


def test_a_side_that_is_not_in_view_is_one_line_and_not_one_for_each_muscle():
    """One hip once gave five rows of dashes, and the name of each of its muscles after every finding."""
    rows = [measured(muscle, Side.RIGHT) for muscle in Muscle] + [
        absent(muscle, Side.LEFT) for muscle in Muscle
    ]
    report = report_of(measurements=rows)
    unlike = tuple(
        replace(a, findings=(Finding("not_comparable", "", a.muscle),)) for a in report.asymmetries
    )
    text = printed(closing([replace(report, asymmetries=unlike)]), width=140)
    assert text.count("left") == 2
    assert len([line for line in text.splitlines() if "no muscle found" in line and "left" in line]) == 1
    assert "was not found in the image. In study (left side)" in text
    assert "partly outlined. In study (all)" in text


def test_a_muscle_not_found_of_a_side_in_view_keeps_its_row():
    rows = [measured(Muscle.GLUTEUS_MAXIMUS, Side.LEFT), absent(Muscle.TENSOR_FASCIAE_LATAE, Side.LEFT)]
    text = printed(closing([report_of(measurements=rows)]))
    assert "no muscle found" not in text
    assert "In study (TFL left)" in text


def test_it_fits_a_terminal_of_eighty_columns():
    reports = [report_of(name, measurements=minimus(Region.POSTERIOR)) for name in ("pelvis07", "pelvis08")]
    lines = printed(closing(reports), width=80).splitlines()
    rows = [line for line in lines if "minimus, posterior" in line]
    assert len(rows) == 4
    assert all("20.0 ± 2.0" in row and "100" in row for row in rows)


def test_eighty_columns_tell_which_study_each_number_is_of():
    reports = [report_of(name, measurements=minimus(Region.POSTERIOR)) for name in ("pelvis07", "a" * 60)]
    text = printed(closing(reports), width=80)
    assert text.index("pelvis07") < text.index("minimus, posterior") < text.index("a" * 18)
    assert "a" * 60 in "".join(text.split())


def test_a_long_name_of_a_study_without_a_grade_is_told_in_full():
    text = printed(closing([StudyFailure("b" * 90, "failed", "a gap")]), width=80)
    assert text.count("b") == 90


def test_a_status_is_told_in_the_words_of_the_pages():
    text = printed(closing([StudyFailure("ct", "not_gradable", "no T1")]))
    assert "not gradable" in text
    assert "not_gradable" not in text


def test_markup_and_control_codes_in_names_are_not_obeyed():
    text = printed(closing([StudyFailure("[red]a[/red]", "failed", "\x1b[2Jgap [link=x]here[/link]")]))
    assert "[red]a[/red]" in text
    assert "\x1b" not in text
    assert "[link=x]" in text


def test_a_long_run_names_how_many_more_there_are():
    text = printed(closing([report_of(f"s{i:02d}") for i in range(MOST_STUDIES + 3)]))
    assert "3 more studies" in text


def test_inspection_shows_each_series_with_its_role_and_reason():
    series = (
        SeriesFound(SeriesInfo("05-t1", Role.T1), (Path("a"),), (10, 11, 12), (1, 1, 4), "axial", chosen=True,
                    reason="best coverage"),
        SeriesFound(SeriesInfo("06-[b]stir", Role.STIR), (Path("b"),), reason="fat is suppressed"),
    )  # fmt: skip
    studies = [
        StudyFound("a", series, series[:1]),
        StudyFound("b", (), (), UnsupportedContrast("only T2; a T1 is needed")),
    ]
    text = printed(found(studies), width=140)
    for part in ("05-t1", "10×11×12", "best coverage", "06-[b]stir", "fat is suppressed", "only T2"):
        assert part in text


def test_a_dry_run_tells_what_a_readers_decisions_would_do(tmp_path):
    """`--dry-run` once passed over `--decisions`, and over a file of them that the run would refuse."""
    exported = tmp_path / "exported.csv"
    exported.write_text("study,decision,note\na,reject,motion\nb,fix,border of minimus\nz,good,\n")
    studies = [("a", "will be graded"), ("b", "finished, stays as it is")]
    text = printed(foretold(studies, tmp_path / "out", exported))
    assert "to fix: b: border of minimus" in text
    assert "rejected by the reader, not in the tables: a" in text
    assert "no study in studies.csv has that name: z" in text
    assert not (tmp_path / "out").exists()
    exported.write_text("study,decision\na,perhaps\n")
    with pytest.raises(ConfigurationError, match="line 2"):
        foretold(studies, tmp_path / "out", exported)


def test_scales_are_listed_with_each_stage_in_words_and_no_source_is_cut_short():
    scales = shipped_scales(Settings())
    text = "".join(printed(scale_table(scales), width=300).split())
    for scale in scales:
        for words in (scale.title, scale.variant, scale.source, *(stage.meaning for stage in scale.stages)):
            assert "".join(words.split()) in text
    assert "…" not in printed(scale_table(scales), width=80)


def test_cautions_of_the_study_are_said_below_the_table():
    text = printed(closing([report_of(findings=(Finding("side_assumed"),))]))
    assert text.index("side_assumed") > text.index("maximus")


def test_a_contradiction_about_the_side_is_said_before_any_number():
    text = printed(closing([report_of(findings=(Finding("laterality_contradiction"),))]))
    assert text.index("laterality_contradiction") < text.index("maximus")
    assert text.count("laterality_contradiction") == 1


def test_a_contradiction_about_the_side_is_said_also_of_studies_that_are_not_printed():
    doubt = (Finding("laterality_contradiction"),)
    reports = [
        report_of(f"s{i:02d}", findings=doubt if i > MOST_STUDIES else ()) for i in range(MOST_STUDIES + 3)
    ]
    text = printed(closing(reports))
    assert "laterality_contradiction: in studies that are not printed here (2)" in text
    assert text.index("laterality_contradiction") < text.index("maximus")


def test_posterior_minimus_leads_and_other_regions_stay_in_the_tables():
    regions = (Region.WHOLE, Region.ANTERIOR, Region.POSTERIOR)
    rows = [row for region in regions for row in minimus(region)]
    lines = [line for line in printed(closing([report_of(measurements=rows)])).splitlines() if "20.0" in line]
    assert len(lines) == 4
    assert all("minimus, posterior" in line for line in lines[:2])
