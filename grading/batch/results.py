"""What a run returns: a report or a failure for each study, read from disk when it is asked for."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from grading.report.entry import STATUS_WORDS, Entry, Result
from grading.report.folder import OutputFolder


@dataclass(frozen=True, slots=True)
class Results(Sequence[Result]):
    """Results of one run by name of the study, those of thousands of studies as light as a few.

    Attributes:
        folder: where they are.
        entries: what the tables say of each; those not reached are left out.
    """

    folder: OutputFolder
    entries: tuple[Entry, ...]

    def __repr__(self) -> str:
        counts = Counter(entry.status for entry in self.entries)
        said = ", ".join(
            f"{counts[status]} {word}" for status, word in STATUS_WORDS.items() if counts[status]
        )
        return f"<Results in {self.folder.path}: {said or 'none'}>"

    def __len__(self) -> int:
        return len(self.entries)

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> "Results": ...
    def __getitem__(self, index: int | slice) -> "Result | Results":
        if isinstance(index, slice):
            return Results(self.folder, self.entries[index])
        return self.folder.load(self.entries[index].name)

    def __iter__(self) -> Iterator[Result]:
        return (self.folder.load(entry.name) for entry in self.entries)
