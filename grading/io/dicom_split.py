"""Taking a DICOM series apart into the images it holds.

Scanners store three-plane localizers, several echoes, magnitude and phase, or Dixon parts under one
Series Instance UID. Each part here is one set of parallel images that can lie on one grid.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from grading.io.frames import TRAITS, Frame

SAME_DIRECTION = 1e-3  # difference of direction cosines (0.06 degrees): header rounding, not a new plane
SAME_POSITION_MM = 0.01  # header rounding, far below any slice spacing
SAME_STACK_MM = 1.0  # in-plane offset between stacks that lie side by side
STACKS_APART_MM = 50.0  # between the stacks of two hips; header rounding and lost slices leave less
UNPLACED = "unplaced"  # trait of a part whose frames lack a place, beside others that have one
MIN_STACK = 3  # slices of a stack: fewer are planning images
MAX_ORIENTATIONS = 6  # more orientations than this are radial or freehand images, not stacks


@dataclass(frozen=True, slots=True)
class Part:
    """Parallel images of one size that may form one stack.

    Attributes:
        frames: the images, sorted by place.
        trait: what sets this part apart from its siblings, e.g. "echo time 4.92"; "" when it is alone.
        refusal: why it cannot be stacked, "" when nothing speaks against it yet.
    """

    frames: tuple[Frame, ...]
    trait: str = ""
    refusal: str = ""


def split(frames: Sequence[Frame]) -> tuple[Part, ...]:
    """Split one series into parts, in an order that does not depend on the order of `frames`.

    Copies of one image stay with it: they are told apart by nothing, and whoever reads the pixels sees
    whether they are true copies.
    """
    copies: dict[object, list[Frame]] = {}
    for number, frame in enumerate(frames):
        own = frame.sop_uid or number  # without a UID every image is one by itself
        copies.setdefault((own, replace(frame, path=Path(), label="")), []).append(frame)
    of_first = {same[0]: same for same in copies.values()}
    return tuple(
        replace(part, frames=tuple(copy for frame in part.frames for copy in of_first[frame]))
        for part in _split(list(of_first))
    )


def _split(frames: Sequence[Frame]) -> tuple[Part, ...]:
    placed = [f for f in frames if f.position_mm and f.orientation and f.pixel_spacing_mm]
    parts: list[Part] = []
    if len(placed) < len(frames):
        lost = [f for f in frames if f not in set(placed)]
        parts.append(
            Part(
                tuple(sorted(lost, key=_stable)),
                UNPLACED if placed else "",
                f"{len(lost)} of {len(frames)} images lack Image Position, Image Orientation or Pixel "
                "Spacing, so where they lie in the patient is not known",
            )
        )
    groups = _planes(placed)
    if len({frame.orientation for group in groups for frame in group[:1]}) > MAX_ORIENTATIONS:
        refusal = f"{len(placed)} images in {len(groups)} orientations (radial or freehand) form no stack"
        return (*parts, Part(tuple(sorted(placed, key=_stable)), "", refusal))
    for group in groups:
        pieces = _by_traits(group)
        several = len(groups) > 1
        for trait, piece in pieces:
            stacks = _stacks(piece)
            for number, one in enumerate(stacks, start=1):
                words = (
                    _plane_word(one[0], groups) if several else "",
                    trait,
                    f"stack {number}" if len(stacks) > 1 else "",
                )
                parts.append(Part(tuple(one), " ".join(word for word in words if word)))
    return tuple(parts)


def _stacks(frames: list[Frame]) -> list[list[Frame]]:
    """The stacks of two hips in one set of parallel images; as one where that would split no two hips."""
    stacks = _side_by_side(frames) or _behind_one_another(frames)
    return stacks if all(len(set(_places(stack))) >= MIN_STACK for stack in stacks) else [frames]


def _side_by_side(frames: list[Frame]) -> list[list[Frame]]:
    """Two stacks that lie beside one another at levels of their own; [] where there is one, or no order."""
    where = np.array([_in_plane_mm(frame) for frame in frames])
    first = np.linalg.norm(where - where[0], axis=1) < SAME_STACK_MM
    if first.all():
        return []
    second = np.linalg.norm(where - where[np.argmin(first)], axis=1) < SAME_STACK_MM
    if not (first ^ second).all() or np.linalg.norm(where[np.argmin(first)] - where[0]) < STACKS_APART_MM:
        return []
    return [
        [frame for frame, inside in zip(frames, stack, strict=True) if inside] for stack in (first, second)
    ]


def _behind_one_another(frames: list[Frame]) -> list[list[Frame]]:
    """Sagittal stacks that lie apart; other planes show both hips, so there a gap is lost slices."""
    if _plane(frames[0]) != "sag":
        return [frames]
    steps = np.diff([distance_mm(frame) for frame in frames])
    apart = np.flatnonzero(steps > STACKS_APART_MM) + 1
    return [frames[start:end] for start, end in pairwise((0, *apart, len(frames)))]


def distance_mm(frame: Frame) -> float:
    """Position of a placed frame along its own slice normal, mm."""
    if frame.orientation is None or frame.position_mm is None:
        raise ValueError("frame has no place")
    (ax, ay, az, bx, by, bz), (x, y, z) = frame.orientation, frame.position_mm
    # Written out, because a tree of 100,000 files asks for it three times each.
    return (ay * bz - az * by) * x + (az * bx - ax * bz) * y + (ax * by - ay * bx) * z


def _stable(frame: Frame) -> tuple[object, ...]:
    """Sort key from content only, so that renamed or shuffled files sort alike."""
    return (frame.position_mm or (), frame.traits, frame.slope, frame.intercept, frame.index)


def _planes(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Groups of equal orientation, size and pixel spacing, each sorted along its normal."""
    groups: list[list[Frame]] = []
    for frame in sorted(frames, key=lambda f: (f.orientation, f.rows, f.columns, _stable(f))):
        for group in groups:
            if _same_plane(group[0], frame):
                group.append(frame)
                break
        else:
            groups.append([frame])
    for group in groups:
        group.sort(key=lambda f: (round(distance_mm(f), 2), _stable(f)))
    return groups


