"""A study without a report: why, in words its user can act on."""

import logging
import time
import traceback
from dataclasses import replace
from pathlib import Path

from grading.batch.job import Job
from grading.errors import (
    ConfigurationError,
    GradingError,
    MeasurementError,
    SegmentationError,
    SeriesNotFound,
    UnsupportedContrast,
)
from grading.report.entry import FAILED, NOT_GRADABLE, STATUS_WORDS, Entry
from grading.report.folder import OutputFolder
from grading.report.provenance import without_file_names
from grading.report.study_report import StudyFailure

_NOT_GRADABLE = (SeriesNotFound, UnsupportedContrast, SegmentationError, MeasurementError)
"""Errors that mean a sound input which does not show what is needed; any other means something is broken."""

OUT_OF_MEMORY = "out of memory; use fewer workers, a higher --memory-limit or more memory"

_log = logging.getLogger("grading")


def fail(job: Job, failure: StudyFailure, start: float, peak_memory_mb: float | None = None) -> Entry:
    """Record why a study gave no report.

    Args:
        job: the study.
        failure: from `explain`.
        start: `time.perf_counter()` when the study began.
        peak_memory_mb: most memory that its process held, MB; None when not known.

    Raises:
        ConfigurationError: the output folder cannot be written.
    """
    out = OutputFolder(job.out)
    seconds = time.perf_counter() - start
    out.add(replace(failure, seconds=seconds, peak_memory_mb=peak_memory_mb, origin=job.origin))
    _log.info("%s: %s", STATUS_WORDS[failure.status], failure.reason)
    return out.entries[job.name]


def explain(error: BaseException, job: Job) -> StudyFailure:
    """What went wrong with a study, in words its user can act on and without patient identity."""
    if isinstance(error, GradingError):
        status = NOT_GRADABLE if isinstance(error, _NOT_GRADABLE) else FAILED
        is_request = isinstance(error, ConfigurationError)  # a file of it has changed since the run began
        reason = without_file_names(str(error), job.settings) if is_request else str(error)
        return StudyFailure(job.name, status, reason)
    frames = traceback.extract_tb(error.__traceback__)
    for frame in frames:  # the places only: a foreign message may quote the header, and with it the patient
        _log.info("  %s line %s in %s", Path(frame.filename).name, frame.lineno, frame.name)
    if isinstance(error, MemoryError) or "alloc" in str(error).casefold():  # onnxruntime has its own class
        return StudyFailure(job.name, FAILED, OUT_OF_MEMORY)
    if isinstance(error, OSError):
        reason = f"a file cannot be read ({error.strerror or type(error).__name__}); check the disk or share"
        return StudyFailure(job.name, FAILED, reason)
    reason = f"unexpected {type(error).__name__} at {Path(frames[-1].filename).name} line {frames[-1].lineno}"
    hint = f": {error}" if job.settings.identify else "; please report it (--identify adds the message)"
    return StudyFailure(job.name, FAILED, reason + hint)
