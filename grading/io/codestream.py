"""What a compressed image says about itself, read before a native decoder is given it.

The JPEG family repeats size and bit depth inside the stream, where checks of the DICOM header do not reach.
GDCM trusts them: on a damaged one it ends or crashes the whole process (seen with JPEG 2000 above 32 bits,
JPEG-LS above 16 bits and JPEG-LS of width 0), which no caller can catch. So they are compared first.
"""

from dataclasses import dataclass

_JPEG_2000_START = b"\xff\x4f\xff\x51"  # SOC, SIZ: ISO/IEC 15444-1 A.4.1, A.5.1
_JPEG_2000_HEADER = 43  # bytes from SOC to the first component's depth, Ssiz
_JPEG_START = b"\xff\xd8"
_JPEG_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}  # SOFn of ISO/IEC 10918-1, 14495-1
_JPEG_HEADER = 10  # bytes from the frame marker to the number of components


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """Size and depth that a compressed stream declares."""

    rows: int
    columns: int
    components: int
    bits: int


def frame_header(stream: bytes) -> FrameHeader | None:
    """Header of a JPEG, JPEG-LS or JPEG 2000 stream; None when it has none that can be read."""
    start = stream.find(_JPEG_2000_START)
    if start >= 0:
        return _jpeg_2000(stream[start : start + _JPEG_2000_HEADER])
    if not stream.startswith(_JPEG_START):
        return None
    place = len(_JPEG_START)
    while stream[place : place + 1] == b"\xff" and place + _JPEG_HEADER <= len(stream):
        if stream[place + 1] in _JPEG_FRAME:
            return FrameHeader(
                rows=_number(stream, place + 5, 2),
                columns=_number(stream, place + 7, 2),
                components=stream[place + 9],
                bits=stream[place + 4],
            )
        place += 2 + _number(stream, place + 2, 2)
    return None


def _jpeg_2000(header: bytes) -> FrameHeader | None:
    if len(header) < _JPEG_2000_HEADER:
        return None
    right, lower, left, upper = (_number(header, place, 4) for place in (8, 12, 16, 20))
    return FrameHeader(lower - upper, right - left, _number(header, 40, 2), (header[42] & 0x7F) + 1)


def _number(stream: bytes, place: int, size: int) -> int:
    return int.from_bytes(stream[place : place + size], "big")
