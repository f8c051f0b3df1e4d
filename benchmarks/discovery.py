"""How long and in how much memory a tree of DICOM files is looked through, at two sizes.

    python -m benchmarks.discovery [--files 100000] [--slices 50]

Files hold a full MR header and a small image. The goal is 60 s for 100,000 files that the system has in
memory, and as many bytes a file at a tenth of that number.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from pydicom.uid import generate_uid

from benchmarks.markdown import table
from tests.io.dicom_factory import slices

SIDE = 16  # pixels


def make_tree(folder: Path, files: int, each: int) -> None:
    """Write `files` DICOM files as studies of `each` slices."""
    series = slices(np.ones((SIDE, SIDE, each), np.uint16))
    for study in range(files // each):
        place = folder / f"site{study % 10}" / f"case{study:05d}" / "t1_tse"
        place.mkdir(parents=True)
        uids = [generate_uid(entropy_srcs=[str(study), word]) for word in ("study", "series")]
        for number, instance in enumerate(series):
            instance.StudyInstanceUID, instance.SeriesInstanceUID = uids
            instance.SOPInstanceUID = generate_uid(entropy_srcs=[str(study), str(number)])
            instance.file_meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID
            instance.save_as(place / f"im{number:04d}.dcm", enforce_file_format=True)


def look(folder: Path) -> None:
    """Find the studies, and print seconds, how many, and peak memory (MB) before and after."""
    from grading.io.discover import discover

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    start = time.perf_counter()
    found = discover([folder])
    seconds = time.perf_counter() - start
    cpu = time.process_time()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(seconds, cpu, len(found), before, after)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--slices", type=int, default=50)
    parser.add_argument("--look", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.look:
        look(arguments.look)
        return
    rows = []
    for files in (arguments.files // 10, arguments.files):
        with tempfile.TemporaryDirectory() as folder:
            make_tree(Path(folder), files, arguments.slices)
            command = [sys.executable, "-m", "benchmarks.discovery", "--look", folder]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            seconds, cpu, studies, before, after = map(float, said)
            rows.append([files, int(studies), seconds, cpu, 1000 * (after - before) / files])
    heading = ["files", "studies", "s", "processor s", "kB a file"]
    print(table("Search for studies, files in the system's memory", heading, rows))


if __name__ == "__main__":
    main()
