"""Bodies between two bodies: one label map deformed some way towards another.

Five label maps are few. What lies between two of them is a body too: a pelvis as wide, muscles as thick and
as long as a third person's might be. Two maps are registered by their structures, smoothed and on a coarse
grid; the first is then pulled part of the way along that deformation.
"""

from itertools import permutations
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from grading.volume import Geometry
from training.anatomies import Anatomy, load
from training.classes import CLASSES, INDEX
from training.warp import Warp

HALF_WAY = 0.5
_GRID_MM = 6.0
_BELOW_MM, _ABOVE_MM, _BESIDE_MM = 110.0, 60.0, 30.0  # round the glutei: where two bodies are compared
_SMOOTH_MM = (18.0, 9.0, 5.0)  # of the structures, coarse to fine
_STEPS = 60  # at each
_CONTROL_MM = 24.0  # between the points that move freely
_STIFFNESS = 2e-4  # of the mean squared second difference of the displacement (mm2)
_RATE_MM, _RATE_AFFINE = 0.7, 0.01  # of each step
_JOINT_MM = 6.0  # hip bone and femur are nearer than this at the joint only
_UNKNOWN = 255  # tissue index beyond a label map


def blends(people: list[Anatomy], cache: Path, share: float = HALF_WAY) -> list[Anatomy]:
    """Every body deformed `share` of the way to every other one; their label maps are kept in `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    made = []
    for body, towards in permutations(people, 2):
        path = cache / f"{body.name}-{towards.name}-{share:.2f}.nii.gz"
        if not path.is_file():
            labels, geometry = blend(body, towards, share)
            nib.save(nib.Nifti1Image(labels, geometry.affine), path)
        made.append(load(path))
    return made


def blend(body: Anatomy, towards: Anatomy, share: float) -> tuple[np.ndarray, Geometry]:
    """Label map of `body` deformed `share` of the way to `towards`: 0 is itself, 1 has the other's shape."""
    grid = _around_glutei(towards)
    shift = _joints(body).mean(0) - _joints(towards).mean(0)
    moved = _register(body, towards, grid, shift)
    return _pulled(body, share * moved, grid, shift)


def _points(geometry: Geometry) -> Tensor:
    """World coordinates of every voxel, (i, j, k, 3)."""
    index = torch.stack(
        torch.meshgrid(*(torch.arange(n, dtype=torch.float32) for n in geometry.shape), indexing="ij"), dim=-1
    )
    affine = torch.from_numpy(geometry.affine.astype(np.float32))
    return index @ affine[:3, :3].T + affine[:3, 3]


def _at(points: Tensor, geometry: Geometry) -> Warp:
    return Warp(points, points, mirrored=False).onto(geometry)


def _around_glutei(body: Anatomy) -> Geometry:
    low, high = body.around_glutei_mm(_BELOW_MM, _ABOVE_MM, _BESIDE_MM)
    i, j, k = (int(np.ceil(extent / _GRID_MM)) for extent in high - low)
    affine = np.diag([_GRID_MM] * 3 + [1.0])
    affine[:3, 3] = low
    return Geometry((i, j, k), affine)


def _joints(body: Anatomy) -> np.ndarray:
    """Middle of each hip joint, world mm, (2, 3): where femur and hip bone are near each other."""
    kind = body.lookup("class")[body.tissue.long()].numpy()
    side = body.lookup("side")[body.tissue.long()].numpy()
    found = []
    for left_or_right in (0, 1):
        bone = (kind == INDEX["hip_bone"]) & (side == left_or_right)
        femur = (kind == INDEX["femur"]) & (side == left_or_right)
        near = ndimage.binary_dilation(bone, iterations=round(_JOINT_MM / min(body.geometry.spacing_mm)))
        middle = np.argwhere(femur & near).mean(0)
        found.append(body.geometry.affine[:3, :3] @ middle + body.geometry.affine[:3, 3])
    return np.array(found)


