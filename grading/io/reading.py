"""Reading the one image a caller means."""

from pathlib import Path

from grading.errors import SeriesNotFound
from grading.io.discover import discover, load
from grading.io.found import SeriesFound, StudyFound
from grading.series import Role
from grading.volume import Volume


def read_one(path: Path, series: str | None) -> Volume:
    """See `grading.io.read`."""
    studies = discover([path], contrast="t1")
    if series is not None:
        return load(_named(studies, series))
    studies = tuple(study for study in studies if not study.hip_of)
    if len(studies) > 1:
        names = ", ".join(study.name for study in studies)
        raise SeriesNotFound(f"{path} holds {len(studies)} studies ({names}); give the folder of one of them")
    study = studies[0]
    images = [s for s in study.series if s.info.role not in {Role.LABEL_MAP, Role.DERIVED} or s.frames]
    if len(study.series) == 1:
        return load(study.series[0])
    if study.chosen:
        return load(study.chosen[0])
    if len(images) == 1:
        return load(images[0])
    raise study.problem or SeriesNotFound(f"nothing to read in {path}")


def _named(studies: tuple[StudyFound, ...], name: str) -> SeriesFound:
    found = [s for study in studies for s in study.series if s.info.name == name]
    if len(found) == 1:
        return found[0]
    names = ", ".join(s.info.name for study in studies for s in study.series)
    how_many = "no" if not found else f"{len(found)}"
    raise SeriesNotFound(f"{how_many} series named {name!r}; found: {names}")
