"""One study to grade, as it is handed to the process that grades it."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from grading.io.found import StudyFound
from grading.report.plain import from_plain, to_plain
from grading.report.provenance import Origin
from grading.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """One study to grade, and where its files go: small enough to be sent to another machine.

    Attributes:
        name: of the study in the output folder.
        study: as it was found; only what was chosen matters.
        settings: of the grading.
        out: the output folder.
        origin: digests known without opening the files.
        beside: files that the result also follows from: label maps, their scheme.
        force: grade even what an earlier run graded from the same content.
    """

    name: str
    study: StudyFound
    settings: Settings
    out: Path
    origin: Origin
    beside: tuple[Path, ...] = ()
    force: bool = False

    def to_json(self) -> str:
        """One line of ASCII."""
        return json.dumps(to_plain(replace(self, study=replace(self.study, series=()))))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """The job that `to_json` wrote."""
        return from_plain(cls, json.loads(text))
