"""What a log of the night says of the pace is the pace of grading."""

from types import SimpleNamespace

from report_factory import report_of

from grading.batch import progress
from grading.report.entry import Entry
from grading.report.study_report import StudyFailure


def line_after(monkeypatch, capsys, *, finished, refused, waiting):
    """The first line of a run in which one study takes two minutes, after a search of two minutes."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    bars = progress.Bars()
    clock.now = 120.0
    bars.begin(finished + refused + waiting, finished)
    for _ in range(refused):
        clock.now += 0.1
        bars.done(Entry.of(StudyFailure("ct", "not_gradable", "no T1")))
    assert capsys.readouterr().err == ""
    bars.grading(waiting)
    clock.now += 120.0
    bars.done(Entry.of(report_of()))
    bars.end()
    return capsys.readouterr().err.strip()


def test_a_long_search_is_no_part_of_the_pace(monkeypatch, capsys):
    """A study without a T1 is done at once: after a search of two minutes it once made 987.3 a minute."""
    line = line_after(monkeypatch, capsys, finished=0, refused=1, waiting=10)
    assert line == "2 of 11 studies, 1 graded, 1 not gradable, 0 failed; 0.5/min, about 18 min left"


def test_studies_that_take_no_time_are_no_part_of_the_pace(monkeypatch, capsys):
    """900 refused from their headers once promised 450 studies a minute, and no time left for the rest."""
    line = line_after(monkeypatch, capsys, finished=89, refused=900, waiting=11)
    assert line == "990 of 1000 studies, 1 graded, 900 not gradable, 0 failed; 0.5/min, about 20 min left"


def test_the_bar_of_a_terminal_begins_its_pace_with_the_grading():
    bars = progress.Bars()
    bars.begin(30, 5)
    for _ in range(20):
        bars.done(Entry.of(StudyFailure("ct", "not_gradable", "no T1")))
    bars.grading(4)  # and one is left for a later run
    (task,) = bars._progress.tasks
    bars.end()
    assert (task.completed, task.total, task.speed) == (25, 29, None)
