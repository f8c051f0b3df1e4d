"""Colours of every picture and page: the muscles, the paper, the fat-fraction scale."""

import numpy as np
import numpy.typing as npt

from grading.anatomy import Muscle

COLOURS: dict[Muscle, str] = {
    Muscle.GLUTEUS_MAXIMUS: "#E69F00",
    Muscle.GLUTEUS_MEDIUS: "#56B4E9",
    Muscle.GLUTEUS_MINIMUS: "#F0E442",
    Muscle.TENSOR_FASCIAE_LATAE: "#CC79A7",
}
"""Okabe and Ito's palette: told apart with any kind of colour vision, and bright on a grey image."""

PAPER, INK, FAINT = "#101010", "#E8E8E8", "#A8A8A8"

FAT_SCALE = (
    "000004", "0b0724", "210c4a", "3d0965", "57106e", "71196e", "8a226a", "a32c61", "bc3754",
    "d04545", "e35933", "f1711f", "f98c0a", "fcaa0f", "f9c932", "f2e865", "fcffa4",
)  # fmt: skip
"""Inferno (S. van der Walt and N. Smith, CC0), every 16th of its 256 colours: lightness rises with fat."""

_ANCHORS = np.array([[int(code[i : i + 2], 16) for i in (0, 2, 4)] for code in FAT_SCALE], dtype=float)


def fat_colours(fraction: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Colour of each fat fraction, clipped to 0-1: uint8, one axis of three (red, green, blue) more."""
    at = np.linspace(0.0, 1.0, len(_ANCHORS))
    channels = [np.interp(fraction, at, _ANCHORS[:, k]) for k in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)
