"""Findings and steps in words: one kind sentence and its arithmetic, made only for what changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rules import cells as c
from rules import patterns
from rules.audiences import own
from rules.cells import WHOLE_DAY, Excuse, Status
from rules.counting import agreeing
from rules.daily import HALF_DAY, Daily
from rules.facts import MONTH, TRUANCY_WINDOW, WINDOWED, Facts
from rules.findings import Inputs, parts
from rules.matrix import Matrix
from rules.policy import PolicyInForce, Rule, TierExit
from rules.policy_schema import OF_A_PLAN, OUTSIDE, RECENT_RATE, is_count, is_rate
from rules.rule_words import LEVEL_WORDS, bound_text, describe, describe_each
from rules.school_days import day_text
from rules.tiers import Tier, days_text, rate_text

__all__ = [
    "LEVEL_WORDS", "bound_text", "dates_used", "describe", "describe_each", "exit_sentence", "numbers", "sentence",
]  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


def sentence(rule: Rule, numbers: Mapping[str, str]) -> str:
    """The rule's sentence filled with the numbers of one student."""
    named = {"bound": bound_text(rule), "level": LEVEL_WORDS[rule.level], **numbers}
    return agreeing(rule.sentence.format_map(named))


def numbers(rule: Rule, facts: Facts, inputs: Inputs, row: int, col: int) -> dict[str, str]:
    """What the rule looked at for one student on one day, as text: the inputs kept with a decision."""
    rule = own(rule, inputs.today(col), row)
    enrolled, absent = int(facts.enrolled[row, col]), int(facts.absent[row, col])
    window = int(facts.attendance_days_180[row, col])
    start = int(facts.streak_start[row, col])
    found = {
        "bound": bound_text(rule) + (f" for {rule.whose}" if rule.whose else ""),
        "value": _value(rule, facts, inputs, row, col),
        "absent": days_text(absent),
        "enrolled": days_text(enrolled),
        "rate": rate_text(enrolled, absent),
        "after": days_text(rule.after_days_enrolled or 0),
        "member_days": str(min(int(facts.member_days[row, col]), rule.to_member_day or 10**6)),
        "months": str(facts.months_started[row, col]),
        "window": str(window),
        "incomplete": "" if window >= TRUANCY_WINDOW else " (fewer than 180 are on record)",
        "since": day_text(np.datetime64(start, "D").astype(date)) if start >= 0 else "",
    }
    found |= _since_plan(rule, facts, row, col)
    return found | _last_year(inputs, row) | _usual(rule, facts, inputs, row, col) | _pattern(rule, facts, row, col)


def exit_sentence(policy: PolicyInForce, before: Tier, facts: Facts, inputs: Inputs, row: int, col: int) -> str:
    """Why the tier stepped down that day."""
    if policy.exits is None:
        return f"Absent {_of_days(facts, row, col)}, which is under the line of {before.words}."
    to = f"so support steps from {before.words} to {Tier(before - 1).words}."
    if before == Tier.WATCH:
        days = policy.exits.watch.in_last_days
        missed = days_text(int(facts.in_last("absent", days)[row, col]))
        return f"Absent {missed} of the last {days} days, {to}"
    tier_exit = policy.exits.tier_3 if before == Tier.THREE else policy.exits.tier_2
    way_out = own(tier_exit, inputs.today(col), row)
    line = f"the line for {way_out.whose}, {to}" if way_out.whose else to
    return f"{_recent(way_out, policy, facts, row, col)}, {line}"


def dates_used(matrix: Matrix, facts: Facts, row: int, col: int, rule: Rule) -> list[date]:
    """The school days whose absences the rule counted, oldest first; none for last year's totals."""
    if rule.fact == "prior_year_rate":
        return []
    cells = matrix.cells[row, : col + 1]
    wanted = (c.status(cells) == Status.MEMBER) & _counts(rule.fact, cells)
    wanted &= np.arange(col + 1) >= _window_start(rule.fact, matrix, facts, row, col)
    if rule.fact == "absent_in_pattern":
        wanted &= _in_pattern(matrix, int(facts.pattern[row, col]), row, col)
    if rule.fact == "absent_first_20":
        wanted &= facts.member_days[row, : col + 1] <= MONTH
    return [day.astype(date) for day in matrix.days[: col + 1][wanted]]


def _value(rule: Rule, facts: Facts, inputs: Inputs, row: int, col: int) -> str:
    if is_rate(rule.fact):
        return ""
    if rule.fact in OUTSIDE:
        return str(int(inputs.outside[rule.fact][row, col])) if rule.fact in inputs.outside else ""
    value = int(facts.named(rule.fact)[row, col])
    return str(value) if is_count(rule.fact) else days_text(value)


def _usual(rule: Rule, facts: Facts, inputs: Inputs, row: int, col: int) -> dict[str, str]:
    """The rate of earlier days that a rule holds recent ones against."""
    for line in rule.also:
        if RECENT_RATE.fullmatch(line.fact) and (found := parts(line.fact, facts, inputs, col)):
            return {"usual": rate_text(int(found[0][row]), int(found[1][row]))}
    return {"usual": ""}


