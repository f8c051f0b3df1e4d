"""The scales there are, and those that a run asks for."""

from pathlib import Path

from grading.classify.scale import Scale
from grading.classify.scale_files import SUFFIXES, scales_of_file, shipped_scales
from grading.errors import ConfigurationError
from grading.settings import Settings


def scale(name: str, settings: Settings = Settings()) -> Scale:  # noqa: B008 - frozen
    """The scale of that name, with the edges that the settings give it.

    Raises:
        ConfigurationError: there is none.
    """
    known = {each.name: each for each in shipped_scales(settings)}
    if name not in known:
        raise ConfigurationError(
            f"unknown scale {name!r}; choose from {', '.join(known)}, or name a file {' or '.join(SUFFIXES)}"
        )
    return known[name]


def chosen_scales(settings: Settings) -> tuple[Scale, ...]:
    """Every scale that a run asks for, in that order; a file stands for all scales in it.

    Raises:
        ConfigurationError: one is unknown, a file is not in order or gives a scale of its own the name of one
            that comes with the program, or two scales have one name.
    """
    found: list[Scale] = []
    for wanted in settings.scales:
        if Path(wanted).suffix.lower() in SUFFIXES:
            found += _own(Path(wanted), settings)
        else:
            found.append(scale(wanted, settings))
    names = [each.name for each in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigurationError(f"two scales are named {', '.join(twice)}; rename one")
    return tuple(found)


def _own(path: Path, settings: Settings) -> tuple[Scale, ...]:
    """The scales of a user's file; under a shipped name tables and DICOM report would misname them."""
    own, shipped = scales_of_file(path, settings), {each.name: each for each in shipped_scales(settings)}
    for each in own:
        if shipped.get(each.name, each) != each:
            raise ConfigurationError(
                f"{path.name}: a scale named {each.name!r} comes with the program, and is another; rename it"
            )
    return own
