"""Where a DICOM voxel lies, and what it is worth, whatever the storage."""

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from dicom_factory import AXIAL, CORONAL, SAGITTAL, enhanced, image, save, slices
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)
from scipy.spatial.transform import Rotation

from grading.errors import IncompleteSeries, MixedSeries, UnreadableSeries
from grading.io import read
from grading.io.codestream import FrameHeader, frame_header
from grading.io.discover import discover, load
from grading.io.tags import Tags
from grading.series import Role
from grading.volume import Volume

LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])
AXIS_DIRECTIONS = [np.eye(3)[a] * s for a in range(3) for s in (1, -1)]
ORIENTATIONS_48 = [
    (tuple(row), tuple(column), sign)
    for row, column in itertools.permutations(AXIS_DIRECTIONS, 2)
    if abs(row @ column) < 0.5
    for sign in (1.0, -1.0)
]


def marker_error_mm(volume: Volume, voxels: np.ndarray, orientation: np.ndarray, step: np.ndarray) -> float:
    """Distance between where the brightest voxel was put and where it must lie by the standard's formula."""
    column, row, k = np.unravel_index(voxels.argmax(), voxels.shape)
    origin = np.array([-50.0, -40.0, 30.0])
    truth = origin + orientation[:3] * 1.2 * column + orientation[3:] * 0.8 * row + step * k
    found = np.unravel_index(volume.voxels.argmax(), volume.voxels.shape)
    world = volume.geometry.affine[:3, :3] @ found + volume.geometry.affine[:3, 3]
    return float(np.linalg.norm(world - truth * LPS_TO_RAS))


def with_marker(shape: tuple[int, int, int] = (12, 10, 6)) -> np.ndarray:
    voxels = image(shape)
    voxels[3, 7, 4] = 5000
    return voxels


@pytest.mark.parametrize(("row", "column", "sign"), ORIENTATIONS_48)
def test_a_marker_lies_where_the_standard_says_in_all_48_orientations(
    tmp_path: Path, row: tuple[float, ...], column: tuple[float, ...], sign: float
) -> None:
    voxels, orientation = with_marker(), np.array([*row, *column])
    save(slices(voxels, orientation=orientation, step_mm=4.0 * sign), tmp_path)
    volume = read(tmp_path)
    step = np.cross(row, column) * 4.0 * sign
    assert marker_error_mm(volume, voxels, orientation, step) < 1e-4
    assert np.all(np.diag(volume.geometry.affine)[:3] > 0)


@given(angles=st.tuples(*[st.floats(-180, 180)] * 3), order=st.permutations(range(6)))
@settings(max_examples=15, deadline=None)
def test_double_oblique_slices_in_any_file_order_keep_their_place(
    tmp_path_factory: pytest.TempPathFactory, angles: tuple[float, ...], order: list[int]
) -> None:
    turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    orientation = np.concatenate([turn[:, 0], turn[:, 1]])
    voxels, folder = with_marker(), tmp_path_factory.mktemp("oblique")
    instances = slices(voxels, orientation=orientation)
    save([instances[k] for k in order], folder)
    assert marker_error_mm(read(folder), voxels, orientation, turn[:, 2] * 4.0) < 1e-3


@given(order=st.permutations(range(6)))
@settings(max_examples=8, deadline=None)
def test_shuffling_and_renaming_files_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    voxels, folder = image(), tmp_path_factory.mktemp("shuffled")
    reference = read(save(slices(voxels), folder / "a"))
    names = [f"{100 - k}.x{k}" for k in range(6)]
    instances = slices(voxels)
    shuffled = read(save([instances[k] for k in order], folder / "b", names))
    assert shuffled.series == reference.series
    assert np.array_equal(shuffled.voxels, reference.voxels)


def test_slice_order_against_the_normal_gives_the_same_volume(tmp_path: Path) -> None:
    voxels = image()
    forward = read(save(slices(voxels), tmp_path / "a"))
    back = read(save(slices(voxels)[::-1], tmp_path / "b"))
    assert forward.series.digest == back.series.digest


@pytest.mark.parametrize(("orientation", "axis"), [(SAGITTAL, 0), (CORONAL, 1), (AXIAL, 2)])
def test_the_slice_axis_is_the_stacking_axis(
    tmp_path: Path, orientation: tuple[float, ...], axis: int
) -> None:
    volume = read(save(slices(image(), orientation=orientation), tmp_path))
    assert volume.series.slice_axis == axis
    assert volume.geometry.spacing_mm[axis] == pytest.approx(4.0)


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
)
def test_every_uncompressed_syntax_gives_the_same_values(tmp_path: Path, syntax: str) -> None:
    reference = read(save(slices(image()), tmp_path / "a"))
    assert read(save(slices(image(), syntax=syntax), tmp_path / "b")).series.digest == reference.series.digest


