"""What other people's programs say of the SEG and SR objects: two validators, a converter, an archive."""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from ellipsoid_hip import grid, hips

from grading.anatomy import SIDES, Muscle, label_of
from grading.io.discover import discover, load
from grading.report.dicom_objects import SEG_FILE, SR_FILE, write_dicom
from grading.report.study_report import StudyReport
from grading.settings import Settings
from grading.study import grade_study
from grading.terminology import FAT_FRACTION, MUSCLE_CODES
from grading.terminology import SIDES as SIDE_CODES
from grading.volume import Segmentation
from tests.io.dicom_factory import AXIAL, CORONAL, enhanced, save, slices, uid
from tests.report.dicom_decode import labels_of
from tests.report.dicom_tools import (
    dciodvfy_errors,
    dcmqi_report,
    dcmqi_segments,
    dsrdump_errors,
    orthanc,
)

pytest.importorskip("highdicom", reason="DICOM output needs the extra: pip install 'grading[dicom]'")
pytestmark = pytest.mark.slow

COARSE_MM = {"coronal": (3.0, 6.0, 3.0), "axial": (3.0, 3.0, 6.0), "enhanced": (3.0, 3.0, 6.0)}
PELVES = ("01", "02", "04", "06", "07", "08", "10", "12", "13", "18")
STUDIES = [
    *COARSE_MM,
    "sample",
    *(pytest.param(f"pelvis{number}", marks=pytest.mark.real_data) for number in PELVES),
]


@dataclass(frozen=True)
class Written:
    """A report, and the folder that holds its DICOM objects."""

    report: StudyReport
    folder: Path
    images: tuple[Path, ...]

    @property
    def muscles(self) -> np.ndarray:
        """The labels that are muscles, on the image's grid."""
        labels = self.report.images.segmentation.labels
        return np.where(np.isin(labels, [label_of(m, s) for m in Muscle for s in SIDES]), labels, 0)


@pytest.fixture(scope="module", params=STUDIES)
def written(request, tmp_path_factory) -> Written:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param in COARSE_MM:
        report, images = ellipsoids(request.param, folder)
    elif request.param == "sample":
        root = request.getfixturevalue("repository") / "sample_data"
        report, images = masked(root / "dicom", root / "truth" / "limping_right_dseg.nii.gz")
    else:
        study = request.getfixturevalue("real_data") / "mri" / "pelvis_t1_coronal" / request.param
        report, images = masked(study, study / "reader_labels.nii.gz")
    write_dicom(report, folder)
    return Written(report, folder, images)


def ellipsoids(plane: str, folder: Path) -> tuple[StudyReport, tuple[Path, ...]]:
    """Hips of ellipsoids, stored in one plane, graded by their true labels."""
    axis = 1 if plane == "coronal" else 2
    volume, labels = hips(0.3, geometry=grid(COARSE_MM[plane]), slice_axis=axis)
    stored = np.round(volume.voxels[::-1, ::-1]).astype(np.uint16)  # columns run to the left, rows backwards
    first = [*(n - 1 for n in volume.geometry.shape[:2]), 0, 1]
    orientation = AXIAL
    if plane == "coronal":  # rows run downwards and slices backwards
        stored, orientation = stored[:, :, ::-1].transpose(0, 2, 1), CORONAL
        first[2] = volume.geometry.shape[2] - 1
    x, y, z = volume.geometry.affine[:3] @ first
    spacing = COARSE_MM[plane]
    where = {
        "orientation": orientation,
        "origin": (-x, -y, z),
        "pixel_spacing": (spacing[2 if axis == 1 else 1], spacing[0]),
        "step_mm": spacing[axis],
    }
    if plane == "enhanced":
        instances = [enhanced(stored, **where)]
        instances[0].FrameOfReferenceUID = uid("frame")
    else:
        instances = slices(stored, **where, FrameOfReferenceUID=uid("frame"))
    (study,) = discover([save(instances, folder / "dicom")])
    read = load(study.chosen[0])
    assert read.geometry.same_grid(volume.geometry)
    segmentation = Segmentation(labels.labels, read.geometry, labels.confidence, labels.method)
    return grade_study(study, segmentation=segmentation), study.chosen[0].files


def masked(images: Path, labels: Path) -> tuple[StudyReport, tuple[Path, ...]]:
    """A study graded by label maps."""
    (study,) = discover([images])
    return grade_study(study, settings=Settings(masks=labels)), study.chosen[0].files


def test_two_validators_find_no_error(written):
    assert dciodvfy_errors(written.folder / SEG_FILE) == []
    assert dciodvfy_errors(written.folder / SR_FILE) == []
    assert dsrdump_errors(written.folder / SR_FILE) == []


def test_a_reader_of_bits_and_positions_finds_every_voxel_on_its_side(written):
    seg = pydicom.dcmread(written.folder / SEG_FILE)
    assert np.count_nonzero(labels_of(seg, written.report.images.volume.geometry) != written.muscles) == 0


def test_an_independent_converter_overlays_every_muscle_exactly(written, tmp_path):
    geometry = written.report.images.volume.geometry
    found = np.zeros(geometry.shape, dtype=np.uint16)
    for described, path in dcmqi_segments(written.folder / SEG_FILE, tmp_path):
        kind = described["SegmentedPropertyTypeCodeSequence"]["CodeValue"]
        side = described["SegmentedPropertyTypeModifierCodeSequence"]["CodeValue"]
        (label,) = (
            label_of(m, s)
            for m in Muscle
            for s in SIDES
            if (MUSCLE_CODES[m].value, SIDE_CODES[s].value) == (kind, side)
        )
        mask = nib.load(path)
        points = np.argwhere(np.asarray(mask.dataobj))
        world = nib.affines.apply_affine(mask.affine, points)
        index = nib.affines.apply_affine(np.linalg.inv(geometry.affine), world)
        assert np.abs(index - np.rint(index)).max() < 0.02
        found[tuple(np.rint(index).astype(int).T)] = label
    assert np.count_nonzero(found != written.muscles) == 0


def test_an_independent_reader_finds_the_same_fat_fractions(written, tmp_path):
    read = dcmqi_report(written.folder / SR_FILE, tmp_path)
    theirs = {}
    for group in read["Measurements"]:
        for item in group.get("measurementItems", ()):
            if item["quantity"]["CodeValue"] == FAT_FRACTION.value and "ReferencedSegment" in group:
                site = group["FindingSite"]["CodeValue"], group["Laterality"]["CodeValue"]
                theirs[site] = float(item["value"])
    ours = {
        (MUSCLE_CODES[m.muscle].value, SIDE_CODES[m.side].value): round(100 * m.fat_fraction, 2)
        for m in (graded.measurement for graded in written.report.muscles)
        if m.fat_fraction is not None and m.region == "whole"
    }
    assert theirs == ours


def test_an_archive_takes_them_beside_the_images_and_gives_them_back_equal(written, tmp_path):
    files = [written.folder / SEG_FILE, written.folder / SR_FILE]
    with orthanc(tmp_path) as archive:
        archive.store([path.read_bytes() for path in (*written.images, *files)])
        for path in files:
            sent = pydicom.dcmread(path)
            place = (sent.StudyInstanceUID, sent.SeriesInstanceUID, sent.SOPInstanceUID)
            assert archive.fetch(*place) == path.read_bytes()
        assert archive.series_of(sent.StudyInstanceUID) == {"MR", "SEG", "SR"}
