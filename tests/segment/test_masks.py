"""Label maps that users bring: what their numbers mean, which study they belong to, where they lie."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import grading
from grading.anatomy import GLUTEI, SIDES, STRUCTURES, Muscle, Side, label_of
from grading.errors import ConfigurationError, GridMismatchError, SegmentationError, UnreadableSeries
from grading.segment.masks import MasksSegmenter, find_label_map, loses_nothing
from grading.segment.schemes import BUILT_IN, best_fit, load_schemes
from grading.series import SeriesInfo
from grading.settings import Settings
from grading.volume import Geometry, Volume

AFFINE = np.array([[2.0, 0, 0, -20], [0, 2.0, 0, -16], [0, 0, 4.0, -10], [0, 0, 0, 1]])
SHAPE = (20, 16, 6)


def volume(affine=AFFINE, shape=SHAPE) -> Volume:
    return Volume(
        np.ones(shape, np.float32), Geometry(shape, affine), np.ones(shape, bool), SeriesInfo(name="t1")
    )


def boxes(numbers: dict[int, slice], shape=SHAPE) -> np.ndarray:
    """A label map whose structures are slabs of the first axis."""
    labels = np.zeros(shape, np.uint16)
    for number, where in numbers.items():
        labels[where, 4:12, 1:5] = number
    return labels


MUSCLEMAP = boxes({6121: slice(2, 6), 6122: slice(13, 18), 6160: slice(9, 10)})


def write(path: Path, labels: np.ndarray, affine=AFFINE, orientation: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(labels, affine)
    if orientation:
        wanted = nib.orientations.axcodes2ornt(orientation)
        image = image.as_reoriented(nib.orientations.ornt_transform(nib.io_orientation(affine), wanted))
    image.to_filename(path)
    return path


def codes(segmentation) -> list[str]:
    return [finding.code for finding in segmentation.findings]


# --- meaning of the numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("of", ["file", "folder"])
def test_segment_takes_the_label_map_that_the_settings_name(tmp_path, of):
    path = write(tmp_path / "t1_seg.nii.gz", MUSCLEMAP)
    found = grading.segment(volume(), Settings(masks=path if of == "file" else tmp_path))
    assert np.array_equal(found.labels, MUSCLEMAP)


@pytest.mark.parametrize(
    ("scheme", "structure", "left", "right"),
    [
        ("musclemap", "gluteus_minimus", 6101, 6102),
        ("musclemap", "tensor_fasciae_latae", 6131, 6132),
        ("total_mr", "gluteus_maximus", 40, 41),
        ("total_mr", "gluteus_medius", 42, 43),
        ("total_mr", "hip_bone", 38, 39),
        ("total", "gluteus_maximus", 80, 81),
        ("total", "gluteus_minimus", 84, 85),
        ("total", "femur", 75, 76),
    ],
)
def test_built_in_schemes_number_each_structure_as_their_authors_do(scheme, structure, left, right):
    (loaded,) = load_schemes(scheme)
    assert loaded.labels[left] == label_of(structure, Side.LEFT)
    assert loaded.labels[right] == label_of(structure, Side.RIGHT)


def test_musclemap_iliacus_and_psoas_are_both_iliopsoas_and_thigh_muscles_other_muscle():
    (scheme,) = load_schemes("musclemap")
    assert {scheme.labels[n] for n in (6141, 5121, 6143)} == {label_of("iliopsoas", Side.LEFT)}
    assert scheme.labels[7132] == label_of("other_muscle", Side.RIGHT)
    assert scheme.labels[8151] == 0, "a tibia is named, but of no use"


def test_our_own_labels_read_as_musclemap_without_change():
    (scheme,) = load_schemes("musclemap")
    for structure in STRUCTURES.values():
        for side in Side:
            assert scheme.labels[structure.label(side)] == structure.label(side)


def test_totalsegmentators_two_tasks_are_told_apart_by_the_numbers_present():
    both = load_schemes("totalsegmentator")
    assert best_fit(both, [18, 36, 40, 41]).name == "total_mr"
    assert best_fit(both, [25, 75, 80, 81, 40]).name == "total"


@pytest.mark.parametrize(
    "written",
    ["gluteus_medius_left", "Gluteus medius (L)", "left gluteus-medius", "GMed_L", "LEFT GLUTEUS MEDIUS"],
)
def test_a_structure_may_be_written_in_any_usual_way(tmp_path, written):
    file = tmp_path / "scheme.json"
    file.write_text(json.dumps({"3": written}))
    assert load_schemes(str(file))[0].labels == {3: label_of(Muscle.GLUTEUS_MEDIUS, Side.LEFT)}


SCHEME_FILES = {
    "own.json": '{"1": "gluteus_maximus_left", "2": {"structure": "gluteus_maximus", "side": "right"}, '
    '"3": null}',
    "dataset.json": '{"labels": {"background": 0, "gluteus_maximus_left": 1, "R gluteus maximus": 2, "": 3}}',
    "bids_dseg.tsv": "index\tname\tcolor\n1\tgluteus_maximus_left\t-\n2\tgluteus_maximus_right\t-\n3\tx\t-\n",
    "sides.tsv": "index\tstructure\tside\n1\tgluteus_maximus\tleft\n2\tgluteus_maximus\tright\n3\tx\t\n",
    "snap.txt": '# ITK-SNAP\n    0     0    0    0        0  0  0    "Clear Label"\n'
    '    1   255    0    0        1  1  1    "Left gluteus maximus"\n'
    '    2     0  255    0      0.5  1  1    "Right gluteus maximus"\n'
    '    3     0    0  255        1  1  1    "Label 3"\n',
    "slicer.ctbl": "# Color table\n0 Background 0 0 0 0\n1 gluteus_maximus_left 221 130 101 255\n"
    "2 gluteus_maximus_right 221 130 101 255\n3 Segment_3 1 2 3 255\n",
}


@pytest.mark.parametrize("name", SCHEME_FILES)
def test_every_kind_of_scheme_file_says_the_same(tmp_path, name):
    (tmp_path / name).write_text(SCHEME_FILES[name])
    assert load_schemes(str(tmp_path / name))[0].labels == {1: 6121, 2: 6122, 3: 0}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.json", '{"1": "bladder"}', "names no gluteal muscle"),
        ("a.json", '{"1": "gluteus_maximus"}', "must say left or right"),
        ("a.json", '{"1": "gluteus_maximis_left"}', "looks like a gluteal muscle"),
        ("a.json", '{"70000": "gluteus_maximus_left"}', "not a label number"),
        ("a.json", "[1, 2]", "must be an object"),
        ("a.json", "{", "is not JSON"),
        ("a.tsv", "number\twhat\n1\tx\n", "columns index and name"),
        ("a.tsv", "index\tname\n1\tgluteus_maximus_left\n1\tgluteus_maximus_right\n", "named twice"),
        ("a.xml", "<a/>", "unknown kind"),
    ],
)
def test_a_scheme_that_cannot_be_meant_is_refused_with_the_reason(tmp_path, name, content, complaint):
    (tmp_path / name).write_text(content)
    with pytest.raises(ConfigurationError, match=complaint):
        load_schemes(str(tmp_path / name))


def test_an_unknown_scheme_names_the_known_ones():
    with pytest.raises(ConfigurationError, match="musclemap, totalsegmentator"):
        load_schemes("musclmap")


# --- labels on the image's grid -----------------------------------------------------------------------


def test_a_label_map_on_the_images_grid_is_taken_voxel_by_voxel(tmp_path):
    segmentation = MasksSegmenter(write(tmp_path / "m.nii.gz", MUSCLEMAP))(volume())
    assert np.array_equal(segmentation.labels, MUSCLEMAP)
    assert segmentation.method == "masks: musclemap"
    assert codes(segmentation) == []
    assert (segmentation.confidence == 1).all()


@pytest.mark.parametrize("orientation", ["LPS", "SRA", "PIR", "ASL"])
def test_storage_order_of_the_label_map_does_not_matter(tmp_path, orientation):
    path = write(tmp_path / "m.nii.gz", MUSCLEMAP, orientation=orientation)
    segmentation = MasksSegmenter(path)(volume())
    assert np.array_equal(segmentation.labels, MUSCLEMAP)
    assert codes(segmentation) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_any_number_type_of_the_label_map_will_do(tmp_path, dtype):
    labels = boxes({40: slice(2, 6), 41: slice(13, 18)}).astype(dtype)
    segmentation = MasksSegmenter(write(tmp_path / "m.nii.gz", labels), "totalsegmentator")(volume())
    assert segmentation.mask(Muscle.GLUTEUS_MAXIMUS, Side.LEFT).sum() == (labels == 40).sum()
    assert segmentation.mask(Muscle.GLUTEUS_MAXIMUS, Side.RIGHT).sum() == (labels == 41).sum()


def test_numbers_the_scheme_does_not_name_are_ignored_and_counted(tmp_path):
    labels = MUSCLEMAP.copy()
    labels[0, :3, 0] = 77
    segmentation = MasksSegmenter(write(tmp_path / "m.nii.gz", labels))(volume())
    assert not (segmentation.labels == 77).any()
    (finding,) = segmentation.findings
    assert finding.code == "unknown_labels"
    assert "77 (3 voxels)" in finding.detail


def test_not_outlined_voxels_are_no_label_and_the_volumes_reader_is_warned(tmp_path):
    labels = MUSCLEMAP.copy()
    labels[:, :, 0] = 65535
    segmentation = MasksSegmenter(write(tmp_path / "m.nii.gz", labels))(volume())
    (finding,) = segmentation.findings
    assert finding.code == "partly_outlined"
    assert "17 %" in finding.detail
    assert not segmentation.labels[:, :, 0].any()


def test_a_label_map_without_gluteal_muscle_names_what_it_holds_and_what_would_fit(tmp_path):
    path = write(tmp_path / "m.nii.gz", boxes({40: slice(2, 6), 41: slice(13, 18)}))
    with pytest.raises(SegmentationError, match=r"40 \(128 voxels\).*scheme musclemap.*scheme total_mr"):
        MasksSegmenter(path)(volume())
    with pytest.raises(SegmentationError, match="empty"):
        MasksSegmenter(write(tmp_path / "e.nii.gz", np.zeros(SHAPE, np.uint16)))(volume())


def test_labels_named_left_on_the_right_are_found_out(tmp_path):
    swapped = boxes({6122: slice(2, 6), 6121: slice(13, 18)})
    segmentation = MasksSegmenter(write(tmp_path / "m.nii.gz", swapped))(volume())
    (finding,) = segmentation.findings
    assert finding.code == "laterality_contradiction"
    assert "23 mm" in finding.detail


# --- labels on another grid ---------------------------------------------------------------------------


def test_a_coarser_grid_is_refused_with_both_grids_in_numbers(tmp_path):
    coarse = AFFINE @ np.diag([1, 1, 2, 1])
    coarse[2, 3] += 2
    path = write(tmp_path / "m.nii.gz", MUSCLEMAP[:, :, ::2], coarse)
    with pytest.raises(GridMismatchError, match=r"20×16×3 voxels of 2.00×2.00×8.00 mm.*20×16×6"):
        MasksSegmenter(path)(volume())


def test_a_shifted_grid_is_refused_with_the_distance_and_resampled_when_allowed(tmp_path):
    moved = AFFINE.copy()
    moved[0, 3] += 4.0  # two voxels
    path = write(tmp_path / "m.nii.gz", MUSCLEMAP, moved)
    with pytest.raises(GridMismatchError, match=r"4\.0 mm"):
        MasksSegmenter(path)(volume())
    segmentation = MasksSegmenter(path, resample=True)(volume())
    assert np.array_equal(segmentation.labels[2:], MUSCLEMAP[:-2])
    (finding,) = segmentation.findings
    assert finding.code == "mask_resampled"
    assert "4.6 mL before, 4.6 mL after" in finding.detail


def test_a_finer_label_map_of_the_same_box_is_resampled_unasked_and_says_so(tmp_path):
    fine = AFFINE @ np.diag([0.5, 0.5, 1, 1])
    fine[:2, 3] -= 0.5
    labels = MUSCLEMAP.repeat(2, axis=0).repeat(2, axis=1)
    segmentation = MasksSegmenter(write(tmp_path / "m.nii.gz", labels, fine))(volume())
    assert np.array_equal(segmentation.labels, MUSCLEMAP)
    assert codes(segmentation) == ["mask_resampled"]


def test_a_label_map_elsewhere_in_the_body_is_refused_even_when_resampling_is_allowed(tmp_path):
    away = AFFINE.copy()
    away[2, 3] += 500
    with pytest.raises(SegmentationError, match="none of the label map's 5 mL"):
        MasksSegmenter(write(tmp_path / "m.nii.gz", MUSCLEMAP, away), resample=True)(volume())


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("upper", [False, True])
def test_a_label_map_that_ends_within_a_muscle_outlines_it_in_part_only(tmp_path, axis, upper):
    """A ball 64 mm wide: the label map ends in its middle, at its very tip, and beside it."""
    shape = (48, 48, 24)
    offset = np.indices(shape) * np.array([2.0, 2, 4]).reshape(3, 1, 1, 1) - 47
    labels = np.where(np.linalg.norm(offset, axis=0) < 32, 6111, 0).astype(np.uint16)
    for cut_mm, said in (
        (48, ["mask_resampled", "partly_outlined"]),
        (16, ["mask_resampled"]),
        (12, ["mask_resampled"]),
    ):
        box, affine = [slice(None)] * 3, AFFINE.copy()
        cut = cut_mm // (4 if axis == 2 else 2)
        box[axis] = slice(None, -cut) if upper else slice(cut, None)
        affine[:3, 3] += affine[:3, :3] @ [part.start or 0 for part in box]
        path = write(tmp_path / f"{cut}.nii.gz", labels[tuple(box)], affine)
        assert codes(MasksSegmenter(path, resample=True)(volume(shape=shape))) == said


@given(factor=st.integers(1, 4), axis=st.integers(0, 2))
def test_dividing_the_images_voxels_loses_nothing_and_joining_them_does(factor, axis):
    shape = tuple(n * (4 if a == axis else 1) for a, n in enumerate(SHAPE))
    image = Geometry(shape, AFFINE)

    def regrid(scale: float) -> Geometry:
        step = np.eye(4)
        step[axis, axis] = scale
        step[axis, 3] = (scale - 1) / 2
        size = tuple(round(n / scale) if a == axis else n for a, n in enumerate(shape))
        return Geometry(size, AFFINE @ step)

    assert loses_nothing(regrid(1 / factor), image)
    assert loses_nothing(regrid(factor), image) == (factor == 1)


# --- matching label maps to studies -------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "p01.nii.gz",
        "p01.nii",
        "p01_seg.nii.gz",
        "p01_dseg.nii",
        "p01-mask.nii.gz",
        "p01_space-T1w_desc-glutei_dseg.nii.gz",
        "p01/segmentation.nii.gz",
        "p01/reader_labels.nii.gz",
        "studies/p01/segmentation.nii.gz",
        "derivatives/anat/p01_Segmentation.nii.gz",
    ],
)
def test_a_label_map_is_found_by_the_studys_name(tmp_path, name):
    path = write(tmp_path / name, MUSCLEMAP)
    write(tmp_path / "p010_seg.nii.gz", MUSCLEMAP)
    write(tmp_path / "p02" / "segmentation.nii.gz", MUSCLEMAP)
    write(tmp_path / "p01" / "t1.nii.gz", MUSCLEMAP)
    assert find_label_map(tmp_path, "p01") == path


def test_a_label_map_named_after_the_t1_image_of_a_bids_study_is_that_studys(tmp_path):
    path = write(tmp_path / "sub-01_ses-1_T1w_seg.nii.gz", MUSCLEMAP)
    write(tmp_path / "sub-01_ses-2_T1w_seg.nii.gz", MUSCLEMAP)
    assert find_label_map(tmp_path, "sub-01_ses-1") == path


def test_a_label_map_beside_the_image_of_the_same_name_is_preferred_to_the_image(tmp_path):
    write(tmp_path / "p01.nii.gz", MUSCLEMAP)
    mask = write(tmp_path / "p01_seg.nii.gz", MUSCLEMAP)
    assert find_label_map(tmp_path, "p01") == mask
    assert MasksSegmenter(tmp_path, study_name="p01")(volume()).labels.any()


def test_no_label_map_of_a_study_says_what_was_looked_for(tmp_path):
    write(tmp_path / "p02_seg.nii.gz", MUSCLEMAP)
    with pytest.raises(SegmentationError, match=r"'p01' among 1 NIfTI.*p01_seg.nii.gz.*p01/segmentation"):
        MasksSegmenter(tmp_path, study_name="p01")(volume())


def test_two_label_maps_of_one_study_are_never_guessed_between(tmp_path):
    write(tmp_path / "a" / "p01_seg.nii.gz", MUSCLEMAP)
    write(tmp_path / "b" / "p01_mask.nii.gz", MUSCLEMAP)
    with pytest.raises(
        SegmentationError, match=r"2 label maps fit study 'p01', each named like p01_seg.nii.gz"
    ):
        find_label_map(tmp_path, "p01")


def test_no_message_about_a_label_map_names_its_file_or_folder(tmp_path):
    mask = write(tmp_path / "DOE" / "p01_DOE_seg.nii.gz", MUSCLEMAP)
    mask.write_bytes(mask.read_bytes()[:-20])
    with pytest.raises(UnreadableSeries, match=r"^the label map: the voxels cannot be read") as one:
        MasksSegmenter(mask)(volume())
    for name in ("p01/DOE_seg.nii.gz", "DOE/p01/seg.nii.gz"):
        write(tmp_path / name, MUSCLEMAP)
    with pytest.raises(SegmentationError, match="2 label maps") as two:
        find_label_map(tmp_path, "p01")
    assert "DOE" not in f"{one.value} {two.value}"


def test_nothing_said_of_a_scheme_file_names_it(tmp_path):
    scheme = tmp_path / "DOE.json"
    scheme.write_text('{"6121": "gluteus_maximus_left"}')
    segmentation = MasksSegmenter(write(tmp_path / "m.nii.gz", MUSCLEMAP), str(scheme))(volume())
    assert segmentation.method == "masks: own-file"
    assert segmentation.findings
    assert "DOE" not in repr(segmentation.findings)


def test_a_study_name_with_pattern_characters_is_taken_literally(tmp_path):
    path = write(tmp_path / "p(1)+_seg.nii.gz", MUSCLEMAP)
    assert find_label_map(tmp_path, "p(1)+") == path


def test_an_impossible_request_is_refused_before_any_image_is_read(tmp_path):
    with pytest.raises(ConfigurationError, match="no label map or folder"):
        MasksSegmenter(tmp_path / "absent.nii.gz")
    with pytest.raises(ConfigurationError, match="study name"):
        MasksSegmenter(tmp_path)
    (tmp_path / "m.nrrd").touch()
    with pytest.raises(ConfigurationError, match="NIfTI"):
        MasksSegmenter(tmp_path / "m.nrrd")


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_scheme_names_all_three_glutei_on_both_sides(name):
    for scheme in load_schemes(name):
        for muscle in GLUTEI:
            for side in Side:
                assert label_of(muscle, side) in scheme.labels.values()


@pytest.mark.real_data
def test_outlines_drawn_on_a_real_study_are_found_by_its_name_and_lie_on_their_sides(real_data):
    root = real_data / "mri" / "pelvis_t1_coronal"
    image = grading.read(root / "pelvis01" / "dicom")
    segmentation = MasksSegmenter(root, study_name="pelvis01")(image)
    assert codes(segmentation) == ["partly_outlined"], "about ten slices of each study were outlined"
    for muscle in GLUTEI:
        left, right = (np.argwhere(segmentation.mask(muscle, side))[:, 0].mean() for side in SIDES)
        assert left < right, "the first axis grows towards the patient's right"
