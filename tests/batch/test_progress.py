"""What a log of the night says of the pace is the pace of grading."""

from types import SimpleNamespace

from report_factory import report_of

from grading.batch import progress
from grading.report.entry import Entry
from grading.report.study_report import StudyFailure


def test_a_long_search_is_no_part_of_the_pace(monkeypatch, capsys):
    """A study without a T1 is done at once: after a search of two minutes it once made 987.3 a minute."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    bars = progress.Bars()
    clock.now = 120.0
    bars.begin(11, 0)
    clock.now += 0.1
    bars.done(Entry.of(StudyFailure("ct", "not_gradable", "no T1")))
    assert capsys.readouterr().err == ""
    clock.now += 119.9
    bars.done(Entry.of(report_of()))
    bars.end()
    line = capsys.readouterr().err.strip()
    assert line.startswith("2 of 11 studies, 1 graded, 1 not gradable, 0 failed; 1.0/min, about 9 min left")
