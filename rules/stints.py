"""Who was a member of which school on which day: enrolment stints laid over school calendars."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from rules.matrix import Days

SCHOOL_YEAR_MONTH = 7  # a school year runs from July 1 to June 30
_ONE_DAY = np.timedelta64(1, "D")


def school_year_start(day: date) -> date:
    """July 1 of the school year that `day` belongs to."""
    return date(day.year if day.month >= SCHOOL_YEAR_MONTH else day.year - 1, SCHOOL_YEAR_MONTH, 1)


def names_of_year(start: date) -> tuple[str, ...]:
    """What files call the school year that starts on this day: 2025-26, 2025-2026 or 2026."""
    return f"{start.year}-{(start.year + 1) % 100:02d}", f"{start.year}-{start.year + 1}", str(start.year + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Stints:
    """Enrolments as parallel arrays; `last` is the last day that counts (inclusive), NaT while it is open."""

    row: NDArray[np.intp]  # the matrix row this stint fills
    student: NDArray[np.int64]
    school: NDArray[np.int64]
    calendar: NDArray[np.intp]  # the row of the calendars below
    entry: Days
    last: Days

    def only(self, chosen: NDArray[np.bool_]) -> Stints:
        """The chosen stints."""
        return Stints(**{name: getattr(self, name)[chosen] for name in self.__slots__})


@dataclass(frozen=True, slots=True, eq=False)
class Calendars:
    """School calendars over the days of a matrix: K calendars x D days."""

    instructional: NDArray[np.bool_]
    weights: NDArray[np.int32]  # thousandths each day is worth


def counted(
    stints: Stints, exit_codes: Sequence[str | None], excluded: Collection[str], first_school_day: Days
) -> NDArray[np.bool_]:
    """False for a stint that never was one: a no-show code, dates in the wrong order, gone before day one.

    `first_school_day` is per stint: the first instructional day of its school year (NaT: none known).
    """
    no_show = {code.strip().casefold() for code in excluded}
    real = np.array([(code or "").strip().casefold() not in no_show for code in exit_codes], dtype=bool)
    backwards = stints.entry > stints.last
    gone_before = stints.last < first_school_day
    return real & ~backwards & ~gone_before


def share_boundary_days(stints: Stints) -> Stints:
    """A day on which one school says goodbye and another welcomes belongs to the arriving school.

    Only when the leaving stint began earlier: a stint of one single day keeps it.
    """
    day = np.timedelta64(1, "D")
    entry_key = stints.student * 1_000_000 + (stints.entry - np.datetime64("1900-01-01")) // day
    closed = ~np.isnat(stints.last)
    last_key = np.where(closed, stints.student * 1_000_000, -1)
    last_key[closed] += ((stints.last[closed] - np.datetime64("1900-01-01")) // day).astype(np.int64)
    last = stints.last.copy()
    order = np.argsort(entry_key, kind="stable")
    ranked = entry_key[order]
    for leaving in np.flatnonzero(closed & np.isin(last_key, entry_key)):
        arriving = order[slice(*np.searchsorted(ranked, [last_key[leaving], last_key[leaving] + 1]))]
        elsewhere = (stints.school[arriving] != stints.school[leaving]) & (
            stints.entry[leaving] < stints.entry[arriving]
        )
        if elsewhere.any():
            last[leaving] -= _ONE_DAY
    return replace(stints, last=last)


def membership(
    stints: Stints, calendars: Calendars, days: Days, rows: int
) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """(enrolled on an instructional day [rows, D], what that day is worth [rows, D]).

    Overlapping stints are united; days outside every stint are worth 0. Give only counted stints, after
    share_boundary_days.
    """
    enrolled = np.zeros((rows, len(days)), dtype=bool)
    weights = np.zeros((rows, len(days)), dtype=np.int32)
    begins, ends = _columns(stints, days)
    day = np.arange(len(days))
    for wave in _waves(stints.row):
        inside = (day >= begins[wave, None]) & (day < ends[wave, None])
        inside &= calendars.instructional[stints.calendar[wave]]
        worth = np.where(inside, calendars.weights[stints.calendar[wave]], 0)
        target = stints.row[wave]
        enrolled[target] |= inside
        weights[target] = np.maximum(weights[target], worth)
    return enrolled, weights


def calendar_on(
    stints: Stints, calendars: Calendars, days: Days, row: NDArray[np.intp], column: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The calendar by which each place (row, column) is a school day, that of the stint over it; -1 for none."""
    found = stint_on(stints, calendars, days, row, column)
    return np.where(found >= 0, stints.calendar[found], -1) if len(stints.row) else found


def stint_on(
    stints: Stints, calendars: Calendars, days: Days, row: NDArray[np.intp], column: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The stint by which each place (row, column) is a school day; -1 for none.

    Stints as for `membership`; of several the first in their order.
    """
    begins = np.searchsorted(days, stints.entry, side="left")
    ends = np.searchsorted(
        days, np.where(np.isnat(stints.last), np.datetime64("9999-12-31"), stints.last), side="right"
    )
    found = np.full(len(row), -1, dtype=np.intp)
    for wave in _waves(stints.row)[::-1]:
        of_row = np.full(int(max(row.max(initial=0), stints.row.max(initial=0))) + 1, -1, dtype=np.intp)
        of_row[stints.row[wave]] = wave
        stint = of_row[row]
        here = (stint >= 0) & (begins[stint] <= column) & (column < ends[stint])
        here &= calendars.instructional[stints.calendar[stint], column]
        found = np.where(here, stint, found)
    return found


def _columns(stints: Stints, days: Days) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Per stint its first column and the one after its last."""
    last = np.where(np.isnat(stints.last), np.datetime64("9999-12-31"), stints.last)
    return np.searchsorted(days, stints.entry, side="left"), np.searchsorted(days, last, side="right")


def _waves(row: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Stints in groups that fill each row at most once; nearly every student has a single stint."""
    order = np.argsort(row, kind="stable")
    ranked = row[order]
    nth = np.arange(len(row)) - np.searchsorted(ranked, ranked, side="left")
    return [order[nth == wave] for wave in range(int(nth.max(initial=-1)) + 1)]
