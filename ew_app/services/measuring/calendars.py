"""When schools teach and how long a day is: calendars, and the minutes by which part of a day is judged."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.enrolments import Enrolments
from ew_app.services.measuring.frames import Frame
from models.queries import measuring as rows
from rules import cells, day, stints
from rules.matrix import Days

Ints = NDArray[np.int64]


def pair(student: NDArray[np.integer], school: NDArray[np.integer]) -> Ints:
    """Student and school as one sortable number."""
    return student.astype(np.int64) << 32 | school.astype(np.int64)


class Calendars:
    """The calendars of some schools over the days on which any of them teaches."""

    def __init__(self, schools: Sequence[int], at: Frame) -> None:
        given = rows.calendar(schools, at.since, at.day)
        self.days: Days = np.unique(np.array([row.day for row in given], dtype="datetime64[D]"))
        self._number = {key: place for place, key in enumerate(sorted({(r.school_id, r.calendar_key) for r in given}))}
        self._none = len(self._number)  # an empty calendar: a school without one has no measures
        shape = (self._none + 1, len(self.days))
        teaches, weights = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.int32)
        self.minutes = np.full(shape, day.NOT_GIVEN, dtype=np.int32)
        column = {day: place for place, day in enumerate(self.days.tolist())}
        for row in given:
            where = self._number[row.school_id, row.calendar_key], column[row.day]
            teaches[where], weights[where] = True, row.weight
            if row.day_minutes is not None:
                self.minutes[where] = row.day_minutes
        self.table = stints.Calendars(teaches, weights)

    def after(self, day: date) -> Calendars:
        """The same calendars over the later days alone."""
        later = copy(self)
        kept = self.days > np.datetime64(day)
        later.days, later.minutes = self.days[kept], self.minutes[:, kept]
        later.table = stints.Calendars(self.table.instructional[:, kept], self.table.weights[:, kept])
        return later

    def followed(self, found: Enrolments) -> NDArray[np.intp]:
        """The calendar each stint follows: its own, else its school's, else the empty one."""
        asked, back = np.unique(pair(found.school, found.calendar.index), return_inverse=True)
        keys = [(both >> 32, found.calendar.different[both & 0xFFFFFFFF]) for both in asked.tolist()]
        numbers = [self._number.get(key, self._number.get((key[0], ""), self._none)) for key in keys]
        return np.array(numbers, dtype=np.intp)[back]

    def first_days(self, spans: stints.Stints, at: Frame) -> Days:
        """Per stint the first school day of the school year it ended in; NaT when none is known."""
        ended_before = spans.last < np.datetime64(at.start)
        this_year = np.searchsorted(self.days, np.datetime64(at.start))
        return np.where(
            ended_before,
            self._first(slice(0, this_year))[spans.calendar],
            self._first(slice(this_year, None))[spans.calendar],
        )

    def _first(self, columns: slice) -> Days:
        teaches = self.table.instructional[:, columns]
        found = np.full(len(teaches), np.datetime64("NaT"), dtype="datetime64[D]")
        some = np.flatnonzero(teaches.any(axis=1))
        if len(some):
            found[some] = self.days[columns][teaches[some].argmax(axis=1)]
        return found


class Lengths:
    """Minutes of each day: those of the student's own calendar for that date, else the school's."""

    def __init__(
        self,
        schools: Sequence[int],
        school_row: Ints,
        spans: stints.Stints,
        calendars: Calendars,
        exact: bool = False,
    ) -> None:
        self._exact = exact
        by_school = {school: numbers for school, *numbers in rows.minutes(schools)}
        self._usual = np.array([by_school[school] for school in schools], dtype=np.int64).reshape(-1, 3)
        self._school_row, self._spans, self._calendars = school_row, spans, calendars

    def of(self, row: NDArray[np.intp], column: NDArray[np.intp]) -> day.DayLength:
        """One length for each place in the matrix."""
        followed = stints.calendar_on(self._spans, self._calendars.table, self._calendars.days, row, column)
        dated = self._calendars.minutes[followed, column]
        usual = self._usual[self._school_row[row]]
        length = np.where(dated >= 0, dated, usual[:, 0])
        return day.DayLength(length, usual[:, 1], usual[:, 2], self._exact)

    def minutes(self, member: NDArray[np.bool_], weights: NDArray[np.int32]) -> Ints:
        """[R, D] how long each due day is; a day worth less is as much shorter where nobody said its minutes."""
        row, column = np.nonzero(member)
        followed = stints.calendar_on(self._spans, self._calendars.table, self._calendars.days, row, column)
        dated = self._calendars.minutes[followed, column]
        usual = self._usual[self._school_row[row], 0] * weights[row, column] // cells.WHOLE_DAY
        found = np.zeros(member.shape, dtype=np.int64)
        found[row, column] = np.where(dated >= 0, dated, usual)
        return found


def day_minutes(
    school: Ints,
    spans: stints.Stints,
    member: NDArray[np.bool_],
    weights: NDArray[np.int32],
    schools: Sequence[int],
    calendars: Calendars,
) -> Ints:
    """[R, D] the minutes of every due day of every (student, school) row."""
    return Lengths(schools, np.searchsorted(schools, school), spans, calendars).minutes(member, weights)
