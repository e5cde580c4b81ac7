"""The class periods of students on their way into the day: what each is worth, and what they told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.calendars import Calendars
from ew_app.services.measuring.enrolments import Words
from ew_app.services.measuring.timetables import Timetables
from models.queries import measuring as rows
from rules import day, stints
from rules.half_days import DayLength

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class InClass:
    """What class periods tell of some school-days: the marks, of which each day begins at `starts`."""

    column: NDArray[np.intp]  # of each day
    starts: NDArray[np.intp]
    marks: day.Marks
    called: list[str]  # the period of each mark; empty where it speaks of the whole day
    source: NDArray[np.integer]  # of each mark
    of_day: DayLength
    known: day.Periods
    parts: day.Parts


class Listener:
    """Who wants to hear how class periods were added up, as the sentences about a day do."""

    def __init__(self, periods: Sequence[str]) -> None:
        self.periods = periods  # names that may stand on no timetable
        self.heard: InClass | None = None


class Periods:
    """The class periods of students: by the timetable of their grade, by their source, or by a full feed."""

    def __init__(
        self,
        tables: Timetables,
        spans: stints.Stints,
        grades: Words,
        calendars: Calendars,
        full: NDArray[np.bool_],
    ) -> None:
        self._tables, self._spans, self._grades = tables, spans, grades
        self._calendars, self._full = calendars, full

    @property
    def periods(self) -> Sequence[str]:
        """The periods of all timetables."""
        return self._tables.periods

    def of(
        self, found: rows.Columns, row: NDArray[np.intp], column: NDArray[np.intp]
    ) -> tuple[Ints, Ints, NDArray[np.bool_]]:
        """What `Timetables.of` says of marks at these places; a full feed has a row for every period."""
        at = stints.stint_on(self._spans, self._calendars.table, self._calendars.days, row, column)
        length, due, listed = self._tables.of(found, self._grades.at(at))
        return length, due, listed | self._full[row, column]
