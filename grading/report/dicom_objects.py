"""The two files that `--dicom` adds to a study's folder: segmentation.dcm (SEG) and report.dcm (SR).

They carry the patient's name, identifier, birth date and sex, and the study's identifiers, copied from the
images, so that an archive files them beside the study. No other output does: keep them as you keep the
images.
"""

import dataclasses
import io
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from grading.errors import ConfigurationError, InputError
from grading.findings import Finding
from grading.report.files import write_whole, writing
from grading.wording import listed

if TYPE_CHECKING:
    from pydicom import Dataset

    from grading.report.study_report import StudyReport

SEG_FILE, SR_FILE = "segmentation.dcm", "report.dcm"
DICOM_FILES = (SEG_FILE, SR_FILE)
_MOST_NAMED = 5  # studies in one line of the terminal
IDENTITY_NOTICE = (
    f"{SEG_FILE} and {SR_FILE} carry the patient's name and identifiers, as DICOM asks of what goes to an "
    "archive; all other files are free of them."
)


def require_dicom() -> None:
    """Refuse DICOM output where the library that makes the objects is not installed.

    Raises:
        ConfigurationError: it is not; the message names the command that installs it.
    """
    if find_spec("highdicom") is None:
        raise ConfigurationError("DICOM output needs highdicom: pip install 'grading[dicom]'")


def write_dicom(report: "StudyReport", folder: Path) -> None:
    """Write the SEG and SR objects of a report into an existing folder.

    Raises:
        ConfigurationError: highdicom is not installed, or the folder cannot be written.
        InputError: the report has no images, they do not come from DICOM, or their headers do not allow it.
    """
    require_dicom()
    from grading.report.dicom_seg import dicom_seg, segments_of
    from grading.report.dicom_source import dicom_source
    from grading.report.dicom_sr import dicom_sr

    if report.images is None:
        raise InputError(f"study {report.name}: a report read back from disk holds no images; grade it again")
    segments = segments_of(report.images.segmentation)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they quote the patient's name where it is not as the standard asks
        source = dicom_source(report.images.volume)
        seg = dicom_seg(source, report.images.segmentation, segments)
        sr = dicom_sr(report, source, seg, segments)
        content = {SEG_FILE: _file(seg), SR_FILE: _file(sr)}
    for name, file in content.items():
        write_whole(folder / name, file)


def with_dicom(report: "StudyReport", folder: Path) -> "StudyReport":
    """Write the objects where the images allow it; where they do not, the report says why and goes on.

    Returns:
        The report, with the finding `dicom_not_written` where there are no objects.

    Raises:
        ConfigurationError: highdicom is not installed, or the folder cannot be written.
    """
    try:
        write_dicom(report, folder)
    except InputError as error:
        reason = str(error)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # highdicom stumbles over a header that is not as the standard asks; its message quotes the header.
        reason = (
            f"the images' headers are not as the standard asks ({type(error).__name__}); export them again"
        )
    else:
        return report
    remove_dicom(folder)
    return dataclasses.replace(report, findings=(*report.findings, Finding("dicom_not_written", reason)))


def remove_dicom(folder: Path) -> None:
    """Remove the objects of an earlier report, which must not outlive it.

    Raises:
        ConfigurationError: they cannot be removed.
    """
    with writing(folder):
        for name in DICOM_FILES:
            (folder / name).unlink(missing_ok=True)


def archive_notice(folders: Sequence[Path]) -> list[str]:
    """Lines to know after a run with DICOM output: whose identity it holds, and which studies have none.

    Args:
        folders: of the studies that have a report.
    """
    without = [folder.name for folder in folders if not (folder / SEG_FILE).is_file()]
    lines = [IDENTITY_NOTICE] if len(without) < len(folders) else []
    if without:
        of = f"{len(without)} of {len(folders)} studies ({listed(without, _MOST_NAMED)})"
        lines.append(f"No DICOM objects for {of}; their report.html says why.")
    return lines


def _file(dataset: "Dataset") -> bytes:
    """The DICOM file that holds a data set."""
    content = io.BytesIO()
    dataset.save_as(content, enforce_file_format=True)
    return content.getvalue()
