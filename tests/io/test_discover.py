"""From folders to studies: what is found, what it is called, and what is graded."""

import errno
import json
import math
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from dicom_factory import AXIAL, CORONAL, SAGITTAL, dataset, enhanced, image, save, slices, uid
from pydicom import Dataset
from pydicom.uid import UID

from grading.errors import (
    ConfigurationError,
    IncompleteSeries,
    MixedSeries,
    SeriesNotFound,
    UnreadableSeries,
    UnsupportedContrast,
)
from grading.io import read
from grading.io.discover import StudyFound, discover, load
from grading.io.identity import short_hash
from grading.series import Role

LEGACY_CONVERTED = UID("1.2.840.10008.5.1.4.1.1.4.4")
T2 = {
    "SeriesDescription": "t2_tse",
    "RepetitionTime": 4000,
    "EchoTime": 90,
    "SeriesNumber": 7,
    "series": "t2",
}
STIR = {
    "SeriesDescription": "stir",
    "SeriesNumber": 8,
    "series": "stir",
    "EchoTime": 40,
    "RepetitionTime": 4000,
}


def nifti(path: Path, voxels: np.ndarray | None = None, **sidecar: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).normal(300, 100, size=(9, 8, 7)).astype(np.float32)
    nib.Nifti1Image(noise if voxels is None else voxels, np.diag([1, 1, 4, 1.0])).to_filename(path)
    if sidecar:
        path.with_name(path.name.split(".")[0] + ".json").write_text(json.dumps(sidecar))
    return path


def only(studies: tuple[StudyFound, ...]) -> StudyFound:
    assert len(studies) == 1, [study.name for study in studies]
    return studies[0]


def roles(study: StudyFound) -> dict[str, Role]:
    return {series.info.name: series.info.role for series in study.series}


# --- what is graded, and why the rest is not


def test_t1_is_graded_and_each_other_series_has_a_reason(tmp_path: Path) -> None:
    save(slices(image()), tmp_path / "p" / "a")
    save(slices(image(), **T2), tmp_path / "p" / "b")
    save(slices(image(), **STIR), tmp_path / "p" / "c")
    study = only(discover([tmp_path]))
    assert study.name == "p"
    assert roles(study) == {"05-t1_tse": Role.T1, "07-t2_tse": Role.T2, "08-stir": Role.STIR}
    assert [s.info.name for s in study.chosen] == ["05-t1_tse"]
    assert all(series.reason for series in study.series)
    assert load(study.chosen[0]).voxels.shape == (12, 10, 6)


@pytest.mark.parametrize(
    "protocol",
    ["BILAT HIPS T1 STIR", "Pelvis T1 T2FS PDFS", "HIP WITH DWI", "HIP MPR 3D", "HIP MRI W/WO CONTRAST"],
)
def test_an_examination_s_protocol_name_does_not_change_what_its_t1_is(tmp_path: Path, protocol: str) -> None:
    named = {"SeriesDescription": "COR T1", "ProtocolName": protocol}
    save(slices(image(), **named, Manufacturer="GE MEDICAL SYSTEMS"), tmp_path / "p")
    timing = {"EchoTime": 0.01, "RepetitionTime": 0.5, "ScanningSequence": "SE"}
    nifti(tmp_path / "n.nii.gz", None, **named, **timing, Manufacturer="GE")
    for study in discover([tmp_path]):
        assert study.chosen[0].info.role is Role.T1
        assert study.chosen[0].info.contrast_agent is None


def test_a_spin_echo_in_ge_s_research_mode_is_graded_as_t1(tmp_path: Path) -> None:
    tags = {
        "SeriesDescription": "COR T1 FSE",
        "EchoTime": 8,
        "RepetitionTime": 600,
        "MagneticFieldStrength": 3,
    }
    save(slices(image(), ScanningSequence="RM", **tags), tmp_path / "p")
    assert only(discover([tmp_path])).chosen[0].info.role is Role.T1


def test_only_t2_and_stir_is_an_unsupported_contrast_that_says_what_was_found(tmp_path: Path) -> None:
    save(slices(image(), **T2), tmp_path / "p" / "b")
    save(slices(image(), **STIR), tmp_path / "p" / "c")
    study = only(discover([tmp_path]))
    assert isinstance(study.problem, UnsupportedContrast)
    assert "07-t2_tse" in str(study.problem)
    assert "08-stir" in str(study.problem)


def test_a_three_plane_localizer_is_split_and_not_graded(tmp_path: Path) -> None:
    planes = [
        slices(image(), orientation=o, SeriesDescription="planning") for o in (AXIAL, CORONAL, SAGITTAL)
    ]
    save([ds for plane in planes for ds in plane], tmp_path / "p")
    study = only(discover([tmp_path]))
    assert set(roles(study)) == {"05-planning-cor", "05-planning-sag", "05-planning-tra"}
    assert set(roles(study).values()) == {Role.LOCALIZER}
    assert isinstance(study.problem, SeriesNotFound)


def test_a_dixon_pair_on_one_grid_comes_before_t1(tmp_path: Path) -> None:
    save(slices(image()), tmp_path / "p" / "t1")
    for number, kind in ((10, "WATER"), (11, "FAT")):
        kinds = ["DERIVED", "PRIMARY", "DIXON", kind]
        save(
            slices(image(), series=kind, SeriesNumber=number, ImageType=kinds, SeriesDescription="vibe"),
            tmp_path / "p" / kind,
        )
    study = only(discover([tmp_path]))
    assert [s.info.role for s in study.chosen] == [Role.WATER, Role.FAT]
    assert "Dixon" in next(s.reason for s in study.series if s.info.role is Role.T1)
    t1 = only(discover([tmp_path], contrast="t1"))
    assert [s.info.role for s in t1.chosen] == [Role.T1]


def test_fat_of_the_same_scan_as_water_is_its_pair_and_not_that_of_the_nearest_number(tmp_path: Path) -> None:
    scans = [(5, "FAT", "101500"), (8, "WATER", "101500"), (9, "FAT", "103000"), (12, "WATER", "103000")]
    for number, kind, time in scans:
        tags = {"SeriesNumber": number, "AcquisitionTime": time, "SeriesDescription": "vibe"}
        types = ["DERIVED", "PRIMARY", "DIXON", kind]
        save(slices(image(), series=f"{number}", ImageType=types, **tags), tmp_path / "p" / f"{number}")
    assert [s.info.name for s in only(discover([tmp_path])).chosen] == ["08-vibe", "05-vibe"]


