"""Digital pelves as training anatomies: the sample study's code with other parameters."""

import numpy as np

from grading.phantom import build_phantom, random_parameters
from training.anatomies import Anatomy, from_labels

TRAINING_SEED = 77  # evaluation draws its phantoms from another stream
_SPACING_MM = 2.5


def phantom_anatomies(count: int, seed: int = TRAINING_SEED) -> list[Anatomy]:
    """Label maps of `count` random people."""
    rng = np.random.default_rng(seed)
    people = [build_phantom(random_parameters(rng), _SPACING_MM) for _ in range(count)]
    return [from_labels(f"phantom{n}", np.asarray(p.labels), p.geometry) for n, p in enumerate(people)]
