"""Whom a law about attendance speaks of: by age on the day, and by grade. Rates count for everybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.matrix import Days
from rules.policy_file import Entry, count, list_of, text
from rules.stints import SCHOOL_YEAR_MONTH, school_year_start

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scope:
    """Compulsory age and grade. `from_age` holds from the birthday, or with `reached_by` (month, day) for the whole
    school year in which the age is reached by that day. `below_age` ends on the birthday."""

    from_age: int | None = None
    reached_by: tuple[int, int] | None = None
    below_age: int | None = None
    not_grades: tuple[str, ...] = ()

    def covers(self, born: Days, grades: Sequence[str], grade_at: NDArray[np.integer], days: Days) -> Bools:
        """[S, D] whether the law speaks of the student that day. A birth date that is not known (NaT) hinders nothing.

        `grade_at` [S, D] is the place of the day's grade in `grades`, -1 for none.
        """
        young = np.zeros((len(born), len(days)), dtype=bool)
        if self.from_age is not None:
            young = self._asked_on(days)[None, :] < birthday(born, self.from_age)[:, None]
        old = np.zeros_like(young)
        if self.below_age is not None:
            old = days[None, :] >= birthday(born, self.below_age)[:, None]
        out = {grade.casefold() for grade in self.not_grades}
        left_out = np.array([*(grade.casefold() in out for grade in grades), False])
        inside: Bools = ~(young | old | left_out[grade_at])
        return inside

    def _asked_on(self, days: Days) -> Days:
        """For each day the day on which the lower age is looked at."""
        if self.reached_by is None:
            return days
        month, day = self.reached_by
        starts = [school_year_start(one) for one in days.tolist()]
        asked = [dt.date(start.year + (month < SCHOOL_YEAR_MONTH), month, day) for start in starts]
        return np.array(asked, dtype="datetime64[D]")


def birthday(born: Days, age: int) -> Days:
    """The day on which each turns so many years old; the first of March for who was born on a leap day."""
    month = born.astype("datetime64[M]")
    then: Days = (month + np.timedelta64(12 * age, "M")).astype("datetime64[D]") + (
        born - month.astype("datetime64[D]")
    )
    return then


def read_scope(entry: Entry) -> Scope:
    """{from_age: 6, reached_by: 09-01, below_age: 17, not_grades: [PK]}; PolicyError for anything else."""
    readers: dict[str, Callable[[Entry], Any]] = {
        "from_age": count, "reached_by": _day_of_year, "below_age": count, "not_grades": list_of(text),
    }  # fmt: skip
    given = entry.mapping()
    for key, value in given.items():
        if key not in readers:
            raise value.wrong(f"{key} is not known here; allowed: {', '.join(readers)}")
    if not given:
        raise entry.wrong("a scope needs an age or grades")
    if "reached_by" in given and "from_age" not in given:
        raise entry.wrong("from_age is missing: reached_by says when it is looked at")
    return Scope(**{key: readers[key](value) for key, value in given.items()})


def _day_of_year(entry: Entry) -> tuple[int, int]:
    """A day of every year, written like 09-01."""
    words = str(entry.value)
    try:
        day = dt.date.fromisoformat(f"2000-{words}")
    except ValueError:
        raise entry.wrong('expected a day of the year in quotes, such as "09-01"') from None
    return day.month, day.day
