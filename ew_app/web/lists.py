"""What every list shares: filters in the address with a chip for each, pages, the number of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlencode

from flask import request

from ew_app.web import asked

PAGE = 25
LONGEST = 100


@dataclass(frozen=True)
class Filters:
    """Filters by name: a mapping of the values they take to words, or None for free text."""

    known: Mapping[str, Mapping[str, str] | None]

    @cached_property
    def values(self) -> dict[str, str]:
        """What the address asks for; a value nobody offers is as good as none."""
        return {name: self._value(name, choices) for name, choices in self.known.items()}

    def _value(self, name: str, choices: Mapping[str, str] | None) -> str:
        asked = request.args.get(name, "").strip()[:LONGEST]
        return asked if choices is None or asked in choices else ""

    def given(self) -> dict[str, str]:
        """Those in use."""
        return {name: value for name, value in self.values.items() if value}

    def chips(self, address: str, keep: Mapping[str, str]) -> list[tuple[str, str]]:
        """(words, address of the list without it) of every filter in use."""
        given = self.given()
        return [
            (self._words(name, value), f"{address}?{urlencode({**keep, **_without(given, name)})}")
            for name, value in given.items()
        ]

    def _words(self, name: str, value: str) -> str:
        choices = self.known[name]
        return f"“{value}”" if choices is None else choices[value]


def _without(given: Mapping[str, str], name: str) -> dict[str, str]:
    return {other: value for other, value in given.items() if other != name}


def page_number() -> int:
    return asked.page()


def pages_of(total: int) -> int:
    return max(1, -(-total // PAGE))
