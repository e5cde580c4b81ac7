"""What was decided about a student as it was told: the stored findings, and the open cases that rested on them.

Asked inside a look back, it is what stood then: decided by the policy and the program of that day.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

from models.queries import decided_then as rows
from rules.tiers import Tier


@dataclass(frozen=True, slots=True)
class Decided:
    """A finding as it was stored when it was made. `until`: the day it was over, if that was known."""

    rule: str
    since: date
    until: date | None
    sentence: str
    policy_version: str


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that was open on the day: in which tier, and what it rested on, (rule, day, sentence) each."""

    number: int
    episode: int
    opened: date
    tier: str
    reasons: tuple[tuple[str, date, str], ...]


def decided(student: int, start: date, day: date, classes: Collection[str]) -> Iterator[Decided]:
    """The findings of a school year up to a day, oldest first; of compartments only those of these classes."""
    for row in rows.findings(student, start, day):
        if row.compartment is None or row.compartment in classes:
            yield Decided(row.rule, row.since, row.until, row.sentence, row.policy_version)


def open_cases(student: int, day: date) -> Iterator[OpenCase]:
    """The cases that were open at the end of a day."""
    found = rows.cases(student, day)
    said = rows.reasons([row.id for row in found], day)
    for row in found:
        own = [(one.rule, one.day, one.sentence) for one in said if (one.case_id, one.episode) == (row.id, row.episode)]
        tier = Tier.NONE if row.tier is None else Tier(row.tier)
        yield OpenCase(row.number, row.episode, row.opened, tier.text, tuple(own))
