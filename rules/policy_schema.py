"""What may stand in a policy file, key by key; a wrong one is refused with the place and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any

from rules.facts import NAMES, WINDOWED
from rules.policy_file import Entry, count, dated, list_of, mils, one_of, rate, read_keys, text
from rules.policy_groups import FOR, check_groups, for_groups, ladders, read_groups
from rules.scopes import read_scope
from rules.statutes import states

Reader = Callable[[Entry], Any]

RATES = ("absence_rate", "prior_year_rate", "rate_since_plan")
RECENT_RATE = re.compile(r"absence_rate_last_([1-9]\d{0,2})|absence_rate_([1-9]\d?)_before_last_([1-9]\d?)")
COUNTS = (
    "member_days", "tardies", "missing_days", "unknown_days", "streak", "days_not_arrived", "months_started",
    "attendance_days_180", "unexplained_run", "unexplained_streak", "unexcused_streak", "returned_after",
    "days_on_plan",
)  # fmt: skip
NOT_COMPARED = (
    "present_ever", "streak_start", "due_days", "unknown_codes", "undecided", "pattern", "plan_changed",
    "absent_at_plan", "enrolled_at_plan",
)  # fmt: skip
# What other feeds tell of a student, counted; without the feed a rule on it never fires.
OUTSIDE = {
    "same_period_missed_last_20": "absence by class section",
    "core_marks_below": "course marks",
    "care_transitions": "care transitions",
    "illness_days_last_40": "reasons of absences",
    "illness_spells_last_40": "reasons of absences",
    "mental_health_days": "reasons of absences",
}
FED_BY_REASONS = ("illness_days_last_40", "illness_spells_last_40", "mental_health_days")
OF_A_PLAN = ("days_on_plan", "rate_since_plan")
REASONS = ("illness", "mental_health")
FACTS = (*RATES, *(name for name in NAMES if name not in NOT_COMPARED), *OUTSIDE)
DECIDED_BY = {
    "day_ledger": "which school days have come in",
    "contact_log": "what came of attempts to reach the family",
}
WORDS = (
    "value", "bound", "level", "absent", "enrolled", "rate", "after", "member_days", "months", "window",
    "incomplete", "since", "prior_absent", "prior_enrolled", "prior_rate", "pattern", "usual",
    "recent_rate", "plan_rate",
)  # fmt: skip
RULE_KEY = re.compile(r"R\d\d|[A-Z]{2,12}\d{0,3}")
LEVELS = ("watch", "2", "3", "task", "case", "file")
CLEARS = {
    "watch": ("watch_exit",), "2": ("tier_exit",), "3": ("tier_exit",),
    "task": ("owner", "unmet", "plan"), "case": ("owner", "unmet"), "file": ("unmet",),
}  # fmt: skip
RESERVED = ("BAND", "R07", "R08")


def is_count(fact: str) -> bool:
    """True when the fact is counted in whole days or times, not weighed in thousandths."""
    return fact in COUNTS or fact in OUTSIDE or fact.startswith("tardies_last_")


def is_rate(fact: str) -> bool:
    """True when the fact is a share of days."""
    return fact in RATES or RECENT_RATE.fullmatch(fact) is not None


def _fact(entry: Entry) -> str:
    if isinstance(entry.value, str) and (WINDOWED.fullmatch(entry.value) or is_rate(entry.value)):
        return entry.value
    return one_of((*FACTS, "absent_last_N", "unexcused_last_N", "absence_rate_last_N"))(entry)


def _amount(fact: str) -> Reader:
    """The reader of a bound on this fact."""
    return dated(rate if is_rate(fact) else count if is_count(fact) else mils)


def _lines(entry: Entry) -> dict[str, Any]:
    """{fact: {at_least: {2000-01-01: 3}}}: further facts, each with one bound."""
    found = {}
    for key, line in entry.mapping().items():
        fact = _fact(Entry(key, line.file, line.line, line.key))
        found[fact] = read_keys(line, dict.fromkeys(BOUNDS, _amount(fact)), ())
        if len(found[fact]) != 1:
            raise line.wrong(f"exactly one bound is needed: {', '.join(BOUNDS)}")
    return found


def _sentence(entry: Entry) -> str:
    sentence = text(entry)
    try:
        used = {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}
    except ValueError as error:
        raise entry.wrong(f"this sentence cannot be filled in ({error})") from error
    if unknown := used - set(WORDS):
        raise entry.wrong(f"{{{sorted(unknown)[0]}}} is not known here; allowed: {', '.join(WORDS)}")
    return sentence


_LINES = ("watch", "tier_2", "tier_3")
_LINE: dict[str, Reader] = {
    "label": text, "at_least": dated(rate), "at_least_absences": dated(mils),
    "after_days_enrolled": dated(mils), "reference": text, "sentence": _sentence,
}  # fmt: skip
_COUNTED = ("at_least_absences", "after_days_enrolled", "from_member_day", "to_member_day")
_LINE[FOR] = for_groups({name: _LINE[name] for name in ("at_least", "at_least_absences", "after_days_enrolled")})
_LINE_NEEDS = ("label", "at_least", "sentence")
BOUNDS = ("at_least", "more_than", "at_most", "below")
_RULE: dict[str, Reader] = {
    "label": text, "fact": _fact, "for_each": one_of(("months_started",)), "at_least_absences": dated(mils),
    "share_of": one_of(("absent",)), "also": _lines, "either": _lines,
    "after_days_enrolled": dated(mils), "from_member_day": dated(count), "to_member_day": dated(count),
    "only_for": one_of(("stls",)), "unless": one_of(("contact_since_streak",)), "level": one_of(LEVELS),
    "clears": one_of(("watch_exit", "tier_exit", "owner", "unmet", "plan")), "open_for_days": count,
    "restricted": one_of(("stls", "health", "counseling")), "reference": text, "sentence": _sentence,
    "scope": read_scope, "mode": dated(one_of(("active", "monitor"))),
}  # fmt: skip
_RULE_NEEDS = ("label", "fact", "level", "clears", "sentence")
_ELSEWHERE: dict[str, Reader] = {
    "label": text, "decided_by": one_of(DECIDED_BY), "level": one_of(("task",)), "reference": text, "sentence": text,
}  # fmt: skip
_BOUNDS = ("at_least", "more_than")
_LEVEL_WITH: dict[str, Reader] = {"rules": list_of(text), "level": one_of(("2", "3"))}
_WATCH_EXIT: dict[str, Reader] = {
    "at_most_absences": dated(mils), "in_last_days": count, "after_days_in_tier": dated(count),
    "after_days_stepped_down": dated(count),
}  # fmt: skip
_TIER_EXIT: dict[str, Reader] = {
    "rate_below": dated(rate), "in_last_days": count, "after_days_in_tier": dated(count),
    "open_case": one_of(("stays", "leaves_when_owned", "leaves")),
}  # fmt: skip
_WATCH_EXIT_NEEDS, _TIER_EXIT_NEEDS = tuple(_WATCH_EXIT), tuple(_TIER_EXIT)
_WATCH_EXIT[FOR] = for_groups({name: _WATCH_EXIT[name] for name in _WATCH_EXIT if name != "in_last_days"})
_TIER_EXIT[FOR] = for_groups({name: _TIER_EXIT[name] for name in ("rate_below", "after_days_in_tier")})
_EXITS: dict[str, Reader] = {
    "watch": lambda entry: read_keys(entry, _WATCH_EXIT, _WATCH_EXIT_NEEDS),
    "tier_2": lambda entry: read_keys(entry, _TIER_EXIT, _TIER_EXIT_NEEDS),
    "tier_3": lambda entry: read_keys(entry, _TIER_EXIT, _TIER_EXIT_NEEDS),
    "early_margin": dated(rate), "again_after_absences": dated(mils), "rest_days": dated(count),
}  # fmt: skip


_NOT_GIVEN: dict[str, Any] = {
    "rules": {}, "exits": None, "no_show_exit_codes": (), "statutes": (), "groups": {}, "absence_reasons": {},
}  # fmt: skip


def checked(root: Entry) -> dict[str, Any]:
    """The content of a policy, every value checked and still dated; PolicyError at the first wrong one."""
    content = read_keys(root, _TOP, ("name", "label", "moves", "bands"))
    content = _NOT_GIVEN | content
    check_groups(root, tuple(content["groups"]))
    if content["moves"] == "replay" and not content["exits"]:
        raise root.wrong("with moves: replay the section exits is needed; a tier must have a way down")
    _check_ladder(root, content)
    return content


def _bands(entry: Entry) -> dict[str, Any]:
    return read_keys(entry, dict.fromkeys(_LINES, lambda line: read_keys(line, _LINE, _LINE_NEEDS)), ())


def _rules(entry: Entry) -> dict[str, Any]:
    keys = entry.mapping()
    for key, rule in keys.items():
        if not isinstance(key, str) or not RULE_KEY.fullmatch(key) or key in RESERVED:
            raise rule.wrong("a rule key is R and two digits, or capitals; R07, R08 and BAND stand under bands")
    return {key: _rule(rule, tuple(keys)) for key, rule in keys.items()}


def _rule(entry: Entry, keys: tuple[str, ...]) -> dict[str, Any]:
    given = entry.mapping()
    if "decided_by" in given:
        return read_keys(entry, _ELSEWHERE, ("label", "level", "sentence"))
    bound = dated(rate) if "share_of" in given else _amount(_fact(given["fact"]) if "fact" in given else "")
    level_with = _read_level_with(keys)
    others = {name: _RULE[name] for name in _COUNTED} | {name: bound for name in _BOUNDS if name in entry.mapping()}
    more = {"level_with": level_with, FOR: for_groups(others)}
    rule = read_keys(entry, _RULE | dict.fromkeys(_BOUNDS, bound) | more, _RULE_NEEDS)
    if sum(name in rule for name in _BOUNDS) != 1:
        raise entry.wrong("exactly one bound is needed: at_least (inclusive) or more_than")
    if rule["clears"] not in CLEARS[rule["level"]]:
        allowed = ", ".join(CLEARS[rule["level"]])
        raise given["clears"].wrong(f"at level {rule['level']} a finding clears by: {allowed}")
    return rule


def _read_level_with(keys: tuple[str, ...]) -> Reader:
    def reader(entry: Entry) -> dict[str, Any]:
        raised = read_keys(entry, _LEVEL_WITH, tuple(_LEVEL_WITH))
        for key in raised["rules"]:
            if key not in keys:
                raise entry.wrong(f"{key} is not a rule of this policy; allowed: {', '.join(keys)}")
        return raised

    return reader


def _check_ladder(root: Entry, content: Mapping[str, Any]) -> None:
    """On every day a higher band begins at a higher rate, for everybody."""
    lines = [content["bands"][name] for name in _LINES if name in content["bands"]]
    for day, whose, steps in ladders(lines, tuple(content["groups"].values())):
        if any(low >= high for low, high in zip(steps, steps[1:], strict=False)):
            of = f" for {whose}" if whose else ""
            raise root.mapping()["bands"].wrong(f"on {day} the bands do not rise{of}: watch, tier_2, tier_3 must")


_TOP: dict[str, Reader] = {
    "name": text, "label": text, "moves": one_of(("replay", "bands")), "no_show_exit_codes": list_of(text),
    "statutes": list_of(one_of(states())), "groups": read_groups,
    "absence_reasons": lambda entry: read_keys(entry, dict.fromkeys(REASONS, list_of(text)), ()),
    "bands": _bands, "rules": _rules, "exits": lambda entry: read_keys(entry, _EXITS, tuple(_EXITS)),
}  # fmt: skip
