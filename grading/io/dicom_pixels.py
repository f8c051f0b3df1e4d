"""Decoding stored pixels into signal, whatever the transfer syntax."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grading.errors import UnreadableSeries
from grading.io.codestream import frame_header
from grading.io.dicom_library import get_frame, pixel_array, pydicom
from grading.io.frames import Frame
from grading.io.tags import Tags
from grading.volume import BoolArray, FloatArray

_RAW = {
    (True, True): "1.2.840.10008.1.2",
    (False, True): "1.2.840.10008.1.2.1",
    (False, False): "1.2.840.10008.1.2.2",
}
_OVERLAY_GROUPS, _OVERLAY_BIT_POSITION = range(0x6000, 0x6020, 2), 0x0102
_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


def decode(frames: Sequence[Frame], name: str) -> Iterator[tuple[Frame, FloatArray, BoolArray | None]]:
    """Signal of each frame, opening every file once.

    Args:
        frames: of one series.
        name: of the series, for messages.

    Yields:
        The frame, its signal (float32, (rows, columns), rescaled) and its padding mask (None: no padding).

    Raises:
        UnreadableSeries: a file is truncated, or its compression cannot be decoded.
    """
    by_file: dict[Path, list[Frame]] = {}
    for frame in frames:
        by_file.setdefault(frame.path, []).append(frame)
    for path, wanted in by_file.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they quote header values, so could print the patient's name
            dataset = _open(path, wanted[0], name)
            for frame in wanted:
                stored = _stored(dataset, frame, name)
                signal = stored.astype(np.float32) * np.float32(frame.slope) + np.float32(frame.intercept)
                yield frame, signal, _padding(dataset, stored)


def _open(path: Path, frame: Frame, name: str) -> pydicom.Dataset:
    try:
        dataset = pydicom.dcmread(path, force=True)
        stored = [dataset[key] for key in _PIXELS if key in dataset]  # a damaged type is noticed here
    except Exception as error:  # damaged bytes raise many kinds
        raise UnreadableSeries(
            f"series {name}: {frame.label} cannot be read ({type(error).__name__}); copy or export it again"
        ) from None
    if not stored or not isinstance(stored[0].value, bytes):
        raise UnreadableSeries(
            f"series {name}: {frame.label} ends before its pixels; copy or export it again"
        )
    if "TransferSyntaxUID" not in getattr(dataset, "file_meta", {}):
        dataset.ensure_file_meta()
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(_RAW[dataset.original_encoding])  # type: ignore[index]
    return dataset


def _stored(dataset: pydicom.Dataset, frame: Frame, name: str) -> npt.NDArray[np.generic]:
    """Stored values of one frame, (rows, columns), with the bits of old embedded overlays removed."""
    tags, syntax = Tags((dataset,)), dataset.file_meta.TransferSyntaxUID
    used, allocated = tags.integer("BitsStored") or 0, tags.integer("BitsAllocated") or 0
    frames = tags.integer("NumberOfFrames") or 1
    compressed = _is_compressed(syntax, frame, name)
    if not compressed and "PixelData" in dataset:
        expected = frame.rows * frame.columns * frames * allocated // 8
        if len(dataset.PixelData) < expected:
            raise UnreadableSeries(
                f"series {name}: {frame.label} is truncated, {len(dataset.PixelData)} of {expected} bytes of "
                "pixels; copy or export it again"
            )
    if compressed:
        _check_stream(dataset, frame, frames, allocated, name)
    try:
        pixels = pixel_array(dataset, index=frame.index, correct_unused_bits=False)  # looked at below
    except Exception as error:  # each decoder raises its own kinds
        raise UnreadableSeries(
            f"series {name}: the pixels of {frame.label} cannot be decoded ({syntax.name}, "
            f"{type(error).__name__}); export the series uncompressed"
        ) from None
    if pixels.shape != (frame.rows, frame.columns):
        raise UnreadableSeries(
            f"series {name}: {frame.label} decodes to {pixels.shape[::-1]} pixels where its header says "
            f"{(frame.columns, frame.rows)}; export the series again"
        )
    if pixels.dtype.kind in "iu" and 0 < used < allocated:
        kept = _used_bits(pixels, used)
        lost = (kept != pixels) & (np.right_shift(pixels, used) != 0)  # zero: a sign that was not extended
        if lost.any() and not _embeds_overlay(dataset, used):
            raise UnreadableSeries(
                f"series {name}: {frame.label} holds the value {pixels[lost][0]}, beyond the {used} bits "
                "that its header declares (Bits Stored); correct the header or export the series again"
            )
        pixels = kept
    return np.asarray(pixels)


def _check_stream(dataset: pydicom.Dataset, frame: Frame, frames: int, allocated: int, name: str) -> None:
    """Refuse a compressed image that contradicts the DICOM header, before a native decoder trusts it."""
    if dataset.file_meta.TransferSyntaxUID == pydicom.uid.RLELossless:
        return  # run lengths, decoded in Python, have no such header
    try:
        stream = get_frame(dataset.PixelData, frame.index, number_of_frames=frames)
    except Exception as error:  # a damaged table of fragments
        raise UnreadableSeries(
            f"series {name}: the compressed pixels of {frame.label} cannot be found "
            f"({type(error).__name__}); copy or export it again"
        ) from None
    said = frame_header(stream)
    if said is None or (said.rows, said.columns, said.components) != (frame.rows, frame.columns, 1):
        found = "no image size" if said is None else f"{said.columns} x {said.rows} x {said.components}"
        raise UnreadableSeries(
            f"series {name}: the compressed pixels of {frame.label} declare {found} where the header says "
            f"{frame.columns} x {frame.rows} x 1; copy or export it again"
        )
    if said.bits > allocated:
        raise UnreadableSeries(
            f"series {name}: the compressed pixels of {frame.label} claim {said.bits} bits where the header "
            f"has room for {allocated}; copy or export it again"
        )


def _is_compressed(syntax: pydicom.uid.UID, frame: Frame, name: str) -> bool:
    try:
        return bool(syntax.is_compressed)
    except (ValueError, AttributeError):  # no transfer syntax, or several
        raise UnreadableSeries(
            f"series {name}: {frame.label} names no known way of storing pixels; export it again"
        ) from None


def _used_bits(pixels: npt.NDArray[np.generic], used: int) -> npt.NDArray[np.generic]:
    """The lowest `used` bits, sign-extended: unused high bits may hold an overlay's graphics."""
    unused = pixels.dtype.itemsize * 8 - used
    return np.asarray(np.right_shift(np.left_shift(pixels, unused), unused))