def _since_plan(rule: Rule, facts: Facts, row: int, col: int) -> dict[str, str]:
    """The rate of the last twenty days, and what it was when the plan began."""
    if not set(OF_A_PLAN) & set(rule.facts):
        return {"recent_rate": "", "plan_rate": ""}
    now = int(facts.enrolled_last_20[row, col]), int(facts.absent_last_20[row, col])
    then = int(facts.enrolled_at_plan[row, col]), int(facts.absent_at_plan[row, col])
    return {"recent_rate": rate_text(*now), "plan_rate": rate_text(*then)}


def _pattern(rule: Rule, facts: Facts, row: int, col: int) -> dict[str, str]:
    """On which days the absence repeats."""
    if rule.fact != "absent_in_pattern":
        return {"pattern": ""}
    kind = int(facts.pattern[row, col])
    beside = "beside a weekend, a holiday or a short day"
    return {"pattern": beside if kind == patterns.BESIDE_BREAKS else f"on a {WEEKDAYS[kind]}"}


def _last_year(inputs: Inputs, row: int) -> dict[str, str]:
    if inputs.prior_absent is None or inputs.prior_enrolled is None or inputs.prior_absent[row] < 0:
        return {"prior_absent": "", "prior_enrolled": "", "prior_rate": ""}
    absent, enrolled = int(inputs.prior_absent[row]), int(inputs.prior_enrolled[row])
    return {
        "prior_absent": days_text(absent),
        "prior_enrolled": days_text(enrolled),
        "prior_rate": rate_text(enrolled, absent),
    }


def _of_days(facts: Facts, row: int, col: int) -> str:
    enrolled, absent = int(facts.enrolled[row, col]), int(facts.absent[row, col])
    return f"{days_text(absent)} of {days_text(enrolled)} days ({rate_text(enrolled, absent)}%)"


def _recent(way_out: TierExit, policy: PolicyInForce, facts: Facts, row: int, col: int) -> str:
    days = way_out.in_last_days
    absent = int(facts.in_last("absent", days)[row, col])
    enrolled = int(facts.in_last("enrolled", days)[row, col])
    early = int(facts.member_days[row, col]) < days and policy.exits is not None
    margin = policy.exits.early_margin if early and policy.exits else Fraction(0)
    line = days_text(int((way_out.rate_below - margin) * 100_000))
    rate = rate_text(enrolled, absent)
    return agreeing(f"Absent {days_text(absent)} of the last {days_text(enrolled)} days ({rate}%), under {line}%")


_WHOLE = ("streak", "unexplained_streak", "unexcused_streak", "returned_after")


def _counts(fact: str, cells: c.Cells) -> NDArray[np.bool_]:
    """Which marks a fact is made of."""
    if fact.startswith("tardies"):
        return c.tardy(cells)
    least = WHOLE_DAY if fact in _WHOLE else HALF_DAY if fact == "unexplained_run" else 1
    missed: NDArray[np.bool_] = c.fraction(cells) >= least
    if fact.startswith("unexcused"):
        missed &= c.excuse(cells) == Excuse.UNEXCUSED
    if fact.startswith("unexplained"):
        missed &= np.isin(c.excuse(cells), (Excuse.UNEXCUSED, Excuse.UNKNOWN))
    if fact.startswith("excused"):
        missed &= c.excuse(cells) == Excuse.EXCUSED
    return missed


def _window_start(fact: str, matrix: Matrix, facts: Facts, row: int, col: int) -> int:
    """The first column a fact looks at."""
    member = np.flatnonzero(c.status(matrix.cells[row, : col + 1]) == Status.MEMBER)
    if fact in RUNS:
        return _run_start(fact, matrix, facts, row, col)
    if fact == "unexcused_last_180":
        return int(member[-TRUANCY_WINDOW:][0]) if len(member) else 0
    windowed = WINDOWED.fullmatch(fact)
    this_year = member[member >= matrix.first]
    if windowed and len(this_year):
        return int(this_year[-int(windowed[2]) :][0])
    return matrix.first


def _in_pattern(matrix: Matrix, kind: int, row: int, col: int) -> NDArray[np.bool_]:
    """Days up to a column that follow the pattern; days of earlier school years never do."""
    daily = Daily(matrix.cells[row, matrix.first : col + 1], matrix.weights[row, matrix.first : col + 1])
    days = matrix.days[matrix.first : col + 1].astype(np.int64)
    found = patterns.follows(kind, days, daily.due_days, daily.short)
    return np.concatenate([np.zeros(matrix.first, dtype=bool), found])


RUNS = ("streak", "unexplained_run", "unexplained_streak", "unexcused_streak", "returned_after")


def _run_start(fact: str, matrix: Matrix, facts: Facts, row: int, col: int) -> int:
    """Where a run of days began: so many of the days that make it lie behind; after the last column without a run."""
    cells = matrix.cells[row, : col + 1]
    made_of = np.flatnonzero((c.status(cells) == Status.MEMBER) & _counts(fact, cells))
    length = int(facts.named(fact)[row, col])
    return int(made_of[-length]) if length else col + 1
