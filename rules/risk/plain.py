"""Values as plain numbers, lists and names, and back: what JSON can hold, without a word about any class."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """A value class, and whatever it holds, as JSON can say it; a number that is none becomes null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def from_plain(kind: type[T], plain: Any) -> T:
    """The value that was written. Raises KeyError, TypeError or ValueError for what is none of that kind."""
    found: T = _read(kind, plain)
    return found


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


@cache
def _needed(kind: type) -> frozenset[str]:
    """The parts that have to be there: one with a default may not have been written by an earlier release."""
    return frozenset(
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    )


def _read(kind: Any, plain: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        if not _needed(kind) <= set(plain) <= set(_hints(kind)):
            raise KeyError(f"{kind.__name__} has other parts than {sorted(plain)}")
        return kind(**{name: _read(part, plain[name]) for name, part in _hints(kind).items() if name in plain})
    if origin in (Union, types.UnionType):
        (only,) = (one for one in inner if one is not type(None))
        return None if plain is None else _read(only, plain)
    if origin is tuple:
        parts = [inner[0]] * len(plain) if inner[-1] is Ellipsis else inner
        return tuple(_read(part, each) for part, each in zip(parts, plain, strict=True))
    if origin is not None and issubclass(origin, Mapping):
        return {inner[0](key): _read(inner[1], part) for key, part in plain.items()}
    if kind is float:
        return float("nan") if plain is None else float(plain)
    if kind is Any:
        return plain
    if not isinstance(plain, kind):
        raise TypeError(f"{plain!r} is no {kind.__name__}")
    return plain


def shape(kind: Any) -> str:
    """The names and kinds of all parts of a value class, however deep: another text for another form."""
    if is_dataclass(kind) and isinstance(kind, type):
        return f"{kind.__name__}({','.join(f'{name}:{shape(part)}' for name, part in _hints(kind).items())})"
    inner = get_args(kind)
    return f"{get_origin(kind) or kind}[{','.join(map(shape, inner))}]" if inner else str(kind)
