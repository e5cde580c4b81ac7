"""Absence that repeats: on one weekday, or beside weekends, holidays and short days.

Everything is counted from the student's own school days, in thousandths of a day. A day turns out to lie before a
break when the next school day comes, and is counted then; a Friday is known at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.daily import Daily, Ints

WEEK, WEEKDAYS, FRIDAY = 7, 5, 4
BESIDE_BREAKS = 7  # stands for no weekday
STATE = (*(f"absent_on_{day}" for day in range(WEEKDAYS)), "absent_beside", "last_due", "absent_then", "short_then")


@dataclass(frozen=True, slots=True, eq=False)
class Patterns:
    """[D, S]: absence on the weekday that has most of it, which one that is, and absence beside breaks."""

    on_weekday: Ints
    weekday: Ints
    beside: Ints
    state: Mapping[str, NDArray[Any]]  # [S] of each name in STATE, at the end of the last day

    @property
    def most(self) -> Ints:
        """Absence that follows the stronger of the two patterns."""
        return np.maximum(self.on_weekday, self.beside)

    @property
    def kind(self) -> Ints:
        """Which pattern that is: 0 Monday ... 4 Friday, or BESIDE_BREAKS; of equals the weekday."""
        return np.where(self.beside > self.on_weekday, BESIDE_BREAKS, self.weekday)


def nothing_yet(students: int) -> dict[str, NDArray[Any]]:
    """The state before the first day of a school year."""
    state = {name: np.zeros(students, dtype=np.int32) for name in STATE}
    return state | {"last_due": np.full(students, -1, dtype=np.int32)}


def find(daily: Daily, days: NDArray[np.int64], before: Mapping[str, NDArray[Any]]) -> Patterns:
    """The patterns at the end of each of these days (since 1970), going on from the state before them."""
    totals = [before[f"absent_on_{day}"] for day in range(WEEKDAYS)]
    beside, last, held, short = (before[name] for name in STATE[WEEKDAYS:])
    most = np.zeros(daily.absent.shape, np.int32)
    which, near = np.zeros_like(most), np.zeros_like(most)
    for nth, day in enumerate(days.tolist()):
        due, missed, cut = daily.due_days[nth], daily.absent[nth], daily.short[nth]
        weekday = (day + 3) % WEEK  # 1970 began on a Thursday
        if weekday < WEEKDAYS:
            totals[weekday] = totals[weekday] + missed
        opens = due & (cut | ((last >= 0) & (day - last > 1)))  # the school day before it lies beside a break as well
        counts = opens | (short != 0) | (weekday == FRIDAY)
        beside = beside + np.where(counts, missed, 0) + np.where(opens, held, 0)
        held = np.where(due, np.where(counts, 0, missed), held)
        last, short = np.where(due, day, last), np.where(due, cut, short)
        by_day = np.stack(totals)
        which[nth], most[nth], near[nth] = by_day.argmax(axis=0), by_day.max(axis=0), beside
    ends = dict(zip(STATE, (*totals, beside, last, held, short), strict=True))
    return Patterns(most, which, near, {name: part.astype(np.int32) for name, part in ends.items()})


def follows(kind: int, days: NDArray[np.int64], due: NDArray[np.bool_], short: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[D] which days of one student lie in a pattern, `kind` as in Patterns; what is known by the last of them."""
    weekday = (days + 3) % WEEK
    if kind != BESIDE_BREAKS:
        return np.asarray(weekday == kind)
    own = np.flatnonzero(due)
    edge = np.diff(days[own]) > 1
    near = short[own] | (weekday[own] == FRIDAY)
    near[1:] |= edge | short[own][:-1]
    near[:-1] |= edge | short[own][1:]
    found = np.zeros(len(days), dtype=bool)
    found[own] = near
    return found
