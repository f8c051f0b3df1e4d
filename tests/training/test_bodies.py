"""A label map becomes a person: sides stay apart, volumes near, fat as asked for, a plane between muscles."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import training.bodies as bodies  # noqa: E402
from grading.anatomy import SIDES, Muscle, Side, label_of  # noqa: E402
from grading.phantom.tissue import Tissue  # noqa: E402
from grading.volume import Geometry  # noqa: E402
from training.anatomies import from_labels  # noqa: E402
from training.bodies import person, with_fat  # noqa: E402

STEP_MM = 3.0
SHAPE = (80, 40, 50)  # axis 0 towards the right
BLOCKS = {  # of the left half; maximus and medius touch
    Muscle.GLUTEUS_MAXIMUS: np.s_[8:28, 6:16, 10:30],
    Muscle.GLUTEUS_MEDIUS: np.s_[8:28, 16:24, 10:30],
    Muscle.GLUTEUS_MINIMUS: np.s_[8:28, 27:33, 10:30],
    "femur": np.s_[8:16, 12:20, 33:40],
}


@pytest.fixture(scope="module")
def body():
    labels = np.zeros(SHAPE, dtype=np.uint16)
    for name, block in BLOCKS.items():
        labels[block] = label_of(name, Side.LEFT)
        labels[::-1][block] = label_of(name, Side.RIGHT)
    affine = np.diag([STEP_MM] * 3 + [1.0])
    affine[0, 3] = -STEP_MM * (SHAPE[0] - 1) / 2
    return from_labels("blocks", labels, Geometry(SHAPE, affine))


@pytest.fixture(scope="module", params=[0, 3], ids=["as it is", "mirrored"])
def someone(request, body):
    return person(body, np.random.default_rng(request.param))


def test_left_lies_left_of_right(someone):
    for muscle in (*BLOCKS,):
        left, right = (
            np.argwhere(someone.labels == label_of(muscle, side))[:, 0].mean()
            for side in (Side.LEFT, Side.RIGHT)
        )
        assert left < someone.labels.shape[0] / 2 < right, muscle


def test_muscles_keep_about_their_size(someone):
    for muscle in list(BLOCKS)[:2]:
        true_ml = np.prod([s.stop - s.start for s in BLOCKS[muscle]]) * STEP_MM**3 / 1000
        for side in SIDES:
            found_ml = (someone.labels == label_of(muscle, side)).sum() * someone.geometry.voxel_volume_ml
            assert 0.4 * true_ml < found_ml < 1.7 * true_ml, (muscle, side)


def test_a_wasted_muscle_keeps_about_the_asked_share_of_its_volume(body, monkeypatch):
    monkeypatch.setattr(bodies, "_THINNED", 0.0)
    monkeypatch.setattr(bodies, "_WASTED", 1.0)
    monkeypatch.setattr(bodies, "_REMAINS", (0.5, 0.5))
    healthy, wasted = (person(body, np.random.default_rng(0), wasted=ill) for ill in (False, True))
    for muscle in list(BLOCKS)[:3]:
        left, remains = ((p.labels == label_of(muscle, Side.LEFT)).sum() for p in (healthy, wasted))
        assert 0.4 < remains / left < 0.8, muscle  # voxels of one depth stay or go together


def test_a_plane_of_fat_parts_muscles_that_touch(body, monkeypatch):
    touching = []
    for plane_mm in (0.0, 2.0):
        monkeypatch.setattr(bodies, "_FAT_PLANE_MM", (plane_mm, plane_mm))
        touching.append(_contact(person(body, np.random.default_rng(0)).labels))
    assert touching[1] < 0.02 * touching[0]


def _contact(labels):
    """Faces between voxels of maximus and of medius."""
    one, other = (
        np.isin(labels, [label_of(muscle, side) for side in SIDES]).astype(int) for muscle in list(BLOCKS)[:2]
    )
    return sum(np.count_nonzero(np.diff(one, axis=a) * np.diff(other, axis=a)) for a in range(3))


def test_bone_has_a_cortex_round_its_marrow(someone):
    bone = np.isin(someone.labels, [label_of("femur", side) for side in SIDES])
    assert set(np.unique(someone.tissue[bone])) == {Tissue.CORTEX, Tissue.MARROW}


def test_every_muscle_holds_the_fat_it_was_given(someone):
    fatty = with_fat(someone, np.random.default_rng(5))
    for side in SIDES:
        for muscle in Muscle:
            where = fatty.labels == label_of(muscle, side)
            if where.any():
                asked = fatty.parameters.side(side).state(muscle).fat_fraction
                assert fatty.fat_fraction[where].mean(dtype=float) == pytest.approx(asked, abs=2e-3)
    assert not fatty.fat_fraction[fatty.tissue != Tissue.MUSCLE].any()
