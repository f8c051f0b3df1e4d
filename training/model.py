"""The network: a small 3D U-Net, thin at full resolution where voxels are many."""

import itertools

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Block(nn.Sequential):
    """Convolutions of 3x3x3 voxels, each normalised over the image."""

    def __init__(self, inputs: int, outputs: int, convolutions: int = 2) -> None:
        layers: list[nn.Module] = []
        for width in (inputs, *[outputs] * (convolutions - 1)):
            layers += [
                nn.Conv3d(width, outputs, 3, padding=1, bias=False),
                nn.InstanceNorm3d(outputs, affine=True),
                nn.LeakyReLU(0.01, inplace=True),
            ]
        super().__init__(*layers)


class UNet(nn.Module):
    """Image (N, 1, i, j, k) in, class logits and one side logit (N, classes + 1, i, j, k) out.

    Any spatial size of at least 2 ** (levels - 1) voxels will do: pooling rounds up, what rises is cut.
    """

    def __init__(self, classes: int, widths: tuple[int, ...] = (16, 32, 64, 96, 128)) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(widths))
        self.down = nn.ModuleList([_Block(1, widths[0], 1), *(_Block(a, b) for a, b in pairs)])
        self.rise = nn.ModuleList(nn.ConvTranspose3d(b, a, 2, 2) for a, b in pairs)
        # At full resolution the two paths are added, below they are concatenated.
        self.up = nn.ModuleList([_Block(widths[0], widths[0]), *(_Block(2 * a, a) for a in widths[1:-1])])
        self.heads = nn.ModuleList(nn.Conv3d(width, classes + 1, 1) for width in widths[:-1])

    def forward(self, image: Tensor) -> Tensor:
        """Logits for every voxel."""
        return self.levels(image)[0]

    def levels(self, image: Tensor) -> list[Tensor]:
        """Logits at full, half, quarter, ... resolution: the coarse ones are taught too, or learn last."""
        kept: list[Tensor] = []
        logits: list[Tensor] = []
        x = image
        with torch.autocast(image.device.type, enabled=False):
            # In bfloat16 the CPU's weight gradient of a one-channel convolution points nowhere (cosine 0.4
            # with the float32 gradient), and the first filters then wander for ever.
            x = self.down[0](image)
        kept.append(x)
        for block in self.down[1:]:
            x = block(functional.max_pool3d(x, 2, ceil_mode=True))
            kept.append(x)
        for level in reversed(range(len(self.up))):
            skip = kept[level]
            risen = self.rise[level](x)[:, :, : skip.shape[2], : skip.shape[3], : skip.shape[4]]
            x = self.up[level](skip + risen if level == 0 else torch.cat([skip, risen], dim=1))
            logits.insert(0, self.heads[level](x))
        return logits
