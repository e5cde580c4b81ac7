"""What the matrix says about each student at the end of each day: days, absences, windows, runs, pace.

Every fact is an array [students, days of the matrix], worked out on first use and zero before the school
year starts. Amounts are thousandths of a school day; the rest are counts. Missing, unknown and held-out days
are on neither side. In memory one day's values of all students lie together, because the replay walks by day.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules import cells as c
from rules.cells import UNMAPPED, WHOLE_DAY, Excuse, Status
from rules.matrix import Matrix

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

MONTH = 20  # member days that make a month of school
TRUANCY_WINDOW = 180  # attendance days, reaching back into last year
HALF_DAY = WHOLE_DAY // 2
WINDOWED = re.compile(r"(absent|excused|unexcused|enrolled|tardies)_last_([1-9]\d{0,2})")


def compute(matrix: Matrix) -> Facts:
    """The facts of every student and day of `matrix`."""
    return Facts(matrix)


class _DayMajor:
    """The matrix from one column on, a row a day, and when each member-day count was reached."""

    def __init__(self, matrix: Matrix, start: int) -> None:
        cells = np.ascontiguousarray(matrix.cells[:, start:].T)
        self.status = c.status(cells)
        self.member = self.status == Status.MEMBER
        self.fraction = c.fraction(cells)
        self.excuse = c.excuse(cells)
        self.tardy = c.tardy(cells) & self.member
        self.weight = np.ascontiguousarray(matrix.weights[:, start:].T)
        self.count = running_total(self.member)
        self._row = np.arange(cells.shape[1])

    @cached_property
    def absent(self) -> Ints:
        """Thousandths missed on each day."""
        missed = self.fraction.astype(np.int32) * self.weight // WHOLE_DAY
        return np.where(self.member, missed, 0).astype(np.int32, copy=False)

    @cached_property
    def _reached(self) -> NDArray[np.int16]:
        """[count, student] -> number of days gone by when the student's member-day count became `count`."""
        days, students = self.member.shape
        table = np.zeros((int(self.count.max(initial=0)) + 1, students), dtype=np.int16)
        for day in range(days):
            here = np.flatnonzero(self.member[day])
            table[self.count[day, here], here] = day + 1
        return table

    def when_count_was(self, total: Ints, count: Ints) -> Ints:
        """The running `total` as it stood when the member-day count was `count`."""
        days_gone = self._pick(self._reached, count)
        return self._pick(np.concatenate([np.zeros((1, total.shape[1]), total.dtype), total]), days_gone)

    def in_last(self, total: Ints, days: int) -> Ints:
        """How much of `total` fell on the last `days` member days."""
        return total - self.when_count_was(total, np.maximum(self.count - days, 0))

    def _pick(self, table: NDArray[Any], rows: NDArray[Any]) -> Ints:
        flat = rows.astype(np.intp) * table.shape[1] + self._row
        picked: Ints = np.take(table.ravel(), flat)
        return picked


def running_total(amount: NDArray[Any]) -> Ints:
    """Totals down the days (axis 0)."""
    total = np.empty(amount.shape, dtype=np.int32)
    carried = np.zeros(amount.shape[1:], dtype=np.int32)
    for day, today in enumerate(amount):
        carried = carried + today
        total[day] = carried
    return total


