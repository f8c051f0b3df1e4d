"""One training patch."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Sample:
    """One training patch: image float32, group and side int64, each (i, j, k)."""

    image: Tensor
    group: Tensor
    side: Tensor

    def mirrored(self) -> "Sample":
        """The mirror image of the patient: left is right."""
        side = self.side.flip(0)
        return Sample(self.image.flip(0), self.group.flip(0), torch.where(side >= 0, 1 - side, side))
