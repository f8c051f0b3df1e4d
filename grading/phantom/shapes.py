"""Implicit shapes: each gives the signed distance (mm, negative inside) of points to its surface.

Points come as three equally shaped arrays in the phantom's nominal frame: x lateral from the midline,
y anterior, z superior, origin midway between the centres of the femoral heads.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.interpolate import CubicSpline, RBFInterpolator
from scipy.spatial import cKDTree

Array = npt.NDArray[np.float32]
Vector = tuple[float, float, float]
Box = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

_KNOT_STEP_MM = 10.0  # tubes are straight over this length: sagitta below 0.3 mm at the tightest bend
_MAP_STEP_MM = 2.0  # grid of a sheet's maps; they are smooth over centimetres
_MAP_MARGIN_MM = 40.0


class Shape(Protocol):
    """Anything with a signed distance and a box that holds it."""

    @property
    def box(self) -> Box:
        """Lowest and highest corner of the region the shape fills, mm."""
        ...

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Signed distance of each point, mm, negative inside."""
        ...


def smooth_min(a: Array, b: Array, blend_mm: float) -> Array:
    """Union of two signed distances with a fillet of about `blend_mm` (Quilez' quadratic smooth minimum)."""
    h = np.maximum(blend_mm - np.abs(a - b), 0.0) / np.float32(blend_mm)
    return np.asarray(np.minimum(a, b) - h * h * np.float32(blend_mm / 4), dtype=np.float32)


def smooth_max(a: Array, b: Array, blend_mm: float) -> Array:
    """Intersection of two signed distances with edges rounded by about `blend_mm`."""
    return -smooth_min(-a, -b, blend_mm)


@dataclass(frozen=True)
class Tube:
    """A tapered tube round a smooth curve; optionally flattened.

    Attributes:
        knots: rows of (x, y, z, radius), mm, that the curve and its radius pass through.
        flatten: direction in which the section is thinner by `flatness`; None for a round tube.
        flatness: thickness along `flatten` over width, 0-1.
    """

    knots: tuple[tuple[float, float, float, float], ...]
    flatten: Vector | None = None
    flatness: float = 1.0

    @cached_property
    def _path(self) -> npt.NDArray[np.float64]:
        knots = np.asarray(self.knots, dtype=np.float64)
        if len(knots) < 3:
            return knots
        along = np.r_[0, np.cumsum(np.linalg.norm(np.diff(knots[:, :3], axis=0), axis=1))]
        steps = np.linspace(0, along[-1], max(2, int(np.ceil(along[-1] / _KNOT_STEP_MM)) + 1))
        path = np.asarray(CubicSpline(along, knots, bc_type="natural")(steps))
        path[:, 3] = np.interp(steps, along, knots[:, 3])
        return path

    @property
    def box(self) -> Box:
        """Lowest and highest corner, mm."""
        path = self._path
        return (path[:, :3] - path[:, 3:]).min(0), (path[:, :3] + path[:, 3:]).max(0)

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Signed distance of each point, mm."""
        points = [x, y, z]
        path = self._path
        if self.flatten is not None:
            # stretching space along `flatten` makes a flat section round; distances there are overstated
            axis = np.asarray(self.flatten) / np.linalg.norm(self.flatten)
            gain = 1 / self.flatness - 1
            along = sum(a * p for a, p in zip(axis, points, strict=True))
            points = [p + np.float32(gain * a) * along for a, p in zip(axis, points, strict=True)]
            path = path.copy()
            path[:, :3] += gain * np.outer(path[:, :3] @ axis, axis)
        best = np.full(x.shape, np.inf, dtype=np.float32)
        for (*start, r0), (*end, r1) in pairwise(path.tolist()):
            dx, dy, dz = step = np.subtract(end, start).astype(np.float32)
            per_length = step / (step @ step)
            ox, oy, oz = (p - np.float32(s) for p, s in zip(points, start, strict=True))
            t = ox * per_length[0] + oy * per_length[1] + oz * per_length[2]
            np.clip(t, 0, 1, out=t)
            ox -= dx * t
            oy -= dy * t
            oz -= dz * t
            distance = np.sqrt(ox * ox + oy * oy + oz * oz)
            distance -= np.float32(r0) + np.float32(r1 - r0) * t
            np.minimum(best, distance, out=best)
        return best * np.float32(self.flatness**0.5 if self.flatten else 1.0)


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid with axes along x, y, z (distance to first order)."""

    centre: Vector
    radii: Vector

    @property
    def box(self) -> Box:
        """Lowest and highest corner, mm."""
        c, r = np.asarray(self.centre), np.asarray(self.radii)
        return c - r, c + r

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Signed distance of each point, mm."""
        scaled = [
            (p - np.float32(c)) / np.float32(r)
            for p, c, r in zip((x, y, z), self.centre, self.radii, strict=True)
        ]
        norm = np.sqrt(sum(s * s for s in scaled))
        slope = np.sqrt(sum((s / np.float32(r)) ** 2 for s, r in zip(scaled, self.radii, strict=True)))
        return np.asarray(norm * (norm - 1) / np.maximum(slope, 1e-6), dtype=np.float32)


@dataclass(frozen=True)
class Barrel:
    """An upright elliptic cylinder with rounded edges: a vertebral body or a disc.

    Attributes:
        centre: mm.
        radii: half width (x), half depth (y) and half height (z), mm.
        edge_mm: rounding of the edges.
    """

    centre: Vector
    radii: Vector
    edge_mm: float = 5.0

    @property
    def box(self) -> Box:
        """Lowest and highest corner, mm."""
        c, r = np.asarray(self.centre), np.asarray(self.radii)
        return c - r, c + r

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Signed distance of each point, mm."""
        (cx, cy, cz), (rx, ry, rz) = self.centre, self.radii
        round_ = (np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2) - 1) * min(rx, ry)
        return smooth_max(
            round_.astype(np.float32), np.abs(z - np.float32(cz)) - np.float32(rz), self.edge_mm
        )


