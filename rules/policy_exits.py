"""Whether the ways down of a policy let a tier rest: no tier goes down and up again within ten school days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from rules.counting import many
from rules.policy_file import Entry
from rules.policy_groups import FOR
from rules.policy_stages import on, place, stages

REST = 10  # school days that a tier stands at least, and rests after a step down
YEAR = 366  # days; a student has no more of them in a year
AGAIN = 1_000  # thousandths of a day absent before a rule that is still met starts again


def check_exits(entry: Entry, content: Mapping[str, Any]) -> None:
    """PolicyError at the first way down that lets a tier go up and down, or that nobody can ever take."""
    exits = content["exits"]
    _at_least(entry, exits, "rest_days", REST, many(REST, "school day"))
    _at_least(entry, exits, "again_after_absences", AGAIN, "1 day absent")
    ways = entry.mapping()
    _check_watch(ways["watch"], exits["watch"])
    for name in ("tier_2", "tier_3"):
        _at_least(ways[name], exits[name], "after_days_in_tier", REST, many(REST, "school day"))
        _check_days(ways[name].mapping()["in_last_days"])
        _check_rates(ways, name, content)


def _at_least(entry: Entry, values: Mapping[str, Any], name: str, least: int, words: str) -> None:
    unit = AGAIN if name == "again_after_absences" else 1
    for _, group, now in stages({name: values[name], FOR: _only(values, name)}):
        if now[name] < least:
            raise place(entry, name, group).wrong(f"a tier would go down and up again; allowed: {words} or more")
        if now[name] > YEAR * unit:
            raise place(entry, name, group).wrong(f"a tier would never move again; allowed: {words} to {YEAR}")


def _check_days(entry: Entry) -> None:
    """A way down looks at some days, and at no more than a year has."""
    if not 1 <= entry.value <= YEAR:
        none = "no day would be looked at" if entry.value < 1 else "nobody has so many days in a year"
        raise entry.wrong(f"{none}; allowed: 1 or more, up to {YEAR}")


def _only(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {group: {name: own[name]} for group, own in values.get(FOR, {}).items() if name in own}


def _check_watch(entry: Entry, way: Mapping[str, Any]) -> None:
    days = way["in_last_days"]
    _check_days(entry.mapping()["in_last_days"])
    for _, group, now in stages(way):
        if now["at_most_absences"] >= days * 1000:
            told = f"everybody would leave; allowed: less than {days} days"
            raise place(entry, "at_most_absences", group).wrong(told)
        if now["after_days_in_tier"] < 1:
            raise place(entry, "after_days_in_tier", group).wrong("watch would be left on its day; allowed: 1 or more")


def _check_rates(ways: Mapping[Any, Entry], name: str, content: Mapping[str, Any]) -> None:
    """A tier is left under the rate at which it begins; while the year is young under a lower one, yet not under 0."""
    exits, line = content["exits"], content["bands"].get(name)
    for day, group in _days(content, name):
        leaves = on(exits[name], day, group)["rate_below"]
        if line is not None and leaves > (begins := on(line, day, group)["at_least"]):
            told = f"the tier would be left above the line at which it begins; allowed: up to {_share(begins)}"
            raise place(ways[name], "rate_below", group).wrong(told)
        if exits["early_margin"].on(day) >= leaves:
            told = f"nobody could leave {name} while the year is young; allowed: less than {_share(leaves)}"
            raise ways["early_margin"].wrong(told)


def _days(content: Mapping[str, Any], name: str) -> Iterator[tuple[dt.date, str]]:
    """(day, group) of everything that may change the way down or the line of a tier."""
    parts = (content["exits"][name], content["bands"].get(name, {}), {"early_margin": content["exits"]["early_margin"]})
    days = {day for part in parts for day, _, _ in stages(part)}
    groups = {group for part in parts[:2] for group in part.get(FOR, {})}
    yield from ((day, group) for day in sorted(days) for group in ("", *sorted(groups)))


def _share(rate: Any) -> str:
    return f"{float(rate):g}"
