"""Which rule is met by whom at the end of a day. The same function on one row explains one child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rules.audiences import Today, of_each
from rules.daily import Bools
from rules.facts import Facts
from rules.policy import PolicyInForce, Rule
from rules.scopes import Scope

Days = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What the rules need beside the matrix. None, or -1 for one student, means: not fed."""

    prior_absent: Days | None = None  # [S] thousandths, last school year
    prior_enrolled: Days | None = None  # [S]
    stls: Bools | None = None  # [S]
    last_contact: NDArray[np.integer] | None = None  # [S, D] day of the last contact since 1970, -1 for none
    case_open: Bools | None = None  # [S, D]
    barrier_owned: Bools | None = None  # [S, D]
    left_on: NDArray[np.integer] | None = None  # [S] a leaver's last enrolled day since 1970, -1: has not left
    waits_from: NDArray[np.integer] | None = None  # [S] first column on which an unmapped code holds the tier
    within: Mapping[Scope, Bools] = field(default_factory=dict)  # [S, D] whom a rule's scope takes in; else everybody

    def today(self, col: int) -> Today:
        """[S] whom each scope takes in on the day of a column."""
        return {scope: inside[:, col] for scope, inside in self.within.items()}

    def gone(self, day: np.datetime64) -> Bools | np.bool_:
        """[S] who had left before that day."""
        if self.left_on is None:
            return np.False_
        gone: Bools = (self.left_on >= 0) & (self.left_on < day.astype(np.int64))
        return gone

    def row(self, row: int) -> Inputs:
        """The inputs of one student."""
        parts = {name: getattr(self, name) for name in self.__slots__ if name != "within"}
        one = {name: None if part is None else part[row : row + 1] for name, part in parts.items()}
        return Inputs(**one, within={scope: part[row : row + 1] for scope, part in self.within.items()})


def met(rule: Rule, facts: Facts, inputs: Inputs, col: int) -> Bools:
    """[S] whether the rule is met at the end of column `col`, by the bounds of each student's grade and school."""
    return of_each(rule, inputs.today(col), lambda form: _met(form, facts, inputs, col))


def _met(rule: Rule, facts: Facts, inputs: Inputs, col: int) -> Bools:
    found = _reached(rule, facts, inputs, col) & (facts.member_days[:, col] > 0)
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
        found &= inputs.stls if inputs.stls is not None else False
    if rule.unless == "contact_since_streak" and inputs.last_contact is not None:
        found &= inputs.last_contact[:, col] < facts.streak_start[:, col]
    return found


def fed(rule: Rule, inputs: Inputs, rows: int) -> Bools:
    """[rows] False where the rule lacks its input and so can never fire."""
    has = np.ones(rows, dtype=bool)
    if rule.fact == "prior_year_rate":
        has &= _has_prior(inputs, rows)
    if rule.only_for == "stls":
        has &= inputs.stls is not None
    return has


def not_fed(policy: PolicyInForce, inputs: Inputs, rows: int) -> tuple[str, ...]:
    """Keys of the rules that have their input for no student at all."""
    return tuple(rule.key for rule in policy.rules if rows and not fed(rule, inputs, rows).any())


def _has_prior(inputs: Inputs, rows: int) -> Bools:
    if inputs.prior_absent is None or inputs.prior_enrolled is None:
        return np.zeros(rows, dtype=bool)
    return (inputs.prior_absent >= 0) & (inputs.prior_enrolled > 0)


def _reached(rule: Rule, facts: Facts, inputs: Inputs, col: int) -> Bools:
    """Whether the rule's own fact reaches its bound."""
    if rule.fact == "absence_rate":
        return _share(rule, facts.enrolled[:, col], facts.absent[:, col])
    if rule.fact == "prior_year_rate":
        known = _has_prior(inputs, len(facts.matrix.students))
        if inputs.prior_absent is None or inputs.prior_enrolled is None:
            return known
        return known & _share(rule, inputs.prior_enrolled, inputs.prior_absent)
    value = facts.named(rule.fact)[:, col]
    times = facts.named(rule.for_each)[:, col] if rule.for_each else 1
    if rule.at_least is not None:
        return np.asarray(value >= int(rule.at_least) * times)
    return np.asarray(value > int(rule.bound) * times)


def _share(rule: Rule, enrolled: NDArray[np.integer], absent: NDArray[np.integer]) -> Bools:
    missed = np.asarray(absent, np.int64) * rule.bound.denominator
    line = np.asarray(enrolled, np.int64) * rule.bound.numerator
    return (missed >= line if rule.at_least is not None else missed > line) & (enrolled > 0)