@dataclass(frozen=True)
class Sheet:
    """A curved sheet: a thin-plate surface over a plane that holds the z axis, of varying thickness.

    Attributes:
        surface: rows of (x, y, z, half thickness), mm, that the middle surface passes through.
        outline: rows of (x, y, z), mm: closed smooth curve that bounds the sheet, projected on the plane.
        normal: (x, y) direction that the sheet faces.
        edge_mm: rounding of the rim.
    """

    surface: tuple[tuple[float, float, float, float], ...]
    outline: tuple[Vector, ...]
    normal: tuple[float, float]
    edge_mm: float = 6.0

    @cached_property
    def _axes(self) -> tuple[float, float]:
        n = np.asarray(self.normal) / np.linalg.norm(self.normal)
        return float(n[0]), float(n[1])

    def _plane(self, x: Array, y: Array) -> tuple[Array, Array]:
        nx, ny = self._axes
        return np.float32(-ny) * x + np.float32(nx) * y, np.float32(nx) * x + np.float32(ny) * y

    @cached_property
    def _maps(self) -> tuple[npt.NDArray[np.float64], Array, Array, Array, Array]:
        """Origin (u, z) and maps of height, half thickness, cosine of the slope and rim distance."""
        outline = np.asarray(self.outline)
        u, _ = self._plane(outline[:, 0], outline[:, 1])
        rim = np.column_stack([u, outline[:, 2]])
        chord = np.r_[0, np.cumsum(np.linalg.norm(np.diff(np.vstack([rim, rim[:1]]), axis=0), axis=1))]
        curve = CubicSpline(chord, np.vstack([rim, rim[:1]]), bc_type="periodic")
        rim = curve(np.linspace(0, chord[-1], 400, endpoint=False))
        low, high = rim.min(0) - _MAP_MARGIN_MM, rim.max(0) + _MAP_MARGIN_MM
        axes = [np.arange(a, b, _MAP_STEP_MM) for a, b in zip(low, high, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        knots = np.asarray(self.surface)
        ku, kw = self._plane(knots[:, 0], knots[:, 1])
        spline = RBFInterpolator(
            np.column_stack([ku, knots[:, 2]]), np.column_stack([kw, knots[:, 3]]), smoothing=1.0
        )
        values = spline(grid.reshape(-1, 2)).reshape(*grid.shape[:2], 2)
        slopes = np.gradient(values[..., 0], _MAP_STEP_MM)
        cosine = 1 / np.sqrt(1 + slopes[0] ** 2 + slopes[1] ** 2)
        thickness = np.clip(values[..., 1], knots[:, 3].min(), knots[:, 3].max())
        distance = np.asarray(cKDTree(rim).query(grid.reshape(-1, 2))[0]).reshape(grid.shape[:2])
        inside = _inside_polygon(rim, grid)
        edge = np.where(inside, -distance, distance)
        return low, *(np.asarray(m, dtype=np.float32) for m in (values[..., 0], thickness, cosine, edge))

    @property
    def box(self) -> Box:
        """Lowest and highest corner, mm."""
        outline, knots = np.asarray(self.outline), np.asarray(self.surface)
        every = np.vstack([outline, knots[:, :3]])
        reach = knots[:, 3].max() + self.edge_mm
        return every.min(0) - reach, every.max(0) + reach

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Signed distance of each point, mm."""
        low, height, thickness, cosine, edge = self._maps
        u, w = self._plane(x, y)
        where = np.stack([(u - low[0]) / _MAP_STEP_MM, (z - low[1]) / _MAP_STEP_MM])
        h, t, c, e = (
            ndimage.map_coordinates(m, where, order=1, mode="nearest")
            for m in (height, thickness, cosine, edge)
        )
        return smooth_max(np.abs(w - h) * c - t, e, self.edge_mm)


def _inside_polygon(rim: npt.NDArray[np.float64], grid: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which points of `grid` (.., 2) lie inside the closed polygon `rim`: even-odd rule."""
    inside = np.zeros(grid.shape[:2], dtype=bool)
    for (x0, y0), (x1, y1) in zip(rim, np.roll(rim, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 > grid[..., 1]) != (y1 > grid[..., 1])
        inside ^= crosses & (grid[..., 0] < (x1 - x0) * (grid[..., 1] - y0) / (y1 - y0) + x0)
    return inside


@dataclass(frozen=True)
class Union:
    """Several shapes grown into one."""

    parts: tuple[Shape, ...]
    blend_mm: float = 4.0

    @property
    def box(self) -> Box:
        """Lowest and highest corner, mm."""
        boxes = [part.box for part in self.parts]
        return np.min([b[0] for b in boxes], axis=0), np.max([b[1] for b in boxes], axis=0)

    def distance(self, x: Array, y: Array, z: Array) -> Array:
        """Signed distance of each point, mm."""
        result = self.parts[0].distance(x, y, z)
        for part in self.parts[1:]:
            result = smooth_min(result, part.distance(x, y, z), self.blend_mm)
        return result
