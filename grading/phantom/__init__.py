"""A digital pelvis with known truth: anatomy from formulas, fat infiltration, and an MR acquisition of it."""

from grading.phantom.acquire import Acquisition, acquire
from grading.phantom.build import Phantom, build_phantom, with_fat
from grading.phantom.parameters import MuscleState, PhantomParameters, SideParameters, random_parameters
from grading.phantom.protocol import Protocol
from grading.phantom.tissue import Tissue

__all__ = [
    "Acquisition",
    "MuscleState",
    "Phantom",
    "PhantomParameters",
    "Protocol",
    "SideParameters",
    "Tissue",
    "acquire",
    "build_phantom",
    "random_parameters",
    "with_fat",
]
