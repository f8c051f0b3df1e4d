"""The results as a BIDS derivative data set."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from report_factory import absent, measured, report_of

from grading.anatomy import Muscle, Region, Side, label_of
from grading.io.nifti_write import write_nifti
from grading.report.bids import subjects_of, write_bids
from tests.hip_files import coronal_hips


@pytest.fixture(scope="module")
def studies(tmp_path_factory) -> Path:
    """Maps of two studies, as a run leaves them."""
    root = tmp_path_factory.mktemp("out") / "studies"
    volume, labels = coronal_hips()
    for name in ("limping_right", "sub-01_ses-02_T1w"):
        (root / name).mkdir(parents=True)
        write_nifti(labels.labels, volume, root / name / "segmentation.nii.gz")
        write_nifti(np.zeros(volume.geometry.shape, np.float32), volume, root / name / "fat_fraction.nii.gz")
    return root


@pytest.fixture(scope="module")
def data_set(studies) -> Path:
    rows = [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, fat=0.25), absent(Muscle.GLUTEUS_MEDIUS, Side.RIGHT)]
    reports = [report_of("limping_right", rows), report_of("sub-01_ses-02_T1w", rows)]
    return write_bids(reports, studies, studies.parent)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_maps_lie_under_bids_names_and_hold_the_same_bytes(studies, data_set):
    own = data_set / "sub-limpingright" / "anat"
    bids = data_set / "sub-01" / "ses-02" / "anat"
    for copy, source in (
        (own / "sub-limpingright_desc-muscles_dseg.nii.gz", "limping_right/segmentation.nii.gz"),
        (own / "sub-limpingright_label-fat_desc-t1_probseg.nii.gz", "limping_right/fat_fraction.nii.gz"),
        (bids / "sub-01_ses-02_desc-muscles_dseg.nii.gz", "sub-01_ses-02_T1w/segmentation.nii.gz"),
    ):
        assert copy.read_bytes() == (studies / source).read_bytes()


def test_the_lookup_table_names_every_number_of_the_label_map(data_set):
    names = {int(row["index"]): row["name"] for row in table(next(data_set.rglob("*_dseg.tsv")))}
    assert names[label_of(Muscle.GLUTEUS_MINIMUS, Side.LEFT)] == "gluteus_minimus_left"
    assert names[6160] == "sacrum"


def test_the_table_has_a_row_for_each_session_and_n_a_for_what_is_not_known(data_set):
    rows = table(data_set / "phenotype" / "gluteal_measurements.tsv")
    assert [(r["participant_id"], r["session_id"]) for r in rows] == [
        ("sub-limpingright", "n/a"),
        ("sub-01", "ses-02"),
    ]
    for row in rows:
        assert row["gluteus_medius_left_fat_fraction"] == "0.2500"
        assert row["gluteus_medius_right_fat_fraction"] == "n/a"
        assert row["gluteus_medius_right_gradable"] == "false"


def test_a_volume_has_its_error_and_a_fat_fraction_its_method_and_each_muscle_its_findings(data_set):
    for row in table(data_set / "phenotype" / "gluteal_measurements.tsv"):
        assert row["gluteus_medius_left_volume_se_ml"] == "1.00"
        assert row["gluteus_medius_left_fat_method"] == "t1"
        assert row["gluteus_medius_left_findings"] == "n/a"
        assert row["gluteus_medius_right_findings"] == "not_found"
        assert "" not in row.values()


def test_every_column_of_the_table_is_explained_with_its_unit(data_set):
    path = data_set / "phenotype" / "gluteal_measurements.tsv"
    told = json.loads(path.with_suffix(".json").read_text())
    assert list(told) == list(table(path)[0])
    assert told["gluteus_medius_left_volume_ml"]["Units"] == "mL"


def test_only_whole_maximus_and_medius_have_a_column_for_the_area_at_their_level(studies, tmp_path):
    rows = [measured(muscle, Side.LEFT, level_csa_cm2=15.0) for muscle in Muscle]
    rows.append(measured(Muscle.GLUTEUS_MAXIMUS, Side.LEFT, region=Region.UPPER))
    root = write_bids([report_of("limping_right", rows)], studies, tmp_path)
    (row,) = table(root / "phenotype" / "gluteal_measurements.tsv")
    assert {name: value for name, value in row.items() if "level_csa" in name} == {
        "gluteus_maximus_left_level_csa_cm2": "15.00",
        "gluteus_medius_left_level_csa_cm2": "15.00",
    }


def test_a_number_that_rounds_to_nothing_has_no_sign(studies, tmp_path):
    rows = [measured(Muscle.GLUTEUS_MEDIUS, Side.LEFT, fat=-0.00001)]
    root = write_bids([report_of("limping_right", rows)], studies, tmp_path)
    (row,) = table(root / "phenotype" / "gluteal_measurements.tsv")
    assert row["gluteus_medius_left_fat_fraction"] == "0.0000"


def test_names_that_would_meet_are_told_apart():
    subjects = subjects_of(["hip 1", "hip-1", "hip_2"])
    assert subjects["hip_2"].stem == "sub-hip2"
    assert len({s.stem.casefold() for s in subjects.values()}) == 3
    assert all(s.label.isalnum() for s in subjects.values())


def test_a_map_that_was_deleted_is_left_out_and_the_numbers_stay(studies, tmp_path):
    kept = tmp_path / "studies" / "limping_right"
    shutil.copytree(studies / "limping_right", kept)
    (kept / "fat_fraction.nii.gz").unlink()
    root = write_bids([report_of("limping_right")], kept.parent, tmp_path)
    anat = root / "sub-limpingright" / "anat"
    assert {path.name.split("_")[-1] for path in anat.iterdir()} == {"dseg.nii.gz", "dseg.json", "dseg.tsv"}
    assert len(table(root / "phenotype" / "gluteal_measurements.tsv")) == 1


def test_a_second_run_leaves_nothing_of_the_first(studies, data_set):
    assert (data_set / "sub-01").is_dir()
    only = write_bids([report_of("limping_right")], studies, studies.parent)
    assert not (only / "sub-01").exists()
    assert (studies / "sub-01_ses-02_T1w" / "segmentation.nii.gz").is_file()


@pytest.mark.slow
def test_the_bids_validator_finds_no_error(studies):
    program = shutil.which("bids-validator-deno")
    if program is None:
        pytest.skip("bids-validator-deno is not installed (pip install bids-validator-deno)")
    reports = [report_of("limping_right"), report_of("sub-01_ses-02_T1w")]
    root = write_bids(reports, studies, studies.parent)
    done = subprocess.run([program, "--json", root], capture_output=True, text=True, check=False)  # noqa: S603
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [issue for issue in issues if issue["severity"] == "error"] == []
    assert done.returncode == 0
