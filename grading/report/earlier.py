"""What earlier runs left in an output folder: results, and studies that wait for one."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grading.report.entry import GRADED, NOT_GRADABLE, Entry, Result
from grading.report.plain import from_plain
from grading.report.provenance import UNKNOWN_ORIGIN, Origin
from grading.report.study_report import StudyFailure, StudyReport

REPORT, FAILURE, RUN = "report.json", "failure.json", "run.json"
WAITING = "waiting"
"""Key of run.json: what the next result of each study without one, or with an outdated one, follows from."""

NOT_REACHED = "not graded yet; run the same command again to go on"
CHANGED = "its files, the settings or the network changed since it was graded; run the same command again"
SAFE_NAME = re.compile(r"(?!\.)[^/\\:*?\"<>|\x00-\x1f\x7f]{1,200}")


def entries_in(out: Path) -> dict[str, Entry]:
    """What the tables say of each study in the output folder `out`, by name; an outdated grade is none."""
    run = _run(out / RUN)
    entries = {name: Entry.pending(name, UNKNOWN_ORIGIN, NOT_REACHED) for name in _found(run)}
    waiting = _waiting(run)
    for result in _stored(out / "studies"):
        entry = Entry.of(result)
        wanted = waiting.get(entry.name, entry.origin)
        if _is_outdated(entry, wanted):
            entry = Entry.pending(entry.name, wanted, CHANGED)
        entries[entry.name] = entry
    return entries


def read_result(folder: Path) -> Result | None:
    """The result in a study's folder, None where there is none that is whole and the study's own."""
    try:
        if (folder / REPORT).is_file():
            result: Result = StudyReport.from_json((folder / REPORT).read_text("utf-8"))
        elif (folder / FAILURE).is_file():
            result = from_plain(StudyFailure, json.loads((folder / FAILURE).read_text("utf-8")))
        else:
            return None
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return result if result.name == folder.name else None  # a copied folder would count a study twice


def _is_outdated(entry: Entry, wanted: Origin) -> bool:
    """Whether a grade is of other files or settings than a run that did not come to it; failures stay."""
    saved_by_hand = entry.origin == UNKNOWN_ORIGIN
    known = entry.status in (GRADED, NOT_GRADABLE) and not saved_by_hand
    return known and not wanted.unchanged_since(entry.origin)


def _stored(studies: Path) -> Iterator[Result]:
    """Results that earlier runs left; a file that is not one is ignored, its study runs again."""
    try:
        folders = sorted(studies.iterdir())
    except OSError:
        return
    for folder in folders:
        result = read_result(folder)
        if result is not None:
            yield result


def _run(path: Path) -> dict[str, Any]:
    """What run.json says; nothing where it cannot be read."""
    try:
        run = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return run if isinstance(run, dict) else {}


def _found(run: dict[str, Any]) -> list[str]:
    """Names of the studies that earlier runs found."""
    names = run.get("studies")
    return (
        [n for n in names if isinstance(n, str) and SAFE_NAME.fullmatch(n)] if isinstance(names, list) else []
    )


def _waiting(run: dict[str, Any]) -> dict[str, Origin]:
    """Studies that waited when run.json was written, each with what its result was to follow from."""
    try:
        return from_plain(dict[str, Origin], run.get(WAITING, {}))
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
