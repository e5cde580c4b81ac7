"""No policy opens a compartment: what only a few may know leads to a task for them, and to nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rules.policy_file import Entry
from rules.roles import FieldClass
from rules.routing_table import routing_table

# What a rule may look at, or speak of, that is kept in a compartment.
KEPT_IN = {
    "stls": FieldClass.STLS,
    "illness_days_last_40": FieldClass.HEALTH,
    "illness_spells_last_40": FieldClass.HEALTH,
    "mental_health_days": FieldClass.COUNSELING,
}


def check_compartments(rules: Mapping[Any, Entry]) -> None:
    """PolicyError at the first rule of the file that would tell outside a compartment what is kept in it."""
    for key, rule in rules.items():
        _check_kept(rule)
        _check_asked(key, rule)
    kept = {key for key, rule in rules.items() if _plain(rule, "restricted")}
    for rule in rules.values():
        _check_raised(rule, kept)


def _check_kept(rule: Entry) -> None:
    """Whatever it looks at from a compartment, the rule is kept in the same one, and asks for a task alone."""
    restricted = _plain(rule, "restricted")
    place = rule.mapping().get("restricted", rule)
    for looked_at in _inputs(rule):
        needed = KEPT_IN.get(looked_at)
        if needed is not None and restricted != needed:
            raise place.wrong(
                f"{looked_at} is kept in a compartment, and so is every rule that looks at it; allowed here as "
                f"restricted: {needed}"
            )
    if restricted is None:
        return
    if (level := _plain(rule, "level")) != "task":
        raise rule.mapping()["level"].wrong(
            f"{level} would be seen outside the compartment {restricted}; allowed for a rule that is kept in one: task"
        )
    if "level_with" in rule.mapping():
        raise rule.mapping()["level_with"].wrong("a rule that is kept in a compartment raises no tier; take this away")


def _check_asked(key: Any, rule: Entry) -> None:
    """Those who are asked are those who may know: the routing table keeps the rule in the same compartment."""
    route = routing_table().rules.get(key)
    if route is not None and _plain(rule, "restricted") != route.restricted:
        whom = f"people of the compartment {route.restricted}" if route.restricted else "people outside compartments"
        allowed = route.restricted or "none; use one of " + ", ".join(_kept_by_routing())
        place = rule.mapping().get("restricted", rule)
        raise place.wrong(f"{key} asks {whom} for help, as routing.yaml says; allowed as restricted: {allowed}")


def _check_raised(rule: Entry, kept: set[Any]) -> None:
    """No tier outside tells that a rule inside was met."""
    raised = rule.mapping().get("level_with")
    for one in raised.mapping()["rules"].value if raised is not None else ():
        if one.value in kept:
            raise one.wrong(f"{one.value} is kept in a compartment; a tier that rises with it would tell of it")


def _inputs(rule: Entry) -> Iterator[str]:
    given = rule.mapping()
    yield from (str(given[name].value) for name in ("fact", "only_for") if name in given)
    for name in ("also", "either"):
        yield from map(str, given[name].mapping() if name in given and given[name].value else ())


def _plain(rule: Entry, name: str) -> Any:
    entry = rule.mapping().get(name)
    return None if entry is None else str(entry.value) if entry.value is not None else None


def _kept_by_routing() -> list[str]:
    return [key for key, route in routing_table().rules.items() if route.restricted]