def test_water_before_contrast_agent_is_not_paired_with_fat_after_it(tmp_path: Path) -> None:
    for scan, agent in (("pre", None), ("aftergd", "GADOLINIUM")):
        for kind in ("water", "fat"):
            nifti(tmp_path / f"sub-01_acq-{scan}_{kind}.nii.gz", ContrastBolusIngredient=agent)
    chosen = [s.info.name for s in only(discover([tmp_path])).chosen]
    assert chosen == ["sub-01_acq-pre_water", "sub-01_acq-pre_fat"]


def test_a_dixon_pair_of_a_long_echo_comes_behind_t1_and_before_nothing(tmp_path: Path) -> None:
    for number, kind in ((10, "WATER"), (11, "FAT")):
        tags = {"SeriesNumber": number, "ImageType": ["DERIVED", "PRIMARY", "DIXON", kind], "EchoTime": 82}
        save(
            slices(image(), series=kind, SeriesDescription="t2_tse_dixon", RepetitionTime=4200, **tags),
            tmp_path / "p" / kind,
        )
    assert [s.info.role for s in only(discover([tmp_path])).chosen] == [Role.WATER, Role.FAT]
    save(slices(image()), tmp_path / "p" / "t1")
    study = only(discover([tmp_path]))
    assert [s.info.role for s in study.chosen] == [Role.T1]
    reasons = [s.reason for s in study.series if s.info.role is not Role.T1]
    assert all("long echo (echo time 82 ms): fat reads too high" in reason for reason in reasons)


def test_a_t2_dixon_file_without_echo_time_is_known_by_its_name(tmp_path: Path) -> None:
    for kind in ("W", "F"):
        nifti(tmp_path / f"p1_t2_tse_dixon_{kind}.nii.gz")
    water, fat = only(discover([tmp_path])).chosen
    assert water.info.long_echo
    assert load(fat).series.echo_words == "T2 by its name"
    for kind in ("W", "F"):  # Philips may write 0 for computed images
        types = ["DERIVED", "PRIMARY", kind, kind, "DERIVED"]
        named = {"SeriesDescription": "T2W_mDIXON", "EchoTime": 0, "series": kind}
        save(slices(image(), ImageType=types, **named), tmp_path / "dicom" / kind)
    assert only(discover([tmp_path / "dicom"])).chosen[0].info.long_echo