def _embeds_overlay(dataset: pydicom.Dataset, used: int) -> bool:
    """Whether an overlay is said to lie in the bits above those of the pixels."""
    bits = (dataset.get((group, _OVERLAY_BIT_POSITION)) for group in _OVERLAY_GROUPS)
    return any(bit is not None and isinstance(bit.value, int) and bit.value >= used for bit in bits)


def _padding(dataset: pydicom.Dataset, stored: npt.NDArray[np.generic]) -> BoolArray | None:
    """Pixels at or between Pixel Padding Value and Pixel Padding Range Limit."""
    tags = Tags((dataset,))
    value = tags.integer("PixelPaddingValue")
    if value is None:
        return None
    limit = tags.integer("PixelPaddingRangeLimit")
    low, high = sorted(_as_stored(v, stored.dtype) for v in (value, value if limit is None else limit))
    padding = (stored >= low) & (stored <= high)  # type: ignore[operator]
    return np.asarray(padding) if padding.any() else None


def _as_stored(value: int, dtype: np.dtype[np.generic]) -> int:
    """The number that the same bits are in `dtype`: some write -2000 as 63536, with the unsigned type."""
    if dtype.kind not in "iu":
        return value
    several = 1 << (8 * dtype.itemsize)
    least = -several // 2 if dtype.kind == "i" else 0
    return (value - least) % several + least
