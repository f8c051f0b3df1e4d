"""What a segmenter is: anything that turns a volume into a segmentation on the same grid."""

from typing import Protocol

from grading.volume import Segmentation, Volume


class Segmenter(Protocol):
    """Turns a volume into labels on the volume's own grid."""

    def __call__(self, volume: Volume) -> Segmentation:
        """Segment `volume`.

        Raises:
            SegmentationError: no gluteal muscle is in view, or the labels cannot be made to fit.
        """
        ...
