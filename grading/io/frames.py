"""One slice image and where it lies, however its file stored it."""

from dataclasses import dataclass, replace
from pathlib import Path

Vector = tuple[float, float, float]
Orientation = tuple[float, float, float, float, float, float]

# What may tell two images at one place apart, the likeliest first.
TRAITS = (
    "echo time",
    "image type",
    "inversion time",
    "b-value",
    "temporal position",
    "trigger time",
    "acquisition",
    "stack",
    "acquisition time",
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One 2D image of a DICOM instance, as its header describes it.

    Attributes:
        path: the file.
        index: frame number within the file, from 0.
        label: file name free of patient identity, for messages.
        rows: image height, pixels.
        columns: image width, pixels.
        position_mm: centre of the first pixel, LPS (Image Position Patient), None when absent.
        orientation: direction of rows, then of columns, LPS (Image Orientation Patient), None when absent.
        pixel_spacing_mm: distance between row centres, between column centres (Pixel Spacing), or None.
        depth_mm: spacing or thickness the header claims; used only for an image that is a lone slice.
        traits: values of `TRAITS`, "" where unknown.
        slope: stored value to signal (Rescale Slope).
        intercept: signal of stored value 0 (Rescale Intercept).
        scale_slope: stored value per measured signal (Philips, private), None when absent.
        sop_uid: SOP Instance UID, which copies of a file share; "" when absent.
    """

    path: Path
    index: int
    label: str
    rows: int
    columns: int
    position_mm: Vector | None
    orientation: Orientation | None
    pixel_spacing_mm: tuple[float, float] | None
    depth_mm: float | None
    traits: tuple[str, ...]
    slope: float = 1.0
    intercept: float = 0.0
    sop_uid: str = ""
    scale_slope: float | None = None

    def as_measured(self) -> "Frame":
        """The frame in units that the images of one Philips scan share; unchanged where no scale is known.

        Rescale Slope gives what the console displays, scaled for each kind of image by itself, so water and
        fat may be shown on two scales (Chenevert 2014, Translational Oncology 7:65).
        """
        if not self.scale_slope:
            return self
        intercept = self.intercept / (self.slope * self.scale_slope)
        return replace(self, slope=1 / self.scale_slope, intercept=intercept)