@pytest.mark.parametrize("kinds", [("IN_PHASE", "OPP_PHASE"), ("FAT_FRACTION",)])
def test_in_and_opposed_phase_or_a_ready_map_are_graded_where_there_is_no_better(
    tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    for number, kind in enumerate(kinds, start=10):
        types = ["DERIVED", "PRIMARY", "DIXON", kind]
        save(slices(image(), series=kind, SeriesNumber=number, ImageType=types), tmp_path / "p" / kind)
    first = only(discover([tmp_path], contrast="dixon"))
    assert len(first.chosen) == len(kinds)
    save(slices(image()), tmp_path / "p" / "t1")
    assert [s.info.role for s in only(discover([tmp_path])).chosen] == [Role.T1]


def test_the_in_phase_image_of_a_t1_spin_echo_dixon_is_a_t1_image_where_fat_was_not_kept(
    tmp_path: Path,
) -> None:
    for number, kind in ((10, "WATER"), (11, "IN_PHASE")):
        types = ["DERIVED", "PRIMARY", "DIXON", kind]
        save(slices(image(), series=kind, SeriesNumber=number, ImageType=types), tmp_path / "p" / kind)
    (chosen,) = only(discover([tmp_path])).chosen
    assert chosen.info.name.startswith("11")
    assert load(chosen).series.role is Role.T1
    save(
        slices(image(), series="FAT", SeriesNumber=12, ImageType=["DERIVED", "PRIMARY", "DIXON", "FAT"]),
        tmp_path / "p" / "FAT",
    )
    assert [s.info.role for s in only(discover([tmp_path])).chosen] == [Role.WATER, Role.FAT]
    assert only(discover([tmp_path], contrast="t1")).chosen[0].info.name == chosen.info.name


def test_the_in_phase_image_of_a_gradient_echo_is_not_taken_for_t1(tmp_path: Path) -> None:
    tags = {"ScanningSequence": "GR", "RepetitionTime": 7, "EchoTime": 2.4, "FlipAngle": 4}
    save(slices(image(), ImageType=["DERIVED", "PRIMARY", "DIXON", "IN_PHASE"], **tags), tmp_path / "p")
    assert isinstance(only(discover([tmp_path])).problem, UnsupportedContrast)


def test_a_finer_reformat_comes_behind_the_image_it_was_made_from(tmp_path: Path) -> None:
    save(slices(image()), tmp_path / "p" / "a")
    reformat = {"series": "b", "SeriesNumber": 50, "ImageType": ["DERIVED", "SECONDARY"]}
    save(slices(image((12, 10, 24)), step_mm=1.0, **reformat), tmp_path / "p" / "b")
    study = only(discover([tmp_path]))
    assert study.chosen[0].info.name == "05-t1_tse"
    assert "derived from another image" in next(s.reason for s in study.series if not s.chosen)


def test_water_without_fat_on_its_grid_is_not_a_pair(tmp_path: Path) -> None:
    for number, kind, step in ((10, "WATER", 4.0), (11, "FAT", 5.0)):
        kinds = ["DERIVED", "PRIMARY", "DIXON", kind]
        save(
            slices(image(), series=kind, SeriesNumber=number, ImageType=kinds, step_mm=step), tmp_path / kind
        )
    problem = only(discover([tmp_path])).problem
    assert isinstance(problem, UnsupportedContrast)
    assert "without a fat image on the same grid" in str(problem)


def test_of_several_t1_the_one_that_covers_most_then_the_finest_is_graded(tmp_path: Path) -> None:
    def add(name: str, number: int, spacing: float, shape: tuple[int, int, int], **tags: object) -> None:
        instances = slices(
            image(shape),
            pixel_spacing=(spacing, spacing),
            series=name,
            SeriesNumber=number,
            SeriesDescription=f"t1 {name}",
            **tags,
        )
        save(instances, tmp_path / "p" / name)

    add("small", 1, 8.0, (10, 10, 10))
    add("coarse", 2, 8.0, (40, 30, 40))
    add("fine", 3, 4.0, (80, 60, 40))
    add("agent", 4, 2.0, (160, 120, 40), ContrastBolusAgent="Gd")
    study = only(discover([tmp_path]))
    assert [s.info.name for s in study.chosen] == ["03-t1_fine"]
    reasons = {s.info.name: s.reason for s in study.series}
    assert "covers more" in reasons["01-t1_small"]
    assert "finer voxels" in reasons["02-t1_coarse"]
    assert "without contrast agent" in reasons["04-t1_agent"]


@pytest.mark.parametrize(
    ("words", "hip"),
    [(("COR T1 RT HIP", "COR T1 LT HIP"), "the left hip"), (("COR T1",) * 2, "the other hip")],
)
def test_hips_in_images_of_their_own_are_two_studies(
    tmp_path: Path, words: tuple[str, str], hip: str
) -> None:
    for number, (text, x) in enumerate(zip(words, (-50.0, 50.0), strict=True), start=3):
        named = {"series": str(number), "SeriesNumber": number, "SeriesDescription": text}
        save(slices(image(), origin=(x, -40.0, 30.0), **named), tmp_path / "p" / str(number))
    first, second = discover([tmp_path])
    assert (first.name, second.name) == ("p", f"p_{hip.removeprefix('the ').replace(' ', '_')}")
    assert first.place != second.place
    assert (first.hip_of, second.hip_of) == ("", "p")
    (graded,), (other,) = first.chosen, second.chosen
    assert (first.series, second.series) == ((graded,), (other,))
    finding = next(f for f in load(graded).findings if f.code == "other_hip_apart")
    assert other.info.name in finding.detail
    assert hip in finding.detail
    assert [f.code for f in other.findings] == ["other_hip_apart"]
    assert read(tmp_path).series.name == graded.info.name


def test_two_sagittal_stacks_in_one_series_are_two_images(tmp_path: Path) -> None:
    stacks = [slices(image(), orientation=SAGITTAL, origin=(x, -40.0, 30.0)) for x in (-120.0, 90.0)]
    save([ds for stack in stacks for ds in stack], tmp_path / "p")
    hips = discover([tmp_path])
    assert [roles(hip) for hip in hips] == [{f"05-t1_tse-stack_{n}": Role.T1} for n in (1, 2)]
    assert [load(hip.chosen[0]).voxels.shape[0] for hip in hips] == [6, 6]


def test_axial_stacks_of_two_hips_at_levels_of_their_own_are_two_images(tmp_path: Path) -> None:
    stacks = [slices(image(), origin=origin) for origin in ((-150.0, -40.0, 30.0), (30.0, -40.0, 31.3))]
    save([ds for stack in stacks for ds in stack], tmp_path / "p")
    assert [s.shape for hip in discover([tmp_path]) for s in hip.series] == [(12, 10, 6)] * 2


def test_a_wide_gap_in_an_axial_stack_is_still_a_gap(tmp_path: Path) -> None:
    stacks = [slices(image(), origin=(-50.0, -40.0, z)) for z in (-120.0, 90.0)]
    save([ds for stack in stacks for ds in stack], tmp_path / "p")
    assert isinstance(only(discover([tmp_path])).problem, IncompleteSeries)


def test_a_t1_of_the_spine_or_of_the_same_hips_hides_no_hip(tmp_path: Path) -> None:
    for number, z in ((3, 30.0), (4, 32.0), (5, 200.0)):
        named = {"series": str(number), "SeriesNumber": number, "SeriesDescription": "t1"}
        save(slices(image(), origin=(-50.0, -40.0, z), **named), tmp_path / "p" / str(number))
    study = only(discover([tmp_path]))
    assert load(study.chosen[0]).findings == ()
    assert "equal to 03-t1" in study.series[1].reason
    assert "another part of the body" in study.series[2].reason


def test_an_unknown_contrast_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unknown contrast"):
        discover([tmp_path], contrast="t3")


# --- series that hold several images


def test_two_echoes_in_one_series_are_two_images(tmp_path: Path) -> None:
    save([*slices(image()), *slices(image(seed=1), EchoTime=80)], tmp_path)
    study = only(discover([tmp_path]))
    assert roles(study) == {"05-t1_tse-echo_time_10": Role.T1, "05-t1_tse-echo_time_80": Role.T2}
    assert load(study.chosen[0]).voxels.max() == image().max()


def test_the_images_of_a_dixon_series_are_named_by_what_sets_their_image_types_apart(tmp_path: Path) -> None:
    kinds = ("W", "F", "OP")
    types = {kind: ["DERIVED", "PRIMARY", kind, kind, "DERIVED"] for kind in kinds}
    parts = [slices(image(seed=k), ImageType=types[kind]) for k, kind in enumerate(kinds)]
    save([ds for part in parts for ds in part], tmp_path)
    study = only(discover([tmp_path]))
    assert sorted(roles(study)) == ["05-t1_tse-F", "05-t1_tse-OP", "05-t1_tse-W"]
    assert [series.info.name for series in study.chosen] == ["05-t1_tse-W", "05-t1_tse-F"]


def test_an_image_type_that_the_others_only_add_to_is_named_whole(tmp_path: Path) -> None:
    types = (["ORIGINAL", "PRIMARY"], ["ORIGINAL", "PRIMARY", "NORM"])
    save([ds for k, kind in enumerate(types) for ds in slices(image(seed=k), ImageType=kind)], tmp_path)
    assert sorted(roles(only(discover([tmp_path])))) == [
        "05-t1_tse-NORM",
        "05-t1_tse-image_type_ORIGINAL_PRIMARY",
    ]


def test_without_series_uids_the_series_number_tells_a_localizer_from_t1(tmp_path: Path) -> None:
    planes = [slices(image(), orientation=o, SeriesNumber=1) for o in (AXIAL, CORONAL, SAGITTAL)]
    instances = [ds for plane in planes for ds in plane] + slices(image(seed=1), SeriesNumber=2)
    for ds in instances:
        ds.StudyInstanceUID = ds.SeriesInstanceUID = ""
    (t1,) = only(discover([save(instances, tmp_path)])).chosen
    assert (t1.info.name, t1.shape) == ("02-t1_tse", (12, 10, 6))


def test_repeated_acquisitions_are_separate_images(tmp_path: Path) -> None:
    repeats = [slices(image(seed=k), AcquisitionNumber=k) for k in range(3)]
    save([ds for repeat in repeats for ds in repeat], tmp_path)
    study = only(discover([tmp_path]))
    assert len(study.series) == 3
    assert all(series.shape == (12, 10, 6) for series in study.series)


def test_overlapping_stations_of_one_series_are_two_images(tmp_path: Path) -> None:
    lower = slices(image((12, 10, 10)), AcquisitionNumber=1)
    upper = slices(image((12, 10, 9), seed=1), origin=(-50.0, -40.0, 62.0), AcquisitionNumber=2)
    save(lower + upper, tmp_path / "p")
    study = only(discover([tmp_path]))
    assert roles(study) == {"05-t1_tse-acquisition_1": Role.T1, "05-t1_tse-acquisition_2": Role.T1}
    assert load(study.chosen[0]).voxels.shape == (12, 10, 10)


def test_interleaved_acquisitions_of_one_stack_stay_one_image(tmp_path: Path) -> None:
    instances = slices(image())
    for k, ds in enumerate(instances):
        ds.AcquisitionNumber = 1 + k % 2
        ds.AcquisitionTime = f"1200{k:02d}"
    save(instances, tmp_path)
    assert only(discover([tmp_path])).series[0].shape == (12, 10, 6)


def test_enhanced_dixon_in_one_file_is_a_pair(tmp_path: Path) -> None:
    save([enhanced(image(), frame_types=["WATER", "FAT"])], tmp_path)
    study = only(discover([tmp_path]))
    assert [s.info.role for s in study.chosen] == [Role.WATER, Role.FAT]
    water, fat = (load(series) for series in study.chosen)
    assert np.array_equal(fat.voxels, 2 * water.voxels)


@pytest.mark.parametrize(
    ("suppression", "excitation", "role"),
    [
        ("NONE", "NONE", Role.T1),
        ("FAT", "NONE", Role.T1_FAT_SUPPRESSED),
        ("NONE", "WATER", Role.T1_FAT_SUPPRESSED),
    ],
)
def test_enhanced_mr_says_how_fat_was_suppressed(
    tmp_path: Path, suppression: str, excitation: str, role: Role
) -> None:
    ds = enhanced(image())
    ds.SpectrallySelectedExcitation = excitation
    modifier = Dataset()
    modifier.SpectrallySelectedSuppression = suppression
    ds.SharedFunctionalGroupsSequence[0].MRModifierSequence = [modifier]
    (series,) = only(discover([save([ds], tmp_path)])).series
    assert series.info.role is role


def test_enhanced_mr_after_contrast_agent_comes_behind_that_before_it(tmp_path: Path) -> None:
    after, before = enhanced(image()), enhanced(image(seed=1))
    agent = Dataset()
    agent.CodeMeaning = "Gadobutrol"
    after.ContrastBolusAgentSequence = [agent]
    after.SeriesNumber, before.SeriesNumber, before.SeriesInstanceUID = 4, 5, uid("before")
    study = only(discover([save([after, before], tmp_path)]))
    assert [s.info.name for s in study.chosen] == ["05-t1_enhanced"]
    assert study.series[0].info.contrast_agent


@pytest.mark.parametrize("group", ["Shared", "PerFrame"])
def test_a_file_joined_from_classic_ones_keeps_their_echo_and_fat_suppression(
    tmp_path: Path, group: str
) -> None:
    ds = enhanced(image())
    ds.SOPClassUID, ds.SeriesDescription = LEGACY_CONVERTED, "hips"
    (shared,) = ds.SharedFunctionalGroupsSequence
    del ds.EchoPulseSequence, shared.MREchoSequence, shared.MRTimingAndRelatedParametersSequence
    classic = Dataset()
    classic.ScanningSequence, classic.ScanOptions = "SE", "FS"
    classic.RepetitionTime, classic.EchoTime = 500, 10
    for item in {"Shared": [shared], "PerFrame": ds.PerFrameFunctionalGroupsSequence}[group]:
        setattr(item, f"Unassigned{group}ConvertedAttributesSequence", [classic])
    (series,) = only(discover([save([ds], tmp_path)])).series
    assert series.info.role is Role.T1_FAT_SUPPRESSED


def test_radial_images_are_refused_with_numbers(tmp_path: Path) -> None:
    instances = []
    for k in range(12):
        angle = np.radians(15 * k)
        turned = (np.cos(angle), np.sin(angle), 0.0, 0.0, 0.0, -1.0)
        instances += slices(image((12, 10, 1)), orientation=turned)
    save(instances, tmp_path)
    problem = only(discover([tmp_path])).problem
    assert "12 images in 12 orientations" in str(problem)


# --- damage stays where it is


def test_a_gap_in_one_t1_leaves_the_other_to_be_graded(tmp_path: Path) -> None:
    whole, holed = slices(image()), slices(image(), series="b", SeriesNumber=6)
    del holed[2]
    save([*whole, *holed], tmp_path)
    study = only(discover([tmp_path]))
    assert [s.info.name for s in study.chosen] == ["05-t1_tse"]
    assert "gap of 8.0 mm" in study.series[1].reason


def test_a_gap_in_the_only_t1_is_the_study_problem(tmp_path: Path) -> None:
    instances = slices(image())
    del instances[2]
    save(instances, tmp_path)
    assert isinstance(only(discover([tmp_path])).problem, IncompleteSeries)


def test_a_damaged_study_leaves_its_neighbours_unharmed(tmp_path: Path) -> None:
    save(slices(image()), tmp_path / "good")
    alone = only(discover([tmp_path]))
    bad = save(slices(image(), study="other"), tmp_path / "bad")
    for path in bad.iterdir():
        path.write_bytes(path.read_bytes()[:140])
    nifti(tmp_path / "cut.nii.gz").write_bytes(b"\x1f\x8b broken")
    studies = {study.name: study for study in discover([tmp_path])}
    assert set(studies) == {"bad", "cut", "good"}
    assert isinstance(studies["bad"].problem, UnreadableSeries)
    assert isinstance(studies["cut"].problem, UnreadableSeries)
    assert studies["good"].series == alone.series


def test_a_damaged_series_does_not_take_the_name_of_its_study(tmp_path: Path) -> None:
    save(slices(image()), tmp_path / "pat1" / "t1")
    (tmp_path / "pat1" / "t2").mkdir()
    (tmp_path / "pat1" / "t2" / "1.dcm").write_bytes(b"damaged")
    assert [study.name for study in discover([tmp_path])] == ["pat1", "t2"]


def test_a_locked_folder_is_accounted_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(slices(image()), tmp_path / "in" / "pat1")
    save(slices(image(), study="b"), tmp_path / "in" / "pat2" / "dicom")
    listed = os.scandir

    def scandir(folder: Path) -> object:  # root may open any folder
        if folder.name == "pat2":
            raise PermissionError(errno.EACCES, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    sound, locked = discover([tmp_path / "in"])
    assert (sound.name, locked.name) == ("pat1", "pat2")
    assert str(locked.problem).startswith("the folder cannot be opened (")
    (alone,) = discover([tmp_path / "in" / "pat2"])
    assert isinstance(alone.problem, UnreadableSeries)


def test_a_damaged_file_beside_a_series_is_told(tmp_path: Path) -> None:
    save(slices(image()), tmp_path)
    (tmp_path / "IM0000").write_bytes((tmp_path / "IM0000").read_bytes()[:150])
    volume = read(tmp_path)
    assert volume.voxels.shape[2] == 5
    assert "unreadable_files" in {finding.code for finding in volume.findings}


def test_last_slices_without_a_place_are_told(tmp_path: Path) -> None:
    ds = enhanced(image())
    for group in ds.PerFrameFunctionalGroupsSequence[-2:]:
        del group.PlanePositionSequence
    (t1,) = only(discover([save([ds], tmp_path)])).chosen
    assert t1.shape == (12, 10, 4)
    assert [(f.code, f.detail[:8]) for f in load(t1).findings] == [("unreadable_files", "2 images")]


def test_one_slice_is_not_a_volume(tmp_path: Path) -> None:
    save(slices(image((12, 10, 1))), tmp_path)
    problem = only(discover([tmp_path])).problem
    assert isinstance(problem, IncompleteSeries)
    assert "1 slice;" in str(problem)


def test_empty_folder_missing_path_and_foreign_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(SeriesNotFound, match="no files in"):
        discover([tmp_path])
    with pytest.raises(SeriesNotFound, match="does not exist"):
        discover([tmp_path / "absent"])
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "scan.zip").write_bytes(b"PK")
    with pytest.raises(SeriesNotFound, match=r"2 other files: 1 \.\w+, 1 \.\w+"):
        discover([tmp_path])


def test_an_input_whose_path_cannot_be_followed_is_named(tmp_path: Path) -> None:
    with pytest.raises(SeriesNotFound, match=r"cannot be opened .*check the path"):
        discover([tmp_path / ("a" * 300)])
    (tmp_path / "note").write_text("x")
    with pytest.raises(SeriesNotFound, match="check the path"):
        discover([tmp_path / "note" / "inside"])


def test_a_text_file_called_dcm_is_accounted_for(tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_text("hello")
    assert "not DICOM despite its name" in str(only(discover([tmp_path])).problem)


def test_a_secondary_capture_in_a_series_is_no_slice_of_it(tmp_path: Path) -> None:
    capture = slices(image((20, 20, 1)))[0]
    capture.SOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    del capture.ImagePositionPatient
    save([*slices(image()), capture], tmp_path / "p")
    study = only(discover([tmp_path]))
    assert roles(study) == {"05-t1_tse": Role.T1, "05-t1_tse-2": Role.DERIVED}
    assert study.chosen[0].findings == ()


def test_reports_and_plans_are_listed_and_not_graded(tmp_path: Path) -> None:
    save([dataset(Modality="SR", SeriesDescription="report")], tmp_path)
    study = only(discover([tmp_path]))
    assert roles(study) == {"05-report": Role.DERIVED}
    assert isinstance(study.problem, SeriesNotFound)


# --- walking


@pytest.mark.parametrize("sop_class", ["1.3.12.2.1107.5.9.1", "1.2.840.10008.5.1.4.1.1.4.2"])
def test_a_spectrum_or_a_vendor_s_report_of_modality_mr_is_no_damaged_image(
    tmp_path: Path, sop_class: str
) -> None:
    save([dataset(series="other", SOPClassUID=sop_class, SeriesNumber=99)], tmp_path / "p" / "other")
    study = only(discover([tmp_path]))
    assert isinstance(study.problem, SeriesNotFound)
    assert "damaged" not in str(study.problem)


def test_files_are_found_once_in_any_tree_and_progress_counts_them(tmp_path: Path) -> None:
    folder = save(slices(image()), tmp_path / "a" / "deep" / "tree")
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a", target_is_directory=True)
    (folder / ".hidden").write_text("x")
    counts: list[int] = []
    study = only(discover([tmp_path, folder], progress=counts.append))
    assert len(study.series[0].files) == 6
    assert counts == list(range(1, 7))


def test_a_dicomdir_stands_for_its_folder(tmp_path: Path) -> None:
    save(slices(image()), tmp_path / "IMAGES")
    directory = dataset()
    directory.file_meta.MediaStorageSOPClassUID = directory.SOPClassUID = "1.2.840.10008.1.3.10"
    directory.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    for path in (tmp_path / "DICOMDIR", tmp_path):
        assert len(only(discover([path])).series[0].files) == 6


def test_own_output_folders_are_passed_over(tmp_path: Path) -> None:
    nifti(tmp_path / "p.nii.gz")
    nifti(tmp_path / "out" / "studies" / "p" / "fat_fraction.nii.gz")
    for name in ("run.json", "studies.csv"):
        (tmp_path / "out" / name).write_text("")
    assert only(discover([tmp_path])).name == "p"


# --- names of studies


def test_the_folder_that_holds_just_this_study_names_it(tmp_path: Path) -> None:
    for name in ("pelvis07", "pelvis08"):
        save(slices(image(), study=name), tmp_path / "cohort" / name / "dicom")
    assert [s.name for s in discover([tmp_path / "cohort"])] == ["pelvis07", "pelvis08"]
    assert only(discover([tmp_path / "cohort" / "pelvis07"])).name == "pelvis07"
    assert only(discover([tmp_path / "cohort" / "pelvis07" / "dicom"])).name == "pelvis07"


def test_a_series_folder_does_not_name_the_study(tmp_path: Path) -> None:
    save(slices(image()), tmp_path / "case1" / "5_t1_tse")
    assert only(discover([tmp_path / "case1"])).name == "case1"
    assert only(discover([tmp_path])).name == "case1"


def test_studies_that_share_a_folder_are_named_by_hash(tmp_path: Path) -> None:
    for name in ("a", "b"):
        instances = slices(image(), study=name)
        save(instances, tmp_path / "mixed", [f"{name}{k}" for k in range(6)])
    expected = sorted(short_hash(uid(name)) for name in ("a", "b"))
    assert [study.name for study in discover([tmp_path])] == expected


def test_two_patients_whom_an_anonymiser_gave_one_study_uid_stay_apart(tmp_path: Path) -> None:
    for name in ("A1", "B2"):
        for kind in ("WATER", "FAT"):
            tags = {"ImageType": ["DERIVED", "PRIMARY", "DIXON", kind], "series": f"{name}{kind}"}
            save(
                slices(image(), PatientID=name, PatientName="Anon", **tags),
                tmp_path / f"case {name[1]}" / kind,
            )
    studies = discover([tmp_path])
    assert [study.name for study in studies] == ["case_1", "case_2"]
    assert all(len({s.files[0].parts[-3] for s in study.chosen}) == 1 for study in studies)
    assert len({study.place for study in studies}) == 2


def test_two_visits_that_an_anonymiser_gave_one_study_uid_stay_apart(tmp_path: Path) -> None:
    for visit, date in (("before", "20200101"), ("after", "20210101")):
        save(slices(image(), series=visit, StudyDate=date), tmp_path / visit)
    studies = discover([tmp_path])
    assert [study.name for study in studies] == ["after", "before"]


def test_equal_folder_names_at_two_places_are_named_by_hash(tmp_path: Path) -> None:
    for site in ("x", "y"):
        for case in ("p1", "p2"):
            save(slices(image(), study=site + case), tmp_path / site / case)
    assert sorted(s.name for s in discover([tmp_path])) == sorted(
        short_hash(uid(site + case)) for site in "xy" for case in ("p1", "p2")
    )


@pytest.mark.parametrize("folder", ["DOE_JANE", "doe", "Jane-2024", "pid4711", "study of PID-4711"])
def test_a_folder_that_names_the_patient_is_replaced_by_the_hash(tmp_path: Path, folder: str) -> None:
    save(slices(image()), tmp_path / "in" / folder)
    assert only(discover([tmp_path / "in"])).name == short_hash(uid("study"))
    assert only(discover([tmp_path / "in"], identify=True)).name not in ("", short_hash(uid("study")))


@pytest.mark.parametrize(
    "text", ["../../etc/passwd", "<script>alert(1)</script>", "a\nb\0c", "𝕏💀 тест", "." * 300]
)
def test_no_description_or_folder_can_escape_its_name(tmp_path: Path, text: str) -> None:
    save(slices(image(), SeriesDescription=text.replace("\0", "")[:60]), tmp_path / "in" / "p")
    study = only(discover([tmp_path / "in"]))
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    for name in (study.name, study.series[0].info.name):
        assert set(name) <= allowed
        assert ".." not in name
        assert len(name) <= 80


def test_nothing_that_leaves_the_reader_names_the_patient(tmp_path: Path) -> None:
    names = [f"Doe_Jane_{k}.dcm" for k in range(6)]
    save(slices(image(), SeriesDescription="t1 for Jane Doe"), tmp_path / "Doe^Jane PID-4711", names)
    study = only(discover([tmp_path]))
    printed = repr((study.name, study.series[0].info, study.series[0].reason, study.problem)).casefold()
    assert not [word for word in ("doe", "jane", "4711") if word in printed]


@pytest.mark.parametrize("folder", ["XK77123", "Zuckerhut_2"])
def test_another_id_and_the_name_at_birth_are_identity_too(tmp_path: Path, folder: str) -> None:
    other = Dataset()
    other.PatientID = "XK77123"
    tags = {"OtherPatientIDsSequence": [other], "PatientBirthName": "Zuckerhut^Jane"}
    study = only(discover([save(slices(image(), **tags), tmp_path / folder).parent]))
    assert study.name == short_hash(uid("study"))


# --- NIfTI and BIDS


def test_each_nifti_file_is_a_study_named_after_it(tmp_path: Path) -> None:
    for name in ("case one_T1.nii.gz", "b_t1w.nii"):
        nifti(tmp_path / name)
    assert [s.name for s in discover([tmp_path])] == ["b_t1w", "case_one_T1"]


def test_a_nifti_without_any_hint_is_taken_as_t1_and_says_so(tmp_path: Path) -> None:
    study = only(discover([nifti(tmp_path / "hip.nii.gz")]))
    assert study.chosen[0].info.role is Role.T1
    assert "contrast_assumed" in {f.code for f in load(study.chosen[0]).findings}


def test_a_dixon_file_of_unknown_kind_is_not_assumed_to_be_t1(tmp_path: Path) -> None:
    nifti(tmp_path / "hip_mDIXON_401.nii.gz")
    study = only(discover([tmp_path]))
    assert study.chosen == ()
    assert "neither header nor name tells which" in str(study.problem)


@pytest.mark.parametrize(
    ("said", "given"),
    [({"ContrastBolusIngredient": "NONE"}, None), ({"ContrastBolusAgent": "Dotarem"}, True), ({}, None)],
)
def test_a_sidecar_tells_whether_contrast_agent_was_given(
    tmp_path: Path, said: dict[str, str], given: bool | None
) -> None:
    nifti(tmp_path / "p_T1.nii.gz", Modality="MR", **said)
    assert only(discover([tmp_path])).chosen[0].info.contrast_agent is given


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_a_sidecar_is_read_in_whatever_letters_it_is_written(tmp_path: Path, encoding: str) -> None:
    t2 = {"EchoTime": 0.09, "RepetitionTime": 4, "ScanningSequence": "SE", "InstitutionName": "Universität"}
    nifti(tmp_path / "hip.nii.gz")
    (tmp_path / "hip.json").write_bytes(json.dumps(t2, ensure_ascii=False).encode(encoding))
    assert only(discover([tmp_path])).series[0].info.role is Role.T2


@pytest.mark.parametrize("absurd", [10**400, math.inf, math.nan, True, "0.01", [0.01, 0.02], {"ms": 10}])
def test_an_absurd_number_in_a_sidecar_counts_as_not_said(tmp_path: Path, absurd: object) -> None:
    said = {"EchoTime": 0.0023, "RepetitionTime": 0.2, "MagneticFieldStrength": absurd, "FlipAngle": absurd}
    nifti(tmp_path / "p_T1.nii.gz", ScanningSequence="GR", **said)
    study = only(discover([tmp_path]))
    assert study.chosen[0].info.field_strength_t is None


def test_equal_file_names_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for folder in ("p1", "p2"):
        nifti(tmp_path / folder / "t1.nii.gz")
    assert [s.name for s in discover([tmp_path])] == ["p1_t1", "p2_t1"]


def test_water_and_fat_files_of_one_stem_are_one_study(tmp_path: Path) -> None:
    for case in ("p1", "p2"):
        for kind in ("water", "fat", "inphase"):
            nifti(tmp_path / f"{case}_{kind}.nii.gz")
    studies = discover([tmp_path])
    assert [study.name for study in studies] == ["p1", "p2"]
    assert [s.info.name for s in studies[0].chosen] == ["p1_water", "p1_fat"]


@pytest.mark.parametrize(
    ("one", "other"), [("inphase", "outphase"), ("in_phase", "out_of_phase"), ("InPhase", "OppPhase")]
)
def test_in_and_opposed_phase_files_of_one_stem_are_one_study(tmp_path: Path, one: str, other: str) -> None:
    for case in ("p1", "p2"):
        for kind in (one, other):
            nifti(tmp_path / f"{case}_{kind}.nii.gz")
    studies = discover([tmp_path])
    assert [study.name for study in studies] == ["p1", "p2"]
    assert [s.info.name for s in studies[0].chosen] == [f"p1_{one}", f"p1_{other}"]


@pytest.mark.parametrize(
    "names",
    [
        {"water": ("p_t1_vibe_dixon_20240102_14", 14), "fat": ("p_t1_vibe_dixon_20240102_13", 13)},
        {
            "water": ("p_mDIXON_401b", 401),
            "fat": ("p_mDIXON_401_e1c", 401),
            "in_phase": ("p_mDIXON_401", 401),
        },
    ],
)
def test_dixon_files_that_a_converter_numbered_are_one_study(
    tmp_path: Path, names: dict[str, tuple[str, int]]
) -> None:
    for kind, (name, number) in names.items():
        types = ["DERIVED", "PRIMARY", "DIXON", kind.upper()]
        nifti(tmp_path / f"{name}.nii.gz", ImageType=types, SeriesNumber=number)
    study = only(discover([tmp_path]))
    assert [s.info.role for s in study.chosen] == [Role.WATER, Role.FAT]
    assert study.name.startswith("p_")


@pytest.mark.parametrize(
    "names", [("p1_DixonW", "p1_DixonF"), ("p1WaterOnly", "p1FatOnly"), ("wateronly", "fatonly")]
)
def test_water_and_fat_may_be_part_of_a_word(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        nifti(tmp_path / f"{name}.nii.gz")
    assert [s.info.role for s in only(discover([tmp_path])).chosen] == [Role.WATER, Role.FAT]


def test_dixon_files_named_after_their_sequence_are_one_study(tmp_path: Path) -> None:
    for kind in ("W", "F", "in", "opp"):
        nifti(tmp_path / f"30_3D_GRE_TRA_{kind}.nii.gz")
    assert [s.info.role for s in only(discover([tmp_path])).chosen] == [Role.WATER, Role.FAT]


@pytest.mark.parametrize(
    ("names", "kinds"),
    [(("IM_0001_W", "IM_0001_F"), [Role.WATER, Role.FAT]), (("W", "F"), [Role.WATER, Role.FAT]),
     (("x_ip", "x_op"), [Role.IN_PHASE, Role.OPPOSED_PHASE]),
     (("x_in", "x_opp"), [Role.IN_PHASE, Role.OPPOSED_PHASE])],
)  # fmt: skip
def test_letters_mean_dixon_where_the_partner_lies_beside(
    tmp_path: Path, names: tuple[str, str], kinds: list[Role]
) -> None:
    for name in names:
        nifti(tmp_path / "p1" / f"{name}.nii.gz")
    assert [s.info.role for s in only(discover([tmp_path])).chosen] == kinds


@pytest.mark.parametrize("names", [("p1_W", "p2_F"), ("p1_F", "p1_M"), ("p1_in", "p1_out")])
def test_letters_without_a_partner_of_the_same_name_pair_nothing(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    for name in names:
        nifti(tmp_path / f"{name}.nii.gz")
    assert [[s.info.role for s in study.chosen] for study in discover([tmp_path])] == [[Role.T1]] * 2


def test_the_f_of_a_woman_s_t1_is_no_fat_image(tmp_path: Path) -> None:
    study = only(discover([nifti(tmp_path / "t1_tse_F.nii.gz")]))
    assert [s.info.role for s in study.chosen] == [Role.T1]
    assert "contrast_assumed" in [f.code for f in study.chosen[0].findings]
    vibe = only(discover([nifti(tmp_path / "b" / "t1_vibe_F.nii.gz")]))
    assert isinstance(vibe.problem, UnsupportedContrast)


@pytest.mark.parametrize("name", ["cor_fs", "x_SPAIR", "THRIVE"])
def test_a_nifti_that_says_fat_suppressed_is_not_assumed_to_be_t1(tmp_path: Path, name: str) -> None:
    problem = only(discover([nifti(tmp_path / f"{name}.nii.gz")])).problem
    assert isinstance(problem, UnsupportedContrast)
    assert "fat suppressed by its name" in str(problem)


def test_a_sidecar_in_milliseconds_and_of_modality_mri_is_understood(tmp_path: Path) -> None:
    path = nifti(
        tmp_path / "x_MR.nii.gz", EchoTime=10, RepetitionTime=500, ScanningSequence="SE", Modality="MRI"
    )
    graded = only(discover([path])).chosen[0].info
    assert (graded.role, graded.echo_time_ms, graded.repetition_time_ms) == (Role.T1, 10, 500)


def test_equal_names_in_one_folder_are_numbered_and_name_no_folder_above(tmp_path: Path) -> None:
    for name in ("t1.nii", "t1.nii.gz"):
        nifti(tmp_path / "p1" / name)
    assert [s.name for s in discover([tmp_path])] == ["t1", "t1-2"]
    nifti(tmp_path / "p2" / "t1.nii.gz")
    assert [s.name for s in discover([tmp_path])] == ["p1_t1", "p1_t1-2", "p2_t1"]


def test_links_to_images_that_are_not_there_are_told(tmp_path: Path) -> None:
    nifti(tmp_path / "p1_T1w.nii.gz")
    for name in ("p2_T1w.nii.gz", "dicom/IM1.dcm", "README"):
        link = tmp_path / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(tmp_path / "absent" / name)
    problems = {study.name: str(study.problem) for study in discover([tmp_path])}
    assert problems.pop("p1_T1w") == "None"
    assert "datalad get" in problems.pop("p2_T1w")
    assert ["fetch the file it links to" in text for text in problems.values()] == [True]


def test_label_maps_are_listed_with_their_image_and_never_graded(tmp_path: Path) -> None:
    nifti(tmp_path / "p1.nii.gz")
    nifti(tmp_path / "p2.nii.gz")
    nifti(tmp_path / "p1_seg.nii.gz")
    few = np.random.default_rng(0).integers(0, 5, size=(9, 8, 7)).astype(np.uint8)
    nifti(tmp_path / "case" / "bones.nii.gz", few)
    save(slices(image()), tmp_path / "case" / "dicom")
    studies = {study.name: study for study in discover([tmp_path])}
    assert set(studies) == {"p1", "p2", "case"}
    assert roles(studies["p1"]) == {"p1": Role.T1, "p1_seg": Role.LABEL_MAP}
    assert roles(studies["case"]) == {"05-t1_tse": Role.T1, "bones": Role.LABEL_MAP}


def test_a_label_map_alone_is_not_an_image_to_grade(tmp_path: Path) -> None:
    few = np.random.default_rng(0).integers(0, 5, size=(9, 8, 7)).astype(np.uint8)
    problem = only(discover([nifti(tmp_path / "labels.nii.gz", few)])).problem
    assert isinstance(problem, SeriesNotFound)


def test_a_bids_session_is_one_study_and_sidecars_decide_the_role(tmp_path: Path) -> None:
    anat = tmp_path / "sub-01" / "ses-2" / "anat"
    nifti(anat / "sub-01_ses-2_T1w.nii.gz")
    nifti(anat / "sub-01_ses-2_T2w.nii.gz")
    nifti(anat / "sub-01_ses-2_acq-x_MR.nii.gz", EchoTime=0.01, RepetitionTime=0.5, ScanningSequence="SE_IR")
    nifti(tmp_path / "derivatives" / "sub-01" / "sub-01_ses-2_dseg.nii.gz")
    study = next(s for s in discover([tmp_path]) if s.name.startswith("sub-01"))
    assert study.name == "sub-01_ses-2"
    assert roles(study)["sub-01_ses-2_T2w"] is Role.T2
    assert roles(study)["sub-01_ses-2_acq-x_MR"] is Role.T1
    assert [s.info.role for s in study.chosen] == [Role.T1]


@pytest.mark.parametrize(
    "names", [("sub-A-01", "sub-A-02", "sub-A-03"), ("sub-A_01", "sub-A_02", "sub-A_03")]
)
def test_people_whose_labels_are_not_bids_stay_apart(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        nifti(tmp_path / f"{name}_T1w.nii.gz")
    studies = discover([tmp_path])
    assert [study.name for study in studies] == [f"{name}_T1w" for name in names]
    assert all(study.chosen for study in studies)


def test_a_derivative_leaves_the_raw_study_its_name(tmp_path: Path) -> None:
    for subject in ("sub-01", "sub-02"):
        nifti(tmp_path / subject / "anat" / f"{subject}_T1w.nii.gz")
    for pipeline in ("n4", "n5"):
        nifti(tmp_path / "derivatives" / pipeline / "sub-01" / "anat" / "sub-01_desc-even_T1w.nii.gz")
    assert [s.name for s in discover([tmp_path])] == ["sub-01", "sub-01_n4", "sub-01_n5", "sub-02"]
    below = tmp_path / "derivatives" / "n4"
    assert only(discover([below])).name == "sub-01"


def test_several_volumes_in_a_nifti_are_the_study_problem(tmp_path: Path) -> None:
    four = np.random.default_rng(0).normal(size=(9, 8, 7, 2)).astype(np.float32)
    assert isinstance(only(discover([nifti(tmp_path / "t1.nii", four)])).problem, MixedSeries)


# --- reading what the caller means


def test_read_takes_a_file_a_series_folder_and_a_named_series(tmp_path: Path) -> None:
    save(slices(image()), tmp_path / "p" / "a")
    save(slices(image(seed=1), **T2), tmp_path / "p" / "b")
    assert read(tmp_path / "p").series.name == "05-t1_tse"
    assert read(tmp_path / "p" / "b").series.role is Role.T2
    assert read(tmp_path / "p", series="07-t2_tse").series.role is Role.T2
    with pytest.raises(SeriesNotFound, match="found: 05-t1_tse, 07-t2_tse"):
        read(tmp_path / "p", series="09")
    assert read(nifti(tmp_path / "x_water.nii.gz")).series.role is Role.WATER


def test_reading_a_tree_of_studies_names_them(tmp_path: Path) -> None:
    for name in ("p1", "p2"):
        save(slices(image(), study=name), tmp_path / name)
    with pytest.raises(SeriesNotFound, match=r"2 studies \(p1, p2\)"):
        read(tmp_path)
