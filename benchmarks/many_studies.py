"""A run over many studies: complete, the same as a serial one, light, and undisturbed by kills.

    python -m benchmarks.many_studies complete [--studies 1000]   # 2 workers against 1, overhead, memory
    python -m benchmarks.many_studies kills [--studies 200] [--kills 50]
    python -m benchmarks.many_studies cluster [--studies 40]      # one of two Dask workers killed midway
    python -m benchmarks.many_studies speed [--studies 8]         # 2 workers against 1, with the network

Studies are coarse ellipsoid hips with their label maps, each with its own noise; for `speed` they are whole
phantoms. Every command prints one table and fails where a claim does not hold.
"""

import argparse
import csv
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np

from benchmarks.markdown import table
from grading.batch import grade_folder
from grading.batch.progress import Watcher
from grading.report.entry import Entry
from grading.settings import Settings
from tests.ellipsoid_hip import grid, hips

SPACING_MM = (6.0, 8.0, 6.0)
CHANGING = {"seconds", "peak_memory_mb"}  # columns of studies.csv that differ from run to run
FIRST_LOOK, LONGEST_RUN_S = 100, 3600


def make(folder: Path, studies: int) -> tuple[Path, Path]:
    """Write images and label maps; returns both folders."""
    for number in range(studies):
        volume, labels = hips(0.05 + 0.5 * (number % 10) / 10, geometry=grid(SPACING_MM), seed=number)
        for name, array in (("imaging", volume.voxels.astype(np.int16)), ("masks", labels.labels)):
            image = nib.Nifti1Image(array, volume.geometry.affine)
            image.set_sform(image.affine, 1)
            (folder / name).mkdir(exist_ok=True)
            ending = "" if name == "imaging" else "_seg"
            image.to_filename(folder / name / f"s{number:05d}_t1{ending}.nii.gz")
    return folder / "imaging", folder / "masks"


def tables(out: Path) -> dict[str, object]:
    """The tables without what differs from run to run."""
    with (out / "studies.csv").open(encoding="utf-8", newline="") as file:
        rows = [{k: v for k, v in row.items() if k not in CHANGING} for row in csv.DictReader(file)]
    return {"studies": rows, **{n: (out / f"{n}.csv").read_bytes() for n in ("measurements", "asymmetry")}}


def statuses(out: Path) -> Counter[str]:
    """How many studies have which status."""
    with (out / "studies.csv").open(encoding="utf-8", newline="") as file:
        return Counter(row["status"] for row in csv.DictReader(file))


def work_s(out: Path) -> float:
    """Seconds that the steps of all studies took, MB of memory aside."""
    with (out / "studies.csv").open(encoding="utf-8", newline="") as file:
        return sum(float(row["seconds"]) for row in csv.DictReader(file))


class Memory(Watcher):
    """Notes what this process holds after the 100th and the last study, MB."""

    def __init__(self) -> None:
        self.studies, self.first, self.last = 0, 0.0, 0.0

    def done(self, entry: Entry) -> None:  # noqa: ARG002
        """Look at the memory."""
        self.studies += 1
        self.last = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        if self.studies <= FIRST_LOOK:
            self.first = self.last


def complete(folder: Path, studies: int) -> None:
    """All studies in two processes and in one."""
    imaging, masks = make(folder, studies)
    rows = []
    for workers in (2, 1):
        out, memory, start = folder / f"out{workers}", Memory(), time.perf_counter()
        settings = Settings(segmenter="masks", masks=masks)
        results = grade_folder(imaging, out, workers=workers, settings=settings, progress=memory)
        seconds = time.perf_counter() - start
        overhead = 100 * (seconds * workers / work_s(out) - 1)
        rows.append(
            [workers, len(results), dict(statuses(out)), seconds, overhead, memory.last - memory.first]
        )
    heading = ["workers", "results", "statuses", "s", "beyond the studies' own work %", "growth MB"]
    print(table(f"{studies} studies; growth of the parent from study {FIRST_LOOK} on", heading, rows))
    assert statuses(folder / "out2") == {"graded": studies}
    assert tables(folder / "out2") == tables(folder / "out1"), "tables differ"
    print("tables of 2 workers and 1 are equal byte for byte (seconds and memory of studies.csv aside)")


def command(imaging: Path, masks: Path, out: Path, *more: str) -> list[str]:
    """The command line of a run."""
    words = ["run", str(imaging), "-o", str(out), "--masks", str(masks), "--quiet", *more]
    return [sys.executable, "-m", "grading", *words]


