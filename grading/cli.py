"""The `grading` command: arguments to calls, errors to one line, results to an exit code.

0 every study was graded, 1 some failed or were not gradable (the others are done and written), 2 nothing
could run.
"""

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from grading.anatomy import Side
from grading.errors import GradingError
from grading.option_rules import refuse_contradictions
from grading.settings import LONGEST_STUDY_S, Settings

if TYPE_CHECKING:
    from grading.batch.results import Results

GRADED, SOME_NOT_GRADED, NOTHING_RAN, INTERRUPTED = 0, 1, 2, 130

_DEFAULT = Settings()

app = App(
    name="grading",
    help="Grade fatty infiltration of the gluteal muscles on hip MRI. Research software, no medical device.",
    version_flags=["--version"],
    help_format="plaintext",
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)


@app.command(validator=refuse_contradictions)
def run(
    inputs: Annotated[list[Path] | None, Parameter(name="INPUT", negative=())] = None,
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"])],
    masks: Path | None = None,
    scheme: str = _DEFAULT.scheme,
    resample_masks: Annotated[bool, Parameter(negative=())] = False,
    segmenter: Literal["network", "masks", "totalsegmentator"] | None = None,
    scale: Annotated[list[str] | None, Parameter(negative=())] = None,
    goutallier_edges: Annotated[tuple[float, float], Parameter(negative=())] = _DEFAULT.goutallier_edges,
    contrast: Literal["auto", "t1", "dixon"] = "auto",
    side: Literal["left", "right"] | None = None,
    affected: Literal["left", "right"] | None = None,
    participants: Path | None = None,
    workers: int = 1,
    cluster: str | None = None,
    timeout: float = LONGEST_STUDY_S,
    memory_limit: float | None = None,
    include: Annotated[list[str] | None, Parameter(negative=())] = None,
    exclude: Annotated[list[str] | None, Parameter(negative=())] = None,
    limit: int | None = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    decisions: Path | None = None,
    report_only: Annotated[bool, Parameter(negative=())] = False,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    quiet: Annotated[bool, Parameter(negative=())] = False,
    json_log: Annotated[bool, Parameter(negative=())] = False,
    dicom: Annotated[bool, Parameter(negative=())] = False,
    bids: Annotated[bool, Parameter(negative=())] = False,
    identify: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Grade every study found: tables, reports and pictures go to OUT.

    Finished studies are skipped when the command is run again.
    Ctrl-C stops after the studies in hand, a second one at once; the tables account for every study.

    Parameters
    ----------
    inputs
        DICOM series, study or tree of studies; .nii/.nii.gz; folder of NIfTI; BIDS data set.
    out
        Output folder.
    masks
        Label map of one study, or folder of them matched by study name, in place of the network.
    scheme
        Label numbers of --masks: musclemap, totalsegmentator, or a .json, .tsv, .txt, .label or .ctbl file.
    resample_masks
        Allow label maps on another grid to be resampled onto the image's.
    segmenter
        Who draws the muscles; --masks implies masks. Default: network.
    scale
        Grading scale, or a TOML/JSON file of your own; repeat for several. Default: quartile and goutallier.
    goutallier_edges
        Fat fractions between Goutallier grades 0 and 1, and 1 and 2: a convention, the scale names none.
    contrast
        Kind of image to grade.
    side
        Side of one-hip images that carry no laterality.
    affected
        Side known to be affected: its difference from the other is reported as well.
    participants
        Table of participant_id (or study), sex and, if known, age, height, weight.
        Volumes and fat are then set beside published values of such people.
    workers
        Processes on this machine.
    cluster
        Address of a running Dask scheduler, or "local" for a Dask cluster of --workers processes here.
    timeout
        Seconds one study may take; 0 for no limit.
    memory_limit
        Gigabytes of memory one study may take (Linux).
    include
        Only studies whose name or path below INPUT matches this shell pattern; repeat for several.
    exclude
        No study whose name or path below INPUT matches this shell pattern; repeat for several.
    limit
        Grade at most that many studies now; the others wait for the next run.
    force
        Grade finished studies again.
    decisions
        Decisions of a reader, as index.html exports them; they stay in OUT for later runs.
        Rejected studies leave the tables, those to fix are listed.
    report_only
        Grade nothing; make the tables, index.html and summary.html anew from the results in OUT.
        Takes no option that would change them.
    dry_run
        Show what would be done; nothing is graded or written.
    quiet
        Print nothing but errors.
    json_log
        Print one JSON object per event on standard output in place of the closing table.
    dicom
        Also write DICOM SEG and SR for the archive; they carry the patient's name and identifiers.
    bids
        Also write the results as a BIDS derivative data set, OUT/bids.
    identify
        Keep names that come from the patient's data in the outputs.
    """
    settings = Settings(
        segmenter="masks" if masks else segmenter or _DEFAULT.segmenter,
        masks=masks,
        scheme=scheme,
        resample_masks=resample_masks,
        scales=tuple(scale) if scale else _DEFAULT.scales,
        goutallier_edges=goutallier_edges,
        contrast=contrast,
        side=Side(side) if side else None,
        affected=Side(affected) if affected else None,
        participants=participants,
        dicom=dicom,
        identify=identify,
    )
    from rich.console import Console

    from grading.batch import Limits, Pick, grade_folder, plan_folder, rebuild
    from grading.batch.progress import watcher
    from grading.report.summary import foretold

    pick = Pick(tuple(include or ()), tuple(exclude or ()), limit)
    tell = watcher(quiet=quiet, json_log=json_log)
    if report_only:
        results = rebuild(out, decisions)
    elif dry_run:
        todo = plan_folder(inputs or [], out, settings=settings, pick=pick, force=force, progress=tell)
        Console().print(foretold(todo.described(), out, decisions))
        return GRADED
    else:
        results = grade_folder(
            inputs or [],
            out,
            workers=workers,
            cluster=cluster,
            settings=settings,
            limits=Limits(timeout or None, memory_limit),
            pick=pick,
            force=force,
            decisions=decisions,
            progress=tell,
        )
    if bids:
        results.folder.write_bids()
    return _conclude(results, silent=quiet or json_log, dicom=dicom, participants=participants)


def _conclude(results: "Results", *, silent: bool, dicom: bool, participants: Path | None) -> int:
    """Print the closing table; returns the exit code."""
    from rich.console import Console

    from grading.report.summary import closing, literal

    if not silent:
        Console().print(closing(results.entries, results.folder, dicom=dicom, participants=participants))
        Console().print(literal(f"pictures to look at: {results.folder.path / 'index.html'}"), soft_wrap=True)
    return GRADED if all(entry.status == "graded" for entry in results.entries) else SOME_NOT_GRADED


@app.command
def inspect(
    inputs: Annotated[list[Path], Parameter(name="INPUT", negative=())],
    /,
    *,
    contrast: Literal["auto", "t1", "dixon"] = "auto",
    identify: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Show what was found: studies, series, what each is good for and why. Nothing is computed or written.

    Parameters
    ----------
    inputs
        As for run.
    contrast
        Kind of image to grade.
    identify
        Keep names that come from the patient's data.
    """
    from rich.console import Console

    from grading.io.discover import discover
    from grading.report.summary import found, literal

    lines: list[str] = []
    studies = discover(inputs, contrast=contrast, identify=identify, tell=lines.append)
    Console().print(found(studies))
    for line in lines:
        Console().print(literal(line), soft_wrap=True)
    return GRADED


@app.command
def scales(
    *, goutallier_edges: Annotated[tuple[float, float], Parameter(negative=())] = _DEFAULT.goutallier_edges
) -> int:
    """List the grading scales: stages, edges, and where they come from.

    Parameters
    ----------
    goutallier_edges
        As for run.
    """
    from rich.console import Console

    from grading.classify.scale_files import shipped_scales
    from grading.report.scale_table import scale_table

    Console().print(scale_table(shipped_scales(Settings(goutallier_edges=goutallier_edges))))
    return GRADED


@app.command
def sample(out: Annotated[Path, Parameter(name="OUT")], /) -> int:
    """Write the sample study: a made-up pelvis as DICOM and NIfTI, with the truth about it.

    Parameters
    ----------
    out
        Folder to write into.
    """
    from rich.console import Console

    from grading.phantom.sample import write_sample
    from grading.report.files import make_folder, writing

    make_folder(out)
    with writing(out), Console(stderr=True).status("writing the sample study") as status:
        write_sample(out, status.update)
    Console().print(
        f"sample study written; now: grading run {out / 'dicom'} -o RESULTS", markup=False, soft_wrap=True
    )
    return GRADED


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with its code.

    Args:
        arguments: words after `grading`; those of the process when None.
    """
    try:
        code = app(arguments, exit_on_error=False, print_error=False)
    except (CycloptsError, GradingError) as error:
        code = _say(str(error))
    except KeyboardInterrupt:
        _say("interrupted; what is finished is kept, run the same command again to go on")
        code = INTERRUPTED
    except Exception as error:  # a user is owed a line, not a traceback; from Python the traceback is there
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name} line {where.lineno}"
        code = _say(f"unexpected {type(error).__name__} at {place}; please report it")
    sys.exit(code if isinstance(code, int) else GRADED)


def _say(message: str) -> int:
    """One red line on stderr."""
    from rich.console import Console
    from rich.text import Text

    line = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    Console(stderr=True, soft_wrap=True).print(Text(f"error: {line}", style="bold red"))
    return NOTHING_RAN
