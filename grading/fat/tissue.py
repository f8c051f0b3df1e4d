"""Where an image shows subcutaneous fat and skeletal muscle, on a coarse grid that is quick to search.

Subcutaneous fat is the bright layer under the air-skin border; it is found from signal and position
alone, so it needs no label of its own and no fat class inside a muscle.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from grading.anatomy import SIDES, STRUCTURES, Side
from grading.masks import interior
from grading.resample import resample
from grading.volume import BoolArray, FloatArray, Geometry, LabelArray, Segmentation, Volume

GRID_MM = 3.0  # finest step of the search grid: a third of a thin subcutaneous layer
REFERENCE_MUSCLES = (
    "gluteus_maximus",
    "gluteus_medius",
    "gluteus_minimus",
    "tensor_fasciae_latae",
    "iliopsoas",
    "piriformis",
    "erector_spinae",
    "other_muscle",
)
MUSCLE_LABELS = tuple(STRUCTURES[name].label(side) for name in REFERENCE_MUSCLES for side in SIDES)
AIR_SHARE = 0.25  # of muscle signal: above Rician noise at SNR 10, below muscle under 50 % shading
SKIN_MM = 3.0  # skin and its chemical-shift line
LAYER_MM = 60.0  # depth down to which bright tissue counts as subcutaneous
SUPERFICIAL_MM = 10.0  # depth that is still fat in all but the leanest
CLEARANCE_MM = 4.0  # from any label: partial volume and fascia stay out of the fat sample
FAT_OVER_MUSCLE = 1.3  # T1 spin echo shows fat 1.4-3.0 times brighter than muscle [clinical definitions]
MINIMUM_ML = 3.0  # of fat per side: a thumb's width of the layer over one slice block


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """An image and its labelled tissue on a coarse grid, centred on the image's own grid.

    Attributes:
        geometry: the coarse grid; its voxel centres lie inside the image.
        signal: float32, image values interpolated to it.
        muscle: voxels wholly inside labelled skeletal muscle.
        labelled: voxels that any label (muscle or bone) touches.
        valid: voxels made of valid image voxels alone.
        slice_axis: axis the slices stack along.
        fine: grid of the image itself.
    """

    geometry: Geometry
    signal: FloatArray
    muscle: BoolArray
    labelled: BoolArray
    valid: BoolArray
    slice_axis: int
    fine: Geometry

    def fine_index(self, where: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """Voxel indices of this grid, shape (n, 3), as fractional indices of the image's own grid."""
        step = np.asarray(self.geometry.spacing_mm) / np.asarray(self.fine.spacing_mm)
        centred = (where - (np.asarray(self.geometry.shape) - 1) / 2) * step
        return np.asarray(centred + (np.asarray(self.fine.shape) - 1) / 2)

    def axes(self) -> tuple[npt.NDArray[np.float64], ...]:
        """Voxel centres along each axis; the image's outermost centres lie at -1 and +1."""
        corner = np.stack([np.arange(max(self.geometry.shape))] * 3, axis=1)
        scaled = self._scaled(corner)
        return tuple(scaled[:n, axis] for axis, n in enumerate(self.geometry.shape))

    def position(self, mask: BoolArray) -> npt.NDArray[np.float64]:
        """Centres of the voxels in `mask`, shape (n, 3); the image's outermost centres lie at -1 and +1."""
        return self._scaled(np.argwhere(mask))

    def _scaled(self, where: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        middle = (np.asarray(self.fine.shape) - 1) / 2
        return np.asarray((self.fine_index(where) - middle) / np.maximum(middle, 0.5))


def coarse_scene(volume: Volume, labels: LabelArray) -> Scene:
    """The search grid: steps of at least `GRID_MM`, symmetric about the image's centre."""
    grid = _coarse_grid(volume.geometry)
    muscle = np.isin(labels, MUSCLE_LABELS, kind="table").astype(np.float32)
    inside = resample(muscle, volume.geometry, grid, order=1)
    touched = resample((labels > 0).astype(np.float32), volume.geometry, grid, order=1)
    valid = resample(volume.valid.astype(np.float32), volume.geometry, grid, order=1)
    signal = resample(volume.voxels, volume.geometry, grid, order=1)
    whole = 1 - 1e-4  # all contributing voxels, to float32 rounding
    return Scene(
        grid,
        np.asarray(signal, dtype=np.float32),
        np.asarray(inside, dtype=np.float32) >= whole,
        np.asarray(touched, dtype=np.float32) > 1 - whole,
        np.asarray(valid, dtype=np.float32) >= whole,
        volume.series.slice_axis,
        volume.geometry,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Fat:
    """Adipose tissue on the search grid.

    Attributes:
        compact: fat of any depth, no thinner than three voxels in plane: tells the shading.
        subcutaneous: the part of it under the skin: tells the signal of pure fat.
    """

    compact: BoolArray
    subcutaneous: BoolArray


def find_fat(scene: Scene, signal: FloatArray, muscle_signal: float) -> Fat:
    """Bright tissue away from every label; both masks may be empty.

    Depth is measured from air. Where the body fills the view and no air lies beside it, the in-plane
    edges of the view stand in for the skin.

    Args:
        scene: where to look.
        signal: the image on the scene's grid, corrected as well as is known so far.
        muscle_signal: signal of lean muscle in it.
    """
    spacing = scene.geometry.spacing_mm
    air = outer_dark(~scene.valid | (signal < AIR_SHARE * muscle_signal))
    near_label = within(scene.labelled, CLEARANCE_MM, spacing)
    bright = ~air & ~near_label & scene.valid & (signal > FAT_OVER_MUSCLE * muscle_signal)
    if not bright.any():
        return Fat(bright, bright)
    threshold = np.sqrt(muscle_signal * np.quantile(signal[bright], 0.9))
    bright &= signal > threshold
    compact = interior(bright, scene.geometry, scene.slice_axis)
    layer = bright & _layer(air, LAYER_MM, spacing)
    if layer.sum() * scene.geometry.voxel_volume_ml < 2 * MINIMUM_ML:
        layer = bright & _layer(air | _in_plane_edge(air.shape, scene.slice_axis), LAYER_MM, spacing)
    return Fat(compact | layer, layer)


def skin_layer(scene: Scene, muscle_signal: float) -> BoolArray:
    """Unlabelled tissue just under the skin, whatever its signal, bool on the scene's grid."""
    spacing = scene.geometry.spacing_mm
    dark = ~scene.valid | (scene.signal < AIR_SHARE * muscle_signal)
    tissue = ~dark & ~within(scene.labelled, CLEARANCE_MM, spacing)
    return np.asarray(tissue & _layer(outer_dark(dark), SUPERFICIAL_MM, spacing))


def midline(segmentation: Segmentation) -> float | None:
    """Index along axis 0 midway between both sides' muscles; None where only one side is labelled."""
    means = [_centre(segmentation.labels, side) for side in SIDES]
    left, right = means
    return None if left is None or right is None else (left + right) / 2


def labelled_sides(segmentation: Segmentation) -> tuple[Side, ...]:
    """Sides on which any muscle is labelled."""
    return tuple(side for side in SIDES if _centre(segmentation.labels, side) is not None)


def _centre(labels: LabelArray, side: Side) -> float | None:
    """Mean index along axis 0 of one side's muscles."""
    members = np.isin(labels, [STRUCTURES[name].label(side) for name in REFERENCE_MUSCLES], kind="table")
    counts = np.count_nonzero(members, axis=(1, 2))
    return float(np.average(np.arange(counts.size), weights=counts)) if counts.any() else None


def _layer(outside: BoolArray, depth_mm: float, spacing: tuple[float, float, float]) -> BoolArray:
    """Voxels between `SKIN_MM` and `depth_mm` deep; none where there is no outside."""
    if not outside.any():
        return np.zeros_like(outside)
    depth = _distance_mm(outside, spacing)
    return np.asarray((depth > SKIN_MM) & (depth <= depth_mm))


def outer_dark(dark: BoolArray) -> BoolArray:
    """Dark voxels connected to the edge of the view: air and padding, not gas, bone or a void of metal."""
    components, _ = ndimage.label(dark)
    faces = [np.unique(components.take(end, axis)) for axis in range(3) for end in (0, -1)]
    touching = np.unique(np.concatenate(faces))
    return np.asarray(np.isin(components, touching[touching > 0]))


def _in_plane_edge(shape: tuple[int, ...], slice_axis: int) -> BoolArray:
    edge = np.zeros(shape, dtype=bool)
    for axis in {0, 1, 2} - {slice_axis}:
        index: list[slice | list[int]] = [slice(None)] * 3
        index[axis] = [0, -1]
        edge[tuple(index)] = True
    return edge


def within(mask: BoolArray, distance_mm: float, spacing: tuple[float, float, float]) -> BoolArray:
    """Voxels closer than `distance_mm` to `mask`."""
    if not mask.any():
        return mask
    return np.asarray(_distance_mm(mask, spacing) <= distance_mm)


def _distance_mm(mask: BoolArray, spacing: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """Distance to `mask`, to a micrometre: no rounding of the header moves a whole layer across a limit."""
    return np.asarray(ndimage.distance_transform_edt(~mask, sampling=spacing).round(3))


def _coarse_grid(fine: Geometry) -> Geometry:
    spacing = np.asarray(fine.spacing_mm)
    step = np.maximum(spacing, GRID_MM)
    shape = np.maximum(np.floor(np.asarray(fine.shape) * spacing / step + 1e-6), 1).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = fine.affine[:3, :3] * (step / spacing)
    affine[:3, 3] = fine.centre_mm - affine[:3, :3] @ ((shape - 1) / 2)
    return Geometry((int(shape[0]), int(shape[1]), int(shape[2])), affine)
