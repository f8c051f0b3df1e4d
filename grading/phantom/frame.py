"""Where the phantom's formulas are evaluated: a lattice over one half of the body, and its way to fine grids.

Formulas speak in the nominal frame; a person's size, pelvic tilt and build bend that frame. Signed distances
are smooth, so they are computed once on a 3 mm lattice and interpolated: the shapes are then the same at
every resolution.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from grading.phantom.parameters import PhantomParameters
from grading.phantom.shapes import Array, Shape
from grading.volume import Geometry

LATTICE_MM = 3.0
FAR_MM = 18.0  # signed distances are computed up to this far outside a shape, and constant beyond
BOTTOM_MM, TOP_MM = -178.0, 205.0  # nominal reach of the phantom: proximal thigh to L3
FRONT_MM, BACK_MM, LATERAL_MM = 98.0, -112.0, 172.0  # lean body, nominal
_REGION_STEP = 4  # lattice steps at which the region of a shape is looked for
_SKIN_MARGIN_MM = 14.0
_WAVES = 5  # sinusoids per direction of the person-to-person deformation
_TILT_TOP_MM, _TILT_BOTTOM_MM = 0.0, -80.0  # the femur follows the pelvis' tilt no further than this

Slices = tuple[slice, slice, slice]


def occupied(mask: npt.NDArray[np.bool_]) -> Slices:
    """Smallest box of slices that holds every True of `mask`; empty when there is none."""
    found = []
    for axis in range(3):
        hit = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        found.append(slice(int(hit[0]), int(hit[-1]) + 1) if len(hit) else slice(0, 0))
    return found[0], found[1], found[2]


@dataclass(frozen=True)
class HalfFrame:
    """One half of the body: its lattice in body coordinates (x lateral from the midline, y, z; mm)."""

    parameters: PhantomParameters

    @cached_property
    def reach_mm(self) -> npt.NDArray[np.float64]:
        """Lowest and highest body coordinate of the half, shape (2, 3), mm."""
        p = self.parameters
        lateral = LATERAL_MM * p.scale * p.width + p.subcutaneous_mm * 1.15 + p.warp_mm
        back = BACK_MM * p.scale - p.subcutaneous_mm * 1.1 - p.warp_mm - abs(p.pelvic_tilt_deg)
        front = (
            FRONT_MM * p.scale + p.subcutaneous_mm * 0.8 + p.belly_mm + p.warp_mm + 2 * abs(p.pelvic_tilt_deg)
        )
        low = [0.0, back - _SKIN_MARGIN_MM, BOTTOM_MM * p.scale]
        return np.array([low, [lateral + _SKIN_MARGIN_MM, front + _SKIN_MARGIN_MM, TOP_MM * p.scale]])

    @cached_property
    def axes_mm(self) -> tuple[npt.NDArray[np.float64], ...]:
        """Body coordinates of the lattice along x, y, z; half a step beyond the midline."""
        low, high = self.reach_mm[0] - LATTICE_MM, self.reach_mm[1] + 2 * LATTICE_MM
        return tuple(np.arange(a, b, LATTICE_MM) for a, b in zip(low, high, strict=True))

    @cached_property
    def nominal(self) -> tuple[Array, Array, Array]:
        """Nominal coordinates of every lattice point, three arrays of the lattice's shape."""
        p = self.parameters
        x, y, z = (a.astype(np.float32) for a in np.meshgrid(*self.axes_mm, indexing="ij"))
        x, y, z = x / np.float32(p.scale * p.width), y / np.float32(p.scale), z / np.float32(p.scale)
        if p.pelvic_tilt_deg:
            fade = np.clip((z - _TILT_BOTTOM_MM) / (_TILT_TOP_MM - _TILT_BOTTOM_MM), 0, 1)
            angle = np.float32(np.deg2rad(p.pelvic_tilt_deg)) * fade * fade * (3 - 2 * fade)
            y, z = y * np.cos(angle) - z * np.sin(angle), y * np.sin(angle) + z * np.cos(angle)
        return self._warped(x, y, z) if p.warp_mm else (x, y, z)

    def _warped(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        rng = np.random.default_rng(self.parameters.warp_seed)
        moved = []
        for axis in range(3):
            shift = np.zeros_like(x)
            for _ in range(_WAVES):
                direction = rng.normal(size=3)
                kx, ky, kz = 2 * np.pi / rng.uniform(130, 350) * direction / np.linalg.norm(direction)
                phase = rng.uniform(0, 2 * np.pi)
                shift += np.sin(
                    np.float32(kx) * x + np.float32(ky) * y + np.float32(kz) * z + np.float32(phase)
                )
            shift *= np.float32(self.parameters.warp_mm / np.sqrt(_WAVES))
            if axis == 0:  # the midline stays where it is
                shift *= np.clip(x / 40, 0, 1)
            moved.append((x, y, z)[axis] + shift)
        return moved[0], moved[1], moved[2]

    def region(self, shape: Shape) -> Slices:
        """Lattice slices that hold all points within `FAR_MM` of a shape."""
        low, high = shape.box
        coarse = [n[::_REGION_STEP, ::_REGION_STEP, ::_REGION_STEP] for n in self.nominal]
        near = np.ones(coarse[0].shape, dtype=bool)
        for values, a, b in zip(coarse, low, high, strict=True):
            near &= (values > a - FAR_MM) & (values < b + FAR_MM)
        found = []
        for axis, size in enumerate(self.nominal[0].shape):
            hit = np.flatnonzero(near.any(axis=tuple(i for i in range(3) if i != axis)))
            first, last = (int(hit[0]), int(hit[-1])) if len(hit) else (0, 0)
            found.append(slice(max(0, (first - 1) * _REGION_STEP), min(size, (last + 1) * _REGION_STEP + 1)))
        return found[0], found[1], found[2]

    def evaluate(self, shape: Shape, region: Slices | None = None) -> Array:
        """Signed distance of a shape (mm, body scale) on the lattice, `FAR_MM` where it is far."""
        box = self.region(shape) if region is None else region
        x, y, z = (n[box] for n in self.nominal)
        result = np.full(self.nominal[0].shape, FAR_MM, dtype=np.float32)
        result[box] = np.minimum(shape.distance(x, y, z) * np.float32(self.parameters.scale), FAR_MM)
        return result


def fine_geometry(frame: HalfFrame, spacing_mm: float) -> Geometry:
    """Isotropic grid over the whole body, exactly mirror-symmetric about x = 0."""
    low, high = frame.reach_mm
    half = int(np.ceil(high[0] / spacing_mm))
    counts = [2 * half, *(int(np.ceil((b - a) / spacing_mm)) for a, b in zip(low[1:], high[1:], strict=True))]
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = [-(half - 0.5) * spacing_mm, low[1], low[2]]
    return Geometry((counts[0], counts[1], counts[2]), affine)


@dataclass(frozen=True)
class FineHalf:
    """The lateral half (x > 0) of a fine grid, and interpolation from the lattice onto it."""

    frame: HalfFrame
    geometry: Geometry

    @cached_property
    def axes_mm(self) -> tuple[npt.NDArray[np.float64], ...]:
        """Body coordinates of the half grid along x, y, z."""
        shape, origin, step = self.geometry.shape, self.geometry.affine[:3, 3], self.geometry.spacing_mm
        x, y, z = (o + s * np.arange(n) for o, s, n in zip(origin, step, shape, strict=True))
        return x[shape[0] // 2 :], y, z

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of the half grid."""
        x, y, z = self.axes_mm
        return len(x), len(y), len(z)

    def window(self, region: Slices) -> Slices:
        """Fine slices inside a lattice region."""
        found = []
        for fine, coarse, part in zip(self.axes_mm, self.frame.axes_mm, region, strict=True):
            low, high = coarse[part.start], coarse[min(part.stop, len(coarse)) - 1]
            found.append(
                slice(int(np.searchsorted(fine, low)), int(np.searchsorted(fine, high, side="right")))
            )
        return found[0], found[1], found[2]

    def refine(self, values: Array, window: Slices | None = None) -> Array:
        """Trilinear interpolation of lattice values at the fine voxels of `window`."""
        result = values
        part = window if window is not None else (slice(None),) * 3
        for axis in (2, 1, 0):
            position = (self.axes_mm[axis][part[axis]] - self.frame.axes_mm[axis][0]) / LATTICE_MM
            low = np.minimum(position.astype(np.intp), values.shape[axis] - 2)
            weight = (position - low).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
            below = np.take(result, low, axis=axis)
            result = below + weight * (np.take(result, low + 1, axis=axis) - below)
        return result
