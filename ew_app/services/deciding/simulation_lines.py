"""The lines of a trial as people read them: a number under the policy in force beside the one under the candidate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from rules.routing_table import routing_table
from rules.suppression import HIDDEN, tens

NEW_A_WEEK = routing_table().new_cases  # that one owner can begin well in a week


def room_of(people: int) -> int:
    """New cases a week that so many owners can begin well."""
    return people * NEW_A_WEEK


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

    `hours`: their weekly hours as the staff list says, of those who have any there. `room`: new cases a week that they
    can begin well. `over`: weeks with more than that.
    """

    label: str
    opened: Pair
    busiest: Pair
    over: Pair
    people: int
    hours: int
    without_hours: int

    @property
    def room(self) -> int:
        """New cases a week that they can begin well."""
        return room_of(self.people)

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
