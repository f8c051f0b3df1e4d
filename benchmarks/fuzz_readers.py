"""Damaged DICOM and NIfTI files against the readers: each must be read or refused, soon and in little memory.

    python -m benchmarks.fuzz_readers [--cases 200000] [--first 0] [--seeds FOLDER ...] [--keep FOLDER]

Case n is the same file in every run with the same seeds: a seed file, damaged in one to eight places. It is
read in a forked process; what is not a GradingError, ends the process, takes more than 5 s of processor time
or more than 2 GB is printed and counted. Seeds: pydicom's own test files, small NIfTI files made here, and
any folders named (the odd DICOM files for development).
"""

import argparse
import gzip
import mmap
import os
import random
import resource
import signal
import struct
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom

from grading.errors import GradingError
from grading.io.dicom_headers import read_instance
from grading.io.dicom_pixels import decode
from grading.io.reading import read_one

LONGEST_CPU_S = 5.0
MOST_MEMORY = 2 * 10**9  # held; an element that claims 4 GB makes Python set aside addresses, not memory
MOST_CLAIMED = 3 * MOST_MEMORY
LARGEST_SEED = 200_000  # bytes; larger files hold more pixels, not more header
MOST_DAMAGES = 8
TELL_EVERY = 10_000  # cases
FRAMES_DECODED = 3
_STATE = struct.Struct("qd")  # number of the case in hand, processor time of its process when it began
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_TELLING = [0, 1, 2, 7, 8, 15, 16, 32, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]


def seeds(folders: list[Path]) -> list[tuple[str, bytes]]:
    """Name ending and content of each file to start from."""
    dicom = Path(pydicom.__file__).parent / "data" / "test_files"
    files = [path for folder in (dicom, *folders) for path in sorted(folder.rglob("*")) if path.is_file()]
    found = [
        (".nii" if path.name.endswith(".nii") else ".dcm", path.read_bytes())
        for path in files
        if path.stat().st_size <= LARGEST_SEED and path.suffix not in (".py", ".json", ".txt", ".gz", ".md")
    ]
    return found + [(ending, content) for content in _nifti() for ending in (".nii", ".nii.gz")]


def _nifti() -> list[bytes]:
    """Small NIfTI-1 and NIfTI-2 files of several types, either byte order, with and without extensions."""
    random_numbers = np.random.default_rng(0)
    images = []
    for kind in (nib.Nifti1Image, nib.Nifti2Image):
        for dtype in (np.uint8, np.int16, np.float32, np.float64):
            voxels = (100 * random_numbers.random((12, 10, 8))).astype(dtype)
            image = kind(voxels, np.diag([2.0, 2.0, 4.0, 1.0]))
            image.set_qform(image.affine, 1)
            image.header.set_slope_inter(2.0, 1.0)
            image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"a comment"))
            images.append(image.to_bytes())
    return images


