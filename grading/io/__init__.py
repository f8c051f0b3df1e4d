"""Reading and writing image files: the only room that knows DICOM and NIfTI.

Everything that leaves it is RAS+, in mm, float32, and free of patient identity.
"""

from pathlib import Path

from grading.volume import Volume

__all__ = ["read"]


def read(path: Path | str, *, series: str | None = None) -> Volume:
    """Read one image: a NIfTI file, a DICOM series, or the T1 of a study.

    What is damaged is refused. One thing cannot be caught here: a native decoder may end the whole process on
    compressed pixels that are damaged in a way nobody has met yet. `grade_folder` therefore reads each study
    in a process apart; do the same where files come from strangers.

    Args:
        path: NIfTI file, or DICOM file, series folder or study folder.
        series: name of the series to read, as `grading inspect` lists it; by default the only image, or
            the T1 that would be graded.

    Returns:
        The image in canonical RAS+ order.

    Raises:
        InputError: nothing readable is there, several studies are there, or the image is damaged.
    """
    from grading.io.reading import read_one  # image libraries load when an image is read

    return read_one(Path(path), series)
