"""Fat fraction on a real pelvis, against what a reader saw: by eye, and not a radiologist."""

import json

import nibabel as nib
import numpy as np
import pytest

from grading.anatomy import SIDES, Muscle, Region
from grading.fat import fat_map
from grading.io import read
from grading.measure import measure
from grading.volume import Segmentation

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
