"""Phantoms that several tests look at, each built once: coarse, so that the tests stay fast."""

from functools import cache

import numpy as np

from grading.phantom import (
    Acquisition,
    MuscleState,
    Phantom,
    PhantomParameters,
    Protocol,
    SideParameters,
    acquire,
    build_phantom,
    random_parameters,
)

SPACING_MM = 3.0
ILL = PhantomParameters(
    right=SideParameters(
        medius=MuscleState(volume_scale=0.7, fat_fraction=0.45),
        minimus=MuscleState(volume_scale=0.6, fat_fraction=0.8, posterior_fat=0.8),
        texture_seed=5,
    )
)
NOISELESS = Protocol(
    in_plane_mm=2.0,
    fov_mm=(420.0, 360.0),
    slices=44,
    snr=np.inf,
    bias=0.0,
    chemical_shift_mm=0.0,
    textured=False,
)


@cache
def healthy() -> Phantom:
    """A healthy adult, both sides alike."""
    return build_phantom(PhantomParameters(), SPACING_MM)


@cache
def ill() -> Phantom:
    """Medius and minimus of the right side atrophied and fatty."""
    return build_phantom(ILL, SPACING_MM)


@cache
def anyone(seed: int) -> Phantom:
    """A random person."""
    return build_phantom(random_parameters(np.random.default_rng(seed)), SPACING_MM)


@cache
def scan_of_the_ill() -> Acquisition:
    """Coronal T1 of `ill` without noise, shading, texture or chemical shift."""
    return acquire(ill(), NOISELESS)
