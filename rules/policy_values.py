"""A policy as it stands on one day: rules, ways down and what belongs to them, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from rules.audiences import Audience
from rules.scopes import Scope
from rules.statutes import Measure

SUMS = ("absence_rate", "absent", "unexcused_last_180")


class Mode(StrEnum):
    """Whether a rule acts, or is only counted."""

    ACTIVE = "active"
    MONITOR = "monitor"


class Level(StrEnum):
    """What a finding asks for."""

    WATCH = "watch"
    TWO = "2"
    THREE = "3"
    TASK = "task"
    CASE = "case"
    FILE = "file"  # kept in the record; nobody is asked and no list shows it

    @property
    def tier(self) -> int:
        """The tier it raises to: 1 watch, 2, 3; 0 for all else."""
        return _RAISES_TO.get(self, 0)


_RAISES_TO = {Level.WATCH: 1, Level.TWO: 2, Level.THREE: 3}


@dataclass(frozen=True, slots=True)
class Line:
    """A fact and where it counts: one more thing that a rule asks, or another way in which it is met."""

    fact: str
    how: str  # at_least, more_than, at_most or below
    bound: Fraction | int


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it stands on one day. Days are thousandths, shares are fractions, None asks nothing."""

    key: str
    label: str
    fact: str
    level: Level
    clears: str
    sentence: str
    at_least: Fraction | int | None = None
    more_than: Fraction | int | None = None
    for_each: str | None = None  # the bound counts once for each of these
    share_of: str | None = None  # the bound is a share of this
    also: tuple[Line, ...] = ()  # all of these have to hold as well
    either: tuple[Line, ...] = ()  # any of these is enough as well
    decided_by: str | None = None  # not from attendance: what else in the system follows it, a key of DECIDED_BY
    at_least_absences: int | None = None
    after_days_enrolled: int | None = None
    from_member_day: int | None = None
    to_member_day: int | None = None
    only_for: str | None = None
    unless: str | None = None
    level_with: tuple[tuple[str, ...], Level] | None = None
    level_with_labels: tuple[str, ...] = ()  # what people call those rules
    open_for_days: int = 0
    restricted: str | None = None
    reference: str = ""
    mode: Mode = Mode.ACTIVE
    scope: Scope | None = None  # whom the rule speaks of; None: everybody
    instead: tuple[tuple[Audience, Rule], ...] = ()  # the same rule with other bounds, for groups; the last that fits
    whose: str = ""  # the group of such a form, as a sentence names it

    @property
    def facts(self) -> tuple[str, ...]:
        """Every fact it looks at."""
        return (self.fact, *(line.fact for line in (*self.also, *self.either)))

    @property
    def adds_up(self) -> bool:
        """Whether it counts what adds up over the year: corrected down, it comes back by any later absence."""
        return self.fact in SUMS

    @property
    def bound(self) -> Fraction | int:
        """The threshold, inclusive or not; a rule that is decided elsewhere has none."""
        bound = self.at_least if self.at_least is not None else self.more_than
        assert bound is not None
        return bound


@dataclass(frozen=True, slots=True)
class WatchExit:
    """Watch is left after so many member days with at most so many absences (thousandths)."""

    at_most_absences: int
    in_last_days: int
    after_days_in_tier: int
    after_days_stepped_down: int
    instead: tuple[tuple[Audience, WatchExit], ...] = ()
    whose: str = ""


@dataclass(frozen=True, slots=True)
class TierExit:
    """A tier is left when the rate of the last days is below a line."""

    rate_below: Fraction
    in_last_days: int
    after_days_in_tier: int
    open_case: str
    instead: tuple[tuple[Audience, TierExit], ...] = ()
    whose: str = ""


@dataclass(frozen=True, slots=True)
class Exits:
    """The only ways down."""

    watch: WatchExit
    tier_2: TierExit
    tier_3: TierExit
    early_margin: Fraction
    again_after_absences: int
    rest_days: int


@dataclass(frozen=True)
class PolicyInForce:
    """The policy on one day, with plain values."""

    name: str
    label: str
    version: str
    by_bands: bool
    lines: tuple[Rule, ...]  # the bands, lowest first: BAND, R07, R08
    rules: tuple[Rule, ...]  # all rules by key, the bands among them
    exits: Exits | None
    no_show_exit_codes: tuple[str, ...]
    absence_reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # illness -> the words that say so
    statutes: tuple[Measure, ...] = ()  # of the states that the policy names; they count and decide nothing

    def rule(self, key: str) -> Rule:
        """A rule by its key; KeyError when the policy has none such."""
        found = next((rule for rule in self.rules if rule.key == key), None)
        if found is None:
            raise KeyError(key)
        return found

    @cached_property
    def scopes(self) -> set[Scope]:
        """Everything that is asked about a student's age, grade and school."""
        ways = (self.exits.watch, self.exits.tier_2, self.exits.tier_3) if self.exits else ()
        forms: tuple[Rule | WatchExit | TierExit, ...] = (*self.rules, *ways)
        groups = {audience.scope for form in forms for audience, _ in form.instead}
        return groups | {rule.scope for rule in self.rules if rule.scope is not None}

    @cached_property
    def of_students(self) -> tuple[Rule, ...]:
        """The rules that are decided from the days of a student."""
        return tuple(rule for rule in self.rules if rule.decided_by is None)

    @cached_property
    def acting(self) -> tuple[Rule, ...]:
        """Those of them that move tiers and open work."""
        return tuple(rule for rule in self.of_students if rule.mode is Mode.ACTIVE)

    @cached_property
    def monitored(self) -> tuple[Rule, ...]:
        """Those of them that are only counted."""
        return tuple(rule for rule in self.of_students if rule.mode is Mode.MONITOR)
