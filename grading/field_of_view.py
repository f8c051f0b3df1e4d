"""How much of a structure the image shows: its extent, its cross-section, and where the view cuts it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from grading.anatomy import Muscle, Side
from grading.masks import Box, bounding_box
from grading.volume import BoolArray, Geometry, Volume

CONTACT_CM2 = 0.25  # of a muscle against a face that make a cut: a few stray border voxels do not
CONTACT_MM = 5.0  # of a section against a face: the edge of a square of `CONTACT_CM2`
MOST_COVERAGE = 0.99  # of a muscle known to be cut
AXIAL_LENGTH_MM = {  # mean of women and men [Belzunce 2022, R]; none published for tensor fasciae latae
    Muscle.GLUTEUS_MAXIMUS: 179.0,
    Muscle.GLUTEUS_MEDIUS: 185.0,
    Muscle.GLUTEUS_MINIMUS: 122.0,
}
SUPERIOR_INFERIOR = 2
FACE_NAMES = (("left", "right"), ("posterior", "anterior"), ("inferior", "superior"))  # (low, high) per axis


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the view ends inside a structure.

    Attributes:
        axis: axis across the cutting face.
        high: whether it is the face at the axis' upper end.
        share: cut area over the structure's largest cross-section along that axis, 0-1.
    """

    axis: int
    high: bool
    share: float


@dataclass(frozen=True, slots=True)
class View:
    """A structure as the image shows it.

    Attributes:
        box: smallest box of voxels that holds it.
        voxels: how many, at least one.
        bottom_mm, top_mm: lowest and highest world z that it reaches, voxel borders included.
        max_csa_cm2: largest cross-section by an axial plane (normal to world z), cm2.
        cuts: where the view ends inside it.
    """

    box: Box
    voxels: int
    bottom_mm: float
    top_mm: float
    max_csa_cm2: float
    cuts: tuple[Cut, ...]

    @property
    def length_mm(self) -> float:
        """Extent along world z in view, mm."""
        return self.top_mm - self.bottom_mm

    def is_cut(self, axis: int) -> bool:
        """Whether a face across `axis` cuts it."""
        return any(cut.axis == axis for cut in self.cuts)

    def faces(self, side: Side) -> tuple[str, ...]:
        """Names of the cutting faces for a structure on `side`, sorted."""
        return tuple(sorted(_face_name(cut, side) for cut in self.cuts))

    def coverage(self, muscle: Muscle, other: "View | None") -> float:
        """Estimated share of the muscle's volume in view, 0-1; 1 where nothing cuts it.

        A cut above or below: length in view over the other side's where that is whole, else over the
        published mean. A cut by any other face (or without a published length): the part of an ellipsoid
        that remains when the cut has this share of its largest cross-section. At most `MOST_COVERAGE`.

        Args:
            muscle: which muscle this is.
            other: the same muscle on the other side, None when it is not in view.
        """
        if not self.cuts:
            return 1.0
        expected = AXIAL_LENGTH_MM.get(muscle)
        if other is not None and not other.is_cut(SUPERIOR_INFERIOR):
            expected = other.length_mm
        by_length = expected is not None and self.is_cut(SUPERIOR_INFERIOR)
        coverage = self.length_mm / expected if expected is not None and by_length else 1.0
        for cut in self.cuts:
            if not (by_length and cut.axis == SUPERIOR_INFERIOR):
                coverage *= _ellipsoid_share(cut.share)
        return float(min(coverage, MOST_COVERAGE))


def view_of(mask: BoolArray, volume: Volume) -> View | None:
    """How the image shows the structure in `mask`; None for an empty mask.

    Padding counts as beyond the view, voids inside the body do not.

    Args:
        mask: bool, shape (i, j, k), on the volume's grid.
        volume: the image.
    """
    box = bounding_box(mask)
    if box is None:
        return None
    inside = mask[box]
    z = _world_z(inside, box, volume.geometry)
    reach = _voxel_height_mm(volume.geometry) / 2
    return View(
        box=box,
        voxels=int(z.size),
        bottom_mm=float(z.min() - reach),
        top_mm=float(z.max() + reach),
        max_csa_cm2=_max_csa_cm2(z, volume.geometry),
        cuts=tuple(_cuts(inside, box, volume)),
    )


def csa_at_cm2(mask: BoolArray, volume: Volume, level_mm: float) -> float | None:
    """Cross-section of a structure by the axial plane at `level_mm`, cm2; None where that does not show it.

    Each voxel counts by its centre's distance from the plane, from all of its area in the plane to nothing
    one voxel's height away: between axial slices this is linear interpolation of their areas.

    Args:
        mask: bool, shape (i, j, k), on the volume's grid.
        volume: the image.
        level_mm: world z of the plane, mm.

    Returns:
        None where the structure does not reach the plane, the plane leaves the view above or below, or the
        view ends within the structure beside it, by padding or by more than `CONTACT_MM` of an edge.
    """
    box = bounding_box(mask)
    if box is None:
        return None
    geometry, height = volume.geometry, _voxel_height_mm(volume.geometry)
    weight = 1 - np.abs(_world_z(mask[box], box, geometry) - level_mm) / height
    here = np.zeros(mask[box].shape, dtype=bool)
    here[mask[box]] = weight > 0
    if not here.any() or _cut_beside(here, box, volume, level_mm):
        return None
    return float(weight[weight > 0].sum()) * geometry.voxel_volume_ml * 10 / height  # mL / mm = 10 cm2


