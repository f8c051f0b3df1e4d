"""The results as a BIDS derivative data set: maps under BIDS names, a table keyed by participant.

    bids/dataset_description.json  README  participants.tsv
    bids/sub-X[/ses-Y]/anat/sub-X[_ses-Y]_desc-muscles_dseg.nii.gz  .json  .tsv
                            sub-X[_ses-Y]_label-fat_desc-t1_probseg.nii.gz  .json
    bids/phenotype/gluteal_measurements.tsv  .json        a row for each participant and session

It is a view of the output folder, made anew whenever it is asked for: the maps are those of `studies/`.
"""

import csv
import io
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grading.anatomy import SIDES, STRUCTURES, Region
from grading.io.identity import short_hash
from grading.report.columns import COLUMNS
from grading.report.files import make_folder, write_whole, writing
from grading.report.label_map import LABEL_MAP
from grading.report.provenance import package_version
from grading.report.study_report import DISCLAIMER, StudyReport
from grading.report.tables import DECIMALS, Cell, measurement_rows
from grading.segment.base import is_users_own
from grading.segment.levels import LEVELS

BIDS_FOLDER = "bids"
BIDS_VERSION = "1.10.0"
MEASURES = (
    "volume_ml", "covered_volume_ml", "volume_se_ml", "lean_volume_ml", "max_csa_cm2", "level_csa_cm2",
    "fat_fraction", "fat_fraction_se", "fat_method", "coverage", "quartile", "quartile_possible",
    "goutallier", "goutallier_possible", "gradable", "findings",
)  # fmt: skip
"""Columns of measurements.csv that each muscle, side and region has in the wide table; few have a level."""

_ABOUT_KEYS = {
    "participant_id": {"Description": "Participant: the study's name, or what it says in BIDS."},
    "session_id": {"Description": "Session, where the study's name gives one."},
    "study": COLUMNS["study"].plain(),
}
_BIDS_NAME = re.compile(r"sub-([A-Za-z0-9]+)(?:_ses-([A-Za-z0-9]+))?(?=_|$)")
_README = f"""Fat fraction and volume of the gluteal muscles, by the program grading.

{DISCLAIMER}

anat/*_dseg.nii.gz: muscles, numbered as in the .tsv of the same name.
anat/*_probseg.nii.gz: share of fat in each voxel, 0 to 1 and by noise a little beyond; not a number where it
is not known. With desc-t1 it is the signal between lean muscle and subcutaneous fat, not a proton density fat
fraction.
phenotype/: the numbers, a row for each participant and session; .json explains the columns.
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """Where a study lies in the data set.

    Attributes:
        label: of the participant, letters and digits.
        session: the same, "" where there is none.
    """

    label: str
    session: str = ""

    @property
    def stem(self) -> str:
        """First words of each of the study's file names."""
        return f"sub-{self.label}" + (f"_ses-{self.session}" if self.session else "")

    @property
    def folder(self) -> Path:
        """Folder of its files, below the data set."""
        inner = Path(f"ses-{self.session}") if self.session else Path()
        return Path(f"sub-{self.label}") / inner / "anat"


def subjects_of(names: Sequence[str]) -> dict[str, Subject]:
    """Participant and session of each study: those in a BIDS name, else letters and digits of the name.

    Names that would meet are told apart by a hash.
    """
    found = {name: _subject(name) for name in names}
    taken = Counter((s.label.casefold(), s.session.casefold()) for s in found.values())
    return {
        name: Subject(s.label + short_hash(name), s.session)
        if taken[s.label.casefold(), s.session.casefold()] > 1
        else s
        for name, s in found.items()
    }


def write_bids(reports: Iterable[StudyReport], studies: Path, out: Path) -> Path:
    """Write the data set of these reports to `out/bids`, in place of an earlier one.

    Args:
        reports: of the studies that belong in it.
        studies: folder that holds a folder of maps for each study.
        out: the output folder.

    Returns:
        The data set's folder.

    Raises:
        ConfigurationError: it cannot be written.
    """
    held = sorted(reports, key=lambda report: report.name)
    subjects = subjects_of([report.name for report in held])
    root = out / BIDS_FOLDER
    with writing(root):
        shutil.rmtree(root, ignore_errors=True)
    make_folder(root / "phenotype")
    _write_json(root / "dataset_description.json", _description())
    write_whole(root / "README", _README.encode())
    for report in held:
        _write_maps(report, subjects[report.name], studies / report.name, root)
    people = sorted({f"sub-{subject.label}" for subject in subjects.values()})
    _write_json(root / "participants.json", {"participant_id": _ABOUT_KEYS["participant_id"]})
    _write_table(root / "participants.tsv", ["participant_id"], [{"participant_id": p} for p in people])
    _write_measurements(held, subjects, root / "phenotype" / "gluteal_measurements.tsv")
    return root


