"""What the matrix says about each student at the end of each day: days, absences, windows, runs, pace.

Every fact is an array [students, days of the matrix], worked out on first use and zero before the school
year starts. Amounts are thousandths of a school day; the rest are counts. Missing, unknown and held-out days
are on neither side. In memory one day's values of all students lie together, because the replay walks by day.
Days may follow on what is carried from earlier ones, which then need not be at hand.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.carried import Carried, Events
from rules.daily import Bools, Ints
from rules.matrix import Matrix
from rules.running import ByDay, running_total

MONTH = 20  # member days that make a month of school
TRUANCY_WINDOW = 180  # attendance days, reaching back into last year
WINDOWED = re.compile(r"(absent|excused|unexcused|enrolled|tardies)_last_([1-9]\d{0,2})")


def compute(matrix: Matrix, after: Carried | None = None) -> Facts:
    """The facts of every student and day of `matrix`, whose days follow on what is carried."""
    return Facts(matrix, after)


class Facts:
    """The facts of a matrix; each attribute is int32[S, D] (present_ever: bool) as of the end of the day."""

    def __init__(self, matrix: Matrix, after: Carried | None = None) -> None:
        if after is not None and matrix.first:
            raise ValueError("days that follow on earlier ones are all of this school year")
        self.matrix, self._after = matrix, after

    def carried(self) -> Carried:
        """What the days after the last column need to know."""
        facts = {name: getattr(self, name)[:, -1].copy() for name in CARRIED}  # a view would hold every day of it
        count = self._both_years.count
        facts["attendance_days"] = count[-1].copy()
        events = Events.among(self.matrix, count)
        if self._after is not None:
            events = self._after.events.then(events)
        return Carried(facts, events.within_reach(facts["attendance_days"]))

    def _before(self, name: str) -> NDArray[Any]:
        """[S] a fact at the end of the day before the first of these days."""
        if self._after is None:
            return np.full(len(self.matrix.students), -1 if name == "streak_start" else 0, dtype=np.int32)
        return self._after.facts[name]

    @cached_property
    def _year(self) -> ByDay:
        before = self._before("member_days")
        return ByDay(self.matrix, self.matrix.first, self._after, before, self._before("attendance_days") - before)

    @property
    def _both_years(self) -> ByDay:
        """Not kept: two years of many students are large."""
        before = self._before("attendance_days")
        if not self.matrix.first and np.array_equal(before, self._before("member_days")):
            return self._year
        return ByDay(self.matrix, 0, self._after, before, np.zeros_like(before))

    def _aligned(self, year: NDArray[Any]) -> NDArray[Any]:
        """Year columns [days, students] -> [students, days of the matrix], zero before the year."""
        if not self.matrix.first:
            return year.T
        whole = np.zeros((len(self.matrix.days), year.shape[1]), dtype=year.dtype)
        whole[self.matrix.first :] = year
        return whole.T

    def _year_of(self, fact: NDArray[Any]) -> NDArray[Any]:
        return fact.T[self.matrix.first :]

    def _to_date(self, amount: str) -> Ints:
        daily = getattr(self._year.daily, amount)
        return self._aligned(running_total(daily, self._before(amount)))

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
            kept[fact, days] = self._aligned(self._year.in_last(fact, self._year_of(getattr(self, fact)), days))
        return kept[fact, days]

    # -- this school year to date ------------------------------------

    @cached_property
    def enrolled(self) -> Ints:
        """Member days, each by its weight."""
        return self._to_date("enrolled")

    @cached_property
    def absent(self) -> Ints:
        """Absence, every cause."""
        return self._to_date("absent")

    @cached_property
    def excused(self) -> Ints:
        """Absence whose code says excused."""
        return self._to_date("excused")

    @cached_property
    def unexcused(self) -> Ints:
        """Absence whose code says unexcused."""
        return self._to_date("unexcused")

    @cached_property
    def federal_absent(self) -> Ints:
        """The whole weight of each day missed by at least half."""
        return self._to_date("federal_absent")

    @cached_property
    def tardies(self) -> Ints:
        """Member days on which the student came late."""
        return self._to_date("tardies")

    @cached_property
    def member_days(self) -> Ints:
        """Number of member days, whatever they weigh."""
        return self._aligned(self._year.count)

    @cached_property
    def due_days(self) -> Ints:
        """School days on which the student was expected, up to the school's last submitted one."""
        return self._to_date("due_days")

    @cached_property
    def missing_days(self) -> Ints:
        """Enrolled school days that the school never submitted."""
        return self._to_date("missing_days")

    @cached_property
    def unknown_days(self) -> Ints:
        """Days without a row in a full feed, or with a code nobody has mapped."""
        return self._to_date("unknown_days")

    @cached_property
    def unknown_codes(self) -> Ints:
        """Days with a code nobody has mapped."""
        return self._to_date("unknown_codes")

    @cached_property
    def undecided(self) -> Ints:
        """Weight of the missing and unknown days: what a late file may still turn either way."""
        return self._to_date("undecided")

    @cached_property
    def present_ever(self) -> Bools:
        """True from the first day on which at least part of the day was attended."""
        here = np.logical_or.accumulate(self._year.daily.attended, axis=0)
        return self._aligned(here | (self._before("present_ever") != 0)).astype(bool, copy=False)

    @cached_property
    def days_not_arrived(self) -> Ints:
        """Member days without being present, before any that is not known; 0 once the student has come."""
        known = np.where(self.missing_days + self.unknown_days == 0, self.member_days, 0)
        known = np.maximum(np.maximum.accumulate(known, axis=1), self._before("days_not_arrived")[:, None])
        return np.where(self.present_ever, 0, known).astype(np.int32, copy=False)

    @cached_property
    def months_started(self) -> Ints:
        """Months of school begun, twenty member days each."""
        return -(-self.member_days // MONTH)

    @cached_property
    def absent_first_20(self) -> Ints:
        """Absence within the first twenty member days."""
        year, before = self._year, self._before("member_days")
        first = np.maximum(np.minimum(year.count, MONTH), before)
        found = year.when_count_was(self._year_of(self.absent), self._before("absent"), first)
        return self._aligned(np.where(before < MONTH, found, self._before("absent_first_20")))

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
        first, every = self.matrix.first, self._both_years
        total = running_total(every.daily.unexcused, self._before("unexcused"))
        unexcused = every.in_last("unexcused", total, TRUANCY_WINDOW)[first:]
        return self._aligned(unexcused), self._aligned(np.minimum(every.count[first:], TRUANCY_WINDOW))

    # -- runs of full absences ---------------------------------------

    @cached_property
    def streak(self) -> Ints:
        """Full absences in a row. Closed, missing, held-out and not-enrolled days neither count nor break."""
        return self._aligned(self._runs[0])

    @cached_property
    def streak_start(self) -> Ints:
        """The day on which the run that is going on began, since 1970; -1 when there is none."""
        start = self._aligned(self._runs[1])
        start[:, : self.matrix.first] = -1
        return start

    @cached_property
    def _runs(self) -> tuple[Ints, Ints]:
        daily, days = self._year.daily, self.matrix.days[self.matrix.first :].astype(np.int64)
        full = daily.full
        breaks = daily.unknown_days | (daily.member & ~full)
        length, start = np.zeros(full.shape, np.int32), np.full(full.shape, -1, np.int32)
        run, begun = self._before("streak"), self._before("streak_start")
        for number, day in enumerate(days):
            begun = np.where(full[number] & (run == 0), day, begun)
            run, begun = np.where(breaks[number], 0, run + full[number]), np.where(breaks[number], -1, begun)
            length[number], start[number] = run, begun
        return length, start


def _names() -> tuple[str, ...]:
    kinds = (property, cached_property)
    return tuple(name for name, kind in vars(Facts).items() if isinstance(kind, kinds) and not name.startswith("_"))


NAMES = _names()

CARRIED = (
    "enrolled", "absent", "excused", "unexcused", "federal_absent", "tardies", "member_days", "due_days",
    "missing_days", "unknown_days", "unknown_codes", "undecided", "present_ever", "days_not_arrived", "absent_first_20",
    "streak", "streak_start",
)  # fmt: skip