def children(process: int) -> list[int]:
    """Processes started by a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:  # it ended meanwhile
            continue
        if parent == process:
            found.append(int(stat.parent.name))
    return found


def kills(folder: Path, studies: int, wanted: int) -> None:
    """Kill a run or one of its workers at random, again and again, then let it finish."""
    imaging, masks = make(folder, studies)
    subprocess.run(command(imaging, masks, folder / "calm", "--workers", "2"), check=True)
    chance, out, killed = random.Random(0), folder / "out", Counter[str]()  # noqa: S311
    while killed.total() < wanted:
        done = (out / "studies.csv").exists() and statuses(out) == {"graded": studies}
        force = ["--force"] if done else []  # so that kills go on where the work was done before they were
        process = subprocess.Popen(command(imaging, masks, out, "--workers", "2", *force))
        while process.poll() is None and killed.total() < wanted:
            while chance.random() < 0.999 and process.poll() is None and not children(process.pid):
                time.sleep(0.1)  # mostly while studies are in hand, now and then during the search
            time.sleep(chance.uniform(0.0, 6.0))
            workers = children(process.pid)
            if workers and chance.random() < 0.5:
                _kill(chance.choice(workers))
                killed["worker"] += 1
            elif process.poll() is None:
                _kill(process.pid)
                process.wait()
                killed["run"] += 1
        process.wait()
    subprocess.run(command(imaging, masks, out, "--workers", "2"), check=True, timeout=LONGEST_RUN_S)
    found, same = statuses(out), tables(out) == tables(folder / "calm")
    corrupt, left = _corrupt(out), [p.name for p in out.rglob(".*")]
    rows = [[killed["run"], killed["worker"], dict(found), same, corrupt, left]]
    heading = [
        "runs killed",
        "workers killed",
        "statuses after",
        "tables as undisturbed",
        "corrupt",
        "left over",
    ]
    print(table(f"{studies} studies", heading, rows))
    assert found == {"graded": studies}
    assert same
    assert not corrupt
    assert not left


def _kill(process: int) -> None:
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return


def _corrupt(out: Path) -> list[str]:
    """Output files that are not whole."""
    bad = []
    for path in (p for p in out.rglob("*") if p.is_file()):
        content = path.read_bytes()
        ends = {".png": b"IEND\xaeB`\x82", ".html": b"</html>"}.get(path.suffix, b"")
        try:
            if path.suffix == ".json":
                json.loads(content)
            elif path.suffix == ".gz":
                gzip.decompress(content)
            elif not content.rstrip(b"\n").endswith(ends):
                bad.append(path.name)
        except (ValueError, EOFError, OSError):
            bad.append(path.name)
    return bad


def cluster(folder: Path, studies: int) -> None:
    """A Dask cluster of two workers, one of which is killed midway."""
    imaging, masks = make(folder, studies)
    dask = [sys.executable, "-m"]
    scheduler = subprocess.Popen(
        [*dask, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "8799", "--no-dashboard"],
        stderr=subprocess.DEVNULL,
    )
    workers = [
        subprocess.Popen(
            [
                *dask, "distributed.cli.dask_worker", "tcp://127.0.0.1:8799", "--nthreads", "1",
                "--no-nanny", "--no-dashboard", "--local-directory", str(folder / "dask"),
            ],
            stderr=subprocess.DEVNULL,
        )
        for _ in range(2)
    ]  # fmt: skip
    out = folder / "out"
    try:
        run = subprocess.Popen(command(imaging, masks, out, "--cluster", "tcp://127.0.0.1:8799"))
        while run.poll() is None and _graded(out) < studies // 3:
            time.sleep(0.5)
        before = _graded(out)
        _kill(workers[0].pid)
        code = run.wait(timeout=LONGEST_RUN_S)
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()
    rows = [[before, code, dict(statuses(out))]]
    print(
        table(
            f"{studies} studies, one of two workers killed", ["graded by then", "exit code", "statuses"], rows
        )
    )
    assert statuses(out) == {"graded": studies}


def _graded(out: Path) -> int:
    return len(list(out.glob("studies/*/report.json")))


def speed(folder: Path, studies: int) -> None:
    """The bundled network on whole phantoms in one and in two processes."""
    sample = Path(__file__).resolve().parents[1] / "sample_data" / "nifti"
    (image,) = [
        path for path in sample.glob("*.nii.gz") if "seg" not in path.name and "label" not in path.name
    ]
    imaging = folder / "imaging"
    imaging.mkdir()
    for number in range(studies):
        (imaging / f"s{number:03d}_t1.nii.gz").write_bytes(image.read_bytes())
    seconds = {}
    for workers in (1, 2):
        start = time.perf_counter()
        grade_folder(imaging, folder / f"out{workers}", workers=workers, progress=False)
        seconds[workers] = time.perf_counter() - start
    rows = [[studies, seconds[1], seconds[2], seconds[1] / seconds[2]]]
    print(table("With the network", ["studies", "1 worker s", "2 workers s", "speed-up"], rows))


def main() -> None:
    """Run one of the benchmarks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("complete", "kills", "cluster", "speed"))
    parser.add_argument("--studies", type=int)
    parser.add_argument("--kills", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if arguments.what == "complete":
            complete(place, arguments.studies or 1000)
        elif arguments.what == "kills":
            kills(place, arguments.studies or 200, arguments.kills)
        elif arguments.what == "cluster":
            cluster(place, arguments.studies or 40)
        else:
            speed(place, arguments.studies or 8)


if __name__ == "__main__":
    main()
