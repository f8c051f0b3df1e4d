"""The README says what is true: its commands are what continuous integration runs, its names exist."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from grading.anatomy import Muscle, Region, Side, label_of
from grading.findings import FINDINGS
from grading.report.tables import ASYMMETRY_COLUMNS, MEASUREMENT_COLUMNS
from grading.segment.schemes import load_schemes


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def blocks(readme: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", readme, flags=re.DOTALL)


def test_there_is_one_command_for_the_main_job_and_one_for_the_tests(readme):
    commands = [block.strip() for block in blocks(readme, "bash") if block.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[0].endswith("grading run sample_data/dicom -o out")
    assert commands[1].endswith("pytest -n 2")


def test_continuous_integration_runs_the_readmes_own_test_command(repository, readme):
    script = (repository / ".ci" / "run").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"grep -m 1 '(.*)' README.md", script)
    (command,) = re.findall(pattern, readme, flags=re.MULTILINE)
    assert command == blocks(readme, "bash")[1].strip()
    subprocess.run(["bash", "-n", repository / ".ci" / "run"], check=True)  # noqa: S603, S607


def test_the_columns_that_the_affected_side_fills_are_named_beside_its_option(readme):
    (line,) = [line for line in readme.splitlines() if line.startswith("| `--affected")]
    filled = {column for column in ASYMMETRY_COLUMNS if column.startswith("affected_")}
    assert set(re.findall(r"`(affected_\w+)`", line)) == filled


def test_every_finding_that_the_readme_explains_exists(readme):
    section = readme.split("Findings you will meet")[1].split("Every code")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("|")]
    named = {code for cell in rows for code in re.findall(r"`(\w+)`", cell)}
    assert len(named) > 5
    assert named <= FINDINGS.keys()


def test_every_column_that_the_readme_explains_exists(readme):
    section = readme.split("## Reading the tables")[1].split("Findings you will meet")[0]
    columns = {*MEASUREMENT_COLUMNS, *ASYMMETRY_COLUMNS, *Region, "t1", "dixon"}
    named = set(re.findall(r"`([a-z]\w*)`", section))
    assert len(named) > 15
    assert named <= columns


def test_the_readmes_label_scheme_is_a_label_scheme(readme, tmp_path):
    (example,) = blocks(readme, "json")
    file = tmp_path / "scheme.json"
    file.write_text(example)
    (scheme,) = load_schemes(str(file))
    assert scheme.labels[2] == label_of(Muscle.GLUTEUS_MAXIMUS, Side.RIGHT)
    assert set(scheme.labels) == {int(number) for number in json.loads(example)}


@pytest.mark.slow
def test_the_readmes_python_runs_as_it_stands(repository, readme, tmp_path, monkeypatch):
    (example,) = blocks(readme, "python")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sample_data").symlink_to(repository / "sample_data")
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own words
    assert (tmp_path / "out" / "measurements.csv").is_file()