def test_run_length_encoding_changes_no_value(tmp_path: Path) -> None:
    packed = slices(image())
    for ds in packed:
        ds.compress(RLELossless, generate_instance_uid=False)
    reference = read(save(slices(image()), tmp_path / "a"))
    assert read(save(packed, tmp_path / "b")).series.digest == reference.series.digest


def in_jpeg_2000(voxels: np.ndarray) -> list[Dataset]:
    packed = slices(voxels, syntax=JPEG2000Lossless)
    for ds in packed:
        pixels = np.frombuffer(ds.PixelData, dtype=np.uint16).reshape(ds.Rows, ds.Columns)
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "JPEG2000", no_jp2=True, irreversible=False)
        ds.PixelData = encapsulate([stream.getvalue()])
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return packed


def test_jpeg_2000_changes_no_value(tmp_path: Path) -> None:
    reference = read(save(slices(image((32, 32, 3))), tmp_path / "a"))
    assert (
        read(save(in_jpeg_2000(image((32, 32, 3))), tmp_path / "b")).series.digest == reference.series.digest
    )


def test_a_file_without_preamble_is_read(tmp_path: Path) -> None:
    folder = save(slices(image()), tmp_path / "a")
    reference = read(folder)
    bare = tmp_path / "b"
    bare.mkdir()
    for path in folder.iterdir():
        (bare / path.name).write_bytes(path.read_bytes()[132:])
    assert read(bare).series.digest == reference.series.digest


def test_rescale_slope_and_intercept_turn_stored_values_into_signal(tmp_path: Path) -> None:
    voxels = image()
    volume = read(save(slices(voxels, RescaleSlope=2.5, RescaleIntercept=-10), tmp_path))
    assert volume.voxels.max() == pytest.approx(2.5 * voxels.max() - 10)


def test_slope_may_differ_from_slice_to_slice(tmp_path: Path) -> None:
    voxels = np.full((8, 8, 4), 100, dtype=np.uint16)
    instances = slices(voxels)
    for k, ds in enumerate(instances):
        ds.RescaleSlope, ds.RescaleIntercept = k + 1, 0
    volume = read(save(instances, tmp_path))
    assert volume.voxels[0, 0].tolist() == [100, 200, 300, 400]


def test_overlay_graphics_in_unused_bits_are_not_signal(tmp_path: Path) -> None:
    voxels = image()
    instances = slices(voxels | np.uint16(1 << 15))
    for ds in instances:
        ds.BitsStored, ds.HighBit = 12, 11
        ds.add_new(0x60000102, "US", 15)
    assert read(save(instances, tmp_path)).voxels.max() == voxels.max()


def test_values_beyond_the_declared_bits_are_refused(tmp_path: Path) -> None:
    voxels = image()
    voxels[5, 5] = 5000
    instances = slices(voxels)
    for ds in instances:
        ds.BitsStored, ds.HighBit = 12, 11
    with pytest.raises(UnreadableSeries, match="the value 5000, beyond the 12 bits"):
        read(save(instances, tmp_path))


@pytest.mark.parametrize("stored", [-700, 4096 - 700])
def test_a_sign_bit_below_the_unused_bits_is_a_sign(tmp_path: Path, stored: int) -> None:
    voxels = image().astype(np.int16)
    voxels[5, 5] = stored
    instances = slices(voxels)
    for ds in instances:
        ds.BitsStored, ds.HighBit = 12, 11
    assert read(save(instances, tmp_path)).voxels.min() == -700


def test_padding_value_is_not_valid(tmp_path: Path) -> None:
    voxels = image().astype(np.int16)
    voxels[2, 3, 1] = -2000
    instances = slices(voxels)
    for ds in instances:
        ds.add_new("PixelPaddingValue", "SS", -2000)
    volume = read(save(instances, tmp_path))
    assert (~volume.valid).sum() == 1
    assert volume.voxels[~volume.valid] == -2000


