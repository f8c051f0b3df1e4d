"""Frozen dataclasses to plain JSON values and back, without losing a bit."""

import dataclasses
import functools
import math
import types
import typing
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(value: object) -> Any:
    """`value` as JSON can hold it: dataclasses become objects, tuples lists, enums their value, paths text.

    Floats that are not finite become None, because JSON has no word for them.

    Raises:
        TypeError: a value of a kind that `from_plain` could not bring back.
    """
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no plain form")


def from_plain(kind: type[T], value: Any) -> T:
    """The dataclass of type `kind` that `to_plain` turned into `value`.

    Fields missing from `value` take their default, so files of an older version still load.

    Raises:
        TypeError, ValueError, KeyError: `value` does not describe a `kind`.
    """
    return typing.cast(T, _restore(kind, value))


@functools.cache
def _fields(kind: type) -> dict[str, Any]:
    """Name and resolved type of each field of a dataclass."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _restore(kind: Any, value: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        choices = [a for a in arguments if a is not type(None)]
        exact = [a for a in choices if isinstance(a, type) and type(value) is a]
        return _restore((exact or choices)[0], value)
    if origin is tuple:
        kinds = (arguments[0],) * len(value) if arguments[1:] == (...,) else arguments
        return tuple(_restore(k, item) for k, item in zip(kinds, value, strict=True))
    if origin is dict:
        return {_restore(arguments[0], k): _restore(arguments[1], item) for k, item in value.items()}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return kind(**{n: _restore(k, value[n]) for n, k in _fields(kind).items() if n in value})
    if isinstance(kind, type) and issubclass(kind, (Enum, Path, float)):
        return kind(value)
    if isinstance(kind, type) and not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, found {value!r}")
    return value
