"""The bundled network on the sample study, on its mirror image, and on what is no pelvis."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grading.anatomy import GLUTEI, SIDES, STRUCTURES, Side, label_of
from grading.errors import ConfigurationError, SegmentationError
from grading.io import read
from grading.segment import model, network, segment
from grading.series import SeriesInfo
from grading.settings import Settings
from grading.volume import Geometry, Segmentation, Volume

SAMPLE = Path(__file__).parents[2] / "sample_data" / "nifti" / "limping_right.nii.gz"


def _volume(voxels: np.ndarray, spacing_mm: float = 4.0) -> Volume:
    geometry = Geometry(voxels.shape, np.diag([spacing_mm] * 3 + [1.0]))
    return Volume(
        voxels.astype(np.float32), geometry, np.ones(voxels.shape, dtype=bool), SeriesInfo("made-up")
    )


@pytest.fixture(scope="module")
def sample() -> Volume:
    return read(SAMPLE)


@pytest.fixture(scope="module")
def segmented(sample: Volume) -> Segmentation:
    return segment(sample)


def test_all_glutei_are_found_on_the_side_where_they_lie(sample: Volume, segmented: Segmentation) -> None:
    middle = (sample.geometry.shape[0] - 1) / 2
    for muscle in GLUTEI:
        for side in SIDES:
            where = np.argwhere(segmented.mask(muscle, side))[:, 0]
            assert where.size * sample.geometry.voxel_volume_ml > 20, (muscle, side)
            assert (where.mean() > middle) == (side is Side.RIGHT), (muscle, side)


def test_mirroring_the_patient_swaps_sides_and_changes_nothing_else(
    sample: Volume, segmented: Segmentation
) -> None:
    mirrored = Volume(
        sample.voxels[::-1],
        _mirrored(sample.geometry),
        sample.valid[::-1],
        sample.series,
        sample.source_orientation,
    )
    swap = np.arange(65536, dtype=np.uint16)
    for structure in STRUCTURES.values():
        swap[structure.left], swap[structure.right] = structure.right, structure.left
    found = swap[segment(mirrored).labels[::-1]]
    for structure in np.unique(segmented.labels):
        one, other = found == structure, segmented.labels == structure
        # in 8 bits a value between two steps falls either way, and with it a voxel of the border now and then
        assert 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.995, structure
        assert abs(int(one.sum()) - int(other.sum())) < 0.002 * other.sum(), structure


def _mirrored(geometry: Geometry) -> Geometry:
    """The grid on which the reversed array is the patient mirrored at x = 0."""
    affine = geometry.affine.copy()
    affine[0, 3] = -(affine[0, 3] + affine[0, 0] * (geometry.shape[0] - 1))
    return Geometry(geometry.shape, affine)


def test_confidence_is_a_probability(segmented: Segmentation) -> None:
    assert segmented.confidence.min() >= 0
    assert segmented.confidence.max() <= 1


def test_padding_holds_no_muscle_whatever_the_network_says(
    sample: Volume, segmented: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid = np.array(sample.valid)
    valid[: valid.shape[0] // 2] = False
    half = Volume(np.where(valid, sample.voxels, 0), sample.geometry, valid, sample.series)
    for one in ("look", "look_closer"):
        monkeypatch.setattr(network, one, lambda *_: None)
    monkeypatch.setattr(network, "_onto", lambda *_: (segmented.labels.copy(), segmented.confidence))
    labels = segment(half).labels
    assert labels[valid].any()
    assert not labels[~valid].any()


def test_naming_one_side_of_an_image_of_both_hips_is_refused(
    sample: Volume, segmented: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["grading.segment"], "_segmenter", lambda _: lambda _: segmented)
    with pytest.raises(ConfigurationError, match="both are in view"):
        segment(sample, Settings(side=Side.LEFT))


@pytest.mark.parametrize("picture", ["noise", "bottle"])
def test_what_is_no_pelvis_yields_no_muscle(picture: str) -> None:
    rng = np.random.default_rng(0)
    voxels = np.abs(rng.normal(0, 20, (48, 48, 48)))
    if picture == "bottle":
        i, j, _ = np.indices(voxels.shape) - 24
        voxels += 1000 * (np.hypot(i, j) < 15)
    with pytest.raises(SegmentationError, match="no gluteal muscle in view"):
        segment(_volume(voxels))


def test_glutei_that_lie_on_no_hip_bone_are_refused(
    sample: Volume, segmented: Segmentation, monkeypatch: pytest.MonkeyPatch
) -> None:
    bones = [label_of("hip_bone", side) for side in SIDES]
    found = replace(segmented, labels=np.where(np.isin(segmented.labels, bones), 0, segmented.labels))
    monkeypatch.setattr(sys.modules["grading.segment"], "_segmenter", lambda _: lambda _: found)
    with pytest.raises(SegmentationError, match=r"2\d{3} mL\) lies on no hip bone \(found 0 mL"):
        segment(sample)


@pytest.mark.real_data
def test_a_thigh_is_refused_for_it_shows_no_hip_bone_or_hardly_a_gluteus(real_data: Path) -> None:
    thigh = read(real_data / "mri" / "thigh_dixon_ge" / "inphase_te460.nii.gz")
    with pytest.raises(SegmentationError, match=r"no hip bone|no gluteal muscle in view"):
        segment(thigh)


def test_image_without_signal_is_refused_by_name() -> None:
    with pytest.raises(SegmentationError, match=r"made-up.*no signal"):
        segment(_volume(np.zeros((16, 16, 16))))


@pytest.mark.parametrize("name", ["coarse", "fine"])
def test_a_changed_model_is_refused(
    name: model.Pass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = Path(model.__file__).parent
    file = model.model_file(name)
    (tmp_path / file).write_bytes((shipped / file).read_bytes() + b"\0")
    (tmp_path / model.MODEL_SHA256_FILE).write_text((shipped / model.MODEL_SHA256_FILE).read_text("ascii"))
    monkeypatch.setattr(model.resources, "files", lambda _: tmp_path)
    model._load_model.cache_clear()
    with pytest.raises(SegmentationError, match=f"{file}.*changed or damaged"):
        model.load_model(name)


@pytest.mark.parametrize("name", ["coarse", "fine"])
def test_classes_of_the_model_are_rows_of_the_table_of_anatomy(name: model.Pass) -> None:
    assert all(name in STRUCTURES for name in model.load_model(name).classes[1:])
    assert label_of("sacrum", Side.LEFT) == label_of("sacrum", Side.RIGHT)