def within_slab(mask: BoolArray, geometry: Geometry, bottom_mm: float, top_mm: float) -> BoolArray:
    """The part of `mask` whose voxel centres lie between two levels of world z, mm."""
    box = bounding_box(mask)
    part = np.zeros_like(mask)
    if box is not None:
        z = _world_z(mask[box], box, geometry)
        kept = np.zeros(mask[box].shape, dtype=bool)
        kept[mask[box]] = (z >= bottom_mm) & (z <= top_mm)
        part[box] = kept
    return part


def _world_z(inside: BoolArray, box: Box, geometry: Geometry) -> npt.NDArray[np.float64]:
    """World z of the centres of the voxels of a boxed mask, mm."""
    i, j, k = np.nonzero(inside)
    row = geometry.affine[2]
    start = row[3] + sum(row[axis] * box[axis].start for axis in range(3))
    return np.asarray(row[0] * i + row[1] * j + row[2] * k + start)


def _voxel_height_mm(geometry: Geometry) -> float:
    """Extent of one voxel along world z, mm."""
    return float(np.abs(geometry.affine[2, :3]).sum())


def _max_csa_cm2(z: npt.NDArray[np.float64], geometry: Geometry) -> float:
    """Largest area cut by a plane normal to world z: each voxel spreads its volume over its height."""
    height = _voxel_height_mm(geometry)
    ordered = np.sort(z)
    step = geometry.spacing_mm[2]
    planes = np.arange(ordered[0], ordered[-1] + step / 2, step)
    slack = 1e-6 * height  # a voxel centred on a slab's border belongs to one slab, not to two
    counts = np.searchsorted(ordered, planes + height / 2 - slack) - np.searchsorted(
        ordered, planes - height / 2 - slack
    )
    return float(counts.max()) * geometry.voxel_volume_ml * 10 / height  # mL / mm = 10 cm2


def _cut_beside(here: BoolArray, box: Box, volume: Volume, level_mm: float) -> bool:
    """Whether the view ends within a section, given the voxels of a box that an axial plane meets."""
    geometry, height = volume.geometry, _voxel_height_mm(volume.geometry)
    for axis in (0, 1):  # the faces beside; those above and below end the plane itself
        edge_mm = geometry.voxel_volume_ml * 1000 / (geometry.spacing_mm[axis] * 2 * height)
        touching = (_touching(here, box, volume.valid, axis, high=high) for high in (False, True))
        if max(touching) * edge_mm > CONTACT_MM:
            return True
    seen = bounding_box(volume.valid)
    extent = bounding_box(here)
    if seen is None or extent is None:
        return True
    row = geometry.affine[2]
    corners = [[b.start + e.start - 1, b.start + e.stop] for b, e in zip(box[:2], extent[:2], strict=True)]
    slices = [(level_mm - row[3] - row[0] * i - row[1] * j) / row[2] for i in corners[0] for j in corners[1]]
    slack = 1e-6  # a plane through the outermost slice is in view
    return bool(min(slices) < seen[2].start - slack or max(slices) > seen[2].stop - 1 + slack)


def _cuts(inside: BoolArray, box: Box, volume: Volume) -> list[Cut]:
    cuts = []
    for axis in range(3):
        across = tuple({0, 1, 2} - {axis})
        voxel_cm2 = volume.geometry.voxel_volume_ml * 10 / volume.geometry.spacing_mm[axis]
        largest = int(np.count_nonzero(inside, axis=across).max())
        for high in (False, True):
            touching = _touching(inside, box, volume.valid, axis, high=high)
            if touching * voxel_cm2 >= CONTACT_CM2:
                cuts.append(Cut(axis, high, min(1.0, touching / largest)))
    return cuts


def _touching(inside: BoolArray, box: Box, valid: BoolArray, axis: int, *, high: bool) -> int:
    """Voxels of the mask that are the first in view, coming from one face along `axis`."""
    lane = list(box)
    lane[axis] = slice(box[axis].start, None) if high else slice(None, box[axis].stop)
    padding = ~np.moveaxis(valid[tuple(lane)], axis, 0)
    mask = np.moveaxis(inside, axis, 0)
    if high:
        padding, mask = padding[::-1], mask[::-1]
    before = np.concatenate([np.ones((1, *padding.shape[1:]), dtype=bool), padding])
    outside = np.logical_and.accumulate(before, axis=0)[-mask.shape[0] - 1 :]
    return int(np.count_nonzero(mask & outside[:-1] & ~outside[1:]))


def _face_name(cut: Cut, side: Side) -> str:
    name = FACE_NAMES[cut.axis][cut.high]
    if cut.axis != 0:
        return name
    return f"lateral {name}" if name == side.value else "medial"


def _ellipsoid_share(area_share: float) -> float:
    """Volume share of an ellipsoid that a plane beyond its middle keeps, from cut area over middle area."""
    t = np.sqrt(1 - area_share)
    return float((2 / 3 + t - t**3 / 3) / (4 / 3))
