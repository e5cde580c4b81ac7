"""What a day is made of: lists of what to do, with the sentence for when there is nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ew_app.services.system import health
from ew_app.web.case_lines import Line
from ew_app.web.guard import actor
from rules.access import StandIn

SHOWN = 12  # more than that is a list and no longer a day
CALLS = ("call", "contact")


@dataclass(frozen=True, slots=True)
class Part:
    """A titled list: what to do, with the sentence for when there is nothing."""

    title: str
    lines: list[Line]
    empty: str
    total: int
    hint: str = ""
    more: tuple[str, str] | None = None
    tiers: bool = True


@dataclass(frozen=True, slots=True)
class Day:
    """The page: the answer, the one thing to press, three numbers, the parts."""

    answer: str
    action: tuple[str, str] | None = None
    counts: tuple[tuple[int, str, str | None], ...] = ()
    parts: tuple[Part, ...] = ()
    schools: list[dict[str, Any]] | None = None
    more_schools: int = 0  # that need help too and stand on the board
    checks: list[health.Check] | None = None
    fresh: list[Any] | None = None
    hint: str = ""

    @property
    def waits(self) -> bool:
        """Whether a student or a school stands on the page for whom something is to be done."""
        return bool(self.schools or any(part.lines for part in self.parts))


def lent() -> tuple[StandIn, ...]:
    """Those for whom the reader stands in today: what is due of theirs is on the reader's list."""
    return actor().grants.standing_in


def verb(number: int, one: str, several: str) -> str:
    """The form of a word that fits a number."""
    return one if number == 1 else several
