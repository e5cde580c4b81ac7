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
        named = [f"“{label}” ({key})" for key, label in zip(others, rule.level_with_labels or others, strict=True)]
        said.append(f"and {LEVEL_WORDS[level]} from the day {' or '.join(named)} is met as well")
    counted = " In monitor mode: it is counted, opens nothing and moves no tier."
    return agreeing(", ".join(said) + ".") + (counted if rule.mode is Mode.MONITOR else "")


def _asks(rule: Rule) -> str:
    how = "at_least" if rule.at_least is not None else "more_than"
    return clause(rule.fact, HOW[how].format(bound_text(rule)), rule.share_of)


def _conditions(rule: Rule) -> list[str]:
    """What else is asked before the rule speaks."""
    since, until, absences = rule.from_member_day, rule.to_member_day, rule.at_least_absences
    said = {
        "for each month of school begun (20 days)": rule.for_each,
        f"with at least {days_text(absences or 0)} days absent": absences,
        f"once enrolled for {days_text(rule.after_days_enrolled or 0)} days": rule.after_days_enrolled,
        f"from their school day {since} on": since,
        f"up to their school day {until}": until,
        "for students in temporary living situations": rule.only_for == "stls",
        f"for students {rule.scope.words if rule.scope else ''}": rule.scope,
        "unless somebody has reached the family since the run began": rule.unless,
    }
    return [words for words, asked in said.items() if asked]


HOW = {"at_least": "{} or more", "more_than": "more than {}", "at_most": "at most {}", "below": "under {}"}


def line_words(line: Line) -> str:
    """A further fact and where it counts."""
    return clause(line.fact, HOW[line.how].format(_bound_words(line.fact, line.bound)))


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


# How each fact reads once somebody's number is in it; {} is an amount such as "3 or more" or "under 5%".
_CLAUSES = {
    "absence_rate": "absent {} of this year's days",
    "prior_year_rate": "absent {} of last year's days",
    "absent": "absent {} days this year",
    "absent_first_20": "absent {} of the first 20 school days",
    "unexcused_last_180": "there are {} days without an excuse in the last 180 attendance days",
    "streak": "absent {} full days in a row",
    "unexplained_run": "there are {} days in a row, missed by at least half, with no reason on record",
    "unexplained_streak": "absent {} full days in a row with no reason on record",
    "unexcused_streak": "absent {} full days in a row without an excuse",
    "returned_after": "back at school after {} full days absent in a row",
    "absent_in_pattern": "{} fall on one weekday, or beside weekends, holidays and short days",
    "absent_this_month": "absent {} days in this month of school",
    "attendance_days_180": "{} attendance days are on record, of the last 180",
    "days_on_plan": "a plan is {} school days old",
    "rate_since_plan": "the last 20 school days show {} of the absence before the plan",
    "illness_days_last_40": "ill on {} of the last 40 school days",
    "illness_spells_last_40": "ill {} times in the last 40 school days",
    "mental_health_days": "there are {} mental-health days this year",
    "same_period_missed_last_20": "the same class was missed {} times in the last 20 school days",
    "core_marks_below": "{} core courses are below the mark",
    "care_transitions": "there are {} returns from care, hospital or a placement",
    "days_not_arrived": "enrolled for {} school days that are known, and not seen yet",
}
_IN_WINDOW = {
    "absent": "absent {{}} of the last {days} school days",
    "excused": "there are {{}} excused days in the last {days} school days",
    "unexcused": "there are {{}} days without an excuse in the last {days} school days",
    "tardies": "late {{}} times in the last {days} school days",
}
_SHARED = {"absent": "this year's absences"}


def clause(fact: str, amount: str, share_of: str | None = None) -> str:
    """What has to be so, as the end of a sentence that begins with "when": absent 3 or more of the last 10 days.

    amount: with the number, such as `3 or more`. share_of: the fact of which the amount is a share.
    """
    of = f" of {_SHARED.get(share_of, _plain(share_of))}" if share_of else ""
    return _clause(fact).format(amount + of)


def _clause(fact: str) -> str:
    windowed, recent = WINDOWED.fullmatch(fact), RECENT_RATE.fullmatch(fact)
    if recent:
        last, usual, before = recent.groups()
        when = f"last {last} school days" if last else f"{usual} school days before the last {before}"
        return f"absent {{}} of the {when}"
    if fact in _CLAUSES or not windowed:
        return _CLAUSES.get(fact, f"{_plain(fact)}: {{}}")
    return _IN_WINDOW.get(windowed[1], f"{_plain(windowed[1])} {{{{}}}} in the last {{days}}").format(days=windowed[2])


def _plain(fact: str) -> str:
    return fact.replace("_", " ")
