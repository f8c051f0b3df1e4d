"""The output folder: one folder per study holds the truth, the tables at the top are a view of them.

A study is finished when its `report.json` is there, and it is written last. So a run may end at any
moment and loses nothing that it had computed.
"""

import json
import platform
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grading.errors import ConfigurationError
from grading.report.files import make_folder, write_whole, writing
from grading.report.plain import from_plain, to_plain
from grading.report.provenance import PACKAGES, nameless, package_version
from grading.report.study_report import DISCLAIMER, StudyFailure, StudyReport
from grading.report.tables import (
    ASYMMETRY_COLUMNS,
    MEASUREMENT_COLUMNS,
    STUDY_COLUMNS,
    asymmetry_rows,
    csv_text,
    measurement_rows,
    study_rows,
)
from grading.settings import Settings

Result = StudyReport | StudyFailure

REPORT, FAILURE = "report.json", "failure.json"
_SAFE_NAME = re.compile(r"(?!\.)[^/\\:*?\"<>|\x00-\x1f\x7f]{1,200}")
_PICTURES = ("segmentation.nii.gz", "fat_fraction.nii.gz", "overview.png")


@dataclass
class OutputFolder:
    """What is known of every study in `path`, in memory and on disk.

    Attributes:
        path: the folder.
        results: latest result of each study by name, reports without their images.
    """

    path: Path
    results: dict[str, Result] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> "OutputFolder":
        """Open a folder, made if it is not there, and read what earlier runs left in it.

        Raises:
            ConfigurationError: it cannot be created or written.
        """
        if path.exists() and not path.is_dir():
            raise ConfigurationError(f"output {path} is a file; name a folder")
        make_folder(path / "studies")
        return cls(path, {result.name: result for result in _stored(path / "studies")})

    def study_folder(self, name: str) -> Path:
        """Folder of a study, always directly below `path/studies`.

        Raises:
            ConfigurationError: the name would lead elsewhere.
        """
        folder = self.path / "studies" / name
        if not _SAFE_NAME.fullmatch(name) or folder.parent != self.path / "studies":
            raise ConfigurationError(f"study name {name!r} cannot be a folder name; rename the study")
        return folder

    def write_pictures(self, report: StudyReport) -> None:
        """Write the images of a report: label map, fat-fraction map and overview.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        if report.images is None:
            return
        import numpy as np

        from grading.io.nifti import write_nifti
        from grading.report.overview import overview_png

        folder = make_folder(self.study_folder(report.name))
        images = report.images
        known = np.where(images.fat.valid, images.fat.fraction, np.nan).astype(np.float32)
        with writing(folder):
            write_nifti(images.segmentation.labels, images.volume, folder / "segmentation.nii.gz")
            write_nifti(known, images.volume, folder / "fat_fraction.nii.gz")
        write_whole(folder / "overview.png", overview_png(report))

    def add(self, result: Result) -> None:
        """Write the result of one study, in place of any earlier one; pictures are written before it.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        folder = make_folder(self.study_folder(result.name))
        if isinstance(result, StudyReport):
            write_whole(folder / REPORT, result.to_json().encode())
            stale: tuple[str, ...] = (FAILURE,)
        else:
            text = json.dumps(to_plain(result), indent=1, ensure_ascii=False) + "\n"
            write_whole(folder / FAILURE, text.encode())
            stale = (REPORT, *_PICTURES)  # a row must not outlive the failure of its study
        for name in stale:
            (folder / name).unlink(missing_ok=True)
        self.hold(result)

    def hold(self, result: Result) -> None:
        """Take note of a result that is on disk already."""
        self.results[result.name] = result.without_images() if isinstance(result, StudyReport) else result

    def write_tables(self) -> None:
        """Write measurements.csv, asymmetry.csv and studies.csv from every result in the folder.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        reports = [r for r in self.results.values() if isinstance(r, StudyReport)]
        for name, rows, columns in (
            ("measurements.csv", measurement_rows(reports), MEASUREMENT_COLUMNS),
            ("asymmetry.csv", asymmetry_rows(reports), ASYMMETRY_COLUMNS),
            ("studies.csv", study_rows(self.results.values()), STUDY_COLUMNS),
        ):
            write_whole(self.path / name, csv_text(rows, columns).encode())

    def write_run(self, settings: Settings, network: str, outcome: dict[str, float] | None = None) -> None:
        """Write run.json: how the last run was made, and what every input was.

        Args:
            settings: of the run.
            network: SHA-256 of the bundled network.
            outcome: counts and time; None while the run lasts, so an interrupted one can be told.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        reports = [r for _, r in sorted(self.results.items()) if isinstance(r, StudyReport)]
        run = {
            "notice": DISCLAIMER,
            "finished": outcome is not None,
            "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            **(outcome or {}),
            "settings": to_plain(nameless(settings)),
            "network_sha256": network,
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
            "packages": {name: package_version(name) for name in PACKAGES},
            "inputs": {report.name: to_plain(report.provenance.inputs) for report in reports},
        }
        write_whole(self.path / "run.json", (json.dumps(run, indent=1, ensure_ascii=False) + "\n").encode())


def _stored(studies: Path) -> Iterator[Result]:
    """Results that earlier runs left; a file that is not one is ignored, its study runs again."""
    for folder in sorted(studies.iterdir()):
        try:
            if (folder / REPORT).is_file():
                result: Result = StudyReport.from_json((folder / REPORT).read_text("utf-8"))
            elif (folder / FAILURE).is_file():
                result = from_plain(StudyFailure, json.loads((folder / FAILURE).read_text("utf-8")))
            else:
                continue
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if result.name == folder.name:  # a copied or renamed folder would count a study twice
            yield result
