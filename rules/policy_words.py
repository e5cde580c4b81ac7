"""A policy in plain words, for people who never saw its file: each rule by where it leads and by who has to act."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from rules.audiences import forms
from rules.counting import agreeing, many
from rules.policy import BAND, Exits, Level, Mode, PolicyInForce, Rule, TierExit, WatchExit
from rules.policy_schema import OUTSIDE
from rules.roles import role
from rules.routing_table import CASE_OWNER, Due, Opens, Route, Seat, routing_table
from rules.sentences import describe, describe_each
from rules.tiers import days_text

# In the order in which a page tells them: the most support first.
WHERE = {
    Level.THREE: "Tier 3: the most support",
    Level.TWO: "Tier 2: a plan with the family",
    Level.WATCH: "Watch: a look, before it adds up",
    Level.CASE: "A case without a tier",
    Level.TASK: "A task, and no more",
    Level.FILE: "On record, and nobody is asked",
}
# What a rule looks at that not every district sends: by its fact, or by whom it speaks of.
INPUTS = {
    "prior_year_rate": "last year's days of each student",
    "stls": "who lives in a temporary living situation",
} | OUTSIDE
_OPEN_CASE = {
    "stays": "An open case holds the tier until a person closes it.",
    "leaves_when_owned": "An open case holds the tier until somebody by name looks after the barrier.",
    "leaves": "An open case does not hold the tier.",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One rule in words. `who` and `due` are empty where nobody is asked."""

    key: str
    label: str
    asks: str
    others: tuple[str, ...]  # what it asks for groups with bounds of their own
    who: str
    instead: str  # who is asked when nobody holds the role
    due: str
    steps: tuple[str, ...]
    reference: str
    needs: str | None  # a key of INPUTS


@dataclass(frozen=True, slots=True)
class Group:
    """The rules that lead to one tier, or to a task or case without one."""

    level: Level
    title: str
    rules: tuple[Told, ...]


def groups(policy: PolicyInForce) -> tuple[Group, ...]:
    """Every rule in words by where it leads, the most support first."""
    found: dict[Level, list[Told]] = defaultdict(list)
    for rule in policy.rules:
        found[rule.level].append(told(rule))
    return tuple(Group(level, title, tuple(found[level])) for level, title in WHERE.items() if found[level])


def told(rule: Rule) -> Told:
    """One rule in words."""
    route = routing_table().rules.get(rule.key)
    asked = route is not None and route.opens is not Opens.FILE and rule.mode is Mode.ACTIVE
    asks = route if asked else None
    return Told(
        key="" if rule.key == BAND else rule.key,
        label=rule.label,
        asks=describe(rule),
        others=tuple(describe_each(rule)[1:]),
        who=_seat(asks.seat) if asks else "",
        instead=", then ".join(_inside(_seat(seat)) for seat in asks.fallback) if asks else "",
        due=due_words(asks.due) if asks else "",
        steps=tuple(dict.fromkeys(task.title for task in asks.tasks)) if asks else (),
        reference=rule.reference,
        needs=needs(rule),
    )


def needs(rule: Rule) -> str | None:
    """The input without which a rule can never be met, as a key of INPUTS."""
    return next((key for key in (rule.fact, rule.only_for) if key in INPUTS), None)


def by_role(policy: PolicyInForce) -> tuple[tuple[str, tuple[tuple[Told, str], ...]], ...]:
    """(role, ((rule, what is asked of that role), ...)): who has to act, and by which rules."""
    found: dict[str, list[tuple[Told, str]]] = defaultdict(list)
    for rule in policy.rules:
        route = routing_table().rules.get(rule.key)
        if route is None or route.opens is Opens.FILE:
            continue
        for seat, asked in _asked(route).items():
            found[_seat(seat)].append((told(rule), asked))
    return tuple((who, tuple(rows)) for who, rows in sorted(found.items()))


def ways_down(policy: PolicyInForce) -> tuple[tuple[str, str], ...]:
    """(tier, how it is left again); for a policy by bands alone one line."""
    if policy.exits is None:
        return (("Every tier", "A tier is left on the day its line is no longer met."),)
    down = [
        *_named("Tier 3", "To Tier 2", [(way.whose, _tier_exit(way)) for way in forms(policy.exits.tier_3)]),
        *_named("Tier 2", "To Watch", [(way.whose, _tier_exit(way)) for way in forms(policy.exits.tier_2)]),
        *_named("Watch", "To Tier 1", [(way.whose, _watch_exit(way)) for way in forms(policy.exits.watch)]),
    ]
    return (*down, ("After every step", " ".join(_after_a_step(policy.exits))))


def decides(rule: Rule) -> bool:
    """Whether a rule decides who is offered support: not a line of the watch band, and not only kept on record."""
    return rule.key != BAND and rule.level is not Level.FILE and rule.mode is Mode.ACTIVE and rule.decided_by is None


def due_words(due: Due) -> str:
    """first contact within 3 school days, plan within 10."""
    named = (("first contact", due.contact), ("plan", due.plan), ("visit", due.visit))
    within = {
        what: "the same day" if days == 0 else f"within {many(days, 'school day')}"
        for what, days in named
        if days is not None
    }
    return ", ".join(f"{what} {when}" for what, when in within.items())


def _named(tier: str, to: str, told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"{tier}, for {whose}" if whose else tier, f"{to}: {words}") for whose, words in told]


def _after_a_step(exits: Exits) -> Iterator[str]:
    again = days_text(exits.again_after_absences)
    yield f"The tier rests {many(exits.rest_days, 'school day')}."
    yield agreeing(f"A rule that is still met starts again after {again} more days absent.")
    if exits.early_margin:
        line, lower = exits.tier_2.rate_below, exits.tier_2.rate_below - exits.early_margin
        yield (
            f"Until so many days of a student are known, the line is {_percent(exits.early_margin)} lower: "
            f"Tier 2 is then left under {_percent(lower)}, not under {_percent(line)}."
        )


def _percent(share: Fraction) -> str:
    return f"{days_text(int(share * 100_000))}%"


def _watch_exit(way: WatchExit) -> str:
    few = agreeing(f"{days_text(way.at_most_absences)} days")
    return (
        f"at most {few} absent in the last {way.in_last_days}, after {way.after_days_in_tier} school days in it "
        f"({way.after_days_stepped_down} after a step down from Tier 2)."
    )


def _tier_exit(way: TierExit) -> str:
    rate = days_text(int(way.rate_below * 100_000))
    return (
        f"under {rate}% absent in the last {way.in_last_days} days, after {way.after_days_in_tier} school days in it. "
        f"{_OPEN_CASE[way.open_case]}"
    )


def _asked(route: Route) -> dict[Seat, str]:
    """What a rule asks of each role: its tasks, and the lead of the case."""
    found: dict[Seat, list[str]] = {route.seat: []}
    for task in route.tasks:
        found.setdefault(task.seat or route.seat, []).append(task.title)
    return {seat: "; ".join(titles) or "leads the case" for seat, titles in found.items()}


def _seat(seat: Seat) -> str:
    return "Owner of the case" if seat.role == CASE_OWNER else role(seat.role).label


def _inside(label: str) -> str:
    """A label inside a sentence: School counselor is school counselor, STLS liaison stays."""
    return label if label[1:2].isupper() else label[0].lower() + label[1:]
