"""A digital pelvis with known truth: anatomy from formulas, fat infiltration, and an MR acquisition of it."""

from grading.phantom.build import Phantom, build_phantom
from grading.phantom.parameters import MuscleState, PhantomParameters, SideParameters, random_parameters

__all__ = [
    "MuscleState",
    "Phantom",
    "PhantomParameters",
    "SideParameters",
    "build_phantom",
    "random_parameters",
]