def damaged(number: int, originals: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Case `number`: name ending and content of a file."""
    chance = random.Random(number)  # noqa: S311 - a stream of cases, no secret
    ending, original = chance.choice(originals)
    content = bytearray(original)
    for _ in range(chance.randint(1, MOST_DAMAGES)):
        if content:
            chance.choice(_DAMAGES)(content, chance, originals)
    if ending == ".nii.gz":
        packed = bytearray(gzip.compress(bytes(content), 1, mtime=0))
        if chance.random() < 0.2:
            _flip(packed, chance, originals)
        return ending, bytes(packed)
    return ending, bytes(content)


def _place(content: bytearray, chance: random.Random) -> int:
    """A place to damage: the header more often than its share."""
    return chance.randrange(min(len(content), chance.choice((64, 400, 2000, len(content)))))


def _flip(content: bytearray, chance: random.Random, _: object) -> None:
    content[_place(content, chance)] ^= 1 << chance.randrange(8)


def _number(content: bytearray, chance: random.Random, _: object) -> None:
    size, order = chance.choice((1, 2, 4)), chance.choice(("<", ">"))
    value = chance.choice(_TELLING) & ((1 << 8 * size) - 1)
    packed = struct.pack(order + {1: "B", 2: "H", 4: "I"}[size], value)
    place = _place(content, chance)
    content[place : place + size] = packed


def _cut(content: bytearray, chance: random.Random, _: object) -> None:
    del content[chance.randrange(len(content)) :]


def _drop(content: bytearray, chance: random.Random, _: object) -> None:
    place = _place(content, chance)
    del content[place : place + chance.randint(1, 64)]


def _double(content: bytearray, chance: random.Random, _: object) -> None:
    place, size = _place(content, chance), chance.randint(1, 400)
    content[place:place] = content[place : place + size]


def _zero(content: bytearray, chance: random.Random, _: object) -> None:
    place, size = _place(content, chance), chance.randint(1, 64)
    content[place : place + size] = bytes(len(content[place : place + size]))


def _splice(content: bytearray, chance: random.Random, originals: list[tuple[str, bytes]]) -> None:
    other = chance.choice(originals)[1]
    start = chance.randrange(len(other) or 1)
    place = _place(content, chance)
    content[place : place + 200] = other[start : start + 200]


_DAMAGES: tuple[Callable[[bytearray, random.Random, list[tuple[str, bytes]]], None], ...] = (
    *(_flip, _flip, _flip, _number, _number, _number, _cut, _drop, _double, _zero, _splice),
)


def outcome(path: Path) -> str:
    """What reading one file came to: "read", "refused", or what went wrong and where.

    DICOM pixels are decoded on their own as well: damage to the geometry would otherwise keep most files from
    ever reaching a decoder.
    """
    results = [_of(read, path) for read in (_pixels, _image)]
    return max(results, key=lambda how: (how not in ("read", "refused"), how == "read"))


def _image(path: Path) -> None:
    read_one(path, None)


def _pixels(path: Path) -> None:
    instance = read_instance(path) if path.suffix == ".dcm" else None
    for _ in decode(instance.frames[:FRAMES_DECODED], "fuzz") if instance else ():
        pass


def _of(read: Callable[[Path], None], path: Path) -> str:
    try:
        read(path)
    except GradingError as error:
        return "over 2 GB" if "MemoryError" in str(error) else "refused"
    except MemoryError:
        return "over 2 GB"
    except Exception as error:  # what is looked for
        where = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in where if "/grading/" in frame.filename] or where
        return f"{type(error).__name__} at {Path(ours[-1].filename).name} line {ours[-1].lineno}"
    return "read"


def _serve(first: int, stop: int, originals: list[tuple[str, bytes]], state: mmap.mmap, answers: int) -> None:
    """In a process of its own: read case after case, and say what each came to."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.dup2(nowhere, 1)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_CLAIMED, MOST_CLAIMED))
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108
        for number in range(first, stop):
            ending, content = damaged(number, originals)
            path = Path(folder) / f"case{ending}"
            path.write_bytes(content)
            state[: _STATE.size] = _STATE.pack(number, time.process_time())
            how = outcome(path)
            path.unlink()
            held = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            os.write(answers, f"{number} {how if held < MOST_MEMORY else 'over 2 GB'}\n".encode())
            if held > MOST_MEMORY:
                return  # the peak would be counted again for the next case


def run(first: int, stop: int, originals: list[tuple[str, bytes]]) -> tuple[Counter[str], dict[int, str]]:
    """Read all cases; returns how many came to what, and the finds by number."""
    counts: Counter[str] = Counter()
    finds: dict[int, str] = {}
    state = mmap.mmap(-1, _STATE.size)
    while first < stop:
        reading, writing = os.pipe()
        state[: _STATE.size] = _STATE.pack(first, 0.0)
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                _serve(first, stop, originals, state, writing)
            finally:
                os._exit(0)
        os.close(writing)
        os.set_blocking(reading, False)
        how = _watch(child, state, reading, counts, finds)
        os.close(reading)
        number = _STATE.unpack(state[: _STATE.size])[0]
        if how:
            counts[how] += 1
            finds[number] = how
            print(f"case {number}: {how}", flush=True)
        first = number + 1
    return counts, finds


def _watch(child: int, state: mmap.mmap, reading: int, counts: Counter[str], finds: dict[int, str]) -> str:
    """Count answers until the process ends; returns why it ended, "" when its work was done."""
    text = b""
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        try:
            text += os.read(reading, 1 << 16)
        except BlockingIOError:
            time.sleep(0.2)
        *lines, text = text.split(b"\n")
        for line in lines:
            number, how = line.decode().split(" ", 1)
            counts[how] += 1
            if counts.total() % TELL_EVERY == 0:
                print(f"{counts.total()} cases", flush=True)
            if how not in ("read", "refused"):
                finds[int(number)] = how
                print(f"case {number}: {how}", flush=True)
        if ended:
            return f"killed by {signal.Signals(status).name}" if os.WIFSIGNALED(status) else ""
        if _cpu_s(child) - _STATE.unpack(state[: _STATE.size])[1] > LONGEST_CPU_S:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"over {LONGEST_CPU_S:g} s"


def _cpu_s(process: int) -> float:
    """Processor time that a process has had."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def main() -> None:
    """Run the cases and print what they came to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=200_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seeds", type=Path, nargs="*", default=[])
    parser.add_argument("--keep", type=Path, help="folder to write the files of the finds into")
    arguments = parser.parse_args()
    originals = seeds(arguments.seeds)
    start = time.perf_counter()
    counts, finds = run(arguments.first, arguments.first + arguments.cases, originals)
    for number, how in finds.items():
        if arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            ending, content = damaged(number, originals)
            (arguments.keep / f"{number}{ending}").write_bytes(content)
            print(f"kept {number}{ending}: {how}")
    print(f"{sum(counts.values())} cases from {len(originals)} seeds in {time.perf_counter() - start:.0f} s")
    for how, count in counts.most_common():
        print(f"{count:8d} {how}")


if __name__ == "__main__":
    main()
