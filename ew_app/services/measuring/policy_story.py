"""The versions of a district's policy one after the other: which held when, what each changed, and what is planned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from ew_app.kernel import local, today
from ew_app.services.measuring import policies, policy_texts
from models.policies import PolicyVersion
from models.queries import policies as rows
from rules.policy import Policy
from rules.policy_difference import Line, difference


class Holds(StrEnum):
    """When an activation counts."""

    PLANNED = "planned"
    NOW = "in force"
    PAST = "held before"
    OVERLAID = "held, then replaced from its first day on"
    REPLACED = "replaced before its day"
    WITHDRAWN = "taken back before its day"


@dataclass(frozen=True, slots=True)
class Chapter:
    """One activation: what it changed on its first day, and until when it holds (None: nothing follows).

    One that was laid over later, from its own first day, holds until the day of that; `replaced` is what was laid over.
    """

    row: PolicyVersion
    policy: Policy
    holds: Holds
    until: date | None
    changed: tuple[Line, ...]
    replaced: PolicyVersion | None = None

    @property
    def first(self) -> bool:
        """It holds from the beginning."""
        return self.row.starts <= policies.FIRST_DAY

    @property
    def last(self) -> date | None:
        """The last day on which it holds; None: nothing follows."""
        return self.until - timedelta(days=1) if self.until is not None else None


def story() -> tuple[Chapter, ...]:
    """Every activation, planned ones first, then the latest."""
    policies.timeline()
    kept = _effective(rows.in_force())
    found = []
    for at, row in enumerate(kept):
        before = kept[at - 1] if at else None
        until = kept[at + 1].starts if at + 1 < len(kept) else None
        found.append(_chapter(row, before, until, _holds(row, until)))
    said = rows.history()
    aside = [_aside(row, said) for row in said if row.id not in {one.id for one in kept}]
    return tuple(sorted((*found, *aside), key=lambda one: (one.row.starts, one.row.id), reverse=True))


def now_held(told: Sequence[Chapter] | None = None) -> Chapter:
    """What holds today; `told`: the story, where it is at hand."""
    return next(one for one in (story() if told is None else told) if one.holds is Holds.NOW)


def would_change(version: str, starts: date) -> tuple[Line, ...]:
    """What a version would change if it held from a day on, against what holds then without it."""
    without = policies.stored(policies.timeline().on(starts).version)
    return difference(without, policies.stored(version), starts)


def taken_over(starts: date) -> PolicyVersion | None:
    """What takes over from a version that holds from this day on."""
    return next((row for row in _effective(rows.in_force()) if row.starts > starts), None)


def _effective(kept: Sequence[PolicyVersion]) -> list[PolicyVersion]:
    """Of several for one day the last."""
    return list({row.starts: row for row in kept}.values())


def _holds(row: PolicyVersion, until: date | None) -> Holds:
    if row.starts > today():
        return Holds.PLANNED
    return Holds.NOW if until is None or until > today() else Holds.PAST


def _chapter(row: PolicyVersion, before: PolicyVersion | None, until: date | None, holds: Holds) -> Chapter:
    policy = policy_texts.thawed(row.content)
    earlier = policy_texts.thawed(before.content) if before is not None else None
    return Chapter(row, policy, holds, until, difference(earlier, policy, row.starts) if earlier else ())


def _aside(row: PolicyVersion, said: Sequence[PolicyVersion]) -> Chapter:
    """One that no longer holds from its day on; `said`: every activation."""
    policy = policy_texts.thawed(row.content)
    if row.withdrawn_at is not None:
        return Chapter(row, policy, Holds.WITHDRAWN, None, ())
    after = [one for one in said if one.id > row.id and one.withdrawn_at is None]
    over = min((one for one in after if one.starts == row.starts), key=lambda one: one.id)
    until = min(
        today(),
        local(over.activated_at).date(),
        *(one.starts for one in said if one.starts > row.starts and one.id < over.id and one.withdrawn_at is None),
    )
    if until <= row.starts:
        return Chapter(row, policy, Holds.REPLACED, None, ())
    return Chapter(row, policy, Holds.OVERLAID, until, (), over)
