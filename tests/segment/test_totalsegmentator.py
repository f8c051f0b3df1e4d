"""TotalSegmentator behind its door: what it is asked, what becomes of its answer, what is said when it fails.

A stand-in with the package's own function names plays its part; where the package itself is installed its
class map and signature are checked as well.
"""

import importlib.metadata
import importlib.util
import inspect
import sys
from types import ModuleType

import nibabel as nib
import numpy as np
import pytest

from grading.anatomy import GLUTEI, SIDES, Muscle, Side, label_of
from grading.errors import ConfigurationError, SegmentationError
from grading.segment import segment
from grading.segment.expected_dice import expected_dice
from grading.segment.schemes import scheme_of
from grading.series import SeriesInfo
from grading.settings import Settings
from grading.volume import Geometry, Volume

SETTINGS = Settings(segmenter="totalsegmentator")
MR_NAMES = {
    18: "sacrum", 36: "femur_left", 37: "femur_right", 38: "hip_left", 39: "hip_right",
    40: "gluteus_maximus_left", 41: "gluteus_maximus_right", 42: "gluteus_medius_left",
    43: "gluteus_medius_right", 44: "gluteus_minimus_left", 45: "gluteus_minimus_right",
    46: "autochthon_left", 47: "autochthon_right", 48: "iliopsoas_left", 49: "iliopsoas_right", 50: "brain",
}  # fmt: skip
CT_NAMES = {
    76: "hip_left", 78: "hip_right", 80: "gluteus_maximus_left", 82: "gluteus_maximus_right",
}  # fmt: skip


class StandIn:
    """The parts of the package that are called, and what was done to them."""

    def __init__(self, answer):
        self.answer, self.calls, self.config = answer, [], {"send_usage_stats": True}

    def segment(self, image, **options):
        """What `totalsegmentator()` does, without a network."""
        self.calls.append((image, options, dict(self.config)))
        print("Downloading model ...")
        if isinstance(self.answer, Exception):
            raise self.answer
        return nib.Nifti1Image(self.answer(image), image.affine)

    def install(self, monkeypatch):
        """Take the package's place for one test."""
        modules = {
            "totalsegmentator": {},
            "totalsegmentator.config": {
                "setup_totalseg": lambda: self.config,
                "set_config_key": self.config.__setitem__,
            },
            "totalsegmentator.map_to_binary": {"class_map": {"total_mr": MR_NAMES, "total": CT_NAMES}},
            "totalsegmentator.python_api": {"totalsegmentator": self.segment},
        }
        for name, content in modules.items():
            module = ModuleType(name)
            module.__spec__ = importlib.util.spec_from_loader(name, None)
            vars(module).update(content)
            monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(importlib.metadata, "version", lambda _: "2.18.0")
        return self


def volume(modality: str = "MR") -> Volume:
    shape = (60, 30, 30)
    affine = np.array([[5.0, 0, 0, -147.5], [0, 5.0, 0, -70], [0, 0, 5.0, -70], [0, 0, 0, 1]])
    ramp = np.broadcast_to(np.arange(60.0)[:, None, None], shape)
    return Volume(ramp, Geometry(shape, affine), np.ones(shape, bool), SeriesInfo("hip", modality=modality))


def two_buttocks(image) -> np.ndarray:
    labels = np.zeros(image.shape, dtype=np.uint8)
    labels[2:12, 5:20, 5:20], labels[48:58, 5:20, 5:20] = 40, 41
    labels[14:18, 5:20, 5:20], labels[42:46, 5:20, 5:20] = 38, 39
    labels[28:32, 5:10, 20:25] = 50
    return labels


@pytest.fixture
def stand_in(monkeypatch):
    return lambda answer: StandIn(answer).install(monkeypatch)


def test_labels_are_matched_by_name_and_lie_where_it_drew_them(stand_in):
    stand_in(two_buttocks)
    found = segment(volume(), SETTINGS)
    assert set(np.unique(found.labels)) == {0, 6121, 6122, 6151, 6152}
    left, right = (np.argwhere(found.mask(Muscle.GLUTEUS_MAXIMUS, side))[:, 0] for side in SIDES)
    assert (left.min(), left.max(), right.min(), right.max()) == (2, 11, 48, 57)


