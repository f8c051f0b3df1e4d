"""An array on a volume's grid to NIfTI, as a file or in memory."""

import gzip
import os
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt

from grading.errors import ConfigurationError
from grading.io.canonical import from_canonical
from grading.io.voxel_note import voxel_note
from grading.volume import Geometry, Volume

_COMPRESSION = 3  # gzip level: half a second for a study's map; higher levels save a tenth of the size
_STORED = {"b": np.uint8, "u": np.uint16, "i": np.int32, "f": np.float32}


def write_nifti(array: npt.NDArray[np.generic], volume: Volume, path: Path, *, noted: bool = True) -> None:
    """Write an array on the volume's grid, in the orientation that the volume's file had.

    The file appears complete or not at all, and the same content gives the same bytes. It notes what it
    held, so that `is_as_written` can tell whether it was edited since.

    Args:
        array: canonical order, shape of the volume; stored as uint8, uint16, int32 or float32.
        volume: names the grid and the source orientation.
        path: .nii or .nii.gz file.
        noted: whether to note what it held; without the note it counts as edited.

    Raises:
        ConfigurationError: the file cannot be written (no permission, no space).
    """
    path = Path(path)
    stored, affine = from_canonical(array, np.asarray(volume.geometry.affine), volume.source_orientation)
    image = nib.Nifti1Image(stored.astype(_STORED[array.dtype.kind]), affine)
    image.header.set_xyzt_units("mm")
    image.set_qform(affine, code=1)  # scanner coordinates; shear does not fit here and stays in the sform
    image.set_sform(affine, code=1)
    if noted:
        image.header["descrip"] = voxel_note(np.asanyarray(image.dataobj))
    content = image.to_bytes()
    if path.name.endswith(".gz"):
        content = gzip.compress(content, compresslevel=_COMPRESSION, mtime=0)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigurationError(
            f"{path.name} cannot be written to the output folder ({error.strerror}); "
            "check space and permissions"
        ) from error


def nifti_bytes(
    array: npt.NDArray[np.uint8], geometry: Geometry, scale: tuple[float, float] = (1.0, 0.0)
) -> bytes:
    """A gzipped NIfTI file in memory, for a viewer.

    Args:
        array: uint8, shape of the grid.
        geometry: the grid.
        scale: slope and intercept that turn stored values into real ones.
    """
    image = nib.Nifti1Image(array, geometry.affine)
    image.header.set_xyzt_units("mm")
    image.header.set_slope_inter(*scale)
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)
