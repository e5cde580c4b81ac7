"""Which rule is met by whom at the end of a day. The same function on one row explains one child."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.audiences import Today, of_each
from rules.daily import Bools
from rules.facts import MONTH, Facts
from rules.policy import Line, PolicyInForce, Rule
from rules.policy_schema import OF_A_PLAN, OUTSIDE, RECENT_RATE
from rules.scopes import Scope

Days = NDArray[np.int64]
When = int | slice  # a column, or several of them: what is [S] of one day is [S, days] of several


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What the rules need beside the matrix. None, or -1 for one student, means: not fed."""

    prior_absent: Days | None = None  # [S] thousandths, last school year
    prior_enrolled: Days | None = None  # [S]
    stls: Bools | None = None  # [S]
    last_contact: NDArray[np.integer] | None = None  # [S, D] day of the last contact since 1970, -1 for none
    case_open: Bools | None = None  # [S, D]
    barrier_owned: Bools | None = None  # [S, D]
    plan: NDArray[np.integer] | None = None  # [S, D] day since 1970 of the plan in force, -1 for none
    left_on: NDArray[np.integer] | None = None  # [S] a leaver's last enrolled day since 1970, -1: has not left
    waits_from: NDArray[np.integer] | None = None  # [S] first column on which an unmapped code holds the tier
    outside: Mapping[str, NDArray[np.integer]] = field(default_factory=dict)  # [S, D] facts of other feeds, by name
    within: Mapping[Scope, Bools] = field(default_factory=dict)  # [S, D] whom a rule's scope takes in; else everybody

    def today(self, col: When) -> Today:
        """[S] whom each scope takes in on the day of a column; [S, days] on several."""
        return {scope: inside[:, col] for scope, inside in self.within.items()}

    def gone(self, day: np.datetime64) -> Bools | np.bool_:
        """[S] who had left before that day."""
        if self.left_on is None:
            return np.False_
        gone: Bools = (self.left_on >= 0) & (self.left_on < day.astype(np.int64))
        return gone

    def row(self, row: int) -> Inputs:
        """The inputs of one student."""
        parts = {name: getattr(self, name) for name in self.__slots__ if name not in ("within", "outside")}
        one = {name: None if part is None else part[row : row + 1] for name, part in parts.items()}
        outside = {name: part[row : row + 1] for name, part in self.outside.items()}
        within = {scope: part[row : row + 1] for scope, part in self.within.items()}
        return Inputs(**one, outside=outside, within=within)


def met(rule: Rule, facts: Facts, inputs: Inputs, col: When) -> Bools:
    """[S] whether the rule is met at the end of column `col`, by the bounds of each student's grade and school.

    [S, days] for several columns: asked once for all days of a few students it is as quick as for one of them.
    """
    return of_each(rule, inputs.today(col), lambda form: _met(form, facts, inputs, col))


def _met(rule: Rule, facts: Facts, inputs: Inputs, col: When) -> Bools:
    found = _reached(rule, facts, inputs, col)
    for line in rule.either:
        found = found | holds(line, facts, inputs, col)
    for line in rule.also:
        found = found & holds(line, facts, inputs, col)
    found = found & (facts.member_days[:, col] > 0)
    if rule.at_least_absences is not None:
        found &= facts.absent[:, col] >= rule.at_least_absences
    if rule.after_days_enrolled is not None:
        found &= facts.enrolled[:, col] >= rule.after_days_enrolled
    if rule.from_member_day is not None:
        found &= facts.member_days[:, col] >= rule.from_member_day
    if rule.to_member_day is not None:
        found &= facts.member_days[:, col] <= rule.to_member_day
    if rule.scope is not None and rule.scope in inputs.within:
        found &= inputs.within[rule.scope][:, col]
    if rule.only_for == "stls":
        found &= _beside(inputs.stls, col) if inputs.stls is not None else False
    if rule.unless == "contact_since_streak" and inputs.last_contact is not None:
        found &= inputs.last_contact[:, col] < facts.streak_start[:, col]
    return found


def fed(rule: Rule, inputs: Inputs, rows: int) -> Bools:
    """[rows] False where the rule lacks its input and so can never fire."""
    ways = [_feeds(fact, inputs, rows) for fact in (rule.fact, *(line.fact for line in rule.either))]
    has: Bools = np.any(ways, axis=0)
    for line in rule.also:
        has = has & _feeds(line.fact, inputs, rows)
    if rule.only_for == "stls":
        has = has & (inputs.stls is not None)
    return has