@pytest.mark.parametrize(
    ("kind", "vr", "value", "syntax"),
    [
        (np.int16, "US", 63536, ExplicitVRLittleEndian),
        (np.uint16, "SS", -2000, ExplicitVRLittleEndian),
        (np.uint16, "US", 63536, ImplicitVRLittleEndian),
        (np.int16, "SS", -2000, ImplicitVRLittleEndian),
    ],
)
def test_padding_is_recognised_by_its_bits_whatever_sign_they_are_given(
    tmp_path: Path, kind: type, vr: str, value: int, syntax: str
) -> None:
    voxels = image().astype(kind)
    voxels[2, 3, 1] = np.uint16(63536).astype(kind)
    instances = slices(voxels, syntax=syntax)
    for ds in instances:
        ds.add_new("PixelPaddingValue", vr, value)
    volume = read(save(instances, tmp_path))
    assert (~volume.valid).sum() == 1


@pytest.mark.parametrize(("kind", "said"), [(np.uint16, "63536"), (np.int16, "-2000"), (np.uint16, "63536")])
def test_the_sign_of_padding_is_read_from_its_own_file(kind: type, said: str) -> None:
    (ds,) = slices(image((12, 10, 1)).astype(kind), syntax=ImplicitVRLittleEndian)
    ds.add_new("PixelPaddingValue", "US" if kind is np.uint16 else "SS", int(said))
    file = io.BytesIO()
    ds.save_as(file, enforce_file_format=True)
    assert Tags((dcmread(io.BytesIO(file.getvalue())),)).text("PixelPaddingValue") == said


@pytest.mark.parametrize("orientation", [AXIAL, CORONAL, SAGITTAL])
def test_enhanced_multiframe_equals_the_classic_series(
    tmp_path: Path, orientation: tuple[float, ...]
) -> None:
    voxels = image()
    classic = read(save(slices(voxels, orientation=orientation), tmp_path / "a"))
    one_file = enhanced(voxels, orientation=orientation, order=[3, 1, 0, 5, 4, 2])
    multi = read(save([one_file], tmp_path / "b"))
    assert multi.series.digest == classic.series.digest
    assert multi.series.role is classic.series.role is Role.T1


def test_enhanced_rescale_comes_from_each_frame(tmp_path: Path) -> None:
    voxels = image()
    volume = read(save([enhanced(voxels, slope=0.5)], tmp_path))
    assert volume.voxels.max() == voxels.max() / 2


PHILIPS = "Philips MR Imaging DD 001"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_philips_water_and_fat_are_compared_as_measured_not_as_displayed(tmp_path: Path, syntax: UID) -> None:
    instances = []
    for kind, displayed, scale in (("W", 2.0, 0.5), ("F", 1.0, 0.5), ("IP", 1.0, 0.25), ("OP", 1.0, 0.25)):
        of_kind = slices(
            image(),
            syntax=syntax,
            Manufacturer="Philips Healthcare",
            ImageType=["DERIVED", "PRIMARY", kind, kind, "DERIVED"],
            RescaleSlope=displayed,
            RescaleIntercept=0,
        )
        for ds in of_kind:
            ds.private_block(0x2005, PHILIPS, create=True).add_new(0x0E, "FL", scale)
        instances += of_kind
    save(instances, tmp_path)
    (study,) = discover([tmp_path])
    assert [s.info.role for s in study.chosen] == [Role.WATER, Role.FAT]
    for series in study.series:
        factor = 2 if series.info.role in (Role.WATER, Role.FAT) else 4
        assert load(series).voxels.max() == image().max() * factor


def test_each_frame_of_philips_enhanced_has_its_own_scale(tmp_path: Path) -> None:
    ds = enhanced(image(), frame_types=("WATER", "FAT"))
    ds.Manufacturer = "Philips"
    for number, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        classic = Dataset()
        classic.ImagePositionPatient = [0, 0, 0]  # of another convention, which nobody may use
        classic.private_block(0x2005, PHILIPS, create=True).add_new(0x0E, "FL", 0.5 if number < 6 else 1.0)
        group.add_new((0x2005, 0x0014), "LO", "Philips MR Imaging DD 005")
        group.add_new((0x2005, 0x140F), "SQ", [classic])
    (study,) = discover([save([ds], tmp_path)])
    water, fat = (load(series) for series in study.chosen)
    assert water.voxels.max() == fat.voxels.max() == image().max() * 2


def test_identical_copies_of_slices_are_dropped_and_told(tmp_path: Path) -> None:
    instances = slices(image())
    save(instances, tmp_path)
    save(instances[:2], tmp_path, ["copy1", "copy2"])
    volume = read(tmp_path)
    assert volume.voxels.shape[2] == 6
    assert "2 identical" in next(f.detail for f in volume.findings if f.code == "duplicate_slices")


