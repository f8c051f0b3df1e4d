"""A folder of studies: skip the finished, grade the rest each in a process apart, account for all."""

from grading.batch.options import Limits, Pick
from grading.batch.results import Results
from grading.batch.run import grade_folder, plan_folder, rebuild

__all__ = ["Limits", "Pick", "Results", "grade_folder", "plan_folder", "rebuild"]
