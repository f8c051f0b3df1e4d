"""The network: a small 3D U-Net with instance normalisation."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Block(nn.Sequential):
    def __init__(self, inputs: int, outputs: int) -> None:
        layers: list[nn.Module] = []
        for width in (inputs, outputs):
            layers += [
                nn.Conv3d(width, outputs, 3, padding=1, bias=False),
                nn.InstanceNorm3d(outputs, affine=True),
                nn.LeakyReLU(0.01, inplace=True),
            ]
        super().__init__(*layers)


class UNet(nn.Module):
    """Image (N, 1, i, j, k) in, class logits and one side logit (N, classes + 1, i, j, k) out.

    Every spatial size must be a multiple of 2 ** (levels - 1).
    """

    def __init__(self, classes: int, widths: tuple[int, ...] = (16, 32, 64, 96, 128)) -> None:
        super().__init__()
        self.down = nn.ModuleList(_Block(a, b) for a, b in zip((1, *widths[:-1]), widths, strict=True))
        self.rise = nn.ModuleList(
            nn.ConvTranspose3d(b, a, 2, 2) for a, b in zip(widths[:-1], widths[1:], strict=True)
        )
        self.up = nn.ModuleList(_Block(2 * a, a) for a in widths[:-1])
        self.head = nn.Conv3d(widths[0], classes + 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Logits for every voxel."""
        kept: list[Tensor] = []
        x = image
        for level, block in enumerate(self.down):
            x = block(functional.max_pool3d(x, 2) if level else x)
            kept.append(x)
        for level in reversed(range(len(self.up))):
            x = self.up[level](torch.cat([kept[level], self.rise[level](x)], dim=1))
        result: Tensor = self.head(x)
        return result
