"""The days of a cluster as they are known now: how many of the group were away, and how many others tell to expect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from rules.chances import tail
from rules.cluster_sums import BUILDING, FEWEST_SCHOOLS, Panel, Sums, likelihood, spread_of, sums, window_of
from rules.clusters import WEEKDAY, Tuning, tuning


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a group: how many were away, how many are expected by the others of that day, of how many."""

    day: date
    observed: int
    expected: float
    members: int
    chance: float


def told(panel: Panel, kind: str, group: int, since: date, limits: Tuning | None = None) -> tuple[Day, ...]:
    """Every day of a group from `since` on, by what is known now, against the days before; empty where too few are."""
    limits = limits or tuning()
    before = next((place for place, day in enumerate(panel.days) if day >= since), len(panel.days))
    if before < limits.least_before or kind == WEEKDAY:
        return ()
    codes = panel.codes(kind)
    if not (codes == group).any():
        return ()
    if kind != BUILDING:  # its school is all that it is compared with
        panel = panel.of(panel.school == panel.school[codes == group][0])
        names, inside = np.unique(panel.codes(kind), return_inverse=True)
        numbered = np.where(names[inside] >= 0, inside - int(names[0] < 0), -1)
        group = int(np.searchsorted(names[names >= 0], group))
        panel = replace(panel, school=np.zeros(len(inside), np.int64), groups={kind: numbered.astype(np.int64)})
    held = sums(panel, likelihood(panel, before), kind)
    spread, days = spread_of(held, before, 1), []
    for place in range(before, len(panel.days)):
        if not held.here[group, place]:
            continue
        away, whole, mean, expected = (column[group] for column in window_of(held, place, place + 1))
        chance = tail(int(away), int(whole), mean / whole, spread[group]) if whole else 1.0
        seen = int(away), float(expected), int(held.here[group, place]), chance
        days.append(Day(panel.days[place], *seen))
    return tuple(days)


def all_buildings(panel: Panel) -> Sums:
    """The sums of every building by all days, for `weekday_days` of any of them."""
    return sums(panel, likelihood(panel, len(panel.days)), BUILDING)


def weekday_days(panel: Panel, held: Sums, school: int, weekday: int, since: date) -> tuple[Day, ...]:
    """The same weekdays of a school from a day on; expected by its other days and by the district's weekdays."""
    enough = (held.here > 0).sum(axis=0) >= FEWEST_SCHOOLS
    usual = np.where(enough, held.away.sum(axis=0) / np.maximum(held.expected.sum(axis=0), 1e-9), 1.0)
    expected, away = (held.expected * usual)[school], held.away[school]
    same = np.array([day.weekday() == weekday for day in panel.days])
    level = away[~same].sum() / max(expected[~same].sum(), 1e-9)
    return tuple(
        Day(panel.days[at], int(away[at]), float(expected[at] * level), int(held.here[school, at]), 1.0)
        for at in np.flatnonzero(same)
        if panel.days[at] >= since and held.here[school, at]
    )
