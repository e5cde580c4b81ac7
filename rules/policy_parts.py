"""A policy taken apart: every value of the file with its place, its dates, and the words that people have for it.

It walks whatever the file holds, so a part of a policy that is new to the schema is told apart here as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rules.counting import agreeing
from rules.policy import BAND_RULES, Policy
from rules.policy_file import Entry
from rules.policy_groups import FOR
from rules.policy_schema import is_count, is_rate
from rules.rule_words import HOW, clause

Path = tuple[Any, ...]

LINES = {"watch": "Watch", "tier_2": "Tier 2", "tier_3": "Tier 3"}
LEVELS = {
    "watch": "Watch",
    "2": "Tier 2",
    "3": "Tier 3",
    "task": "a task",
    "case": "a case",
    "file": "a note on record",
}
_SHARES = ("rate_below", "early_margin")
_BOUNDS = ("at_least", "more_than", "at_most", "below")

# How a value of the file reads in a sentence about its rule; {} is the value.
_PHRASES: dict[Any, str] = {
    "at_least": "starts at {}",
    "more_than": "starts above {}",
    "at_most": "holds up to {}",
    "below": "holds under {}",
    "share_of": "counts its line as a share of the days {}",
    "decided_by": "is followed by {}",
    "illness": "reads as illness: {}",
    "mental_health": "reads as a mental-health day: {}",
    "for_each": "counts its line once for each of {}",
    "at_least_absences": "asks for at least {} days absent",
    "after_days_enrolled": "looks from {} days enrolled on",
    "from_member_day": "looks from the student's school day {} on",
    "to_member_day": "looks up to the student's school day {}",
    "open_for_days": "stands for {} school days",
    "only_for": "speaks only of {}",
    "unless": "rests while there is {}",
    "level": "leads to {}",
    "mode": "is {}",
    "fact": "looks at {}",
    "clears": "ends by {}",
    "restricted": "stays in the compartment {}",
    "reference": "names its source as {}",
    "sentence": "says to staff: {}",
    "label": "is called {}",
    "at_most_absences": "asks for at most {} days absent",
    "in_last_days": "looks at the last {} days",
    "after_days_in_tier": "waits for {} school days in it",
    "after_days_stepped_down": "waits for {} school days after a step down",
    "rate_below": "asks for less than {} absent",
    "open_case": "with an open case: {}",
    "early_margin": "asks for {} less while the year is young",
    "again_after_absences": "lets a rule that is still met start again after {} more days absent",
    "rest_days": "is followed by {} school days of rest",
    "moves": "moves a tier by {}",
    "statutes": "tells what the law counts in {}",
    "no_show_exit_codes": "takes these exit codes for never arrived: {}",
    ("level_with", "rules"): "weighs more together with {}",
    ("level_with", "level"): "then leads to {}",
    "grades": "takes in the grades {}",
    "schools": "takes in the schools {}",
    "not_schools": "leaves out the schools {}",
    "not_grades": "leaves out the grades {}",
    ("scope", "from_age"): "speaks of students from {} years on",
    ("scope", "reached_by"): "looks whether that age is reached by {}",
    ("scope", "below_age"): "speaks of students below {} years",
    ("scope", "not_grades"): "leaves out the grades {}",
    ("scope", "grades"): "speaks of the grades {}",
}
_FURTHER = {"also": "also asks for this", "either": "is met as well by this"}
_WORDS = {
    "stls": "students in temporary living situations", "contact_since_streak": "a contact since the run began",
    "months_started": "the months begun", "watch_exit": "the way down of Watch", "tier_exit": "the tier's way down",
    "owner": "whoever does the task",
    "monitor": "only counted",
    "active": "active", "unmet": "the day it is no longer met", "stays": "a person closes it first",
    "leaves_when_owned": "it may step down once somebody looks after the barrier",
    "leaves": "it steps down all the same",
    "plan": "the end of the plan", "day_ledger": "the days that have come in",
    "contact_log": "the contacts written down",
    "replay": "rules that raise it and steps that lower it", "bands": "the day's share alone",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One value of a policy file, with the days from which its forms hold (None: it has no dates)."""

    path: Path
    values: tuple[tuple[dt.date | None, Any], ...]
    share: bool  # a share of days: 0.10 is told as 10%
    whose: str = ""  # the group it holds for; before its first day that group has everybody's
    unit: str = ""  # what a bound is counted in, where its phrase does not say

    @property
    def dated(self) -> bool:
        return self.values[0][0] is not None

    @property
    def is_number(self) -> bool:
        return all(isinstance(value, int | Fraction) and not isinstance(value, bool) for _, value in self.values)

    def on(self, day: dt.date) -> Any:
        """The value in force that day; the first one holds for all earlier days, for a group nothing does (None)."""
        held = [value for start, value in self.values if start is not None and start <= day]
        return held[-1] if held else None if self.whose and self.dated else self.values[0][1]

    def shown(self, value: Any) -> str:
        """A value as people write it."""
        if value is None:
            return "everybody's"
        if isinstance(value, list):
            return ", ".join(map(str, value)) or "none"
        if isinstance(value, bool) or not isinstance(value, int | Fraction):
            return _word(self.path[-1], str(value))
        return f"{number_text(value * 100)}%" if self.share else number_text(value)

    @property
    def phrase(self) -> str:
        """What the value says of its rule, with {} in its place."""
        key = str(self.path[-1])
        if self.path[2:3] in (("also",), ("either",)):
            return f"{_FURTHER[self.path[2]]}: {clause(self.path[3], HOW[key])}"
        if (both := self.path[-2:]) in _PHRASES:
            return _PHRASES[both]
        told = _PHRASES.get(key, f"{key.replace('_', ' ')}: {{}}")
        if self.whose:
            return f"{told} for {self.whose}"
        inside = [str(step).replace("_", " ") for step in self.path[2:-1]]
        return f"{', '.join(inside)}: {told}" if inside else told

    def saying(self, value: str) -> str:
        """The phrase with a value in it."""
        counted = f"{value} {self.unit}" if self.unit in ("days", "times") else value
        return agreeing(self.phrase.replace("{}", counted))