class Facts:
    """The facts of a matrix; each attribute is int32[S, D] (present_ever: bool) as of the end of the day."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    @cached_property
    def _year(self) -> _DayMajor:
        return _DayMajor(self.matrix, self.matrix.first)

    def _aligned(self, year: NDArray[Any]) -> NDArray[Any]:
        """Year columns [days, students] -> [students, days of the matrix], zero before the year."""
        if not self.matrix.first:
            return year.T
        whole = np.zeros((len(self.matrix.days), year.shape[1]), dtype=year.dtype)
        whole[self.matrix.first :] = year
        return whole.T

    def _year_of(self, fact: NDArray[Any]) -> NDArray[Any]:
        return fact.T[self.matrix.first :]

    def _to_date(self, daily: NDArray[Any]) -> Ints:
        return self._aligned(running_total(daily))

    def named(self, name: str) -> Ints:
        """A fact by its name, windows of any length included (absent_last_15); KeyError for none."""
        windowed = WINDOWED.fullmatch(name)
        if windowed and name != "unexcused_last_180":
            return self.in_last(windowed[1], int(windowed[2]))
        if name not in NAMES:
            raise KeyError(name)
        fact: Ints = getattr(self, name)
        return fact

    def in_last(self, fact: str, days: int) -> Ints:
        """How much of a to-date fact fell on this year's last `days` member days; kept once asked."""
        kept: dict[tuple[str, int], Ints] = self.__dict__.setdefault("_windows", {})
        if (fact, days) not in kept:
            kept[fact, days] = self._aligned(self._year.in_last(self._year_of(getattr(self, fact)), days))
        return kept[fact, days]

    # -- this school year to date ------------------------------------

    @cached_property
    def enrolled(self) -> Ints:
        """Member days, each by its weight."""
        return self._to_date(np.where(self._year.member, self._year.weight, 0))

    @cached_property
    def absent(self) -> Ints:
        """Absence, every cause."""
        return self._to_date(self._year.absent)

    @cached_property
    def excused(self) -> Ints:
        """Absence whose code says excused."""
        return self._to_date(np.where(self._year.excuse == Excuse.EXCUSED, self._year.absent, 0))

    @cached_property
    def unexcused(self) -> Ints:
        """Absence whose code says unexcused."""
        return self._to_date(np.where(self._year.excuse == Excuse.UNEXCUSED, self._year.absent, 0))

    @cached_property
    def federal_absent(self) -> Ints:
        """The whole weight of each day missed by at least half."""
        missed = self._year.member & (self._year.fraction >= HALF_DAY)
        return self._to_date(np.where(missed, self._year.weight, 0))

    @cached_property
    def tardies(self) -> Ints:
        """Member days on which the student came late."""
        return self._to_date(self._year.tardy)

    @cached_property
    def member_days(self) -> Ints:
        """Number of member days, whatever they weigh."""
        return self._aligned(self._year.count)

    @cached_property
    def missing_days(self) -> Ints:
        """Enrolled school days that the school never submitted."""
        return self._to_date(self._year.status == Status.MISSING)

    @cached_property
    def unknown_days(self) -> Ints:
        """Days without a row in a full feed, or with a code nobody has mapped."""
        return self._to_date(np.isin(self._year.status, (Status.UNKNOWN_ROW, *UNMAPPED)))

    @cached_property
    def unknown_codes(self) -> Ints:
        """Days with a code nobody has mapped."""
        return self._to_date(np.isin(self._year.status, UNMAPPED))

    @cached_property
    def undecided(self) -> Ints:
        """Weight of the missing and unknown days: what a late file may still turn either way."""
        open_days = np.isin(self._year.status, (Status.MISSING, Status.UNKNOWN_ROW, *UNMAPPED))
        return self._to_date(np.where(open_days, self._year.weight, 0))

    @cached_property
    def present_ever(self) -> Bools:
        """True from the first day on which at least part of the day was attended."""
        here = self._year.member & (self._year.fraction < WHOLE_DAY)
        return self._aligned(np.logical_or.accumulate(here, axis=0)).astype(bool, copy=False)

    @cached_property
    def days_not_arrived(self) -> Ints:
        """Member days without being present, before any that is not known; 0 once the student has come."""
        known = np.where(self.missing_days + self.unknown_days == 0, self.member_days, 0)
        return np.where(self.present_ever, 0, np.maximum.accumulate(known, axis=1))

    @cached_property
    def months_started(self) -> Ints:
        """Months of school begun, twenty member days each."""
        return -(-self.member_days // MONTH)

    @cached_property
    def absent_first_20(self) -> Ints:
        """Absence within the first twenty member days."""
        first = np.minimum(self._year.count, MONTH)
        return self._aligned(self._year.when_count_was(self._year_of(self.absent), first))

    # -- windows of the last member days -----------------------------

    @property
    def absent_last_10(self) -> Ints:
        """Absence on the last ten member days."""
        return self.in_last("absent", 10)

    @property
    def absent_last_20(self) -> Ints:
        """Absence on the last twenty member days."""
        return self.in_last("absent", 20)

    @property
    def absent_last_30(self) -> Ints:
        """Absence on the last thirty member days."""
        return self.in_last("absent", 30)

    @property
    def enrolled_last_20(self) -> Ints:
        """What the last twenty member days weigh."""
        return self.in_last("enrolled", 20)

    @property
    def enrolled_last_30(self) -> Ints:
        """What the last thirty member days weigh."""
        return self.in_last("enrolled", 30)

    @property
    def unexcused_last_20(self) -> Ints:
        """Unexcused absence on the last twenty member days."""
        return self.in_last("unexcused", 20)

    @property
    def unexcused_last_180(self) -> Ints:
        """Unexcused absence on the last 180 attendance days, last year's included as far as loaded."""
        return self._truancy[0]

    @property
    def attendance_days_180(self) -> Ints:
        """How many attendance days that window had; under 180 it is incomplete."""
        return self._truancy[1]

    @cached_property
    def _truancy(self) -> tuple[Ints, Ints]:
        """Both at once, so that two years need not stay in memory."""
        first = self.matrix.first
        every = _DayMajor(self.matrix, 0) if first else self._year
        total = running_total(np.where(every.excuse == Excuse.UNEXCUSED, every.absent, 0))
        unexcused = every.in_last(total, TRUANCY_WINDOW)[first:]
        return self._aligned(unexcused), self._aligned(np.minimum(every.count[first:], TRUANCY_WINDOW))

    # -- runs of full absences ---------------------------------------

    @cached_property
    def streak(self) -> Ints:
        """Full absences in a row. Closed, missing, held-out and not-enrolled days neither count nor break."""
        return self._aligned(self._runs[0])

    @cached_property
    def streak_start(self) -> Ints:
        """Column of the first day of the run that is going on; -1 when there is none."""
        start = self._aligned(self._runs[1])
        start[:, : self.matrix.first] = -1
        return start

    @cached_property
    def _runs(self) -> tuple[Ints, Ints]:
        year = self._year
        full = year.member & (year.fraction == WHOLE_DAY)
        unknown = np.isin(year.status, (Status.UNKNOWN_ROW, *UNMAPPED))
        breaks = unknown | (year.member & ~full)
        length, start = np.zeros(full.shape, np.int32), np.full(full.shape, -1, np.int32)
        run, begun = np.zeros(full.shape[1], np.int32), np.full(full.shape[1], -1, np.int32)
        for day in range(len(full)):
            begun = np.where(full[day] & (run == 0), self.matrix.first + day, begun)
            run, begun = np.where(breaks[day], 0, run + full[day]), np.where(breaks[day], -1, begun)
            length[day], start[day] = run, begun
        return length, start


def _names() -> tuple[str, ...]:
    kinds = (property, cached_property)
    return tuple(name for name, kind in vars(Facts).items() if isinstance(kind, kinds) and not name.startswith("_"))


NAMES = _names()