def test_a_copied_series_of_several_images_is_split_as_the_original_is(tmp_path: Path) -> None:
    water = slices(image(), ImageType=["DERIVED", "PRIMARY", "DIXON", "WATER"])
    fat = slices(image(seed=1), ImageType=["DERIVED", "PRIMARY", "DIXON", "FAT"])
    save(water + fat, tmp_path / "p" / "first")
    save(water + fat[:4], tmp_path / "p" / "copy")
    (study,) = discover([tmp_path])
    assert [s.info.role for s in study.chosen] == [Role.WATER, Role.FAT]
    for series, voxels, copies in zip(study.chosen, (image(), image(seed=1)), (6, 4), strict=True):
        volume = load(series)
        assert volume.voxels.max() == voxels.max()
        assert f"{copies} identical" in next(
            f.detail for f in volume.findings if f.code == "duplicate_slices"
        )


def test_a_copy_with_other_pixels_is_no_copy(tmp_path: Path) -> None:
    original = slices(image())
    save(original, tmp_path / "first")
    original[2].PixelData = original[3].PixelData
    save(original[2:3], tmp_path / "copy")
    with pytest.raises(MixedSeries, match="slice 3 they differ"):
        read(tmp_path)


def test_different_images_at_one_place_are_refused_with_numbers(tmp_path: Path) -> None:
    save(slices(image()), tmp_path)
    other = slices(image(seed=1))[2]
    save([other], tmp_path, ["other"])
    with pytest.raises(MixedSeries, match=r"1 of 6 slice places .* slice 3 they differ"):
        read(tmp_path)


def test_a_missing_slice_is_named_in_mm(tmp_path: Path) -> None:
    instances = slices(image((8, 8, 10)))
    del instances[4]
    with pytest.raises(IncompleteSeries, match=r"gap of 8\.0 mm after slice 4 of 9, expected 4\.0 mm"):
        read(save(instances, tmp_path))


def test_uneven_steps_are_refused_with_numbers(tmp_path: Path) -> None:
    places = np.array([[-50, -40, z] for z in (0, 4, 8, 13, 17, 21)], dtype=float)
    with pytest.raises(IncompleteSeries, match=r"steps from 4\.00 to 5\.00 mm"):
        read(save(slices(image(), places=places), tmp_path))


def test_header_rounding_of_positions_is_no_gap(tmp_path: Path) -> None:
    places = np.array([[-50, -40, round(3.33 * k, 1)] for k in range(6)])
    volume = read(save(slices(image(), places=places), tmp_path))
    assert volume.geometry.spacing_mm[2] == pytest.approx(3.33, abs=0.02)


def test_a_slice_aside_of_the_stack_is_refused(tmp_path: Path) -> None:
    places = np.array([[-50 + (9 if k == 3 else 0), -40, 4 * k] for k in range(6)], dtype=float)
    with pytest.raises(MixedSeries, match=r"slice 4 of 6 lies 9\.0 mm beside"):
        read(save(slices(image(), places=places), tmp_path))


def test_a_sheared_stack_keeps_its_true_places_and_is_told(tmp_path: Path) -> None:
    voxels, step = with_marker(), np.array([0.0, 0.7, 4.0])
    places = np.array([-50.0, -40.0, 30.0]) + np.outer(np.arange(6), step)
    volume = read(save(slices(voxels, places=places), tmp_path))
    assert marker_error_mm(volume, voxels, np.array(AXIAL), step) < 1e-4
    assert volume.geometry.voxel_volume_ml == pytest.approx(0.8 * 1.2 * 4.0 / 1000)
    assert "9.9 degrees" in next(f.detail for f in volume.findings if f.code == "sheared_stack")


def test_a_constant_image_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSeries, match="all 600 voxels are 7"):
        read(save(slices(np.full((10, 10, 6), 7, dtype=np.uint16)), tmp_path))


def test_truncated_pixels_are_named_with_their_bytes(tmp_path: Path) -> None:
    folder = save(slices(image()), tmp_path)
    path = folder / "IM0002"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(UnreadableSeries, match=r"IM0002 .*(truncated|cannot be read)"):
        read(folder)


@pytest.mark.parametrize(("used", "allocated"), [(60000, 16), (16, 12), (17, 16)])
def test_impossible_bit_depths_are_refused(tmp_path: Path, used: int, allocated: int) -> None:
    instances = slices(image())
    for ds in instances:
        ds.BitsStored, ds.BitsAllocated = used, allocated
    with pytest.raises(UnreadableSeries):
        read(save(instances, tmp_path))


