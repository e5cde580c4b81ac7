"""The forms that a part of a policy has, day by day: everybody's, and those of groups with bounds of their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from rules.policy_file import Dated, Entry
from rules.policy_groups import FOR


def stages(values: Mapping[str, Any]) -> Iterator[tuple[dt.date, str, dict[str, Any]]]:
    """(day, group, plain values) of everybody's form ('') and of each group's, on each day on which one changes."""
    said = values.get(FOR, {})
    lines = [bounds for name in ("also", "either") for bounds in values.get(name, {}).values()]
    changing = [one for part in (values, *lines, *said.values()) for one in part.values() if isinstance(one, Dated)]
    for day in sorted({day for one in changing for day, _ in one.values}):
        everybody = on(values, day)
        yield day, "", everybody
        for group, own in said.items():
            if begun := {name: one.on(day) for name, one in own.items() if one.begun(day)}:
                yield day, group, everybody | begun


def on(values: Mapping[str, Any], day: dt.date, group: str = "") -> dict[str, Any]:
    """The plain values of one form on one day; a group without bounds of its own has everybody's."""
    own = {name: one for name, one in values.get(FOR, {}).get(group, {}).items() if one.begun(day)}
    return {name: one.on(day) if isinstance(one, Dated) else one for name, one in (dict(values) | own).items()}


def place(entry: Entry, name: str, group: str = "") -> Entry:
    """Where a value of a form is written; the part itself where it is not."""
    given = entry.mapping()
    if group and name in (own := given[FOR].mapping().get(group, entry).mapping()):
        return own[name]
    return given.get(name, entry)
