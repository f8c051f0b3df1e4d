"""What a study costs: seconds and peak memory end to end in a fresh process, start-up times, install size.

    python -m benchmarks.study_cost [STUDY ...] [--install]

Without arguments: the sample study, and the real pelvis studies where they are at hand.
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from benchmarks.markdown import table

REPOSITORY = Path(__file__).resolve().parents[1]
REAL_STUDIES = (
    Path(os.environ.get("GRADING_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    / "mri"
    / "pelvis_t1_coronal"
)
LIMITS = {"seconds": 15, "peak MB": 1500, "import s": 0.5, "help s": 0.7, "install MB": 400, "install s": 120}
REPEATS = 5  # of start-up times: the fastest run is the one least disturbed by other processes


def run_measured(command: list[str]) -> tuple[float, float, int]:
    """Wall-clock seconds, peak resident memory (MB) and exit code of a command in its own process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=REPOSITORY)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    return seconds, usage.ru_maxrss / 1000, os.waitstatus_to_exitcode(status)


def table_rows(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file; none where there is no such file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def study_rows(studies: list[Path]) -> list[list[object]]:
    """One row per study: the whole command, from DICOM to tables and picture, first study of its process."""
    rows: list[list[object]] = []
    for study in studies:
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-m", "grading", "run", str(study), "-o", out]
            seconds, peak_mb, code = run_measured(command)
            gradable = sum(row["gradable"] == "true" for row in table_rows(Path(out) / "measurements.csv"))
            for row in table_rows(Path(out) / "studies.csv"):  # a grading process may end unwaited for
                peak_mb = max(peak_mb, float(row["peak_memory_mb"] or 0))
        rows.append(["/".join(study.parts[-2:]), seconds, peak_mb, code, gradable])
    return rows


def start_up_rows() -> list[list[object]]:
    """Fastest of several starts, interpreter included."""
    commands = {
        "python -c pass": ["-c", "pass"],
        "import grading": ["-c", "import grading"],
        "grading --help": ["-m", "grading", "--help"],
    }
    return [
        [name, min(run_measured([sys.executable, *arguments])[0] for _ in range(REPEATS))]
        for name, arguments in commands.items()
    ]


def install_rows() -> list[list[object]]:
    """Seconds to install the core, size without byte code, and what each distribution takes of it."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        shipped = ("grading", "pyproject.toml", "README.md", "LICENSE")
        source = Path(folder) / "source"
        for name in shipped:  # a copy, so that building leaves nothing in the checkout
            origin = REPOSITORY / name
            if origin.is_dir():
                shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                source.mkdir(exist_ok=True)
                shutil.copy(origin, source / name)
        seconds, _, code = run_measured([str(python), "-m", "pip", "install", "--no-compile", str(source)])
        listing = subprocess.run(
            [str(python), "-c", _SIZES], capture_output=True, text=True, check=True
        ).stdout
    sizes = [line.split() for line in listing.splitlines()]
    total = sum(float(size) for _, size in sizes)
    rows: list[list[object]] = [["seconds", seconds], ["exit code", code], ["total MB", total]]
    return rows + [[name, float(size)] for name, size in sizes if float(size) >= 1]


_SIZES = """
import importlib.metadata
sizes = {
    d.name: sum(
        f.locate().stat().st_size for f in d.files or [] if f.suffix != ".pyc" and f.locate().is_file()
    )
    for d in importlib.metadata.distributions() if d.name not in ("pip", "setuptools")
}
for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
    print(name, size / 1e6)
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", nargs="*", type=Path)
    parser.add_argument(
        "--install", action="store_true", help="also install into a fresh virtual environment"
    )
    arguments = parser.parse_args()
    studies = arguments.studies
    if not studies:
        studies = [REPOSITORY / "sample_data" / "dicom"]
        studies += sorted(path for path in REAL_STUDIES.glob("*") if path.is_dir())
    print(f"Limits: {', '.join(f'{name} {limit}' for name, limit in LIMITS.items())}\n")
    print(table("Start", ["command", "s"], start_up_rows()))
    heading = ["study", "s", "peak MB", "exit code", "gradable rows"]
    print(table("Studies, each in a fresh process", heading, study_rows(studies)))
    if arguments.install:
        print(table("Install without byte code", ["distribution", "MB"], install_rows()))


if __name__ == "__main__":
    main()
