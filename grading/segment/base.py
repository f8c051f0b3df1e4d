"""What a segmenter is: anything that turns a volume into a segmentation on the same grid."""

from typing import Protocol

from grading.volume import Segmentation, Volume

PROGRAMS = ("network", "TotalSegmentator")
"""First words of the `method` of those that draw by themselves; any other method is a person's."""


def is_users_own(method: str) -> bool:
    """Whether a segmentation of that `method` is a label map that a user brought, of whatever making."""
    return not method.startswith(PROGRAMS)


class Segmenter(Protocol):
    """Turns a volume into labels on the volume's own grid."""

    def __call__(self, volume: Volume) -> Segmentation:
        """Segment `volume`.

        Raises:
            SegmentationError: no gluteal muscle is in view, or the labels cannot be made to fit.
        """
        ...
