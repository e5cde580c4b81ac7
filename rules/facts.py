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

from rules import patterns, plans, runs
from rules.carried import CARRIED, Carried, Events
from rules.cells import WHOLE_DAY
from rules.daily import HALF_DAY, Bools, Ints
from rules.matrix import Matrix
from rules.patterns import Patterns
from rules.plans import Plans
from rules.running import running_total
from rules.school_year import SchoolYear

MONTH = 20  # member days that make a month of school
TRUANCY_WINDOW = 180  # attendance days, reaching back into last year
WINDOWED = re.compile(r"(absent|excused|unexcused|enrolled|tardies)_last_([1-9]\d{0,2})")


def compute(matrix: Matrix, after: Carried | None = None, plan: NDArray[Any] | None = None) -> Facts:
    """The facts of every student and day of `matrix`, whose days follow on what is carried.

    `plan` [S, D]: the day since 1970 on which the plan in force was agreed, -1 without one.
    """
    return Facts(matrix, after, plan)


class Facts(SchoolYear):
    """The facts of a matrix; each attribute is int32[S, D] (present_ever: bool) as of the end of the day."""

    def carried(self) -> Carried:
        """What the days after the last column need to know."""
        facts = {name: getattr(self, name)[:, -1].copy() for name in CARRIED}  # a view would hold every day of it
        count = self._both_years.count
        facts["attendance_days"] = count[-1].copy()
        facts |= {**self._patterns.state, **self._plans.state}
        events = Events.among(self.matrix, count)
        if self._after is not None:
            events = self._after.events.then(events)
        return Carried(facts, events.within_reach(facts["attendance_days"]))

    def named(self, name: str) -> Ints:
        """A fact by its name, windows of any length included (absent_last_15); KeyError for none."""
        windowed = WINDOWED.fullmatch(name)
        if windowed and name != "unexcused_last_180":
            return self.in_last(windowed[1], int(windowed[2]))
        if name not in NAMES:
            raise KeyError(name)
        fact: Ints = getattr(self, name)
        return fact

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

    # -- windows of the last member days: any other by its name --------

    @property
    def absent_last_20(self) -> Ints:
        """Absence on the last twenty member days."""
        return self.in_last("absent", 20)

    @property
    def enrolled_last_20(self) -> Ints:
        """What the last twenty member days weigh."""
        return self.in_last("enrolled", 20)

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

    # -- days in a row -----------------------------------------------

    @cached_property
    def streak(self) -> Ints:
        """Full absences in a row. Closed, missing, held-out and not-enrolled days neither count nor break."""
        return self._run("streak", self._year.daily.full)

    @cached_property
    def streak_start(self) -> Ints:
        """The day on which the run that is going on began, since 1970; -1 when there is none."""
        run = self._year_of(self.streak)
        start = self._aligned(runs.began_on(run, self._dates, self._before("streak_start")))
        start[:, : self.matrix.first] = -1
        return start

    @cached_property
    def unexplained_run(self) -> Ints:
        """Days in a row missed by at least half while no reason was on record."""
        return self._run("unexplained_run", self._year.daily.unexplained >= HALF_DAY)

    @cached_property
    def unexplained_streak(self) -> Ints:
        """Full absences in a row with no reason on record for any of them."""
        return self._run("unexplained_streak", self._year.daily.unexplained == WHOLE_DAY)

    @cached_property
    def unexcused_streak(self) -> Ints:
        """Full absences in a row whose codes all say unexcused."""
        return self._run("unexcused_streak", self._year.daily.full_unexcused)

    @cached_property
    def returned_after(self) -> Ints:
        """On a day attended at least in part, how many full absences in a row came right before it; else 0."""
        run, attended = self._year_of(self.streak), self._year.daily.attended
        return self._aligned(runs.ended_by(run, attended, self._before("streak")))

    def _run(self, name: str, counts: Bools) -> Ints:
        daily = self._year.daily
        breaks = daily.unknown_days | (daily.member & ~counts)
        return self._aligned(runs.in_a_row(counts, breaks, self._before(name)))

    # -- absence that repeats, and the month that is going on --------

    @cached_property
    def absent_in_pattern(self) -> Ints:
        """Absence on the one weekday that has most of it, or beside weekends, holidays and short days if more."""
        return self._aligned(self._patterns.most)

    @cached_property
    def pattern(self) -> Ints:
        """Which of them: 0 for Monday to 4 for Friday, 7 for days beside a break."""
        return self._aligned(self._patterns.kind)

    @cached_property
    def _patterns(self) -> Patterns:
        before = self._after.facts if self._after else patterns.nothing_yet(len(self.matrix.students))
        return patterns.find(self._year.daily, self._dates, before)

    @cached_property
    def absent_this_month(self) -> Ints:
        """Absence within the month of school that is going on, twenty member days each."""
        begun = self._year_of(self.member_days) - self._year_of(np.maximum(self.months_started - 1, 0)) * MONTH
        return self._aligned(self._year.in_last("absent", self._year_of(self.absent), begun))

    # -- the plan of the case ----------------------------------------

    @cached_property
    def days_on_plan(self) -> Ints:
        """Member days since the plan in force was agreed; 0 without one."""
        return self._aligned(self._plans.days)

    @cached_property
    def plan_changed(self) -> Bools:
        """Whether a plan began on the day, or ended."""
        return self._aligned(self._plans.changed)

    @cached_property
    def absent_at_plan(self) -> Ints:
        """Absence on the twenty member days up to the beginning of the plan; 0 without one."""
        return self._aligned(self._plans.absent)

    @cached_property
    def enrolled_at_plan(self) -> Ints:
        """What those days weigh."""
        return self._aligned(self._plans.enrolled)

    @cached_property
    def _plans(self) -> Plans:
        told = (self.member_days, self.in_last("absent", MONTH), self.in_last("enrolled", MONTH))
        days, absent, enrolled = (self._year_of(part) for part in told)
        before = self._after.facts if self._after else plans.none_yet(len(self.matrix.students))
        plan = np.full_like(days, plans.NO_PLAN) if self._plan is None else self._year_of(self._plan)
        return plans.follow(plan, days, absent, enrolled, before)


def _names() -> tuple[str, ...]:
    kinds = (property, cached_property)
    return tuple(name for name, kind in vars(Facts).items() if isinstance(kind, kinds) and not name.startswith("_"))


NAMES = _names()