def test_a_compressed_image_that_claims_too_many_bits_never_reaches_the_decoder(tmp_path: Path) -> None:
    packed = in_jpeg_2000(image((32, 32, 3)))
    for ds in packed:
        ds.PixelData = ds.PixelData.replace(b"\x00\x01\x0f\x01\x01", b"\x00\x01\xc0\x01\x01", 1)
    with pytest.raises(UnreadableSeries, match="claim 65 bits where the header has room for 16"):
        read(save(packed, tmp_path))


def test_a_compressed_image_of_another_size_never_reaches_the_decoder(tmp_path: Path) -> None:
    packed = in_jpeg_2000(image((32, 32, 3)))
    for ds in packed:
        ds.Columns = 30
    with pytest.raises(UnreadableSeries, match="declare 32 x 32 x 1 where the header says 30 x 32 x 1"):
        read(save(packed, tmp_path))


@pytest.mark.parametrize(
    ("stream", "header"),
    [
        (b"\xff\xd8\xff\xf7\x00\x0b\x3c\x00\x40\x00\x20\x01", FrameHeader(64, 32, 1, 60)),  # JPEG-LS
        (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc3\x00\x0b\x10\x01\x00\x00\x08\x03", FrameHeader(256, 8, 3, 16)),
        (b"\xff\xd8\xff\xc4\x00\x03", None),  # no frame header
        (b"\xff\x4f\xff\x51\x00", None),  # cut
        (b"", None),
    ],
)
def test_what_a_stream_declares_is_read_from_its_frame_header(
    stream: bytes, header: FrameHeader | None
) -> None:
    assert frame_header(stream) == header


def test_an_unknown_transfer_syntax_is_refused(tmp_path: Path) -> None:
    instances = slices(image())
    save(instances, tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.5.9.9\0", 1))
    with pytest.raises(UnreadableSeries, match="names no known way of storing pixels"):
        read(tmp_path)


def test_colour_images_are_refused(tmp_path: Path) -> None:
    instances = slices(image())
    for ds in instances:
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 3, "RGB"
    with pytest.raises(UnreadableSeries, match="colour image"):
        read(save(instances, tmp_path))


def test_an_inverted_image_is_refused(tmp_path: Path) -> None:
    instances = slices(image())
    for ds in instances:
        ds.PhotometricInterpretation = "MONOCHROME1"
    with pytest.raises(UnreadableSeries, match=r"inverted .*MONOCHROME2"):
        read(save(instances, tmp_path))


def test_absurd_sizes_are_refused_before_memory_is_given(tmp_path: Path) -> None:
    ds = slices(image())[0]
    ds.Rows = ds.Columns = 60000
    with pytest.raises(UnreadableSeries, match="3600 million voxels"):
        read(save([ds], tmp_path))


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0.5, 0.8, 0]}, "perpendicular"),
        ({"PixelSpacing": [0, 1]}, "not positive"),
    ],
)
def test_impossible_geometry_is_refused(tmp_path: Path, tags: dict[str, list[float]], message: str) -> None:
    instances = slices(image())
    for ds in instances:
        for keyword, value in tags.items():
            setattr(ds, keyword, value)
    with pytest.raises(UnreadableSeries, match=message):
        read(save(instances, tmp_path))


def test_images_without_a_place_are_refused(tmp_path: Path) -> None:
    instances = slices(image())
    for ds in instances:
        del ds.ImagePositionPatient
    with pytest.raises(UnreadableSeries, match="6 of 6 images lack Image Position"):
        read(save(instances, tmp_path))


def test_an_enhanced_file_with_missing_frames_is_refused(tmp_path: Path) -> None:
    ds = enhanced(image())
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:4]
    with pytest.raises(UnreadableSeries, match="6 frames but describes 4"):
        read(save([ds], tmp_path))


def test_messages_and_series_hold_no_identity(tmp_path: Path) -> None:
    instances = slices(image(), SeriesDescription="t1 Doe cor PID-4711")
    del instances[2]
    with pytest.raises(IncompleteSeries) as caught:
        read(save(instances, tmp_path, [f"doe_{k}.dcm" for k in range(5)]))
    assert not {"doe", "jane", "4711"} & set(
        str(caught.value).lower().replace("-", " ").replace("_", " ").split()
    )
