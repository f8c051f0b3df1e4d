"""The one door between storage order and the package's canonical axes.

Only flips and permutations: no voxel is interpolated and the affine stays exact.
"""

import hashlib

import nibabel as nib
import numpy as np
import numpy.typing as npt

from grading.volume import Affine

PLANES = ("sagittal", "coronal", "axial")  # by the canonical axis that slices stack along
OBLIQUE_DEG = 10.0  # tilt of the slice normal above which a plane is called oblique; wording only
_DIGEST_MM = 3  # decimals of the affine that enter a digest: below them lies header rounding


def to_canonical(
    array: npt.NDArray[np.generic], affine: Affine
) -> tuple[npt.NDArray[np.generic], Affine, str]:
    """Reorder a stored 3D image so that its axes lie closest to right, anterior, superior.

    Args:
        array: shape (i, j, k) as stored.
        affine: 4x4, stored voxel index to RAS+ world, mm; invertible.

    Returns:
        The reordered array (a view where possible), its affine, and the axis codes it was stored in
        ("LPS", ...), which `from_canonical` takes to undo the step.
    """
    orientation = nib.io_orientation(affine)
    reordered = nib.apply_orientation(array, orientation)
    moved = affine @ nib.orientations.inv_ornt_aff(orientation, array.shape)
    return reordered, np.asarray(moved, dtype=np.float64), "".join(nib.orientations.ornt2axcodes(orientation))


def from_canonical(
    array: npt.NDArray[np.generic], affine: Affine, orientation: str
) -> tuple[npt.NDArray[np.generic], Affine]:
    """Undo `to_canonical`: the array and affine in the storage order `orientation`, e.g. "LPS"."""
    wanted = nib.orientations.axcodes2ornt(tuple(orientation))
    change = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt(("R", "A", "S")), wanted)
    stored = nib.apply_orientation(array, change)
    return stored, np.asarray(affine @ nib.orientations.inv_ornt_aff(change, array.shape), dtype=np.float64)


def canonical_axis_of(stored_axis: int, affine: Affine) -> int:
    """Canonical axis (0 right, 1 anterior, 2 superior) that a stored axis becomes."""
    return int(nib.io_orientation(affine)[stored_axis, 0])


def plane_name(affine: Affine, slice_axis: int) -> str:
    """Name of the imaging plane, e.g. "coronal" or "oblique coronal", from a canonical affine."""
    in_plane = [affine[:3, axis] for axis in range(3) if axis != slice_axis]
    normal = np.cross(in_plane[0], in_plane[1])
    cosine = abs(normal[slice_axis]) / np.linalg.norm(normal)
    oblique = np.degrees(np.arccos(min(float(cosine), 1.0))) > OBLIQUE_DEG
    return f"{'oblique ' if oblique else ''}{PLANES[slice_axis]}"


def digest(voxels: npt.NDArray[np.float32], affine: Affine) -> str:
    """SHA-256 over canonical voxels and affine, hex; the same image in any file gives the same digest."""
    grid = np.round(affine, _DIGEST_MM) + 0.0  # turns -0.0 into 0.0
    content = hashlib.sha256(repr(voxels.shape).encode())
    content.update(np.ascontiguousarray(grid, dtype="<f8").tobytes())
    content.update(np.ascontiguousarray(voxels, dtype="<f4").data)
    return content.hexdigest()
