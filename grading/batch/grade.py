"""One study, whatever happens in it, becomes one result on disk and one entry of the tables."""

import logging
import time
from dataclasses import replace

from grading.batch.failure import explain, fail
from grading.batch.job import Job
from grading.batch.memory import peak_memory_mb, reset_peak_memory
from grading.batch.origin import content_of
from grading.batch.study_log import study_log
from grading.errors import ConfigurationError
from grading.report.dicom_objects import remove_dicom, with_dicom
from grading.report.entry import STATUS_WORDS, Entry
from grading.report.files import make_folder
from grading.report.folder import OutputFolder
from grading.report.study_report import StudyReport
from grading.study import grade_study

_log = logging.getLogger("grading")


def run_job(job: Job) -> Entry:
    """Grade one study and write its files, unless a report of the same content is there.

    Raises:
        ConfigurationError: the output folder cannot be written, which concerns every study.
    """
    start = time.perf_counter()
    reset_peak_memory()
    out = OutputFolder(job.out)
    with study_log(out.study_folder(job.name)):
        try:
            content = content_of(job.study, job.beside)
            job = replace(job, origin=replace(job.origin, content=content))
            kept = None if job.force else _kept(out, job)
            report = kept or replace(grade_study(job.study, settings=job.settings), name=job.name)
        except Exception as error:  # any error of one study must leave the others alone
            return fail(job, explain(error, job), start, peak_memory_mb())
        try:
            return _write(report, job, out, is_new=kept is None)
        except ConfigurationError:
            raise
        except Exception as error:
            return fail(job, explain(error, job), start, peak_memory_mb())


def _kept(out: OutputFolder, job: Job) -> StudyReport | None:
    """The report of an earlier run from the same bytes in the same way, if it is there with all its files."""
    try:
        earlier = out.load(job.name)
    except KeyError:
        return None
    if not isinstance(earlier, StudyReport) or not out.is_whole(job.name):
        return None
    before = earlier.provenance.origin
    same = (before.content, before.recipe) == (job.origin.content, job.origin.recipe)
    return earlier if same else None


def _with_dicom(report: StudyReport, job: Job, out: OutputFolder) -> StudyReport:
    """Write the DICOM objects where the run asks for them; those of an earlier run go."""
    folder = make_folder(out.study_folder(report.name))
    remove_dicom(folder)
    return with_dicom(report, folder) if job.settings.dicom else report


def _write(report: StudyReport, job: Job, out: OutputFolder, *, is_new: bool) -> Entry:
    """Write all files of a report, the one that says it is finished last."""
    start = time.perf_counter()
    provenance = replace(report.provenance, origin=job.origin)
    if is_new:
        report = _with_dicom(report, job, out)  # first, because the page says where it was not possible
        out.write_pictures(report)
        seconds = {**provenance.seconds, "pictures": time.perf_counter() - start}
        provenance = replace(provenance, seconds=seconds, peak_memory_mb=peak_memory_mb())
    else:
        _log.info("the files are those of an earlier run; its report stands")
    out.add(replace(report.without_images(), provenance=provenance))
    entry = out.entries[report.name]
    _log.info("%s %s", STATUS_WORDS[entry.status], entry.reason)
    return entry