def _structures(body: Anatomy, grid: Geometry) -> tuple[Tensor, Tensor]:
    """Share of every structure in each voxel of `grid`, (structures, i, j, k), and how far it is known."""
    affine = grid.affine.copy()
    affine[:3, :3] /= 2
    affine[:3, 3] -= affine[:3, :3].sum(1) / 2
    i, j, k = grid.shape
    finer = Geometry((2 * i, 2 * j, 2 * k), affine)
    tissue = _at(_points(finer), body.geometry).labels(body.tissue, _UNKNOWN)
    known = tissue != _UNKNOWN
    kind = torch.where(known, body.lookup("class")[tissue * known], 0)
    side = torch.where(known, body.lookup("side")[tissue * known], -1)
    shares = [
        functional.avg_pool3d(((kind == number) & (side == s)).float()[None], 2)[0]
        for number in range(1, len(CLASSES))
        for s in ((-1,) if number == INDEX["sacrum"] else (0, 1))
    ]
    return torch.stack(shares), functional.avg_pool3d(known.float()[None], 2)[0]


def _smoothed(shares: Tensor, sigma_mm: float) -> Tensor:
    return torch.stack(
        [torch.from_numpy(ndimage.gaussian_filter(s.numpy(), sigma_mm / _GRID_MM)) for s in shares]
    )


def _register(body: Anatomy, towards: Anatomy, grid: Geometry, shift: np.ndarray) -> Tensor:
    """How far each point of `grid`, moved by `shift`, is from its like in `body`: (i, j, k, 3), mm."""
    fixed, known = _structures(towards, grid)
    source = _around_glutei(body)
    moving, there = _structures(body, source)
    both = (fixed.sum((1, 2, 3)) > 0) & (moving.sum((1, 2, 3)) > 0)
    fixed, moving = fixed[both], moving[both]
    points = _points(grid)
    centre = torch.from_numpy(_joints(towards).mean(0).astype(np.float32))
    matrix = torch.zeros(3, 3, requires_grad=True)
    cells = [int(np.ceil(n * _GRID_MM / _CONTROL_MM)) + 1 for n in grid.shape]
    control = torch.zeros(1, 3, *cells, requires_grad=True)
    optimiser = torch.optim.Adam(
        [{"params": [control], "lr": _RATE_MM}, {"params": [matrix], "lr": _RATE_AFFINE}]
    )
    offset = torch.from_numpy(shift.astype(np.float32))

    def displacement() -> Tensor:
        free = functional.interpolate(control, size=grid.shape, mode="trilinear", align_corners=True)[0]
        return free.movedim(0, -1) + (points - centre) @ matrix.T

    for sigma_mm in _SMOOTH_MM:
        goal, from_ = _smoothed(fixed, sigma_mm), torch.cat([_smoothed(moving, sigma_mm), there[None]])
        for _ in range(_STEPS):
            warp = _at(points + offset + displacement(), source)
            seen = warp.image(from_)
            weight = known * (seen[-1].detach() > 0.99)
            unlike = ((seen[:-1] - goal) ** 2).sum(0)
            loss = (unlike * weight).sum() / weight.sum() + _STIFFNESS * _bending(control)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return displacement().detach()


def _bending(control: Tensor) -> Tensor:
    return torch.stack([(control.diff(n=2, dim=axis) ** 2).mean() for axis in (2, 3, 4)]).sum()


def _pulled(body: Anatomy, moved: Tensor, grid: Geometry, shift: np.ndarray) -> tuple[np.ndarray, Geometry]:
    """`body` moved to where the other one lies; what is beyond `grid` moves with its edge."""
    affine = body.geometry.affine.copy()
    affine[:3, 3] -= shift
    geometry = Geometry(body.geometry.shape, affine)
    numbers = np.array(body.labels, dtype=np.uint16)
    slabs = []
    for k in range(geometry.shape[2]):
        part = geometry.part((slice(0, geometry.shape[0]), slice(0, geometry.shape[1]), slice(k, k + 1)))
        points = _points(part)
        place = _at(points, grid).grid.clamp(-1, 1)
        step = functional.grid_sample(moved.movedim(-1, 0)[None], place, align_corners=True)[0].movedim(0, -1)
        found = _at(points + torch.from_numpy(shift.astype(np.float32)) + step, body.geometry)
        slabs.append(numbers[found.labels(body.tissue, 0).numpy()])
    return np.concatenate(slabs, axis=2), geometry