def _same_plane(a: Frame, b: Frame) -> bool:
    if (a.rows, a.columns) != (b.rows, b.columns) or not (a.orientation and b.orientation):
        return False
    near = max(abs(p - q) for p, q in zip(a.orientation, b.orientation, strict=True)) < SAME_DIRECTION
    return near and np.allclose(a.pixel_spacing_mm or (), b.pixel_spacing_mm or (), rtol=SAME_DIRECTION)


def _by_traits(frames: list[Frame]) -> list[tuple[str, list[Frame]]]:
    """Pieces without two images at one place, told apart by the fewest traits that can; else all together."""
    places = _places(frames)
    most = max(Counter(places).values())
    if most == 1:
        return [("", frames)]
    traits = [_trait_values(frames, index) for index in range(len(TRAITS))]
    names = [*TRAITS, "position in plane"]
    traits.append(_in_plane_offsets(frames))
    varying = [index for index, values in enumerate(traits) if len(set(values)) > 1]
    for size in range(1, min(len(varying), 3) + 1):
        for chosen in combinations(varying, size):
            keys = list(zip(*(traits[index] for index in chosen), strict=True))
            if _tells_apart(keys, places, most) or _are_stations(keys, places):
                pieces = sorted(set(keys))
                return [
                    (
                        _say(names, chosen, key, pieces),
                        [f for f, k in zip(frames, keys, strict=True) if k == key],
                    )
                    for key in pieces
                ]
    return [("", frames)]


def _are_stations(keys: list[tuple[str, ...]], places: list[int]) -> bool:
    """Whether each key holds a stack without gaps, as the overlapping stations of a long examination do."""
    of_key: dict[tuple[str, ...], list[int]] = {}
    for key, place in zip(keys, places, strict=True):
        of_key.setdefault(key, []).append(place)
    return all(
        len(held) >= MIN_STACK and sorted(held) == [*range(min(held), min(held) + len(held))]
        for held in of_key.values()
    )


def _tells_apart(keys: list[tuple[str, ...]], places: list[int], most: int) -> bool:
    """Whether each key holds one image a place, as many keys as images share a place, and one covers all."""
    if len(set(keys)) != most or len(set(zip(keys, places, strict=True))) != len(places):
        return False
    return max(Counter(keys).values()) == len(set(places))


def _places(frames: list[Frame]) -> list[int]:
    """Index of the slice place of each frame; frames come sorted along the normal."""
    places, last, place = [], -np.inf, -1
    for frame in frames:
        here = distance_mm(frame)
        if here - last > SAME_POSITION_MM:
            place, last = place + 1, here
        places.append(place)
    return places


def _trait_values(frames: list[Frame], index: int) -> list[str]:
    return [frame.traits[index] for frame in frames]


def _in_plane_offsets(frames: list[Frame]) -> list[str]:
    """In-plane position to the nearest mm: tells left and right stacks of one series apart."""
    return [" ".join(f"{value:.0f}" for value in _in_plane_mm(frame) / SAME_STACK_MM) for frame in frames]


def _in_plane_mm(frame: Frame) -> npt.NDArray[np.float64]:
    """Position of a placed frame along its rows and columns, mm."""
    assert frame.orientation is not None and frame.position_mm is not None  # noqa: S101 - split() saw to it
    return np.asarray(np.array(frame.orientation).reshape(2, 3) @ frame.position_mm)


def _say(
    names: list[str], chosen: tuple[int, ...], key: tuple[str, ...], pieces: Sequence[tuple[str, ...]]
) -> str:
    """What sets the piece of this key apart from the others, in words."""
    words = []
    for place, index in enumerate(chosen):
        name, value = names[index], key[place]
        own = _own_words(value, [piece[place] for piece in pieces]) if name == "image type" else ""
        words.append(own or f"{name} {_short(value)}")
    return " ".join(words)


def _own_words(value: str, values: Sequence[str]) -> str:
    """The words of an image type that not all of `values` have: "W" where the others say F or IP instead."""
    shared = set.intersection(*(set(other.split("\\")) for other in values))
    return " ".join(word for word in dict.fromkeys(value.split("\\")) if word not in shared)


def _short(value: str) -> str:
    """A trait's value without trailing zeros; "none" where the header is silent."""
    try:
        return f"{float(value):g}"
    except ValueError:
        return value or "none"


def _plane_word(frame: Frame, groups: list[list[Frame]]) -> str:
    """sag, cor or tra, with pixel size where two groups share a plane."""
    words = [_plane(group[0]) for group in groups]
    word = _plane(frame)
    if words.count(word) == 1:
        return word
    return f"{word} {frame.columns}x{frame.rows}"


def _plane(frame: Frame) -> str:
    assert frame.orientation is not None  # noqa: S101
    normal = np.abs(np.cross(frame.orientation[:3], frame.orientation[3:]))
    return ("sag", "cor", "tra")[int(np.argmax(normal))]
