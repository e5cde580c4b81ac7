"""Groups of a policy file, and the bounds that hold for them instead of everybody's."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any

from rules.audiences import Audience
from rules.policy_file import Entry, later, text
from rules.scopes import read_scope

FOR = "for"
GROUP_KEY = re.compile(r"[a-z][a-z0-9_]*")
Reader = Callable[[Entry], Any]


def read_groups(entry: Entry) -> dict[str, Audience]:
    """{early_grades: {label: the early grades, grades: [K-3]}}: in their order, of which the last that fits holds."""
    return {key: _group(key, group) for key, group in entry.mapping().items()}


def _group(key: Any, entry: Entry) -> Audience:
    if not isinstance(key, str) or not GROUP_KEY.fullmatch(key):
        raise entry.wrong(
            f"{key!s} cannot be the name of a group; small letters, digits and _ can, such as early_grades"
        )
    scope = read_scope(entry, label=text)
    label = entry.mapping().get("label")
    if label is None:
        raise entry.wrong("label is missing: what sentences call the group, such as 'the early grades'")
    return Audience(key, text(label), scope)


def for_groups(bounds: Mapping[str, Reader]) -> Reader:
    """Reads {early_grades: {at_least: {2026-08-24: 0.08}}}. Before the first date everybody's bound holds for them."""

    def reader(entry: Entry) -> dict[str, dict[str, Any]]:
        return {group: _bounds(values, bounds) for group, values in entry.mapping().items()}

    return reader


def _bounds(entry: Entry, bounds: Mapping[str, Reader]) -> dict[str, Any]:
    given = entry.mapping()
    for name, value in given.items():
        if name not in bounds:
            raise value.wrong(f"{name} cannot differ for a group here; allowed: {', '.join(bounds)}")
    if not given:
        raise entry.wrong(f"what holds for this group is missing; allowed: {', '.join(bounds)}")
    return {name: later(bounds[name])(value) for name, value in given.items()}


def check_groups(root: Entry, names: Sequence[str]) -> None:
    """PolicyError where something is said of a group that the file does not have."""
    sections = [root.mapping()[name] for name in ("bands", "rules", "exits") if name in root.mapping()]
    for section in sections:
        for form in section.value.values() if isinstance(section.value, dict) else ():
            said = form.value.get(FOR) if isinstance(form.value, dict) else None
            for group, entry in said.mapping().items() if isinstance(said, Entry) else ():
                if group not in names:
                    allowed = ", ".join(names) or "none, as the section groups is missing"
                    raise entry.wrong(f"{group!s} is no group of this policy; allowed: {allowed}")


def ladders(
    lines: Sequence[dict[str, Any]], groups: Sequence[Audience]
) -> Iterator[tuple[dt.date, str, list[Fraction]]]:
    """(day, whose, rates of the bands) for who is in no group, in one or in two: on more no two bands depend."""
    others = [other["at_least"] for line in lines for other in line.get(FOR, {}).values() if "at_least" in other]
    days = {day for rates in (*(line["at_least"] for line in lines), *others) for day, _ in rates.values}
    pairs = [pair for pair in combinations(groups, 2) if pair[0].scope.may_meet(pair[1].scope)]
    for day in sorted(days):
        for chosen in ((), *((group,) for group in groups), *pairs):
            steps = [_rate(line, chosen, day) for line in lines]
            yield day, " and ".join(group.label for group in chosen), steps


def _rate(line: dict[str, Any], chosen: Sequence[Audience], day: dt.date) -> Fraction:
    rate: Fraction = line["at_least"].on(day)
    for group in chosen:
        said = line.get(FOR, {}).get(group.key, {})
        if any(value.begun(day) for value in said.values()):
            own = said.get("at_least")
            rate = own.on(day) if own is not None and own.begun(day) else line["at_least"].on(day)
    return rate
