"""When schools teach and how long a day is: calendars, and the minutes by which part of a day is judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.enrolments import Enrolments
from ew_app.services.measuring.frames import Frame
from models.queries import calendars as rows
from rules import cells, day, stints
from rules.half_days import DayLength
from rules.matrix import Days

Ints = NDArray[np.int64]


def pair(student: NDArray[np.integer], school: NDArray[np.integer]) -> Ints:
    """Student and school as one sortable number."""
    return student.astype(np.int64) << 32 | school.astype(np.int64)


class Calendars:
    """The calendars of some schools over the days on which any of them teaches.

    With `after` that day, on which then nobody teaches, and the days that follow on it.
    """

    def __init__(self, schools: Sequence[int], at: Frame, after: date | None = None) -> None:
        given = rows.taught(schools, at.since if after is None else after + timedelta(days=1), at.day)
        on = given["day"].astype("datetime64[D]")
        self.days: Days = np.unique(np.append(on, np.datetime64(after)) if after else on)
        first = rows.first_school_days(schools, at.since, at.day, at.start)
        self._number = {
            key: nth for nth, key in enumerate(zip(first["school"].tolist(), first["calendar"], strict=True))
        }
        self._first = [np.append(first[when], rows.NOT_KNOWN) for when in ("before", "from_then_on")]
        self._none = len(self._number)  # an empty calendar: a school without one has no measures
        shape = (self._none + 1, len(self.days))
        teaches, weights = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.int32)
        self.minutes = np.full(shape, day.NOT_GIVEN, dtype=np.int32)
        keys = zip(given["school"].tolist(), given["calendar"], strict=True)
        where = [self._number[key] for key in keys], np.searchsorted(self.days, on)
        teaches[where], weights[where], self.minutes[where] = True, given["weight"], given["minutes"]
        self.table = stints.Calendars(teaches, weights)

    def followed(self, found: Enrolments) -> NDArray[np.intp]:
        """The calendar each stint follows: its own, else its school's, else the empty one."""
        asked, back = np.unique(pair(found.school, found.calendar.index), return_inverse=True)
        keys = [(both >> 32, found.calendar.different[both & 0xFFFFFFFF]) for both in asked.tolist()]
        numbers = [self._number.get(key, self._number.get((key[0], ""), self._none)) for key in keys]
        return np.array(numbers, dtype=np.intp)[back]

    def first_days(self, spans: stints.Stints, at: Frame) -> Days:
        """Per stint the first school day of the school year it ended in; NaT when none is known."""
        last_year, this_year = (first[spans.calendar] for first in self._first)
        found = np.where(spans.last < np.datetime64(at.start), last_year, this_year)
        return np.where(found == rows.NOT_KNOWN, np.datetime64("NaT"), found.astype("datetime64[D]"))


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

    def of(self, row: NDArray[np.intp], column: NDArray[np.intp]) -> DayLength:
        """One length for each place in the matrix."""
        followed = stints.calendar_on(self._spans, self._calendars.table, self._calendars.days, row, column)
        dated = self._calendars.minutes[followed, column]
        usual = self._usual[self._school_row[row]]
        length = np.where(dated >= 0, dated, usual[:, 0])
        return DayLength(length, usual[:, 1], usual[:, 2], self._exact)

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
