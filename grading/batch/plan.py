"""What there is to do: each study's name in the output folder, and whether its result is there already."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grading.batch.job import Job
from grading.batch.naming import names_in
from grading.batch.origin import LabelMaps, origin_of, recipe_of
from grading.io.found import StudyFound
from grading.report.earlier import CHANGED, NOT_REACHED
from grading.report.entry import GRADED, NOT_GRADABLE, PENDING, Entry
from grading.report.folder import OutputFolder
from grading.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """Studies of a run, by what is to be done with them.

    Attributes:
        finished: their result stands.
        hopeless: nothing in them can be graded, as their headers tell.
        waiting: to be graded in this run.
        postponed: to be graded in a later one, by the user's limit.
    """

    finished: tuple[Job, ...]
    hopeless: tuple[Job, ...]
    waiting: tuple[Job, ...]
    postponed: tuple[Job, ...] = ()

    def __len__(self) -> int:
        return len(self.described())

    def described(self) -> list[tuple[str, str]]:
        """Name of each study and what a run does with it, in words for the user."""
        words = {
            "finished, stays as it is": self.finished,
            "cannot be graded": self.hopeless,
            "will be graded": self.waiting,
            "left for a later run by --limit": self.postponed,
        }
        return [(job.name, what) for what, jobs in words.items() for job in jobs]


def plan(
    studies: Sequence[StudyFound],
    settings: Settings,
    folder: OutputFolder,
    *,
    force: bool = False,
    limit: int | None = None,
) -> Plan:
    """Decide what to do with each study; no image file is opened unless two studies claim one name.

    A study that was graded on outlines corrected in the output folder stays on them, unless this run brings
    label maps of its own or is forced.

    Args:
        studies: as they were found.
        settings: of the grading.
        folder: with what earlier runs left.
        force: compute finished studies again.
        limit: how many studies are computed at most.
    """
    recipe, maps = recipe_of(settings), LabelMaps(settings)
    besides = [maps.of(study.name) for study in studies]
    origins = [origin_of(s, beside, recipe) for s, beside in zip(studies, besides, strict=True)]
    names = names_in(folder.entries, studies, origins, besides)
    jobs = [
        Job(name, study, settings, folder.path, origin, beside, force)
        for name, study, origin, beside in zip(names, studies, origins, besides, strict=True)
    ]
    if settings.masks is None and not force:
        jobs = [_on_correction(job, folder) for job in jobs]
    hopeless = [job for job in jobs if job.study.problem is not None]
    able = [job for job in jobs if job.study.problem is None]
    standing = {job.name for job in able if _is_finished(job, folder)}
    waiting = [job for job in able if force or job.name not in standing][:limit]
    taken = {job.name for job in waiting}
    finished = [job for job in able if job.name in standing - taken]
    postponed = [job for job in able if job.name not in standing | taken]
    return Plan(tuple(finished), tuple(hopeless), tuple(waiting), tuple(postponed))


def as_pending(job: Job, folder: OutputFolder) -> Entry:
    """What the tables say of a study that waits: an earlier failure stays, an outdated grade does not."""
    earlier = folder.entries.get(job.name)
    if earlier is None or earlier.status == PENDING:
        return Entry.pending(job.name, job.origin, NOT_REACHED)
    if earlier.status in (GRADED, NOT_GRADABLE):
        return Entry.pending(job.name, job.origin, CHANGED)
    return earlier


def _on_correction(job: Job, folder: OutputFolder) -> Job:
    """The job with the label map that a reader corrected, where the study was graded on it before."""
    own = folder.correction_of(job.name)
    if own is None:
        return job
    settings = replace(job.settings, masks=own, scheme=Settings().scheme)
    origin = origin_of(job.study, (own,), recipe_of(settings))
    return replace(job, settings=settings, origin=origin, beside=(own,))


def _is_finished(job: Job, folder: OutputFolder) -> bool:
    """Whether an earlier run came to this result from the same files in the same way."""
    earlier = folder.entries.get(job.name)
    if earlier is None or earlier.status not in (GRADED, NOT_GRADABLE):
        return False
    if not job.origin.unchanged_since(earlier.origin):
        return False
    return not earlier.measurements or folder.is_whole(job.name)
