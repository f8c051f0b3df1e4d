"""A folder of studies: find them, skip the finished, grade the rest each for itself, account for all."""

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from grading.classify.scales import scale
from grading.errors import ConfigurationError
from grading.io.discover import StudyFound, discover
from grading.isolation import Job, run_here, run_in_processes
from grading.report.folder import OutputFolder, Result
from grading.report.plain import to_plain
from grading.report.provenance import package_version
from grading.report.study_report import StudyFailure, StudyReport
from grading.report.summary import literal
from grading.segment.network import MODEL_SHA256_FILE
from grading.settings import Settings

TABLES_EVERY_S = 10.0
"""Pace at which the tables follow a run; writing them after each of thousands of studies would cost more."""

_NOT_IN_FINGERPRINT = ("masks", "threads")  # the files in `masks` count, not where they lie


def grade_folder(
    inputs: Path | str | Sequence[Path | str],
    out: Path | str,
    *,
    workers: int = 1,
    settings: Settings = Settings(),  # noqa: B008 - frozen
    force: bool = False,
    progress: bool = True,
) -> tuple[Result, ...]:
    """Grade every study below `inputs` and write tables, reports and pictures into `out`.

    A study that an earlier run finished with the same files, settings, model and version is not computed
    again. One that fails is recorded with its reason, and the others go on. With `workers` above 1 a script
    must keep its own code under `if __name__ == "__main__"`, because each process imports it.

    Args:
        inputs: series, studies, trees of studies, NIfTI files or folders.
        out: output folder, made if needed; studies of earlier runs in it stay in the tables.
        workers: processes on this machine.
        settings: every choice about the grading itself.
        force: compute finished studies again.
        progress: show progress bars on stderr.

    Returns:
        A report (without its images) or a failure for each study found, by name.

    Raises:
        ConfigurationError: unknown settings, label maps that are not there, an output that cannot be written.
        SeriesNotFound: an input is not there, or there is no image at all below any of them.
    """
    start = time.perf_counter()
    sources = [Path(p) for p in ([inputs] if isinstance(inputs, (str, Path)) else inputs)]
    _check(sources, Path(out), workers, settings)
    with _Bars(progress) as bars:
        studies = discover(
            sources, contrast=settings.contrast, identify=settings.identify, progress=bars.looked_at
        )
        folder = OutputFolder.open(Path(out))
        jobs = [Job(study, settings, folder.path, fingerprint(study, settings)) for study in studies]
        waiting = [job for job in jobs if force or not _finished(folder, job)]
        bars.begin(len(jobs), finished=len(jobs) - len(waiting))
        folder.write_tables()  # an output that cannot be written is better known now than after hours
        folder.write_run(settings, _model_digest())
        try:
            run = run_here(waiting) if workers == 1 else run_in_processes(waiting, workers)
            _follow(run, folder, bars)
        finally:  # also when interrupted: the tables then hold all that is on disk
            folder = OutputFolder.open(folder.path)
            folder.write_tables()
    results = tuple(folder.results[study.name] for study in studies)
    summary = _counts(results, len(waiting), time.perf_counter() - start)
    folder.write_run(settings, _model_digest(), summary)
    return results


def fingerprint(study: StudyFound, settings: Settings) -> str:
    """SHA-256 over all that a study's result follows from, without reading a pixel.

    That is the name, size and time of each file chosen and of the study's label maps, the settings, the
    segmenter's model, and the version of this package.
    """
    plain = {k: v for k, v in to_plain(settings).items() if k not in _NOT_IN_FINGERPRINT}
    masks = _mask_files(settings.masks, study.name) if settings.masks else []
    content = {
        "series": [[s.info.name, *map(_stamp, sorted(s.files))] for s in study.chosen],
        "masks": [_stamp(path) for path in [*masks, Path(settings.scheme)]],
        "settings": plain,
        "model": _model_digest() if settings.masks is None else "",
        "version": package_version("grading"),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _model_digest() -> str:
    """SHA-256 of the bundled network as it was shipped; empty where there is none."""
    try:
        return resources.files("grading.segment").joinpath(MODEL_SHA256_FILE).read_text("ascii").split()[0]
    except FileNotFoundError:
        return ""


def _mask_files(masks: Path, name: str) -> list[Path]:
    """Label maps that may be the study's, and the file that names their labels."""
    if masks.is_file():
        return [masks]
    return sorted(p for p in masks.rglob("*") if p.is_file() and name in str(p.relative_to(masks)))


def _stamp(path: Path) -> tuple[str, int, int]:
    """Name, size and time of a file; zeros when it is gone, which the run will then say properly."""
    try:
        status = path.stat()
    except OSError:
        return path.name, 0, 0
    return path.name, status.st_size, status.st_mtime_ns


def _check(sources: Sequence[Path], out: Path, workers: int, settings: Settings) -> None:
    """Refuse what cannot work before any time is spent on it."""
    for name in settings.scales:
        scale(name)
    if workers < 1:
        raise ConfigurationError(f"--workers {workers}: at least 1 is needed")
    if not sources:
        raise ConfigurationError("no input named")
    if out.resolve() in [source.resolve() for source in sources]:
        raise ConfigurationError(f"{out} is an input; name another output folder, inside it if you like")
    if settings.masks is not None and not settings.masks.exists():
        raise ConfigurationError(f"no label map or folder at {settings.masks}; check the path")


def _finished(folder: OutputFolder, job: Job) -> bool:
    """Whether an earlier run made exactly this report."""
    earlier = folder.results.get(job.study.name)
    return isinstance(earlier, StudyReport) and earlier.provenance.fingerprint == job.fingerprint


def _follow(run: Iterator[Result], folder: OutputFolder, bars: "_Bars") -> None:
    """Take in results as they come, keeping the tables up to date."""
    written = time.perf_counter()
    for result in run:
        folder.hold(result)
        bars.done(result)
        if time.perf_counter() - written > TABLES_EVERY_S:
            folder.write_tables()
            written = time.perf_counter()


def _counts(results: Sequence[Result], computed: int, seconds: float) -> dict[str, float]:
    """How many studies were found, computed now, and came out graded, and how long it took."""
    graded = sum(isinstance(r, StudyReport) and r.gradable for r in results)
    return {
        "studies_found": len(results),
        "studies_computed": computed,
        "studies_graded": graded,
        "seconds": round(seconds, 2),
    }


class _Bars:
    """Progress on stderr: files looked at, then studies done."""

    def __init__(self, shown: bool) -> None:
        console = Console(stderr=True)
        seen = shown and (console.is_terminal or console.is_jupyter)  # a log file needs no moving bar
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._seen = seen
        self._progress = Progress(*columns, console=console, transient=True, disable=not seen)
        self._search = self._progress.add_task("looking for studies", total=None)

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def looked_at(self, files: int) -> None:
        """`files` have been looked at so far."""
        self._progress.update(self._search, completed=files)

    def begin(self, studies: int, finished: int) -> None:
        """The search is over; `finished` of `studies` need no work."""
        self._progress.remove_task(self._search)
        self._studies = self._progress.add_task("grading", total=studies, completed=finished)

    def done(self, result: Result) -> None:
        """One more study has a result."""
        if self._seen and isinstance(result, StudyFailure):
            line = literal(f"{result.name}: {result.reason}")
            line.stylize("yellow" if result.status == "not_gradable" else "red")
            self._progress.console.print(line)
        self._progress.advance(self._studies)
