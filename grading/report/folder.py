"""The output folder: one folder per study holds the truth, the tables at the top are a view of them.

A study is finished when its `report.json` is there, and it is written last. So a run may end at any
moment and loses nothing that it had computed. `run.json` names every study that was found, so that those
without a result stay accounted for, and those that wait for a new one.
"""

import json
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from grading.errors import ConfigurationError
from grading.report.columns import DICTIONARIES, dictionary_text
from grading.report.decisions import DECISION_COLUMNS, kept_decisions, rejected, with_decision
from grading.report.dicom_objects import DICOM_FILES
from grading.report.earlier import FAILURE, REPORT, RUN, SAFE_NAME, WAITING, entries_in, read_result
from grading.report.entry import PENDING, Entry, Result
from grading.report.files import make_folder, remove_leftovers, write_whole, writing
from grading.report.label_map import LABEL_MAP, is_edited, keep_edited
from grading.report.plain import to_plain
from grading.report.provenance import PACKAGES, nameless, package_version
from grading.report.study_report import DISCLAIMER, StudyImages, StudyReport
from grading.report.tables import ASYMMETRY_COLUMNS, MEASUREMENT_COLUMNS, STUDY_COLUMNS, csv_heading
from grading.segment.base import is_users_own
from grading.settings import Settings

FAT_STEPS = 1024
"""Steps of the fat fraction in its map: a tenth of a point is far below noise, and takes half the space."""

_PICTURES = ("fat_fraction.nii.gz", "overview.png", "thumbnail.png", "report.html")
_BESIDE_REPORT = (*_PICTURES, *DICOM_FILES)
"""What goes with the report; the label map stays, for it may hold hours of a reader's corrections."""


