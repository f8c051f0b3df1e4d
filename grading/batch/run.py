"""A run over a folder of studies, from the search to the tables."""

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Event

from grading.batch.crew import dismiss, local_crew, run_locally
from grading.batch.failure import explain, fail
from grading.batch.interrupt import stopping_gently
from grading.batch.job import Job
from grading.batch.lock import locked
from grading.batch.options import Limits, Pick
from grading.batch.origin import model_digest
from grading.batch.plan import Plan, as_pending, plan
from grading.batch.progress import Watcher, watcher
from grading.batch.results import Results
from grading.batch.silence import heard
from grading.classify.scales import chosen_scales
from grading.errors import ConfigurationError
from grading.io.discover import discover
from grading.io.found import StudyFound
from grading.io.participants import read_people
from grading.report.decisions import adopt_decisions, read_decisions
from grading.report.dicom_objects import require_dicom
from grading.report.entry import GRADED, PENDING, Entry
from grading.report.folder import OutputFolder
from grading.segment.masks import require_label_maps
from grading.segment.totalsegmentator import require_totalsegmentator
from grading.settings import Settings

TABLES_SHARE = 0.02
"""Share of a run's time that may go into keeping the tables up to date."""


def grade_folder(
    inputs: Path | str | Sequence[Path | str],
    out: Path | str,
    *,
    workers: int = 1,
    cluster: str | None = None,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    limits: Limits = Limits(),  # noqa: B008 - frozen
    pick: Pick = Pick(),  # noqa: B008 - frozen
    force: bool = False,
    decisions: Path | str | None = None,
    progress: bool | Watcher = True,
) -> Results:
    """Grade every study below `inputs` and write tables, reports and pictures into `out`.

    Each study is graded in a process apart, so that nothing in it can end the run. One that an earlier run
    finished with the same files, settings, model and version is not computed again. One that fails is
    recorded with its reason, and the others go on. Whatever ends the run, the tables account for every study
    found, and the same call goes on where it ended.

    Args:
        inputs: series, studies, trees of studies, NIfTI files or folders.
        out: output folder, made if needed; studies of earlier runs in it stay in the tables.
        workers: processes on this machine.
        cluster: address of a Dask scheduler, or "local" for a Dask cluster of `workers` processes here.
        settings: every choice about the grading itself.
        limits: what one study may take.
        pick: which of the studies found take part.
        force: compute finished studies again.
        decisions: a reader's, as index.html exports them; they stay in `out` for later runs.
        progress: show progress on stderr, or tell a watcher of your own.

    Returns:
        A report (without its images) or a failure for each study of this run that has a result, by name.

    Raises:
        ConfigurationError: unknown settings, label maps that are not there, a table, scheme or decisions that
            cannot be used, an output that cannot be written or that another run is writing into, a cluster
            that cannot be reached, patterns that leave no study, one label map for several studies.
        SeriesNotFound: an input is not there, or there is no image at all below any of them.
        KeyboardInterrupt: stopped by Ctrl-C; the tables hold all that was finished.
    """
    start = time.perf_counter()
    sources, out = _paths(inputs), Path(out).absolute()
    _check(sources, out, workers, settings)
    if decisions is not None:
        read_decisions(Path(decisions))
    tell = watcher(quiet=not progress) if isinstance(progress, bool) else progress
    crew = local_crew(workers, limits) if cluster is None else []
    try:
        with locked(out):
            studies = _find(sources, settings, pick, tell)
            folder = OutputFolder.open(out)
            folder.tidy()
            if decisions is not None:
                adopt_decisions(out, Path(decisions))
            todo = plan(studies, settings, folder, force=force, limit=pick.limit)
            tell.begin(len(todo), len(todo.finished))
            _account(todo, folder, tell)
            folder.write_tables()  # an output that cannot be written is better known now than after hours
            folder.write_run(settings, model_digest())
            tell.grading(len(todo.waiting))
            try:
                with stopping_gently(tell.stopping) as stop:
                    if cluster is None:
                        done = run_locally(todo.waiting, crew, stop)
                    else:
                        done = _run_on_cluster(todo.waiting, cluster, workers, limits, stop)
                    _follow(done, folder, tell)
            finally:  # also when interrupted or out of space: the tables then hold all that is on disk
                _settle(todo, folder)
            if stop.is_set():
                raise KeyboardInterrupt
            results = _results(todo, folder)
            folder.write_run(settings, model_digest(), _counts(todo, results, time.perf_counter() - start))
    finally:
        dismiss(crew)
        tell.end()
    return results


def plan_folder(
    inputs: Path | str | Sequence[Path | str],
    out: Path | str,
    *,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    pick: Pick = Pick(),  # noqa: B008 - frozen
    force: bool = False,
    progress: bool | Watcher = True,
) -> Plan:
    """What `grade_folder` would do with the same arguments; nothing is computed or written.

    Raises:
        ConfigurationError, SeriesNotFound: as `grade_folder`.
    """
    sources, out = _paths(inputs), Path(out).absolute()
    _check(sources, out, 1, settings)
    tell = watcher(quiet=not progress) if isinstance(progress, bool) else progress
    try:
        studies = _find(sources, settings, pick, tell)
    finally:
        tell.end()
    return plan(studies, settings, OutputFolder.look_into(out), force=force, limit=pick.limit)


