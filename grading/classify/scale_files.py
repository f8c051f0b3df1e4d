"""Grading scales from files: those that come with the program, and a user's own in the same form."""

import json
import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from grading.classify.scale import Edge, Scale, Stage
from grading.errors import ConfigurationError
from grading.settings import Settings

SHIPPED_FILE = "scales.toml"
SUFFIXES = (".toml", ".json")
_NAME = re.compile(r"[a-z][a-z0-9_]*")  # it becomes a column of the tables
_FIELDS = ("name", "title", "variant", "stages", "edges", "calibrated", "source")


@lru_cache(maxsize=4)
def shipped_scales(settings: Settings) -> tuple[Scale, ...]:
    """The scales that come with the program, in the order they are listed."""
    text = resources.files("grading.classify").joinpath(SHIPPED_FILE).read_text("utf-8")
    return _scales(tomllib.loads(text), SHIPPED_FILE, settings)


def scales_of_file(path: Path, settings: Settings) -> tuple[Scale, ...]:
    """Every scale of a user's TOML or JSON file; its form is that of `scales.toml` of this package.

    Raises:
        ConfigurationError: the file is not there, cannot be parsed, or lacks something.
    """
    try:
        text = path.read_text("utf-8")
        content = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise ConfigurationError(f"scale file {path}: {error.strerror}; check the path") from error
    except ValueError as error:  # what both parsers raise, and wrong encodings
        raise ConfigurationError(f"scale file {path.name}: {error}") from error
    return _scales(content, path.name, settings)


def _scales(content: object, where: str, settings: Settings) -> tuple[Scale, ...]:
    listed = content.get("scale") if isinstance(content, Mapping) else None
    if not isinstance(listed, list) or not listed:
        raise ConfigurationError(f"{where}: no scale in it; it must hold a list named 'scale'")
    return tuple(_scale(item, f"{where}, scale {n}", settings) for n, item in enumerate(listed, start=1))


def _scale(item: object, where: str, settings: Settings) -> Scale:
    if not isinstance(item, Mapping):
        raise ConfigurationError(f"{where}: expected a table of {', '.join(_FIELDS)}")
    missing, unknown = set(_FIELDS) - item.keys(), item.keys() - set(_FIELDS)
    if missing or unknown:
        words = [f"{'lacks' if part is missing else 'does not know'} {', '.join(sorted(part))}"
                 for part in (missing, unknown) if part]  # fmt: skip
        raise ConfigurationError(f"{where}: {' and '.join(words)}")
    if not isinstance(item["name"], str) or not _NAME.fullmatch(item["name"]):
        raise ConfigurationError(f"{where}: name {item['name']!r}; use small letters, digits and underscores")
    try:
        return Scale(
            name=item["name"],
            title=str(item["title"]),
            variant=str(item["variant"]),
            stages=tuple(_stage(number, meaning) for number, meaning in item["stages"]),
            edges=tuple(_edge(edge, settings) for edge in item["edges"]),
            calibrated=bool(item["calibrated"]),
            source=str(item["source"]),
        )
    except (TypeError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"{where}: stages or edges are not in the form asked for: {error}"
        ) from error


def _stage(number: object, meaning: object) -> Stage:
    if not isinstance(number, int | str):
        raise TypeError(f"stage {number!r} is neither a whole number nor text")
    return Stage(number, str(meaning))


def _edge(edge: Any, settings: Settings) -> Edge:
    if isinstance(edge, str):
        settable = dict(zip(("goutallier 0/1", "goutallier 1/2"), settings.goutallier_edges, strict=True))
        return Edge(float(settable[edge]))
    if isinstance(edge, Mapping):
        owners = {"upper": True, "lower": False}
        return Edge(float(edge["at"]), belongs_above=owners[edge.get("owner", "upper")])
    return Edge(float(edge))
