"""The closing table in the terminal."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grading.findings import FINDINGS, Severity
from grading.io.found import SeriesFound, StudyFound
from grading.io.participants import without_row
from grading.report.decisions import Decision, Verdict, kept_decisions, merged_decisions, rejected
from grading.report.dicom_objects import archive_notice
from grading.report.entry import PENDING, STATUS_WORDS, Entry, Result
from grading.report.folder import OutputFolder
from grading.report.label_map import edited_notice
from grading.report.study_report import DISCLAIMER, StudyReport
from grading.report.words import DASH, findings_by_code, leading_rows, name_of, sides_not_found, words
from grading.wording import listed

MOST_STUDIES, MOST_FAILURES = 12, 40
"""Studies printed; a longer list scrolls away and the tables hold it anyway."""


def summary(entries: Sequence[Entry], load: Callable[[str], Result]) -> RenderableType:
    """Studies with the numbers of each muscle and side, then those without, then one line of caution.

    Text from file names and headers is shown literally, without control codes.

    Args:
        entries: of all studies of a run.
        load: result of the study of that name.
    """
    measured = [entry.name for entry in entries if entry.measurements]
    failures = [entry for entry in entries if not entry.measurements]
    shown = [r for r in map(load, measured[:MOST_STUDIES]) if isinstance(r, StudyReport)]
    parts: list[RenderableType] = []
    parts += [literal(line) for line in _alarms_beyond(entries, {r.name for r in shown})]
    if shown:
        parts += [literal(line) for line in _findings(shown, {Severity.ALARM})]
        parts.append(_measurements(shown))
        parts += [literal(line) for line in _findings(shown, {Severity.STOP, Severity.CAUTION})]
    if len(measured) > MOST_STUDIES:
        parts.append(Text(f"... and {len(measured) - MOST_STUDIES} more studies in measurements.csv"))
    if failures:
        parts.append(_failures(failures[:MOST_FAILURES]))
    if len(failures) > MOST_FAILURES:
        parts.append(Text(f"... and {len(failures) - MOST_FAILURES} more without a grade in studies.csv"))
    parts.append(Text(DISCLAIMER, style="dim"))
    return Group(*parts)


def closing(
    entries: Sequence[Entry], folder: OutputFolder, *, dicom: bool, participants: Path | None = None
) -> RenderableType:
    """All that the terminal says at the end of a run; of rejected studies only that they are.

    Args:
        entries: of all studies of the run.
        folder: where their results are.
        dicom: whether the run was to write DICOM objects.
        participants: table of the studies' people that the run used.
    """
    decisions = kept_decisions(folder.path)
    out = rejected(decisions)
    kept = [entry for entry in entries if entry.name not in out]
    parts = [summary(kept, folder.load), decided(decisions.values(), folder.entries)]
    measured = [entry.name for entry in entries if entry.measurements]
    if participants is not None and (missing := without_row(measured, participants)):
        named = listed(missing, MOST_STUDIES)
        parts.append(literal(f"no row in the participants table, so beside no published values: {named}"))
    if waiting := sum(entry.status == PENDING for entry in folder.entries.values()):
        said = "study waits" if waiting == 1 else "studies wait"
        parts.append(Text(f"{waiting} {said} for a grade, pending in studies.csv: run the command again"))
    own = [folder.study_folder(name) for name in measured]
    parts += [literal(line) for line in edited_notice(own)]
    if dicom:
        parts += [literal(line) for line in archive_notice(own)]
    return Group(*parts)


def foretold(studies: Sequence[tuple[str, str]], out: Path, decisions: Path | None) -> RenderableType:
    """What a run would do with each study, how many of each kind there are, and what a reader decided.

    Args:
        studies: name of each, and what is done with it.
        out: the run's output folder, whose own decisions hold too.
        decisions: file from which a run would take decisions over.

    Raises:
        ConfigurationError: decisions cannot be read.
    """
    held = merged_decisions(out, decisions)
    table = Table(box=box.SIMPLE_HEAD, title="Nothing was graded or written")
    table.add_column("study", overflow="fold")
    table.add_column("what a run would do")
    counts: Counter[str] = Counter()
    for name, what in studies:
        table.add_row(*map(literal, (name, what)))
        counts[what] += 1
    names = {name for name, _ in studies} | (OutputFolder.look_into(out).entries.keys() if held else set())
    kinds = [literal(f"{count} {what}") for what, count in counts.items()]
    return Group(table, *kinds, decided(held.values(), names))


def decided(decisions: Iterable[Decision], studies: Container[str]) -> RenderableType:
    """What a reader decided: each study to fix with its note, those that left the tables, names of no study.

    Args:
        decisions: all that hold.
        studies: names of those in the output folder.
    """
    everything = list(decisions)
    held = [d for d in everything if d.study in studies]
    lines = [f"to fix: {d.study}: {d.note or 'no note'}" for d in held if d.verdict is Verdict.FIX]
    rejected = [d.study for d in held if d.verdict is Verdict.REJECT]
    if rejected:
        lines.append(f"rejected by the reader, not in the tables: {', '.join(rejected)}")
    strangers = [d.study for d in everything if d.study not in studies]
    if strangers:
        lines.append(f"decided on, but no study in studies.csv has that name: {', '.join(strangers)}")
    return Group(*map(literal, lines))


def literal(text: object) -> Text:
    """Text exactly as it is, on one line: no markup, no terminal control codes."""
    return Text("".join(c if c.isprintable() else " " for c in str(text)))


def _measurements(reports: Iterable[StudyReport]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        title="Fat fraction with standard error; in brackets the stages it leaves possible",
    )
    table.add_column("study, muscle", overflow="fold")  # a column of names alone has no room in 80 columns
    for heading in ("side", "fat %", "Quartile", "Goutallier", "volume mL"):
        table.add_column(
            heading, no_wrap=True, justify="right" if heading in ("fat %", "volume mL") else "left"
        )
    for report in reports:
        table.add_row(literal(report.name), style="bold")
        nothing = sides_not_found(report)
        for graded in (g for g in leading_rows(report) if g.measurement.side not in nothing):
            m, text = graded.measurement, words(graded)
            numbers = (text.fat, text.quartile, text.goutallier, text.volume)
            table.add_row(*map(literal, (f"  {name_of(m)}", m.side.value, *numbers)))
        for side in nothing:
            table.add_row("  no muscle found", side.value, *[DASH] * 4)
        table.add_section()
    return table


def _findings(reports: Iterable[StudyReport], severities: Container[Severity]) -> list[str]:
    """What limits the numbers, a line per kind of finding; mere notes stay in the tables."""
    places: dict[str, list[str]] = {}
    for report in reports:
        for code, where in findings_by_code(report).items():
            if FINDINGS[code].severity in severities:
                places.setdefault(code, []).append(f"{report.name} ({where})")
    return [f"{code}: {FINDINGS[code].meaning} In {', '.join(where)}" for code, where in places.items()]


def _alarms_beyond(entries: Iterable[Entry], shown: Container[str]) -> list[str]:
    """What must be settled first in studies that are not printed: a line per kind of finding."""
    alarms = {code for code, kind in FINDINGS.items() if kind.severity is Severity.ALARM}
    counts = Counter(code for e in entries if e.name not in shown for code in e.codes if code in alarms)
    return [
        f"{code}: in studies that are not printed here ({count}); index.html names them"
        for code, count in counts.items()
    ]


def _failures(failures: Iterable[Entry]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Not graded")
    for heading in ("study", "status", "reason"):
        table.add_column(heading, overflow="fold")
    for failure in failures:
        table.add_row(*map(literal, (failure.name, STATUS_WORDS[failure.status], failure.reason)))
    return table


def found(studies: Iterable[StudyFound]) -> RenderableType:
    """What discovery found: each series with its role, grid and why it is or is not graded."""
    table = Table(box=box.SIMPLE_HEAD, title="Studies and their series; * marks what would be graded")
    table.add_column("study, series", overflow="fold", ratio=3)
    table.add_column("image", ratio=3)
    table.add_column("why", ratio=4)
    for study in studies:
        verdict = (
            "nothing to grade, see each series" if study.problem and study.series else study.problem or ""
        )
        table.add_row(literal(study.name), "", literal(verdict), style="bold")
        for series in study.series:
            name = f"{'*' if series.chosen else ' '} {series.info.name}"
            table.add_row(*map(literal, (name, _image(series), series.reason)))
        table.add_section()
    return table


def _image(series: SeriesFound) -> str:
    """Role, plane and grid of a series, as far as they are known."""
    words = [series.info.role.value.replace("_", " "), series.plane]
    if all(series.shape):
        spacing = "×".join(f"{s:.2f}" for s in series.spacing_mm)
        words.append(f"{'×'.join(str(n) for n in series.shape)} of {spacing} mm")
    return ", ".join(word for word in words if word)
