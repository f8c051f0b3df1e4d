"""One training patch, and the second use of each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

import numpy as np
import torch
from torch import Tensor

from grading.series import SeriesInfo
from grading.volume import Geometry, Volume
from training.warp import PATCH_SPACING_MM

_WAITING = 20  # mirror images of patches wait here for a second use: making one costs as much as a step


class Mirrorable(Protocol):
    """A patch that knows its mirror image."""

    def mirrored(self) -> Self:
        """The mirror image of the patient."""
        ...


P = TypeVar("P", bound=Mirrorable)


def each_twice(patches: Iterable[P], rng: np.random.Generator) -> Iterator[P]:
    """Every patch as it is and, some time later, mirrored."""
    waiting: list[P] = []
    for patch in patches:
        yield patch
        waiting.append(patch.mirrored())
        if len(waiting) > _WAITING:
            yield waiting.pop(rng.integers(len(waiting)))


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

    def volume(self, name: str) -> Volume:
        """The image as the package's own readers would give it; what is exactly 0 lies outside."""
        i, j, k = self.image.shape
        geometry = Geometry((i, j, k), np.diag([PATCH_SPACING_MM] * 3 + [1.0]))
        image = self.image.numpy()
        return Volume(image, geometry, image > 0, SeriesInfo(name))
