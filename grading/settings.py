"""Every choice a user can make about how a study is graded, as one frozen value."""

from dataclasses import dataclass
from pathlib import Path

from grading.anatomy import Side
from grading.errors import ConfigurationError

LONGEST_STUDY_S = 3600.0
"""A study takes seconds to minutes; one that still runs after an hour hangs, on a stalled share say."""

_SEGMENTERS = ("network", "totalsegmentator", "masks")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one run; the defaults are what `grading run` does without options.

    A path may be given as text, a side as "left" or "right", several values as any sequence.

    Raises:
        ConfigurationError: a side is neither left nor right, the segmenter is unknown or lacks its label
            maps, or the Goutallier edges are not two numbers.

    Attributes:
        segmenter: "network", "totalsegmentator" or "masks".
        masks: label map, or folder of label maps matched by study name; implies segmenter "masks".
        scheme: label scheme of `masks`: "musclemap", "totalsegmentator", or a JSON/TSV file.
        resample_masks: allow a label map on another grid to be resampled onto the image's.
        scales: names of the grading scales to apply, or TOML/JSON files of the user's own.
        goutallier_edges: fat fractions between Goutallier grades 0 and 1 and between 1 and 2. The scale is
            visual and names none, so these are this project's convention; its own readers may set others.
        contrast: "t1", "dixon" or "auto".
        affected: side known to be affected: its difference from the other is then reported as well.
        participants: table with sex, age, height and weight of the studies' people, to compare them by.
        side: side of a one-hip image whose header does not say.
        dicom: also write DICOM SEG and SR, which carry the patient's identity.
        identify: keep patient-derived names in outputs.
        seed: seed of every random draw (bootstrap).
        threads: processor threads of the network, None for the runtime's choice; changes no number.
    """

    segmenter: str = "network"
    masks: Path | None = None
    scheme: str = "musclemap"
    resample_masks: bool = False
    scales: tuple[str, ...] = ("quartile", "goutallier")
    goutallier_edges: tuple[float, float] = (0.05, 0.25)
    contrast: str = "auto"
    affected: Side | None = None
    participants: Path | None = None
    side: Side | None = None
    dicom: bool = False
    identify: bool = False
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        for name in ("masks", "participants"):
            if (path := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(path))
        for name in ("side", "affected"):
            if (side := getattr(self, name)) is not None:
                object.__setattr__(self, name, _side(name, side))
        scales = (self.scales,) if isinstance(self.scales, str) else self.scales
        object.__setattr__(self, "scales", tuple(map(str, scales)))
        object.__setattr__(self, "goutallier_edges", _two_numbers(self.goutallier_edges))
        if self.segmenter not in _SEGMENTERS:
            known = ", ".join(_SEGMENTERS)
            raise ConfigurationError(f"unknown segmenter {self.segmenter!r}; choose one of {known}")
        if self.segmenter == "masks" and self.masks is None:
            raise ConfigurationError("segmenter 'masks' takes label maps; name them with masks=PATH")


def _side(name: str, word: str) -> Side:
    try:
        return Side(word)
    except ValueError:
        raise ConfigurationError(f"{name} {word!r}; choose {' or '.join(Side)}") from None


def _two_numbers(edges: tuple[float, float]) -> tuple[float, float]:
    try:
        low, high = map(float, edges)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"goutallier_edges {edges!r}; give two fat fractions, such as (0.05, 0.25)"
        ) from None
    return low, high
