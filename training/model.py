"""Both networks: a small 3D U-Net that reads and writes voxels but thinks on a grid of twice their size.

On a processor the layers at full resolution would take two thirds of the time and of the memory. Here
the first convolution takes blocks of eight voxels at once, and the last one answers for eight at once.
"""

import itertools
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 2  # image sizes must be multiples of this
_HIDDEN = 64  # channels from which the eight voxels of a block are told apart


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


class _Block(nn.Sequential):
    """Two convolutions of 3x3x3 voxels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            *_layer(nn.Conv3d(inputs, outputs, 3, padding=1, bias=False)),
            *_layer(nn.Conv3d(outputs, outputs, 3, padding=1, bias=False)),
        )


def _voxels(even: Tensor, odd: Tensor) -> Tensor:
    """The eight voxels of each block side by side.

    A transposed convolution would say the same, but its gradient took a quarter of the training time; and
    to move rows, which leaves k where it was, takes the runtime half the time of moving voxels.

    Args:
        even: (N, channels * 4, i, j, k), the voxels of even k of each block.
        odd: those of odd k.

    Returns:
        (N, channels, 2 i, 2 j, 2 k).
    """
    n, channels, i, j, k = even.shape
    rows = [
        half.reshape(n, channels // STRIDE**2, STRIDE, STRIDE, i, j, k).permute(0, 1, 4, 2, 5, 3, 6)
        for half in (even, odd)
    ]
    return torch.stack(rows, dim=-1).reshape(n, -1, STRIDE * i, STRIDE * j, STRIDE * k)


def corner_of(voxels: Tensor, corner: int) -> Tensor:
    """The voxel number `corner` (0 to 7) of each block of an (i, j, k) array."""
    return voxels[corner // 4 :: 2, corner // 2 % 2 :: 2, corner % 2 :: 2]


class UNet(nn.Module):
    """Image (N, inputs, i, j, k) in, logits (N, outputs, i, j, k) out.

    Any even spatial size of at least 2 ** levels voxels will do: pooling rounds up, what rises is cut.
    """

    def __init__(self, outputs: int, widths: tuple[int, ...] = (32, 64, 96, 128), inputs: int = 1) -> None:
        super().__init__()
        self.outputs = outputs
        pairs = list(itertools.pairwise(widths))
        self.fold = nn.Conv3d(inputs, widths[0], 2 * STRIDE, STRIDE, padding=STRIDE // 2, bias=False)
        self.stem = nn.Sequential(
            *_layer(self.fold)[1:], *_layer(nn.Conv3d(widths[0], widths[0], 3, padding=1, bias=False))
        )
        self.down = nn.ModuleList(_Block(a, b) for a, b in pairs)
        self.rise = nn.ModuleList(nn.ConvTranspose3d(b, a, 2, 2) for a, b in pairs)
        self.up = nn.ModuleList(_Block(2 * a, a) for a in widths[:-1])
        self.apart = nn.Sequential(_Pointwise(widths[0], _HIDDEN), nn.LeakyReLU(0.01, True))
        self.unfold = _Pointwise(_HIDDEN, outputs * STRIDE**3)
        self.heads = nn.ModuleList(_Pointwise(width, outputs) for width in widths[:-1])

    def forward(self, image: Tensor) -> Tensor:
        """Logits for every voxel."""
        return self.parted(image, [self.outputs])[0]

    def parted(self, image: Tensor, counts: Iterable[int]) -> list[Tensor]:
        """The logits of `forward`, channels in groups of `counts`: cutting them apart takes longer."""
        hidden = self.apart(self._features(image)[0])
        bounds = itertools.pairwise(itertools.accumulate(counts, initial=0))
        return [
            _voxels(
                *(
                    self.unfold.some(hidden, slice(a * STRIDE**3 + odd, b * STRIDE**3, STRIDE))
                    for odd in range(STRIDE)
                )
            )
            for a, b in bounds
        ]

    def corner(self, image: Tensor, corner: int) -> list[Tensor]:
        """What training looks at: one voxel of each block, then half, quarter, ... resolution.

        Teaching one of the eight voxels at a time is enough and spares the costly layers at full resolution;
        the coarse levels are taught too, or they learn last.

        Args:
            image: (N, inputs, i, j, k).
            corner: which voxel, see `corner_of`.
        """
        features = self._features(image)
        fine = self.unfold.some(self.apart(features[0]), slice(corner, None, STRIDE**3))
        return [fine, *(head(x) for head, x in zip(self.heads, features, strict=True))]

    def _features(self, image: Tensor) -> list[Tensor]:
        """What the rising path knows at half, quarter, ... resolution."""
        with torch.autocast(image.device.type, enabled=False):
            # In bfloat16 the CPU's weight gradient of a one-channel convolution points nowhere (cosine 0.4
            # with the float32 gradient), and the first filters then wander for ever.
            folded = self.fold(image)
        kept = [self.stem(folded)]
        for block in self.down:
            kept.append(block(functional.max_pool3d(kept[-1], 2, ceil_mode=True)))
        x = kept[-1]
        risen: list[Tensor] = []
        for skip, rise, up in zip(kept[-2::-1], self.rise[::-1], self.up[::-1], strict=True):
            x = rise(x)[:, :, : skip.shape[2], : skip.shape[3], : skip.shape[4]]
            x = up(torch.cat([skip, x], dim=1))
            risen.insert(0, x)
        return risen