def _subject(name: str) -> Subject:
    said = _BIDS_NAME.match(name)
    if said:
        return Subject(said[1], said[2] or "")
    return Subject(re.sub(r"[^A-Za-z0-9]", "", name) or short_hash(name))


def _description() -> dict[str, object]:
    return {
        "Name": "Gluteal muscles: labels, fat fraction and volume",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [
            {
                "Name": "grading",
                "Version": package_version("grading"),
                "Description": "Fat fraction, volume and stage of the gluteal muscles on hip MRI",
            }
        ],
    }


def _write_maps(report: StudyReport, subject: Subject, source: Path, root: Path) -> None:
    """The label map and fat map of one study, each with what it means; one that was deleted is left out."""
    folder = make_folder(root / subject.folder)
    labels = folder / f"{subject.stem}_desc-muscles_dseg"
    method = next((m.measurement.fat_method for m in report.muscles if m.measurement.fat_method), "t1")
    fat = folder / f"{subject.stem}_label-fat_desc-{method}_probseg"
    if _share(source / LABEL_MAP, labels.with_name(f"{labels.name}.nii.gz")):
        _write_json(
            labels.with_name(f"{labels.name}.json"),
            {
                "Description": f"Muscles and bones, drawn by {report.provenance.segmentation}",
                "Manual": is_users_own(report.provenance.segmentation),
                "SpatialReference": "orig",
            },
        )
        rows: list[dict[str, Cell]] = [
            {"index": n, "name": name} for n, name in sorted(_label_names().items())
        ]
        _write_table(labels.with_name(f"{labels.name}.tsv"), ["index", "name"], rows)
    if _share(source / "fat_fraction.nii.gz", fat.with_name(f"{fat.name}.nii.gz")):
        _write_json(
            fat.with_name(f"{fat.name}.json"),
            {
                "Description": "Share of fat in each voxel, 0 to 1 and by noise a little beyond: "
                f"{COLUMNS['fat_method'].levels[method]}",
                "SpatialReference": "orig",
            },
        )


def _label_names() -> dict[int, str]:
    """Name of each number that a label map may hold; a midline structure has one number and no side."""
    sided = {
        structure.label(side): f"{structure.name}_{side.value}"
        for structure in STRUCTURES.values()
        for side in SIDES
    }
    return sided | {s.left: s.name for s in STRUCTURES.values() if s.left == s.right}


def _write_measurements(reports: Sequence[StudyReport], subjects: Mapping[str, Subject], path: Path) -> None:
    """One row for each participant and session; a column for each number of each muscle, side and region."""
    rows: list[dict[str, Cell]] = []
    columns: dict[str, dict[str, object]] = {}
    for report in reports:
        subject = subjects[report.name]
        row: dict[str, Cell] = {"participant_id": f"sub-{subject.label}"}
        row |= {"session_id": f"ses-{subject.session}" if subject.session else None, "study": report.name}
        for measured in measurement_rows([report]):
            words = [str(measured["muscle"]), str(measured["side"]), str(measured["region"])]
            place = "_".join(word for word in words if word != Region.WHOLE)
            levelled = measured["muscle"] in LEVELS and measured["region"] == Region.WHOLE
            for measure in MEASURES:
                if measure == "level_csa_cm2" and not levelled:
                    continue
                row[f"{place}_{measure}"] = measured.get(measure)
                about = COLUMNS[measure].plain()
                columns[f"{place}_{measure}"] = {
                    **about,
                    "Description": f"{place.replace('_', ' ')}: {about['Description']}",
                }
        rows.append(row)
    keys = ["participant_id", "study"]
    if any(row["session_id"] for row in rows):
        keys.insert(1, "session_id")
    _write_table(path, [*keys, *columns], rows)
    about_keys = {key: _ABOUT_KEYS[key] for key in keys}
    _write_json(path.with_suffix(".json"), {**about_keys, **columns})


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> None:
    """A table as BIDS has it: tabs, n/a where nothing is known."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(name, row.get(name)) for name in columns] for row in rows)
    write_whole(path, text.getvalue().encode())


def _cell(column: str, value: Cell) -> str:
    if value is None or value == "":
        return "n/a"
    if isinstance(value, float):
        decimals = next((d for name, d in DECIMALS.items() if column.endswith(name)), 4)
        return f"{value:z.{decimals}f}"  # no "-0.0000"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    write_whole(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _share(source: Path, target: Path) -> bool:
    """The same file under a second name, without taking its room twice where the disk allows it.

    Returns:
        Whether there is such a file.
    """
    if not source.is_file():
        return False
    with writing(target):
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
    return True
