"""Rules in plain words, for people who decide about policy."""

from __future__ import annotations

from fractions import Fraction

from rules.audiences import forms
from rules.counting import agreeing
from rules.facts import WINDOWED
from rules.policy import Level, Line, Mode, Rule
from rules.policy_schema import DECIDED_BY, RECENT_RATE, is_count, is_rate
from rules.tiers import days_text

LEVEL_WORDS = {
    Level.WATCH: "Watch", Level.TWO: "Tier 2", Level.THREE: "Tier 3",
    Level.TASK: "A task", Level.CASE: "A case", Level.FILE: "A note on record",
}  # fmt: skip


def describe(rule: Rule) -> str:
    """The rule in plain words, for people who decide about policy."""
    if rule.decided_by:
        return f"{LEVEL_WORDS[rule.level]}, asked for as soon as it is known by {DECIDED_BY[rule.decided_by]}."
    asked = [_asks(rule), *(f"or {line_words(line)}" for line in rule.either)]
    asked += [f"and {line_words(line)}" for line in rule.also]
    said = [f"{_for(rule)}{LEVEL_WORDS[rule.level]} when {' '.join(asked)}", *_conditions(rule)]
    if rule.level_with:
        others, level = rule.level_with
        said.append(f"{LEVEL_WORDS[level]} from the day {' or '.join(others)} is met as well")
    counted = " In monitor mode: it is counted, opens nothing and moves no tier."
    return agreeing(", ".join(said) + ".") + (counted if rule.mode is Mode.MONITOR else "")


def _asks(rule: Rule) -> str:
    how = "at least" if rule.at_least is not None else "more than"
    of = f" of {fact_words(rule.share_of)}" if rule.share_of else ""
    return f"{fact_words(rule.fact)} is {how} {bound_text(rule)}{of}"


def _conditions(rule: Rule) -> list[str]:
    """What else is asked before the rule speaks."""
    since, until, absences = rule.from_member_day, rule.to_member_day, rule.at_least_absences
    said = {
        "for each month of school begun (20 days)": rule.for_each,
        f"with at least {days_text(absences or 0)} days absent": absences,
        f"from {days_text(rule.after_days_enrolled or 0)} days enrolled on": rule.after_days_enrolled,
        f"from the student's school day {since} on": since,
        f"up to the student's school day {until}": until,
        "for students in temporary living situations": rule.only_for == "stls",
        f"for students {rule.scope.words if rule.scope else ''}": rule.scope,
        "unless somebody has reached the family since the run began": rule.unless,
    }
    return [words for words, asked in said.items() if asked]


HOW = {"at_least": "at least", "more_than": "more than", "at_most": "at most", "below": "under"}


def line_words(line: Line) -> str:
    """A further fact and where it counts."""
    return f"{fact_words(line.fact)} is {HOW[line.how]} {_bound_words(line.fact, line.bound)}"


def describe_each(rule: Rule) -> list[str]:
    """The rule in plain words for everybody, then for each group with bounds of its own."""
    return [describe(form) for form in forms(rule)]


def _for(rule: Rule) -> str:
    return f"For {rule.whose}: " if rule.whose else ""


def bound_text(rule: Rule) -> str:
    """The threshold as people write it: '10%', '3', '1.5'."""
    return _percent(rule.bound) if rule.share_of else _bound_words(rule.fact, rule.bound)


def _bound_words(fact: str, bound: Fraction | int) -> str:
    if is_rate(fact):
        return _percent(bound)
    return str(bound) if is_count(fact) else days_text(int(bound))


def _percent(share: Fraction | int) -> str:
    return f"{days_text(int(Fraction(share) * 100_000))}%"


_FACT_WORDS = {
    "absence_rate": "the share of days absent this year",
    "prior_year_rate": "the share of days absent last year",
    "absent": "the number of days absent this year",
    "absent_first_20": "the number of absences in the first 20 school days",
    "unexcused_last_180": "the number of days without an excuse in the last 180 attendance days",
    "streak": "the number of full days absent in a row",
    "unexplained_run": "the number of days in a row, missed by at least half, with no reason on record",
    "unexplained_streak": "the number of full days absent in a row with no reason on record",
    "unexcused_streak": "the number of full days absent in a row without an excuse",
    "returned_after": "the number of full days absent in a row that a day at school has just ended",
    "absent_in_pattern": "absence on one weekday, or beside weekends, holidays and short days,",
    "absent_this_month": "the number of days absent in this month of school",
    "attendance_days_180": "the number of attendance days on record, of the last 180,",
    "days_on_plan": "the number of school days since the plan was agreed",
    "rate_since_plan": "absence in the last 20 school days, as a share of what it was when the plan was agreed,",
    "illness_days_last_40": "the number of days ill in the last 40 school days",
    "illness_spells_last_40": "the number of times ill in the last 40 school days",
    "mental_health_days": "the number of mental-health days this year",
    "same_period_missed_last_20": "the number of times the same class was missed in the last 20 school days",
    "core_marks_below": "the number of core courses below the mark",
    "care_transitions": "the number of returns from care, hospital or a placement",
    "days_not_arrived": "the number of school days enrolled without ever being present, before any that is not known",
}


def fact_words(fact: str) -> str:
    """What a fact counts, in words."""
    windowed, recent = WINDOWED.fullmatch(fact), RECENT_RATE.fullmatch(fact)
    if recent:
        last, usual, before = recent.groups()
        when = f"in the last {last} school days" if last else f"in the {usual} school days before the last {before}"
        return f"the share of days absent {when}"
    if fact in _FACT_WORDS or not windowed:
        return _FACT_WORDS.get(fact, fact.replace("_", " "))
    what = {
        "absent": "days absent",
        "excused": "excused days",
        "unexcused": "days without an excuse",
        "tardies": "days late",
    }
    return f"the number of {what.get(windowed[1], windowed[1])} in the last {windowed[2]} school days"
