"""Fat fraction on a real pelvis, against what a reader saw: by eye, and not a radiologist."""

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from PIL import Image, ImageDraw

from grading.anatomy import SIDES, Muscle, Region, Side, label_of
from grading.fat import fat_map
from grading.io import read
from grading.measure import measure
from grading.series import Role
from grading.volume import LabelArray, Segmentation, Volume

NOT_OUTLINED = 65535
READER_NAMES = {Muscle.GLUTEUS_MEDIUS: "gmed", Muscle.GLUTEUS_MINIMUS: "gmin"}
# maximus is left out: the eye leaves out its fine fat, the mean does not (about 10 points more)


@pytest.mark.real_data
def test_medius_and_minimus_read_within_ten_points_of_the_eye(real_data):
    study = real_data / "mri" / "pelvis_t1_coronal" / "pelvis08"
    volume = read(study / "dicom")
    outlined = nib.as_closest_canonical(nib.Nifti1Image.from_filename(study / "reader_labels.nii.gz"))
    labels = np.asarray(outlined.dataobj).astype(np.uint16)
    labels[labels == NOT_OUTLINED] = 0
    segmentation = Segmentation(labels, volume.geometry, np.ones(labels.shape, np.float32), "reader")
    seen = json.loads((study / "reader_grades.json").read_text())
    rows = measure(fat_map(volume, segmentation), segmentation, volume)
    fractions = {(m.muscle, m.side): m.fat_fraction for m in rows if m.region is Region.WHOLE}
    for muscle, name in READER_NAMES.items():
        for side in SIDES:
            eye = seen[f"{name}_{side[0].upper()}"]["fat_pct"] / 100
            assert abs(fractions[muscle, side] - eye) < 0.10, (muscle, side)


# Two compartments of one thigh, outlined by eye on the in-phase image; world x, y of their corners (mm).
HAMSTRINGS_MM = ((-120.7, -39.6), (-115.9, -23.6), (-94.3, -20.4), (-74.2, -30.0), (-56.6, -39.6),
                 (-46.2, -43.6), (-50.2, -71.6), (-74.2, -74.8), (-98.3, -71.6), (-114.3, -65.2))  # fmt: skip
QUADRICEPS_MM = ((-138.3, 0.5), (-134.3, 14.9), (-118.3, 26.1), (-94.3, 32.5), (-66.2, 29.3), (-56.6, 12.5),
                 (-74.2, 18.1), (-107.9, 18.1), (-107.9, -3.5), (-115.9, -11.6), (-132.0, -11.6))  # fmt: skip
THIGH_SLICE = 4


def outlined_thigh(volume: Volume) -> Segmentation:
    """The two compartments, under the names of two muscles that the program knows."""
    labels: LabelArray = np.zeros(volume.geometry.shape, dtype=np.uint16)
    inverse = np.linalg.inv(volume.geometry.affine)
    drawn = {Muscle.GLUTEUS_MAXIMUS: HAMSTRINGS_MM, Muscle.GLUTEUS_MEDIUS: QUADRICEPS_MM}
    for muscle, corners_mm in drawn.items():
        corners = np.asarray(corners_mm) @ inverse[:2, :2].T + inverse[:2, 3]
        drawing = Image.new("1", labels.shape[:2])
        ImageDraw.Draw(drawing).polygon([(i, j) for i, j in corners], fill=1)
        labels[..., THIGH_SLICE][np.asarray(drawing).T] = label_of(muscle, Side.LEFT)
    return Segmentation(labels, volume.geometry, np.ones(labels.shape, np.float32), "outlined by eye")


@pytest.mark.real_data
def test_dixon_of_a_fatty_thigh_reads_what_its_own_fat_fraction_map_says(real_data):
    water, fat, ready = (
        read(real_data / "mri" / "thigh_dixon_ge" / f"{name}.nii.gz")
        for name in ("water", "fat", "fatfraction")
    )
    drawn = outlined_thigh(water)
    for row in measure(fat_map(water, drawn, fat=fat), drawn, water):
        if row.region is Region.WHOLE and row.side is Side.LEFT and row.fat_fraction is not None:
            mean = float(ready.voxels[drawn.mask(row.muscle, Side.LEFT)].mean()) / 100
            assert row.fat_fraction == pytest.approx(mean, abs=0.03), row.muscle


@pytest.mark.real_data
def test_an_in_phase_image_on_which_muscle_is_as_bright_as_fat_gets_no_t1_fraction(real_data):
    folder = real_data / "mri" / "thigh_dixon_ge"
    image, water, fat = (read(folder / f"{name}.nii.gz") for name in ("inphase_te460", "water", "fat"))
    signal = water.voxels + fat.voxels
    lit = signal > 0.2 * signal.max()
    lean, fatty = lit & (fat.voxels < 0.1 * signal), lit & (fat.voxels > 0.9 * signal)
    assert np.median(signal[lean]) > np.median(signal[fatty]), "this gradient echo has no T1 contrast"
    drawn = outlined_thigh(image)
    fraction = fat_map(replace(image, series=replace(image.series, role=Role.T1)), drawn)
    assert not np.isfinite(fraction.fraction[drawn.labels > 0]).any()
    assert [finding.code for finding in fraction.findings] == ["no_muscle_reference"]
