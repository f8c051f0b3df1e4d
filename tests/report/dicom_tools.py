"""Programs of others that judge DICOM objects: validators, an independent converter, an archive."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

ORTHANC_PLUGINS = "/usr/share/orthanc/plugins"  # where Debian puts them


def tool(name: str, package: str) -> str:
    """Path of a program; the test is skipped, saying what to install, where it is absent."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed ({package})")
    return found


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and keep what it said."""
    return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)  # noqa: S603


def dciodvfy_errors(path: Path) -> list[str]:
    """What dciodvfy calls an error; its warnings are of our own coding scheme and of absent dates."""
    said = run(tool("dciodvfy", "Debian package dicom3tools"), path)
    return [line for line in (said.stdout + said.stderr).splitlines() if line.startswith(("Error", "Abort"))]


def dsrdump_errors(path: Path) -> list[str]:
    """What DCMTK finds wrong with a structured report when it reads the whole content tree."""
    said = run(tool("dsrdump", "Debian package dcmtk"), "-v", path)
    lines = [line for line in said.stderr.splitlines() if line.startswith(("E:", "F:"))]
    return lines or ([] if said.returncode == 0 else [f"dsrdump ended with {said.returncode}"])


def dcmqi_segments(path: Path, folder: Path) -> list[tuple[dict[str, object], Path]]:
    """Each segment as dcmqi reads it: what it says of itself, and a NIfTI file with its mask."""
    program = tool("segimage2itkimage", "pip install dcmqi")
    done = run(
        program, "--inputDICOM", path, "--outputDirectory", folder, "--outputType", "nii", "--prefix", "s"
    )
    assert done.returncode == 0, done.stderr
    described = json.loads((folder / "s-meta.json").read_text())["segmentAttributes"]
    return [(item, folder / f"s-{item['labelID']}.nii.gz") for (item,) in described]


def dcmqi_report(path: Path, folder: Path) -> dict[str, object]:
    """A TID 1500 report as dcmqi reads it."""
    program = tool("tid1500reader", "pip install dcmqi")
    done = run(program, "--inputDICOM", path, "--outputMetadata", folder / "sr.json")
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "sr.json").read_text())


@contextmanager
def orthanc(folder: Path) -> Iterator["Archive"]:
    """An Orthanc archive with DICOMweb that only this machine can reach, for as long as the block lasts."""
    program = tool("Orthanc", "Debian packages orthanc and orthanc-dicomweb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "HttpPort": port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "Plugins": [ORTHANC_PLUGINS],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        server = subprocess.Popen([program, configuration], stdout=log, stderr=log)  # noqa: S603
        try:
            archive = Archive(f"http://127.0.0.1:{port}")
            archive.wait()
            yield archive
        finally:
            server.terminate()
            server.wait(30)


class Archive:
    """DICOMweb of an archive at `address`."""

    def __init__(self, address: str) -> None:
        self._root = f"{address}/dicom-web"

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self._ask(f"{self._root}/studies")
                return
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def store(self, files: Sequence[bytes]) -> None:
        """STOW-RS: store DICOM files."""
        boundary = uuid.uuid4().hex
        part = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = b"".join(part + file + b"\r\n" for file in files) + f"--{boundary}--\r\n".encode()
        kind = f'multipart/related; type="application/dicom"; boundary={boundary}'
        request = urllib.request.Request(  # noqa: S310 - our own machine
            f"{self._root}/studies",
            body,
            {"Content-Type": kind, "Accept": "application/dicom+json"},
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            stored = json.loads(answer.read())
        refused = stored.get("00081198", {}).get("Value", [])  # Failed SOP Sequence
        assert not refused, refused
        assert len(stored["00081199"]["Value"]) == len(files)  # Referenced SOP Sequence

    def fetch(self, study: str, series: str, instance: str) -> bytes:
        """WADO-RS: the file of one instance."""
        address = f"{self._root}/studies/{study}/series/{series}/instances/{instance}"
        content, kind = self._ask(address, 'multipart/related; type="application/dicom"')
        boundary = kind.split("boundary=")[1].split(";")[0].strip('"').encode()
        part = content.split(b"--" + boundary)[1]
        return part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")

    def series_of(self, study: str) -> set[str]:
        """QIDO-RS: modalities of a study's series."""
        content, _ = self._ask(f"{self._root}/studies/{study}/series")
        return {entry["00080060"]["Value"][0] for entry in json.loads(content)}

    def _ask(self, address: str, accept: str = "application/dicom+json") -> tuple[bytes, str]:
        request = urllib.request.Request(address, headers={"Accept": accept})  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.read(), answer.headers.get("Content-Type", "")
