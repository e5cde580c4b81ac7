"""Findings and steps in words: one kind sentence and its arithmetic, made only for what changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rules import cells as c
from rules.audiences import forms, own
from rules.cells import WHOLE_DAY, Excuse, Status
from rules.counting import agreeing
from rules.facts import MONTH, TRUANCY_WINDOW, WINDOWED, Facts
from rules.findings import Inputs
from rules.matrix import Matrix
from rules.policy import Level, PolicyInForce, Rule, TierExit
from rules.policy_schema import RATES, is_count
from rules.school_days import day_text
from rules.tiers import Tier, days_text, rate_text

LEVEL_WORDS = {
    Level.WATCH: "Watch", Level.TWO: "Tier 2", Level.THREE: "Tier 3",
    Level.TASK: "A task", Level.CASE: "A case",
}  # fmt: skip


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
        "value": _value(rule, facts, row, col),
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
    return found | _last_year(inputs, row)


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
    if rule.fact == "absent_first_20":
        wanted &= facts.member_days[row, : col + 1] <= MONTH
    return [day.astype(date) for day in matrix.days[: col + 1][wanted]]


def describe(rule: Rule) -> str:
    """The rule in plain words, for people who decide about policy."""
    how = f"at least {bound_text(rule)}" if rule.at_least is not None else f"more than {bound_text(rule)}"
    parts = [f"{_for(rule)}{LEVEL_WORDS[rule.level]} when {_words(rule.fact)} is {how}"]
    if rule.for_each:
        parts.append("for each month of school begun (20 days)")
    if rule.at_least_absences:
        parts.append(f"with at least {days_text(rule.at_least_absences)} days absent")
    if rule.after_days_enrolled:
        parts.append(f"from {days_text(rule.after_days_enrolled)} days enrolled on")
    if rule.from_member_day:
        parts.append(f"from the student's school day {rule.from_member_day} on")
    if rule.to_member_day:
        parts.append(f"up to the student's school day {rule.to_member_day}")
    if rule.only_for == "stls":
        parts.append("for students in temporary living situations")
    if rule.scope is not None:
        parts.append(f"for students {rule.scope.words}")
    if rule.unless:
        parts.append("unless somebody has reached the family since the run began")
    if rule.level_with:
        others, level = rule.level_with
        parts.append(f"{LEVEL_WORDS[level]} from the day {' or '.join(others)} is met as well")
    return agreeing(", ".join(parts) + ".")


def describe_each(rule: Rule) -> list[str]:
    """The rule in plain words for everybody, then for each group with bounds of its own."""
    return [describe(form) for form in forms(rule)]


def _for(rule: Rule) -> str:
    return f"For {rule.whose}: " if rule.whose else ""


def bound_text(rule: Rule) -> str:
    """The threshold as people write it: '10%', '3', '1.5'."""
    if rule.fact in RATES:
        percent = Fraction(rule.bound) * 100
        return f"{days_text(int(percent * 1000))}%"
    return str(rule.bound) if is_count(rule.fact) else days_text(int(rule.bound))


_FACT_WORDS = {
    "absence_rate": "the share of days absent this year",
    "prior_year_rate": "the share of days absent last year",
    "absent": "the number of days absent this year",
    "absent_first_20": "the number of absences in the first 20 school days",
    "unexcused_last_180": "the number of days without an excuse in the last 180 attendance days",
    "streak": "the number of full days absent in a row",
    "days_not_arrived": "the number of school days enrolled without ever being present, before any that is not known",
}


def _words(fact: str) -> str:
    windowed = WINDOWED.fullmatch(fact)
    if fact in _FACT_WORDS or not windowed:
        return _FACT_WORDS.get(fact, fact.replace("_", " "))
    what = {"absent": "days absent", "excused": "excused days", "unexcused": "days without an excuse"}
    return f"the number of {what.get(windowed[1], windowed[1])} in the last {windowed[2]} school days"


def _value(rule: Rule, facts: Facts, row: int, col: int) -> str:
    if rule.fact in RATES:
        return ""
    value = int(facts.named(rule.fact)[row, col])
    return str(value) if is_count(rule.fact) else days_text(value)


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


def _counts(fact: str, cells: c.Cells) -> NDArray[np.bool_]:
    """Which marks a fact is made of."""
    if fact.startswith("tardies"):
        return c.tardy(cells)
    missed: NDArray[np.bool_] = c.fraction(cells) >= (WHOLE_DAY if fact == "streak" else 1)
    if fact.startswith("unexcused"):
        missed &= c.excuse(cells) == Excuse.UNEXCUSED
    if fact.startswith("excused"):
        missed &= c.excuse(cells) == Excuse.EXCUSED
    return missed


def _window_start(fact: str, matrix: Matrix, facts: Facts, row: int, col: int) -> int:
    """The first column a fact looks at."""
    if fact == "streak":
        start = int(facts.streak_start[row, col])
        return int(np.searchsorted(matrix.days, np.datetime64(start, "D"))) if start >= 0 else col + 1
    member = np.flatnonzero(c.status(matrix.cells[row, : col + 1]) == Status.MEMBER)
    if fact == "unexcused_last_180":
        return int(member[-TRUANCY_WINDOW:][0]) if len(member) else 0
    windowed = WINDOWED.fullmatch(fact)
    this_year = member[member >= matrix.first]
    if windowed and len(this_year):
        return int(this_year[-int(windowed[2]) :][0])
    return matrix.first
