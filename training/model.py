"""Both networks: a small 3D U-Net that reads and writes voxels but thinks on a grid of twice their size.

On a processor the layers at full resolution would take two thirds of the time and of the memory. Here
the first convolution takes a block of voxels at once, and the last one answers for all of a block.
"""

import itertools
import math

import torch
from torch import Tensor, nn
from torch.nn import functional

Block = tuple[int, int, int]

CUBE: Block = (2, 2, 2)  # the voxels that are taken at once; image sizes must be multiples of this
_HIDDEN = 64  # channels from which the voxels of a block are told apart


def _layer(convolution: nn.Conv3d) -> list[nn.Module]:
    """A convolution, normalised over the image."""
    return [convolution, nn.InstanceNorm3d(convolution.out_channels, affine=True), nn.LeakyReLU(0.01, True)]


class _Pointwise(nn.Conv3d):
    """A convolution of one voxel, as the matrix product it is: the library's takes ten times as long."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.some(x, slice(None))

    def some(self, x: Tensor, chosen: slice) -> Tensor:
        """Only the chosen output channels."""
        assert self.bias is not None
        flat = self.weight[chosen].flatten(1) @ x.flatten(2)
        return (flat + self.bias[chosen, None].to(flat.dtype)).reshape(x.shape[0], -1, *x.shape[2:])


def _convolution(inputs: int, outputs: int, *, flat: bool) -> nn.Conv3d:
    """Of 3x3x3 cells, or of 3x3 within a slice."""
    return nn.Conv3d(inputs, outputs, (1, 3, 3) if flat else 3, padding=(0, 1, 1) if flat else 1, bias=False)


class _Cells(nn.Sequential):
    """Two convolutions at one resolution."""

    def __init__(self, inputs: int, outputs: int, *, flat: bool) -> None:
        super().__init__(
            *_layer(_convolution(inputs, outputs, flat=flat)),
            *_layer(_convolution(outputs, outputs, flat=flat)),
        )


def _voxels(blocks: Tensor, block: Block) -> Tensor:
    """(N, channels * voxels of a block, i, j, k) -> (N, channels, ...): a block's voxels side by side.

    A transposed convolution would say the same, but its gradient took a quarter of the training time.
    """
    n, channels, i, j, k = blocks.shape
    a, b, c = block
    apart = blocks.reshape(n, channels // math.prod(block), a, b, c, i, j, k)
    return apart.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, -1, a * i, b * j, c * k)


def corner_of(voxels: Tensor, corner: int, block: Block = CUBE) -> Tensor:
    """The voxel number `corner` of each block of a (..., i, j, k) array."""
    _, b, c = block
    place = corner // (b * c), corner // c % b, corner % c
    return voxels[..., *(slice(start, None, step) for start, step in zip(place, block, strict=True))]


class UNet(nn.Module):
    """Image (N, inputs, i, j, k) in, logits (N, outputs, i, j, k) out.

    Any spatial size in whole blocks will do: pooling rounds up, what rises is cut.

    Attributes:
        block: voxels taken at once.
        steps: voxels from one cell to the next, at each resolution.
    """

    def __init__(
        self,
        outputs: int,
        widths: tuple[int, ...] = (32, 64, 96, 128),
        inputs: int = 1,
        *,
        block: Block = CUBE,
        flat: int = 0,
    ) -> None:
        """Make it with random weights.

        Args:
            outputs: channels of the answer.
            widths: channels at each resolution.
            inputs: channels of the image.
            block: voxels taken at once.
            flat: resolutions, from the finest on, at which slices are seen one by one and only the size of
                the image within them is halved: for slices thicker than the voxels are wide.
        """
        super().__init__()
        pairs = list(itertools.pairwise(widths))
        self.block = block
        self.halved: list[Block] = [(1, 2, 2) if level < flat else CUBE for level in range(len(pairs))]
        self.steps = list(itertools.accumulate(self.halved, _times, initial=block))
        kernel = tuple(2 * n if n > 1 else 1 for n in block)
        self.fold = nn.Conv3d(
            inputs, widths[0], kernel, block, padding=tuple(n // 2 for n in block), bias=False
        )
        self.stem = nn.Sequential(
            *_layer(self.fold)[1:], *_layer(_convolution(widths[0], widths[0], flat=flat > 0))
        )
        self.down = nn.ModuleList(_Cells(a, b, flat=n + 1 < flat) for n, (a, b) in enumerate(pairs))
        self.rise = nn.ModuleList(
            nn.ConvTranspose3d(b, a, half, half) for (a, b), half in zip(pairs, self.halved, strict=True)
        )
        self.up = nn.ModuleList(_Cells(2 * a, a, flat=n < flat) for n, a in enumerate(widths[:-1]))
        self.apart = nn.Sequential(_Pointwise(widths[0], _HIDDEN), nn.LeakyReLU(0.01, True))
        self.unfold = _Pointwise(_HIDDEN, outputs * math.prod(block))
        self.heads = nn.ModuleList(_Pointwise(width, outputs) for width in widths[:-1])

    def forward(self, image: Tensor) -> Tensor:
        """Logits for every voxel."""
        return _voxels(self.unfold(self.apart(self._features(image)[0])), self.block)

    def corner(self, image: Tensor, corner: int) -> list[Tensor]:
        """What training looks at: one voxel of each block, then the cells of each resolution.

        Teaching one voxel of a block at a time is enough and spares the costly layers at full resolution;
        the coarse levels are taught too, or they learn last.

        Args:
            image: (N, inputs, i, j, k).
            corner: which voxel, see `corner_of`.
        """
        features = self._features(image)
        fine = self.unfold.some(self.apart(features[0]), slice(corner, None, math.prod(self.block)))
        return [fine, *(head(x) for head, x in zip(self.heads, features, strict=True))]

    def _features(self, image: Tensor) -> list[Tensor]:
        """What the rising path knows at each resolution."""
        with torch.autocast(image.device.type, enabled=False):
            # In bfloat16 the CPU's weight gradient of a one-channel convolution points nowhere (cosine 0.4
            # with the float32 gradient), and the first filters then wander for ever.
            folded = self.fold(image)
        kept = [self.stem(folded)]
        for block, half in zip(self.down, self.halved, strict=True):
            kept.append(block(functional.max_pool3d(kept[-1], half, ceil_mode=True)))
        x, risen = kept[-1], []
        for skip, rise, up in zip(kept[-2::-1], self.rise[::-1], self.up[::-1], strict=True):
            x = rise(x)[:, :, : skip.shape[2], : skip.shape[3], : skip.shape[4]]
            x = up(torch.cat([skip, x], dim=1))
            risen.insert(0, x)
        return risen


def _times(step: Block, half: Block) -> Block:
    a, b, c = (s * h for s, h in zip(step, half, strict=True))
    return a, b, c