def rebuild(out: Path | str, decisions: Path | str | None = None) -> Results:
    """Write the tables of an output folder anew from the reports in it; nothing is computed.

    Args:
        out: output folder of an earlier run.
        decisions: as in `grade_folder`.

    Raises:
        ConfigurationError: there is no output of this program, another run is writing into it, or the
            decisions cannot be used.
    """
    out = Path(out)
    if not (out / "studies").is_dir():
        raise ConfigurationError(f"{out} holds no results to make tables from; name the output of a run")
    with locked(out):
        folder = OutputFolder.open(out)
        folder.tidy()
        if decisions is not None:
            adopt_decisions(out, Path(decisions))
        folder.write_tables()
    return Results(folder, _with_result(folder, sorted(folder.entries)))


def _find(sources: Sequence[Path], settings: Settings, pick: Pick, tell: Watcher) -> Sequence[StudyFound]:
    """The studies that take part.

    Raises:
        ConfigurationError: several would be graded with the one label map of one of them.
    """
    with heard(tell) as progress:
        found = discover(
            sources,
            contrast=settings.contrast,
            identify=settings.identify,
            progress=progress,
            tell=tell.left_out,
        )
    studies = pick.of(found, sources)
    able = sum(study.problem is None for study in studies)
    if able > 1 and settings.masks is not None and settings.masks.is_file():
        raise ConfigurationError(
            f"{settings.masks.name} is one label map, and {able} studies would be graded with it; name a "
            "folder of label maps, or its study with --include"
        )
    return studies


def _paths(inputs: Path | str | Sequence[Path | str]) -> list[Path]:
    return [Path(p) for p in ([inputs] if isinstance(inputs, (str, Path)) else inputs)]


def _check(sources: Sequence[Path], out: Path, workers: int, settings: Settings) -> None:
    """Refuse what cannot work before any time is spent on it."""
    chosen_scales(settings)
    if workers < 1:
        raise ConfigurationError(f"--workers {workers}: at least 1 is needed")
    if not sources:
        raise ConfigurationError("no input named")
    if out.resolve() in [source.resolve() for source in sources]:
        raise ConfigurationError(f"{out} is an input; name another output folder, inside it if you like")
    if settings.dicom:
        require_dicom()
    if settings.segmenter == "totalsegmentator":
        require_totalsegmentator()
    if settings.masks is not None:
        require_label_maps(settings.masks, settings.scheme)
    if settings.participants is not None:
        read_people(settings.participants)


def _account(todo: Plan, folder: OutputFolder, tell: Watcher) -> None:
    """Give every study of the run its place in the tables before the first is graded."""
    for job in todo.hopeless:
        if job.study.problem is not None:
            failure = explain(job.study.problem, job)
            known = folder.entries.get(job.name)
            if known is None or (known.status, known.reason) != (failure.status, failure.reason):
                folder.hold(fail(job, failure, time.perf_counter()))
            tell.done(folder.entries[job.name])
    for job in (*todo.waiting, *todo.postponed):
        folder.hold(as_pending(job, folder))


def _run_on_cluster(
    jobs: Sequence[Job], address: str, workers: int, limits: Limits, stop: Event
) -> Iterator[Entry]:
    try:
        from grading.batch.cluster import run_on_cluster  # dask loads when it is asked for
    except ImportError:
        raise ConfigurationError("--cluster needs Dask: pip install 'grading[cluster]'") from None

    return run_on_cluster(jobs, address, workers, limits, stop)


def _follow(run: Iterator[Entry], folder: OutputFolder, tell: Watcher) -> None:
    """Take in results as they come, keeping the tables up to date."""
    next_time = 0.0
    for entry in run:
        folder.hold(entry)
        tell.done(entry)
        now = time.perf_counter()
        if now > next_time:
            folder.write_tables(pages=False)
            next_time = time.perf_counter() + (time.perf_counter() - now) / TABLES_SHARE


def _settle(todo: Plan, folder: OutputFolder) -> None:
    """Bring the tables into line with what is on disk, whatever ended the run."""
    for job in todo.waiting:
        entry = folder.entries[job.name]
        if entry.status == PENDING:  # it may have been finished without our hearing of it
            with suppress(KeyError):
                result = Entry.of(folder.load(job.name))
                if job.origin.unchanged_since(result.origin):
                    folder.hold(result)
    folder.tidy()  # before the tables, because half a study may have filled the disk
    folder.write_tables()


def _results(todo: Plan, folder: OutputFolder) -> Results:
    jobs = (*todo.finished, *todo.hopeless, *todo.waiting, *todo.postponed)
    return Results(folder, _with_result(folder, sorted(job.name for job in jobs)))


def _with_result(folder: OutputFolder, names: Sequence[str]) -> tuple[Entry, ...]:
    return tuple(folder.entries[name] for name in names if folder.entries[name].status != PENDING)


def _counts(todo: Plan, results: Results, seconds: float) -> dict[str, float]:
    """How many studies were found, computed now, and came out graded, and how long it took."""
    return {
        "studies_found": len(todo),
        "studies_computed": len(todo.waiting),
        "studies_graded": sum(entry.status == GRADED for entry in results.entries),
        "seconds": round(seconds, 2),
    }
