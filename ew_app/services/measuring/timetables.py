"""What part of a day a class period is: by the school's timetable, by what people said of the source, or unknown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.enrolments import Words
from models.queries import measuring as rows
from models.queries import periods
from rules import day

Ints = NDArray[np.int64]
_ANY_GRADE = ""
_EVERY_ONE_HAS_A_ROW = "rows"
_ONCE_A_DAY = "day"


@dataclass(frozen=True, slots=True)
class _Timetable:
    """One grade's timetable between two changes."""

    minutes: dict[int, int]  # place of a period in the list of all -> its minutes, 0 where it does not count
    due: int  # minutes of a day by it


_NO_TIMETABLE = _Timetable({}, 0)


class Timetables:
    """The class periods of some schools, and how the sources of attendance write them."""

    def __init__(self, schools: Sequence[int]) -> None:
        found = periods.timetable(schools)
        self.periods = sorted({period for *_, period, _, _ in found if period is not None})
        place = {period: number + 1 for number, period in enumerate(self.periods)}
        self._of: dict[tuple[int, str], dict[int, _Timetable]] = defaultdict(dict)  # by first day
        for school, grade, starts, period, minutes, due in found:
            here = self._of[school, grade].setdefault(starts, _Timetable({}, day.NOT_GIVEN if due is None else due))
            if period is not None:
                here.minutes[place[period]] = minutes
        self._changes = np.array(sorted({starts for *_, starts, _, _, _ in found}), dtype=np.int64)
        self._said = periods.said_of_periods()
        once = [source for source, said in self._said.items() if said == _ONCE_A_DAY]
        self._once_a_day = np.array(once, dtype=np.int64)

    def of(self, found: rows.Columns, grade: Words) -> tuple[Ints, Ints, NDArray[np.bool_]]:
        """Per mark: minutes of its period (0: it does not count, -1: not known), minutes due that day, and whether
        its source writes a row for every period. `grade`: that of the student on the day of each mark.

        Where attendance is taken once a day, the marks are made to speak of the whole day.
        """
        if len(self._once_a_day):
            found["period"] = np.where(np.isin(found["source"], self._once_a_day), day.NOT_GIVEN, found["period"])
        length = np.full(len(found["period"]), day.NOT_GIVEN, dtype=np.int64)
        due = np.zeros(len(length), dtype=np.int64)
        listed = np.zeros(len(length), dtype=bool)
        in_class = np.flatnonzero(found["period"] >= 0)
        if not len(in_class):
            return length, due, listed
        stage = np.searchsorted(self._changes, found["day"][in_class], side="right")
        school, period, source = (found[name][in_class].astype(np.int64) for name in ("school", "period", "source"))
        keys = np.stack([school, period, source, grade.index[in_class], stage])
        different, back = np.unique(keys, axis=1, return_inverse=True)
        answers = [
            self._one(at_school, called, by, grade.different[whose], when)
            for at_school, called, by, whose, when in different.T
        ]
        said = np.array(answers, dtype=np.int64).reshape(-1, 3)[back.ravel()]
        length[in_class], due[in_class], listed[in_class] = said[:, 0], said[:, 1], said[:, 2] == 1
        return length, due, listed

    def _one(self, school: int, period: int, source: int, grade: str, stage: int) -> tuple[int, int, int]:
        """Minutes of a period, minutes due, and 1 where every period has a row.

        What was said of the source holds where the timetable does not tell of the period or fits no day.
        """
        followed = self._on(school, grade, stage) or self._on(school, _ANY_GRADE, stage) or _NO_TIMETABLE
        length, due = followed.minutes.get(period, day.NOT_GIVEN), followed.due
        said = self._said.get(source, "")
        if said.isdigit() and length != 0 and (length < 0 or due < 0):
            length, due = int(said), max(due, 0)
        return length, due, int(said == _EVERY_ONE_HAS_A_ROW)

    def _on(self, school: int, grade: str, stage: int) -> _Timetable | None:
        """What holds of a grade after so many of all changes; None where it has no period then."""
        begun = [starts for starts in self._of.get((school, grade), ()) if stage and starts <= self._changes[stage - 1]]
        here = self._of[school, grade][max(begun)] if begun else None
        return here if here and here.minutes else None
