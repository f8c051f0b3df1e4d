"""Options of `grading run` that exclude each other: refused before anything starts."""

from grading.errors import ConfigurationError
from grading.settings import Settings

_REPORTING = frozenset({"out", "report_only", "decisions", "bids", "quiet", "json_log"})
"""What `--report-only` heeds."""

_PACE = frozenset({"inputs", "workers", "cluster", "timeout", "memory_limit"})
"""What changes no result: it may stay where `--report-only` is added to the command of an earlier run."""

_WHY = {"dry_run": "it writes nothing", "dicom": "it needs images"}


def refuse_contradictions(**given: object) -> None:
    """Refuse options that cannot have their effect beside each other.

    Args:
        given: what the user wrote, by the parameter's name; nothing that was left at its default.

    Raises:
        ConfigurationError: so they are.
    """
    segmenter, masks = given.get("segmenter"), given.get("masks")
    if segmenter and (segmenter == "masks") == (masks is None):
        fault = "needs --masks PATH" if masks is None else "and --masks exclude each other; leave one out"
        raise ConfigurationError(f"--segmenter {segmenter} {fault}")
    scheme = given.get("scheme", Settings().scheme)
    if masks is None and (given.get("resample_masks") or scheme != Settings().scheme):
        raise ConfigurationError("--scheme and --resample-masks are about label maps; add --masks PATH")
    if given.get("report_only"):
        _refuse_grading([name for name, value in given.items() if value is not False])


def _refuse_grading(names: list[str]) -> None:
    """Refuse what `--report-only` would not heed."""
    unheeded = [name for name in names if name not in _REPORTING | _PACE]
    if unheeded:
        why = next((_WHY[name] for name in unheeded if name in _WHY), "it grades nothing; leave out either")
        said = ", ".join(f"--{name.replace('_', '-')}" for name in unheeded)
        raise ConfigurationError(f"--report-only and {said} exclude each other: {why}")
