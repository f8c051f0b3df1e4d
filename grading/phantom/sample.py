"""The sample study: a made-up person who has limped on the right for years, as DICOM and as NIfTI."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grading.io.nifti_write import write_nifti
from grading.phantom.acquire import Acquisition, acquire
from grading.phantom.build import build_phantom
from grading.phantom.dicom_series import SeriesHeader, write_dicom
from grading.phantom.parameters import MuscleState, PhantomParameters, SideParameters
from grading.phantom.protocol import Protocol

STUDY = "limping_right"
SPACING_MM = 1.5
_STORED_PER_UNIT = 0.17  # noise still spans several steps; finer ones would only fill the disk

LEFT = SideParameters(
    maximus=MuscleState(fat_fraction=0.07, patchiness=0.3),
    medius=MuscleState(fat_fraction=0.04, patchiness=0.3),
    minimus=MuscleState(fat_fraction=0.08, posterior_fat=-0.7),  # fat in front is common without symptoms
    tfl=MuscleState(fat_fraction=0.03),
    other_fat_fraction=0.05,
    texture_seed=11,
)
RIGHT = SideParameters(
    maximus=MuscleState(volume_scale=0.90, fat_fraction=0.16, patchiness=0.5),
    medius=MuscleState(volume_scale=0.72, fat_fraction=0.38, posterior_fat=0.25, patchiness=0.5),
    minimus=MuscleState(volume_scale=0.62, fat_fraction=0.62, posterior_fat=0.6, patchiness=0.4),
    tfl=MuscleState(volume_scale=1.15, fat_fraction=0.03),  # it takes over part of the lost abduction
    other_fat_fraction=0.06,
    texture_seed=23,
)
PERSON = PhantomParameters(
    subcutaneous_mm=19.0, pelvic_tilt_deg=3.0, warp_mm=2.0, warp_seed=4, left=LEFT, right=RIGHT
)
PROTOCOL = Protocol(
    plane="coronal", in_plane_mm=1.0, slice_mm=5.0, fov_mm=(348.0, 300.0), slices=36,
    centre_mm=(0.0, -20.0, 10.0), snr=28.0, bias=0.18, seed=3,
)  # fmt: skip

_README = """# Sample study

A made-up person: every voxel is computed by `grading/phantom`, no patient was scanned. It shows the pelvis
of someone who has limped on the right for years: right gluteus medius and minimus are small and fatty,
maximus mildly so, the right tensor fasciae latae has grown; the left side is healthy.

- `dicom/limping_right/`: coronal T1 spin echo of both hips, {slices} slices of {slice_mm:g} mm with
  {pixel:g} mm pixels, one DICOM file (RLE) a slice.
- `nifti/limping_right.nii.gz`, `.json`: the same image as NIfTI, with scan parameters as in BIDS.
- `truth.csv`: what is true of it, per muscle and side.
- `truth/limping_right_dseg.nii.gz`: true label of each voxel, numbered as in `segmentation.nii.gz`.

In `truth.csv`, `volume_ml` and `fat_fraction` (0-1) are those of the phantom at {spacing:g} mm, before any
image was made; `coverage` is the share of the muscle within the field of view; `volume_on_grid_ml` and
`fat_fraction_on_grid` are what the true labels hold on the image's own thick slices, where fat beside a
muscle enters its border voxels.

`grading sample OUT` writes these files anew. Grade them with `grading run sample_data/dicom -o OUT`.
"""


def sample_acquisition() -> tuple[Acquisition, npt.NDArray[np.uint16]]:
    """The sample's scan, and its voxels as stored: uint16, canonical axes."""
    scan = acquire(build_phantom(PERSON, SPACING_MM), PROTOCOL)
    stored = np.clip(np.rint(scan.volume.voxels * _STORED_PER_UNIT), 0, 4095).astype(np.uint16)
    return scan, stored


def write_sample(out: Path, progress: Callable[[str], None] | None = None) -> None:
    """Write the sample study: `dicom/`, `nifti/`, `truth.csv`, `truth/`, `README.md`.

    The same version of the program writes the same pixels and numbers every time.

    Args:
        out: existing folder; files of the same name are replaced.
        progress: told what is being done, in words.
    """
    say = progress if progress is not None else _silent
    say("building and scanning the phantom")
    scan, stored = sample_acquisition()
    folders = {name: out / name for name in (f"dicom/{STUDY}", "nifti", "truth")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    say("writing DICOM")
    write_dicom(stored, scan.volume.geometry, PROTOCOL, SeriesHeader(STUDY), folders[f"dicom/{STUDY}"])
    say("writing NIfTI and truth")
    write_nifti(stored, scan.volume, folders["nifti"] / f"{STUDY}.nii.gz")
    (folders["nifti"] / f"{STUDY}.json").write_text(json.dumps(_sidecar(), indent=2) + "\n", encoding="utf-8")
    write_nifti(scan.labels, scan.volume, folders["truth"] / f"{STUDY}_dseg.nii.gz")
    scan.truth.to_csv(out / "truth.csv", index=False, float_format="%.4f", lineterminator="\n")
    text = _README.format(
        slices=PROTOCOL.slices, slice_mm=PROTOCOL.slice_mm, pixel=PROTOCOL.in_plane_mm, spacing=SPACING_MM
    )
    (out / "README.md").write_text(text, encoding="utf-8")


def _silent(_: str) -> None:
    pass


def _sidecar() -> dict[str, str | float | list[str]]:
    """Scan parameters under BIDS' names; times in seconds."""
    header = SeriesHeader(STUDY)
    return {
        "Modality": "MR",
        "Manufacturer": "Digital phantom",
        "ManufacturersModelName": "grading.phantom",
        "BodyPartExamined": "PELVIS",
        "SeriesDescription": header.description,
        "ProtocolName": header.description,
        "ScanningSequence": "SE",
        "SequenceVariant": "SK",
        "SequenceName": header.sequence_name,
        "MRAcquisitionType": "2D",
        "PulseSequenceType": "TSE",
        "MagneticFieldStrength": PROTOCOL.field_strength_t,
        "RepetitionTime": PROTOCOL.tr_ms / 1000,
        "EchoTime": PROTOCOL.te_ms / 1000,
        "SliceThickness": PROTOCOL.slice_mm,
        "SpacingBetweenSlices": PROTOCOL.slice_mm + PROTOCOL.gap_mm,
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
    }