def _feeds(fact: str, inputs: Inputs, rows: int) -> Bools:
    """[rows] whether a fact is known of each student."""
    if fact == "prior_year_rate":
        return _has_prior(inputs, rows)
    if fact in OF_A_PLAN:
        return np.full(rows, inputs.plan is not None)
    if fact in OUTSIDE:
        return np.any(inputs.outside[fact] >= 0, axis=1) if fact in inputs.outside else np.zeros(rows, dtype=bool)
    return np.ones(rows, dtype=bool)


def not_fed(policy: PolicyInForce, inputs: Inputs, rows: int) -> tuple[str, ...]:
    """Keys of the rules that have their input for no student at all."""
    return tuple(rule.key for rule in policy.of_students if rows and not fed(rule, inputs, rows).any())


def _has_prior(inputs: Inputs, rows: int) -> Bools:
    if inputs.prior_absent is None or inputs.prior_enrolled is None:
        return np.zeros(rows, dtype=bool)
    return (inputs.prior_absent >= 0) & (inputs.prior_enrolled > 0)


def holds(line: Line, facts: Facts, inputs: Inputs, col: When) -> Bools:
    """[S] whether a fact lies on the asked side of its line at the end of column `col`; never where it is not known."""
    found = parts(line.fact, facts, inputs, col)
    if found is not None:
        return _compared(line.how, line.bound, *found)
    value = _value(line.fact, facts, inputs, col)
    known: Bools = _beside(_feeds(line.fact, inputs, len(value)), col)
    return _COMPARE[line.how](value, int(line.bound)) & known


def parts(fact: str, facts: Facts, inputs: Inputs, col: When) -> tuple[NDArray[np.integer], NDArray[np.integer]] | None:
    """[S] (of how many days, absent) that a rate is made of; None for a fact that is no rate."""
    if fact == "absence_rate":
        return facts.enrolled[:, col], facts.absent[:, col]
    if fact == "prior_year_rate":
        if inputs.prior_absent is None or inputs.prior_enrolled is None:
            nothing = _beside(np.zeros(len(facts.matrix.students), dtype=np.int64), col)
            return nothing, nothing
        known = np.where(inputs.prior_absent < 0, 0, inputs.prior_enrolled)
        return _beside(known, col), _beside(inputs.prior_absent, col)
    if fact == "rate_since_plan":
        return _since_plan(facts, col)
    recent = RECENT_RATE.fullmatch(fact)
    if recent is None:
        return None
    last, usual, before = (int(days or 0) for days in recent.groups())
    whole = [facts.in_last(amount, last or usual + before)[:, col] for amount in ("enrolled", "absent")]
    if last:
        return whole[0], whole[1]
    later = [facts.in_last(amount, before)[:, col] for amount in ("enrolled", "absent")]
    return whole[0] - later[0], whole[1] - later[1]


def _beside(part: NDArray[Any], col: When) -> NDArray[Any]:
    """What is known once of each student, in the shape of the days asked for."""
    return part if isinstance(col, int) else part[:, None]


def _since_plan(facts: Facts, col: When) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """The rate of the last twenty days as a share of what it was when the plan began, both over one denominator."""
    absent, enrolled = (facts.in_last(name, MONTH)[:, col].astype(np.int64) for name in ("absent", "enrolled"))
    return facts.absent_at_plan[:, col] * enrolled, absent * facts.enrolled_at_plan[:, col]


def _reached(rule: Rule, facts: Facts, inputs: Inputs, col: When) -> Bools:
    """Whether the rule's own fact reaches its bound."""
    how = "at_least" if rule.at_least is not None else "more_than"
    if rule.share_of:
        return _compared(how, rule.bound, facts.named(rule.share_of)[:, col], facts.named(rule.fact)[:, col])
    if not rule.for_each:
        return holds(Line(rule.fact, how, rule.bound), facts, inputs, col)
    times = facts.named(rule.for_each)[:, col]
    return _COMPARE[how](facts.named(rule.fact)[:, col], int(rule.bound) * times)


def _value(fact: str, facts: Facts, inputs: Inputs, col: When) -> NDArray[np.integer]:
    if fact not in OUTSIDE:
        return facts.named(fact)[:, col]
    nothing = _beside(np.full(len(facts.matrix.students), -1), col)
    return inputs.outside[fact][:, col] if fact in inputs.outside else nothing


_COMPARE: Mapping[str, Callable[..., Bools]] = {
    "at_least": np.greater_equal, "more_than": np.greater, "at_most": np.less_equal, "below": np.less,
}  # fmt: skip


def _compared(how: str, bound: Fraction | int, whole: NDArray[np.integer], part: NDArray[np.integer]) -> Bools:
    """A share against its line, in whole numbers; never where there is nothing to be a share of."""
    line = np.asarray(whole, np.int64) * bound.numerator
    return _COMPARE[how](np.asarray(part, np.int64) * bound.denominator, line) & (np.asarray(whole) > 0)
