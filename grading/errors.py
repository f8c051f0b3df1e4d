"""Every exception the package raises on purpose.

A class exists only where a caller would act differently. Each message says what is wrong, where,
by how much, and what to do next.
"""


class GradingError(Exception):
    """Base of every error that `grading` raises on purpose."""

    def __str__(self) -> str:
        """The message, with "?" for bytes of a file's name that are no text: they could not be written."""
        return super().__str__().encode("utf-8", "replace").decode("utf-8")


class InputError(GradingError):
    """The image input cannot be used as it is."""


class SeriesNotFound(InputError):  # noqa: N818 - reads as what happened
    """Nothing gradable was found where the caller pointed."""


class UnreadableSeries(InputError):  # noqa: N818
    """Files are there but their content cannot be decoded into an image."""


class MixedSeries(InputError):  # noqa: N818
    """One series holds several images (orientations, echoes, positions) that must not be stacked."""


class IncompleteSeries(InputError):  # noqa: N818
    """Slices are missing, so the volume has a hole."""


class UnsupportedContrast(InputError):  # noqa: N818
    """The image is sound but its contrast does not allow a fat fraction (T2, STIR, DWI, ...)."""


class GridMismatchError(GradingError):
    """Two images that must share a voxel grid do not."""


class SegmentationError(GradingError):
    """The muscles could not be segmented."""


class MeasurementError(GradingError):
    """The fat fraction or volume could not be measured for the study as a whole."""


class ConfigurationError(GradingError):
    """The request itself is wrong: an unknown scale, scheme, option, or an unusable output folder."""
