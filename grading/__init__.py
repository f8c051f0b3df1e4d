"""Grade fatty infiltration of the gluteal muscles on hip MRI.

    volume = grading.read("series folder or image.nii.gz")
    segmentation = grading.segment(volume)
    fat = grading.fat_map(volume, segmentation)
    report = grading.grade_study("folder or file")

Research software, not a medical device.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from grading.anatomy import Muscle, Region, Side
from grading.errors import ConfigurationError, GradingError, InputError
from grading.findings import Finding

# `grading.segment` is a function that shares its name with the package `grading/segment/`. Loading a package
# binds its module to the parent, but only the first time: it is loaded here, and the name bound to the
# function at once, before anyone can import `grading.segment.masks`. So `grading.segment(volume)` holds in
# any order of imports; modules inside are reached as `from grading.segment import masks`.
from grading.segment import segment
from grading.settings import Settings
from grading.volume import Geometry, Segmentation, Volume

if TYPE_CHECKING:
    from grading.batch import grade_folder
    from grading.fat import FatMap, fat_map
    from grading.io import read
    from grading.report.study_report import StudyFailure, StudyReport
    from grading.study import grade_study

    __version__: str

__all__ = [
    "ConfigurationError",
    "FatMap",
    "Finding",
    "Geometry",
    "GradingError",
    "InputError",
    "Muscle",
    "Region",
    "Segmentation",
    "Settings",
    "Side",
    "StudyFailure",
    "StudyReport",
    "Volume",
    "__version__",
    "fat_map",
    "grade_folder",
    "grade_study",
    "read",
    "segment",
]

_LOADED_WHEN_USED = {  # these bring scipy, pydicom or pandas
    "FatMap": "grading.fat",
    "StudyFailure": "grading.report.study_report",
    "StudyReport": "grading.report.study_report",
    "fat_map": "grading.fat",
    "grade_folder": "grading.batch",
    "grade_study": "grading.study",
    "read": "grading.io",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from grading.report.provenance import package_version

        return package_version("grading")
    if name in _LOADED_WHEN_USED:
        return getattr(import_module(_LOADED_WHEN_USED[name]), name)
    raise AttributeError(f"module 'grading' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
