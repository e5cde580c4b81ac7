"""Who is enrolled where on which day, and which schools teach that day: for checking rows before they go in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.policies import timeline
from models.queries import lookups, same_child

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The date of a number of days since 1970."""
    return EPOCH + timedelta(days=int(number))


class Enrolment:
    """Stints and calendars of some schools on some days; days are numbers since 1970.

    A school without any calendar counts as teaching every day: nothing is known against it.
    """

    def __init__(self, schools: Iterable[int], days: Iterable[int]) -> None:
        self.schools = np.unique(np.fromiter(schools, np.int64))
        self.days = np.unique(np.fromiter(days, np.int64))
        self._same = same_child.known()
        self.without_calendar = lookups.without_calendar(self.schools.tolist())
        self._read_stints()
        self._read_calendars()

    def enrolled(self, student: Ints, school: Ints, day: Ints) -> tuple[Flags, Flags]:
        """Per row: a stint covers the day; and that stint's calendar teaches (without a stint: the school does)."""
        covered = np.zeros(len(student), dtype=bool)
        teaches = self.teaches(school, day)
        pair = _pair(school, self._same.own(student))
        first = np.searchsorted(self._pair, pair, side="left")
        last = np.searchsorted(self._pair, pair, side="right")
        for nth in range(int((last - first).max(initial=0))):
            stint = np.minimum(first + nth, max(len(self._pair) - 1, 0))
            inside = (first + nth < last) & (self._entry[stint] <= day) & (day <= self._last[stint])
            rows = np.flatnonzero(inside)
            due = self._teaches_for(stint[rows], day[rows])
            teaches[rows] = np.where(covered[rows], teaches[rows] | due, due)
            covered |= inside
        return covered, teaches

    def due(self, student: Ints, school: Ints, day: Ints) -> Flags:
        """Per row: the student is enrolled, and by the calendar followed there is school."""
        enrolled, teaches = self.enrolled(student, school, day)
        return enrolled & teaches

    def children(self, student: Ints) -> Ints:
        """The students that ids stand for; a child may have several."""
        return self._same.own(student)

    def teaches(self, school: Ints, day: Ints) -> Flags:
        """Per school-day: some calendar of the school has a school day."""
        return self._school_open[np.searchsorted(self.schools, school), np.searchsorted(self.days, day)]

    def expected(self, school: Ints, day: Ints) -> Ints:
        """Per school-day: how many students are due."""
        due = np.zeros(len(school), dtype=np.int64)
        place = np.searchsorted(self.schools, school)
        for number in np.unique(day).tolist():
            asked = day == number
            due[asked] = self._due_by_school(number)[place[asked]]
        return due

    def _due_by_school(self, number: int) -> Ints:
        inside = np.flatnonzero((self._entry <= number) & (number <= self._last))
        inside = inside[self._teaches_for(inside, np.full(len(inside), number))]
        if self._doubles:
            inside = inside[np.unique(self._pair[inside], return_index=True)[1]]
        return np.bincount(self._school_place[inside], minlength=len(self.schools))

    def _teaches_for(self, stint: NDArray[np.intp], day: Ints) -> Flags:
        """Whether the calendar that each stint follows teaches on the day beside it."""
        column = np.searchsorted(self.days, day)
        calendar = self._calendar[stint]
        own = self._blank_open[self._school_place[stint], column]
        return np.where(calendar > 0, self._special_open[calendar, column], own)

    def _read_stints(self) -> None:
        no_show = timeline().on(self._last_day()).no_show_exit_codes
        found = lookups.stints_at(self.schools.tolist(), *self._span(), [code.strip().lower() for code in no_show])
        pair = _pair(found["school"], found["student"])
        order = np.argsort(pair, kind="stable")
        self._pair = pair[order]
        self._entry, self._last, self._calendar = (
            found[name][order].astype(np.int64) for name in ("entry", "last", "calendar")
        )
        self._school_place = np.searchsorted(self.schools, found["school"][order])
        self._doubles = bool((self._pair[1:] == self._pair[:-1]).any())

    def _read_calendars(self) -> None:
        found = lookups.teaching_days(self.schools.tolist(), [day_of(number) for number in self.days])
        place = np.searchsorted(self.schools, found["school"])
        column = np.searchsorted(self.days, found["day"])
        shape = (len(self.schools), len(self.days))
        self._school_open, self._blank_open = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        self._school_open[place, column] = True
        blank = found["calendar"] == 0
        self._blank_open[place[blank], column[blank]] = True
        special = found["calendar"] > 0
        places = int(self._calendar.max(initial=0)) + 1
        self._special_open = np.zeros((places, len(self.days)), dtype=bool)
        followed = special & (found["calendar"] < places)
        self._special_open[found["calendar"][followed], column[followed]] = True
        unknown = np.searchsorted(self.schools, [school for school, _ in self.without_calendar])
        self._school_open[unknown.astype(np.intp)] = True
        self._blank_open[unknown.astype(np.intp)] = True

    def _span(self) -> tuple[date, date]:
        if not len(self.days):
            return EPOCH, EPOCH
        return day_of(self.days[0]), day_of(self.days[-1])

    def _last_day(self) -> date:
        return self._span()[1]


def _pair(school: Sequence[int] | NDArray[np.integer], student: NDArray[np.integer]) -> Ints:
    """School and student as one sortable number."""
    return np.asarray(school, dtype=np.int64) << 32 | np.asarray(student, dtype=np.int64)
