"""Reads policy files: YAML with exact decimals, every value remembering its file and line."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml

T = TypeVar("T")
PLAIN = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
EXPONENT = re.compile(r"[eE][-+]?\d{2,}")
LONGEST_NUMBER = 40  # characters; a thousand digits, or an exponent of a million, are no number of days
MOST_ENTRIES = 50_000  # the shipped file has 600; a few anchors that name each other make millions


class PolicyError(ValueError):
    """A policy file that cannot be used, with the place and what would be right."""

    def __init__(self, message: str, file: str, line: int, key: str = "") -> None:
        self.file, self.line, self.key = file, line, key
        super().__init__(f"{file}, line {line}{f', {key}' if key else ''}: {message}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the file: a scalar, a list of entries, or a mapping to entries."""

    value: Any
    file: str
    line: int
    key: str

    def wrong(self, message: str) -> PolicyError:
        """The error that points here."""
        return PolicyError(message, self.file, self.line, self.key)

    def mapping(self) -> dict[Any, Entry]:
        """The entries below; refused unless this is a mapping."""
        if not isinstance(self.value, dict):
            raise self.wrong("expected keys and values below this line")
        return self.value

    def plain(self) -> Any:
        """The bare values, fractions as text: what the version is counted over."""
        if isinstance(self.value, dict):
            return {str(key): entry.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain() for entry in self.value]
        return str(self.value) if isinstance(self.value, Fraction | dt.date) else self.value


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A value with the day from which it holds; the first one holds for all earlier days too."""

    values: tuple[tuple[dt.date, T], ...]

    def on(self, day: dt.date) -> T:
        """The value in force that day."""
        at = bisect_right([start for start, _ in self.values], day) - 1
        return self.values[max(at, 0)][1]

    def begun(self, day: dt.date) -> bool:
        """Whether something holds that day."""
        return True


class Later(Dated[T]):
    """The same, but nothing holds before the first day."""

    def begun(self, day: dt.date) -> bool:
        """Whether something holds that day."""
        return self.values[0][0] <= day


class ExactLoader(yaml.SafeLoader):
    """SafeLoader whose decimals become fractions; `entries` counts what was made of the file so far."""

    entries = 0


def _decimal(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Fraction | str:
    text = str(loader.construct_scalar(node))
    if len(text) > LONGEST_NUMBER or EXPONENT.search(text):
        return text
    try:
        return Fraction(text.replace("_", ""))
    except ValueError:  # .inf, .nan
        return text


def _whole(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | str:
    """Only what everybody reads as that number: 1:30 is not ninety, 010 is not eight."""
    text = str(loader.construct_scalar(node))
    return int(text.replace("_", "")) if len(text) <= LONGEST_NUMBER and PLAIN.fullmatch(text) else text


ExactLoader.add_constructor("tag:yaml.org,2002:float", _decimal)
ExactLoader.add_constructor("tag:yaml.org,2002:int", _whole)


def read(path: Path) -> Entry:
    """The file as one entry; PolicyError when it is no readable YAML or a key stands twice."""
    try:
        loader = ExactLoader(path.read_text(encoding="utf-8"))
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise PolicyError(f"this is not readable as YAML ({error.problem})", path.name, line) from error
    except yaml.YAMLError as error:
        raise PolicyError(
            "this is not readable as YAML (it holds characters that no text has)", path.name, 1
        ) from error
    except RecursionError as error:
        raise PolicyError("this is nested far too deeply", path.name, 1) from error
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError("the file cannot be read as UTF-8 text", path.name, 0) from error
    if node is None:
        raise PolicyError("the file is empty", path.name, 1)
    try:
        return _entry(loader, node, path.name, "")
    except RecursionError as error:
        raise PolicyError("this is nested far too deeply, or holds itself", path.name, 1) from error


def _entry(loader: ExactLoader, node: yaml.Node, file: str, key: str) -> Entry:
    line = node.start_mark.line + 1
    loader.entries += 1
    if loader.entries > MOST_ENTRIES:
        raise PolicyError(f"this is far too much for a policy; allowed: up to {MOST_ENTRIES:,} values", file, line, key)
    if isinstance(node, yaml.MappingNode):
        below: dict[Any, Entry] = {}
        for key_node, value_node in node.value:
            name = _plain(loader, key_node, file, key)
            path = f"{key}.{name}" if key else str(name)
            if name in below:
                raise PolicyError("this key stands twice", file, key_node.start_mark.line + 1, path)
            below[name] = _entry(loader, value_node, file, path)
        return Entry(below, file, line, key)
    if isinstance(node, yaml.SequenceNode):
        return Entry([_entry(loader, item, file, key) for item in node.value], file, line, key)
    return Entry(_plain(loader, node, file, key), file, line, key)


def _plain(loader: yaml.SafeLoader, node: yaml.Node, file: str, key: str) -> Any:
    """A word, number, date or yes of the file; a key is one as well."""
    try:
        if isinstance(node, yaml.ScalarNode):
            return loader.construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise PolicyError(f"{node.value} cannot be read here", file, node.start_mark.line + 1, key) from error
    raise PolicyError("a key is a word, a number or a date", file, node.start_mark.line + 1, key)


def merged(base: Entry, change: Entry) -> Entry:
    """`change` laid over `base`: mappings merge, anything else is replaced, an empty value takes away."""
    if not (isinstance(base.value, dict) and isinstance(change.value, dict)):
        return change
    both = dict(base.value)
    for key, entry in change.value.items():
        if entry.value is None:
            both.pop(key, None)
        else:
            both[key] = merged(both[key], entry) if key in both else entry
    return Entry(both, change.file, change.line, change.key)


def read_keys(entry: Entry, readers: Mapping[str, Callable[[Entry], Any]], always: Iterable[str]) -> dict[str, Any]:
    """The values below, each by its reader; an empty one is as good as none. PolicyError for a key too many or few."""
    given = entry.mapping()
    for key, value in given.items():
        if key not in readers:
            raise value.wrong(f"{key} is not known here; allowed: {', '.join(readers)}")
    for key in always:
        needed(entry, key)
    return {key: readers[key](value) for key, value in given.items() if value.value is not None}


def needed(entry: Entry, key: str) -> Entry:
    """The entry of a key that has to be there."""
    found = entry.mapping().get(key)
    if found is None or found.value is None:
        raise entry.wrong(f"{key} is missing")
    return found


# -- readers of one value: each takes an entry and gives the checked value


def text(entry: Entry) -> str:
    """Words."""
    if not isinstance(entry.value, str) or not entry.value.strip():
        raise entry.wrong("expected words")
    return entry.value


def one_of(allowed: Iterable[str]) -> Callable[[Entry], str]:
    """One word of a closed list."""
    words = tuple(allowed)

    def reader(entry: Entry) -> str:
        if str(entry.value) not in words:
            raise entry.wrong(f"{entry.value!s} is not known here; allowed: {', '.join(words)}")
        return str(entry.value)

    return reader


def list_of(reader: Callable[[Entry], str]) -> Callable[[Entry], tuple[str, ...]]:
    """A list of such values."""

    def read_all(entry: Entry) -> tuple[str, ...]:
        if not isinstance(entry.value, list):
            raise entry.wrong("expected a list: [one, another]")
        return tuple(reader(item) for item in entry.value)

    return read_all


def count(entry: Entry) -> int:
    """A whole number, 0 or more."""
    if not isinstance(entry.value, int) or isinstance(entry.value, bool) or entry.value < 0:
        raise entry.wrong("expected a whole number, 0 or more")
    return entry.value


def mils(entry: Entry) -> int:
    """School days with up to three places -> thousandths."""
    value = entry.value
    if isinstance(value, bool) or not isinstance(value, int | Fraction) or value < 0 or (value * 1000) % 1:
        raise entry.wrong("expected a number of days, 0 or more, with at most three places")
    return int(value * 1000)


def rate(entry: Entry) -> Fraction:
    """A share between 0 and 1; ten percent is 0.10."""
    value = entry.value
    if isinstance(value, bool) or not isinstance(value, int | Fraction) or not 0 <= value <= 1:
        raise entry.wrong("expected a share between 0 and 1, which is 0% to 100%; ten percent is 0.10")
    return Fraction(value)


def dated(reader: Callable[[Entry], T]) -> Callable[[Entry], Dated[T]]:
    """A value for each date from which it holds: {2000-01-01: 0.10}."""

    def read_all(entry: Entry) -> Dated[T]:
        if not isinstance(entry.value, dict) or not entry.value:
            raise entry.wrong("expected a value for each start date, such as {2000-01-01: 20}")
        for day, value in entry.value.items():
            if type(day) is not dt.date:
                raise value.wrong(f"{day!s} is not a date; write it as 2000-01-31")
        return Dated(tuple((day, reader(entry.value[day])) for day in sorted(entry.value)))

    return read_all


def later(reader: Callable[[Entry], Dated[T]]) -> Callable[[Entry], Later[T]]:
    """Dated values that lie over others from their first day on."""
    return lambda entry: Later(reader(entry).values)