def parts(policy: Policy) -> dict[Path, Part]:
    """Every value of a policy by its place, in the order of the file, what it extends included."""
    root = policy.entry
    facts, called = _facts(root), _groups(root)
    return {
        path: Part(path, values, _is_share(path, facts), _whose(path, called), _unit(path, facts))
        for path, values in _walk(root, ())
    }


def number_text(value: Fraction | int) -> str:
    """An exact decimal: 1/10 is 0.1, 3 is 3."""
    exact = Decimal(Fraction(value).numerator) / Decimal(Fraction(value).denominator)
    return f"{exact.normalize():f}"


def subject(path: Path) -> Path:
    """The rule, line or way down that a value belongs to; itself for what stands alone."""
    return path[:2] if path[0] in ("groups", "bands", "rules", "exits") and len(path) > 2 else path[:1]


def subject_words(at: Path, policy: Policy) -> str:
    """How people call a rule, a line or a way down."""
    if at[0] == "bands":
        return LINES.get(at[1], str(at[1])) if len(at) > 1 else "The lines"
    if at[0] == "groups" and len(at) > 1:
        return f"The group “{_groups(policy.entry).get(at[1], at[1])}”"
    if at[0] == "rules" and len(at) > 1:
        label = policy.entry.mapping()["rules"].mapping()[at[1]].mapping().get("label")
        return f"{at[1]} {label.value}" if label else str(at[1])
    if at[0] == "exits":
        return f"The way down from {LINES[at[1]]}" if len(at) > 1 and at[1] in LINES else "Every way down"
    return "The policy"


def day_words(day: dt.date) -> str:
    """A day of the calendar as a sentence names it: 1 Feb 2027."""
    return f"{day.day} {day:%b %Y}"


def _walk(entry: Entry, path: Path) -> Iterator[tuple[Path, tuple[tuple[dt.date | None, Any], ...]]]:
    below = entry.value
    if isinstance(below, dict) and below and all(type(key) is dt.date for key in below):
        yield path, tuple((day, below[day].value) for day in sorted(below))
    elif isinstance(below, dict):
        for key, value in below.items():
            yield from _walk(value, (*path, key))
    elif isinstance(below, list) and any(isinstance(one.value, dict | list) for one in below):
        for place, one in enumerate(below):
            yield from _walk(one, (*path, place))
    elif isinstance(below, list):
        yield path, ((None, [one.value for one in below]),)
    elif below is not None:
        yield path, ((None, below),)


def _facts(root: Entry) -> dict[Any, str]:
    """What each rule looks at, the lines too."""
    rules = root.mapping().get("rules")
    below = rules.mapping() if rules is not None and rules.value else {}
    named = {key: one.mapping() for key, one in below.items() if isinstance(one.value, dict)}
    facts = {key: rule.get("fact") for key, rule in named.items() if "share_of" not in rule}
    lines = dict.fromkeys((*LINES, *BAND_RULES.values()), "absence_rate")
    shares = {key: "absence_rate" for key, rule in named.items() if "share_of" in rule}
    return {key: str(fact.value) for key, fact in facts.items() if fact is not None} | lines | shares


def _groups(root: Entry) -> dict[Any, str]:
    """How sentences name each group, in the order that decides."""
    section = root.mapping().get("groups")
    below = section.mapping() if section is not None and section.value else {}
    return {key: str(one.mapping()["label"].value) for key, one in below.items()}


def groups_in_order(policy: Policy) -> tuple[str, ...]:
    """The groups by name: of several that fit, the last one holds."""
    return tuple(_groups(policy.entry).values())


def _is_share(path: Path, facts: dict[Any, str]) -> bool:
    if path[-1] not in _BOUNDS:
        return path[-1] in _SHARES
    if path[2] in ("also", "either"):
        return is_rate(path[3])
    return any(is_rate(facts[step]) for step in path[:-1] if step in facts)


def _whose(path: Path, called: dict[Any, str]) -> str:
    return called.get(path[3], str(path[3])) if FOR in path[2:3] else ""


def _unit(path: Path, facts: dict[Any, str]) -> str:
    """percent, days or times; nothing where the phrase names it, or where a rule counts something of its own."""
    if _is_share(path, facts):
        return "percent"
    if path[-1] not in _BOUNDS:
        return ""
    fact = path[3] if path[2] in ("also", "either") else next((facts[step] for step in path[:-1] if step in facts), "")
    if is_count(fact) and fact != "streak" and "days" not in fact:
        return "times" if fact.startswith("tardies") else ""
    return "days"


def _word(key: Any, word: str) -> str:
    if key == "level":
        return LEVELS.get(word, word)
    return f"“{word}”" if key in ("label", "sentence", "reference") else _WORDS.get(word, word.replace("_", " "))