def test_its_outlines_are_not_taken_for_perfect(stand_in):
    stand_in(two_buttocks)
    found = segment(volume(), SETTINGS)
    assert expected_dice(found, Muscle.GLUTEUS_MAXIMUS, Side.LEFT) == pytest.approx(0.90)


def test_it_gets_the_image_itself_and_is_asked_for_mr_on_the_processor(stand_in):
    package = stand_in(two_buttocks)
    image = volume()
    segment(image, SETTINGS)
    ((given, options, _),) = package.calls
    np.testing.assert_array_equal(given.get_fdata(), image.voxels)
    np.testing.assert_array_equal(given.affine, image.geometry.affine)
    assert nib.aff2axcodes(given.affine) == ("R", "A", "S")
    assert options == {"ml": True, "task": "total_mr", "device": "cpu", "skip_saving": True, "quiet": True}


def test_ct_goes_to_the_ct_task(stand_in):
    package = stand_in(lambda image: 2 * two_buttocks(image))
    assert segment(volume("CT"), SETTINGS).method.startswith("TotalSegmentator 2.18.0, task total,")
    assert package.calls[0][1]["task"] == "total"


def test_usage_statistics_are_off_before_it_runs_and_the_method_says_so(stand_in, capsys):
    package = stand_in(two_buttocks)
    method = segment(volume(), SETTINGS).method
    assert package.calls[0][2]["send_usage_stats"] is False
    assert method == "TotalSegmentator 2.18.0, task total_mr, usage statistics off"
    assert capsys.readouterr().out == "", "what it prints belongs on standard error"


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "totalsegmentator", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'grading\[totalsegmentator\]'"):
        segment(volume(), SETTINGS)


def test_a_package_that_cannot_be_loaded_is_named_with_what_it_lacks(stand_in, monkeypatch):
    stand_in(two_buttocks)
    monkeypatch.setitem(sys.modules, "totalsegmentator.python_api", None)
    with pytest.raises(ConfigurationError, match=r"cannot be loaded \(.*python_api.*\); repair"):
        segment(volume(), SETTINGS)


def test_so_is_what_it_lacks_only_when_it_runs(stand_in):
    stand_in(ModuleNotFoundError("No module named 'numexpr'"))
    with pytest.raises(ConfigurationError, match=r"cannot be loaded \(.*numexpr.*\); repair"):
        segment(volume(), SETTINGS)


def test_weights_that_cannot_be_fetched_are_named_with_the_way_to_get_them(stand_in):
    stand_in(ConnectionError("github.com unreachable"))
    with pytest.raises(
        SegmentationError, match=r"weights of task total_mr.*totalseg_download_weights -t total_mr"
    ):
        segment(volume(), SETTINGS)


def test_its_failure_is_told_in_its_own_words(stand_in):
    stand_in(RuntimeError("not enough memory"))
    with pytest.raises(SegmentationError, match=r"hip: TotalSegmentator failed \(RuntimeError: not enough"):
        segment(volume(), SETTINGS)


def test_an_image_without_glutei_is_refused(stand_in):
    stand_in(lambda image: np.full(image.shape, 50, dtype=np.uint8))
    with pytest.raises(SegmentationError, match="found no gluteal muscle"):
        segment(volume(), SETTINGS)


def test_an_unknown_segmenter_is_refused():
    with pytest.raises(ConfigurationError, match=r"unknown segmenter 'nnunet'"):
        segment(volume(), Settings(segmenter="nnunet"))


@pytest.mark.parametrize("task", ["total_mr", "total"])
def test_the_packages_own_class_map_names_all_glutei(task):
    names = pytest.importorskip("totalsegmentator.map_to_binary").class_map[task]
    known = set(scheme_of(task, names).labels.values())
    assert {label_of(muscle, side) for muscle in GLUTEI for side in Side} <= known
    assert {label_of(bone, side) for bone in ("hip_bone", "femur", "sacrum") for side in Side} <= known


def test_the_packages_own_function_takes_what_it_is_asked():
    api = pytest.importorskip("totalsegmentator.python_api", exc_type=ImportError)
    options = inspect.signature(api.totalsegmentator).parameters
    assert {"ml", "task", "device", "skip_saving", "quiet"} <= options.keys()
