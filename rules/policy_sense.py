"""Whether a policy makes sense as a whole: bounds that can be met and need not be, ways down that let a tier rest."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from rules.audiences import Audience
from rules.policy_compartments import check_compartments
from rules.policy_exits import check_exits
from rules.policy_file import Entry
from rules.policy_schema import is_count, is_rate
from rules.policy_stages import place, stages
from rules.policy_wording import check_wording
from rules.routing_table import Opens, routing_table
from rules.scopes import Scope

YEAR = 366  # days; no count of a student's days in a year goes over it
SPAN = re.compile(r"_(?:last|first)_(\d+)")
BOUNDS = ("at_least", "more_than", "at_most", "below")
TIERS = ("watch", "2", "3")
TIER_NAMES = {"tier_2": "Tier 2", "tier_3": "Tier 3"}
LATE = 180  # school days
CASES = ("2", "3", "case")  # levels at which somebody has to lead a case


def check_sense(root: Entry, content: Mapping[str, Any]) -> None:
    """PolicyError, with file, line, key and what is allowed, at the first part that cannot be meant.

    `content`: what policy_schema.checked made of `root`.
    """
    sections = root.mapping()
    rules = sections["rules"].mapping() if content["rules"] else {}
    check_wording(root)
    check_compartments(rules)
    for key, entry in rules.items():
        _check_asked(key, entry, content["rules"][key])
        _check_rule(entry, content["rules"][key])
    for key, line in content["bands"].items():
        _check_bounds(sections["bands"].mapping()[key], {"fact": "absence_rate"} | line)
    _check_groups(root, content["groups"].values())
    _check_lists(root, content)
    if content["exits"]:
        check_exits(sections["exits"], content)


# -- rules -----------------------------------------------------------------------------------------------------------


def _check_asked(key: str, entry: Entry, rule: Mapping[str, Any]) -> None:
    """Somebody is asked for what the rule finds; one that is only counted, or kept on record, asks nobody."""
    mode = rule.get("mode")
    counted = mode is not None and all(value == "monitor" for _, value in mode.values)
    if counted or rule["level"] == "file":
        return
    table = routing_table().rules
    if key not in table:
        raise entry.wrong(
            f"nobody would be asked: routing.yaml has no row {key}; allowed: {', '.join(sorted(table))}, "
            f"or any key with level: file, or with mode: {{2000-01-01: monitor}}"
        )
    opening = sorted(one for one, route in table.items() if route.opens is Opens.CASE)
    if rule["level"] in CASES and key not in opening:
        raise entry.mapping()["level"].wrong(
            f"nobody would lead the case: routing.yaml opens none for {key}; allowed: watch, task, file, "
            f"or one of the keys {', '.join(opening)}"
        )


def _check_rule(entry: Entry, rule: Mapping[str, Any]) -> None:
    if "decided_by" in rule:
        return
    raised = rule.get("level_with")
    if raised and (rule["level"] not in TIERS or TIERS.index(raised["level"]) <= TIERS.index(rule["level"])):
        above = ", ".join(TIERS[TIERS.index(rule["level"]) + 1 :]) if rule["level"] in TIERS else "none"
        raise entry.mapping()["level_with"].wrong(
            f"raises no tier above {rule['level']}; allowed as its level: {above}"
        )
    if raised and entry.key.endswith(tuple(f".{key}" for key in raised["rules"])):
        raise entry.mapping()["level_with"].wrong("it would always be met with itself; allowed: other rules")
    if "scope" in rule:
        _check_scope(entry.mapping()["scope"], rule["scope"])
    _check_bounds(entry, rule)
    for day, group, now in stages(rule):
        since, until, enrolled = (now.get(name) for name in ("from_member_day", "to_member_day", "after_days_enrolled"))
        if until is not None and since is not None and since > until:
            raise place(entry, "to_member_day", group).wrong(
                f"never met: it begins on day {since}; allowed: {since}-{YEAR}"
            )
        if until is not None and enrolled is not None and enrolled > until * 1000:
            raise place(entry, "to_member_day", group).wrong(
                f"never met: it begins after {enrolled // 1000} days enrolled; allowed: {enrolled // 1000}-{YEAR}"
            )
        _check_own_limit(entry, rule, day, now)


def _check_bounds(entry: Entry, rule: Mapping[str, Any]) -> None:
    """Each bound can be met, and is not met by everybody."""
    for _, group, now in stages(rule):
        for how in BOUNDS:
            if how in now:
                each = "for_each" in rule
                _check_bound(place(entry, how, group), how, now[how], rule["fact"], "share_of" in rule, each)
    for name in ("also", "either"):
        for fact, bounds in rule.get(name, {}).items():
            lines = entry.mapping()[name].mapping()[fact].mapping()
            for how, dated in bounds.items():
                for _, bound in dated.values:
                    _check_bound(lines[how], how, bound, fact)


def _check_bound(
    entry: Entry, how: str, bound: Fraction | int, fact: str, share: bool = False, each: bool = False
) -> None:
    most, inclusive = None if each else _most(fact, share), how in ("at_least", "below")
    too_low = inclusive and bound <= 0
    too_high = most is not None and (bound > most if inclusive else bound >= most)
    if not (too_low or too_high):
        return
    always = (how == "at_least" and too_low) or (how in ("at_most", "below") and too_high)
    told = "everybody would meet it" if always else "nobody can ever meet it"
    raise entry.wrong(f"{told}; allowed: {_allowed(fact, share, most, inclusive)}")


def _allowed(fact: str, share: bool, most: int | None, inclusive: bool) -> str:
    unit = 1 if share or is_rate(fact) or is_count(fact) else 1000
    limit = f"up to {most // unit}" if most is not None else "any amount"
    if inclusive:
        return f"more than 0, {limit}"
    return limit if most is None else f"{limit}, but less than that"


def _most(fact: str, share: bool) -> int | None:
    """The most that a fact can come to, in the unit of its bound; None where nothing limits it."""
    if fact == "rate_since_plan" and not share:
        return None
    if share or is_rate(fact):
        return 1
    span = SPAN.search(fact)
    days = int(span[1]) if span else YEAR
    return days if is_count(fact) else days * 1000


def _check_own_limit(entry: Entry, rule: Mapping[str, Any], day: dt.date, now: Mapping[str, Any]) -> None:
    """What has to hold as well of the same fact leaves something over."""
    limits = rule.get("also", {}).get(rule["fact"], {})
    if {"either", "share_of", "for_each"} & rule.keys():
        return
    low = now.get("at_least", now.get("more_than"))
    for how, dated in limits.items():
        high = dated.on(day)
        meets = low <= high if how == "at_most" and "at_least" in now else low < high
        if how in ("at_most", "below") and not meets:
            line = entry.mapping()["also"].mapping()[rule["fact"]].mapping()[how]
            start = "at least" if "at_least" in now else "more than"
            raise line.wrong(
                f"nobody can ever meet it: the rule asks for {start} what this line rules out; allowed: more"
            )


# -- whom it speaks of, and how ----------------------------------------------------------------------------------------


def _check_groups(root: Entry, groups: Iterable[Audience]) -> None:
    for group in groups:
        _check_scope(root.mapping()["groups"].mapping()[group.key], group.scope)


def _check_scope(entry: Entry, scope: Scope) -> None:
    """Somebody is in it."""
    given = entry.mapping()
    if scope.from_age is not None and scope.below_age is not None and scope.from_age >= scope.below_age:
        raise given["below_age"].wrong(f"nobody is meant: from {scope.from_age}; allowed: {scope.from_age + 1} or more")
    for name in ("grades", "schools"):
        some, without = getattr(scope, name), getattr(scope, f"not_{name}")
        if some and not set(some) - set(without):
            raise given[f"not_{name}"].wrong(f"nobody is meant: all of {name} are left out again; allowed: others")


def _check_lists(root: Entry, content: Mapping[str, Any]) -> None:
    for name in ("statutes", "no_show_exit_codes"):
        given = content[name]
        if twice := [one for one in given if given.count(one) > 1]:
            raise root.mapping()[name].wrong(f"{twice[0]} stands twice; allowed: each once")
    reasons = content["absence_reasons"]
    named: dict[str, str] = {}
    for kind, words in reasons.items():
        for word in words:
            before = named.setdefault(word.strip().casefold(), kind)
            if before != kind:
                raise (
                    root.mapping()["absence_reasons"]
                    .mapping()[kind]
                    .wrong(f"{word} is the word of {before} as well; allowed: words of {kind} alone")
                )


def notices(root: Entry, shipped: Entry) -> Iterator[str]:
    """What is allowed and may still not be meant, in sentences: beside the shipped policy `shipped`."""
    mine, theirs = (entry.mapping().get("rules") for entry in (root, shipped))
    own, given = (entry.mapping() if entry is not None and entry.value else {} for entry in (mine, theirs))
    if missing := [key for key in given if key not in own]:
        named = ", ".join(f"{key} ({given[key].mapping()['label'].value})" for key in missing)
        yield f"Rules of the shipped policy that this one leaves out: {named}."
    if lines := [name for name in TIER_NAMES if name not in root.mapping()["bands"].mapping()]:
        yield f"No share of days missed leads to {' or '.join(TIER_NAMES[name] for name in lines)} by itself."
    yield from _late(root)
    for key, rule in own.items():
        before = given[key].mapping().get("reference") if key in given else None
        source = rule.mapping().get("reference")
        changed = [name for name in BOUNDS if before is not None and _value(rule, name) != _value(given[key], name)]
        if source is not None and before is not None and source.value == before.value and changed:
            yield f"{key} still names {source.value} as its source, and begins at another line than the shipped rule."


def _late(root: Entry) -> Iterator[str]:
    """Where something begins on a school day that few years have."""
    for section in ("bands", "rules"):
        for key, part in (root.mapping()[section].value or {}).items() if section in root.mapping() else ():
            for name in ("from_member_day", "after_days_enrolled"):
                given = part.mapping().get(name)
                days = [one.value for one in (given.value or {}).values()] if given is not None else []
                if late := [day for day in days if day > LATE]:
                    yield f"{key} waits for {late[0]} school days; a school year has about {LATE}."


def _value(rule: Entry, name: str) -> Any:
    entry = rule.mapping().get(name)
    return None if entry is None else entry.plain()
