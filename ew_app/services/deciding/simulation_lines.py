"""The lines of a trial as people read them: a number under the policy in force beside the one under the candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from rules.room import new_cases_a_week
from rules.suppression import HIDDEN, tens


@dataclass(frozen=True, slots=True)
class Pair:
    """A number under the policy in force and under the candidate: exact, in tens (`about`), or kept back (None)."""

    in_force: int
    candidate: int | None
    about: bool = False

    @classmethod
    def of(cls, counts: Iterable[int]) -> Pair:
        """Of the policy in force, then of the candidate."""
        in_force, candidate = counts
        return cls(in_force, candidate)

    @property
    def whole(self) -> int:
        """The candidate's number while nothing of it is kept back yet."""
        assert self.candidate is not None and not self.about
        return self.candidate

    @property
    def change(self) -> int | None:
        """How many more; of tens the difference of tens, so that it tells no more than they do."""
        if self.candidate is None:
            return None
        return self.candidate - (tens(self.in_force) if self.about else self.in_force)

    @property
    def candidate_words(self) -> str:
        """550, about 550, or kept back."""
        if self.candidate is None:
            return HIDDEN
        return f"{'about ' if self.about else ''}{self.candidate:,}"

    @property
    def change_words(self) -> str:
        """+12, about +10, none, or kept back."""
        if self.change is None:
            return HIDDEN
        if not self.change:
            return "about the same" if self.about else "none"
        return f"{'about ' if self.about else ''}{self.change:+,}"


@dataclass(frozen=True, slots=True)
class Week:
    """A week by its Monday: students in Tier 2 and 3 at its end, and cases opened in it."""

    monday: date
    tier_2: Pair
    tier_3: Pair
    opened: Pair
    needing: Pair  # in Tier 2 or 3


@dataclass(frozen=True, slots=True)
class RoleLoad:
    """New cases of a role over the year, against whoever holds it today.

    `stated`: the weekly hours of each as the staff list says, None for a whole week. `over`: weeks with more new cases
    than they have room for.
    """

    label: str
    opened: Pair
    busiest: Pair
    over: Pair
    stated: tuple[int | None, ...]

    @property
    def people(self) -> int:
        return len(self.stated)

    @property
    def hours(self) -> int:
        """The hours that are stated, together."""
        return sum(hours or 0 for hours in self.stated)

    @property
    def without_hours(self) -> int:
        return self.stated.count(None)

    @property
    def room(self) -> int:
        """New cases a week that they can begin well, each by their hours."""
        return sum(map(new_cases_a_week, self.stated))

    def told(self) -> dict[str, Any]:
        """For machines: the hours of all together, and nobody's alone."""
        told = asdict(self) | {name: getattr(self, name) for name in ("people", "hours", "without_hours", "room")}
        del told["stated"]
        return told

    def hours_for_each(self, cases: int | None) -> str:
        """Hours of a week for each new case of the busiest one; '' where none are stated."""
        return f"{self.hours / cases:.1f}" if self.hours and cases else ""


@dataclass(frozen=True, slots=True)
class SchoolLine:
    """A school at the end of the days looked at."""

    name: str
    tier_2: Pair
    tier_3: Pair
    opened: Pair
    busiest: Pair


@dataclass(frozen=True, slots=True)
class RuleLine:
    """What a rule did: students for whom it was met, and cases it opened. In words: small ones are kept back."""

    key: str
    label: str
    before: str  # what the policy in force calls it, where that is something else
    mode: str
    met: tuple[str, str]
    opened: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cut:
    """Of a group: flagged students in tens, and which share of those long enough ago came back without help."""

    group: str
    flagged: tuple[str, str]
    alone: tuple[str, str]


def plus(one: Pair, other: Pair) -> Pair:
    """Both together."""
    return Pair(one.in_force + other.in_force, one.whole + other.whole)


def total(pairs: Iterable[Pair]) -> Pair:
    """All of them together."""
    whole = Pair(0, 0)
    for pair in pairs:
        whole = plus(whole, pair)
    return whole