@dataclass
class OutputFolder:
    """What is known of every study in `path`, in memory and on disk.

    Attributes:
        path: the folder.
        entries: what the tables say of each study, by its name.
    """

    path: Path
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> "OutputFolder":
        """Open a folder, made if it is not there, and read what earlier runs left in it.

        Raises:
            ConfigurationError: it cannot be created or written.
        """
        if path.exists() and not path.is_dir():
            raise ConfigurationError(f"output {path} is a file; name a folder")
        make_folder(path / "studies")
        return cls.look_into(path)

    @classmethod
    def look_into(cls, path: Path) -> "OutputFolder":
        """What earlier runs left in a folder, which need not be there; nothing is written."""
        return cls(path, entries_in(path))

    def study_folder(self, name: str) -> Path:
        """Folder of a study, always directly below `path/studies`.

        Raises:
            ConfigurationError: the name would lead elsewhere.
        """
        folder = self.path / "studies" / name
        if not SAFE_NAME.fullmatch(name) or folder.parent != self.path / "studies":
            raise ConfigurationError(f"study name {name!r} cannot be a folder name; rename the study")
        return folder

    def write_pictures(self, report: StudyReport) -> None:
        """Write the images of a report: label map, fat-fraction map and overview.

        A label map there that somebody edited, and that says something else, is renamed.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        if report.images is None:
            return
        from grading.report.overview import overview_png
        from grading.report.study_page import study_html, thumbnail_png

        folder = make_folder(self.study_folder(report.name))
        with ThreadPoolExecutor(1) as beside:  # compression leaves Python free to draw
            maps = beside.submit(_write_maps, report.images, folder)
            write_whole(folder / "overview.png", overview_png(report))
            write_whole(folder / "thumbnail.png", thumbnail_png(report.images))
            write_whole(folder / "report.html", study_html(report).encode())
            maps.result()

    def add(self, result: Result) -> None:
        """Write the result of one study, in place of any earlier one; pictures are written before it.

        A failure takes away the earlier report and what was made from it, never a label map.

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
            stale = (REPORT, *_BESIDE_REPORT)  # a row must not outlive the failure of its study
        for name in stale:
            (folder / name).unlink(missing_ok=True)
        self.hold(Entry.of(result))

    def hold(self, entry: Entry) -> None:
        """Take note of a result that is on disk already, or of a study that waits for one."""
        self.entries[entry.name] = entry

    def load(self, name: str) -> Result:
        """The result of a study as it is on disk, a report without its images.

        Raises:
            KeyError: there is none.
        """
        result = read_result(self.study_folder(name))
        if result is None:
            raise KeyError(name)
        return result

    def is_whole(self, name: str) -> bool:
        """Whether every file of a graded study is there."""
        folder = self.study_folder(name)
        return all((folder / file).is_file() for file in (REPORT, LABEL_MAP, *_PICTURES))

    def correction_of(self, name: str) -> Path | None:
        """The label map that a reader corrected here and that the study was graded on, None without one."""
        entry = self.entries.get(name)
        if entry is None or not is_users_own(entry.segmentation):
            return None  # a program drew it; the entry of a study that waits does not say who did
        folder = self.study_folder(name)
        result = read_result(folder)
        on_it = isinstance(result, StudyReport) and is_users_own(result.provenance.segmentation)
        return folder / LABEL_MAP if on_it and is_edited(folder) else None

    def tidy(self) -> None:
        """Remove what a killed run left half done; only for a run that has the folder to itself.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        remove_leftovers(self.path)
        for folder in (self.path / "studies").iterdir():
            if folder.is_dir():
                remove_leftovers(folder)
                if not any((folder / name).exists() for name in (REPORT, FAILURE)):
                    for name in _BESIDE_REPORT:  # of a study that was not finished; they also take the room
                        (folder / name).unlink(missing_ok=True)

    def write_tables(self, *, pages: bool = True) -> None:
        """Write studies.csv, measurements.csv and asymmetry.csv from all entries, and the pages about them.

        Studies that a reader rejected have a line in studies.csv only.

        What the columns mean stands beside them, in files of the same name that end in .json.

        Args:
            pages: write index.html, summary.html and (where pyarrow is installed) Parquet too, which take
                longer.

        Raises:
            ConfigurationError: the folder cannot be written, or its decisions.csv cannot be read.
        """
        decided = kept_decisions(self.path)
        entries = [entry for _, entry in sorted(self.entries.items())]
        out = rejected(decided)
        kept = [e for e in entries if e.name not in out]
        studies = [with_decision(e.study, decided.get(e.name)) for e in entries]
        for name, columns, lines in (
            ("studies.csv", (*STUDY_COLUMNS, *DECISION_COLUMNS[1:]), studies),  # first: it accounts for all
            ("measurements.csv", MEASUREMENT_COLUMNS, [e.measurements for e in kept]),
            ("asymmetry.csv", ASYMMETRY_COLUMNS, [e.asymmetry for e in kept]),
        ):
            write_whole(self.path / name, (csv_heading(columns) + "".join(lines)).encode())
        for name, explained in DICTIONARIES.items():
            write_whole(self.path / name, dictionary_text(explained).encode())
        if pages:
            from grading.report.cohort_page import cohort_html
            from grading.report.group_page import summary_html
            from grading.report.parquet import write_parquet

            write_whole(self.path / "index.html", cohort_html(entries, decided, self.path).encode())
            write_whole(self.path / "summary.html", summary_html(kept, len(entries) - len(kept)).encode())
            write_parquet(self.path)

    def write_bids(self) -> Path:
        """Write the studies of measurements.csv as a BIDS derivative data set.

        Returns:
            The data set's folder, `path/bids`.

        Raises:
            ConfigurationError: the folder cannot be written, or its decisions.csv cannot be read.
        """
        from grading.report.bids import write_bids

        out = rejected(kept_decisions(self.path))
        kept = [name for name, entry in self.entries.items() if entry.measurements and name not in out]
        reports = [result for result in map(self.load, kept) if isinstance(result, StudyReport)]
        return write_bids(reports, self.path / "studies", self.path)

    def write_run(self, settings: Settings, network: str, outcome: dict[str, float] | None = None) -> None:
        """Write run.json: how the last run was made, and what every input was.

        Args:
            settings: of the run.
            network: SHA-256 of the bundled networks.
            outcome: counts and time; None while the run lasts, so an interrupted one can be told.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
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
            "studies": sorted(self.entries),
            WAITING: {e.name: to_plain(e.origin) for e in self.entries.values() if e.status == PENDING},
            "inputs": {name: to_plain(entry.inputs) for name, entry in sorted(self.entries.items())},
        }
        write_whole(self.path / RUN, (json.dumps(run, indent=1, ensure_ascii=False) + "\n").encode())


def _write_maps(images: StudyImages, folder: Path) -> None:
    import numpy as np

    from grading.io.nifti_write import write_nifti

    fraction = np.round(images.fat.fraction * FAT_STEPS) / FAT_STEPS
    known = np.where(images.fat.valid, fraction, np.nan).astype(np.float32)
    with writing(folder):
        edited = keep_edited(folder, images.segmentation)
        write_nifti(images.segmentation.labels, images.volume, folder / LABEL_MAP, noted=not edited)
        write_nifti(known, images.volume, folder / "fat_fraction.nii.gz")
