"""Whom a law or a rule speaks of: by age, grade and school of the day. Rates count for everybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.grades import GRADES, grade_of, grades_in
from rules.matrix import Days
from rules.policy_file import Entry, count
from rules.stints import SCHOOL_YEAR_MONTH, school_year_start

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scope:
    """Age, grades and schools, all of which must fit. `from_age` holds from the birthday, or with `reached_by`
    (month, day) for the whole school year in which the age is reached by that day. `below_age` ends on the birthday.
    Grades are words of GRADES, schools the district's keys."""

    from_age: int | None = None
    reached_by: tuple[int, int] | None = None
    below_age: int | None = None
    grades: tuple[str, ...] = ()
    not_grades: tuple[str, ...] = ()
    schools: tuple[str, ...] = ()
    not_schools: tuple[str, ...] = ()

    def covers(
        self,
        born: Days,
        grades: Sequence[str],
        grade_at: NDArray[np.integer],
        days: Days,
        schools: Sequence[str] = (),
        school_at: NDArray[np.integer] | None = None,
    ) -> Bools:
        """[S, D] whether it speaks of the student that day. A birth date that is not known (NaT) hinders nothing.

        `grade_at` and `school_at` [S, D] are places in `grades` and `schools`, -1 for none.
        """
        young = np.zeros((len(born), len(days)), dtype=bool)
        if self.from_age is not None:
            young = self._asked_on(days)[None, :] < birthday(born, self.from_age)[:, None]
        old = np.zeros_like(young)
        if self.below_age is not None:
            old = days[None, :] >= birthday(born, self.below_age)[:, None]
        inside: Bools = (
            ~(young | old) & _named([grade_of(grade) for grade in grades], self.grades, self.not_grades)[grade_at]
        )
        if school_at is not None:
            inside &= _named(schools, self.schools, self.not_schools)[school_at]
        elif self.schools:
            inside[:] = False
        return inside

    @property
    def words(self) -> str:
        """Whom it takes in, to follow 'students': of compulsory age, in grades K and 1, at the school 0123."""
        parts = ["of compulsory age"] if self.from_age is not None or self.below_age is not None else []
        for some, lead, others in (("grades", "in", "grade"), ("schools", "at", "school")):
            for name, no in ((some, ""), (f"not_{some}", "not ")):
                named: tuple[str, ...] = getattr(self, name)
                if named and not (no and parts):  # the law's own age leaves the youngest out as well
                    parts.append(f"{no}{lead} {others}{'s' if len(named) > 1 else ''} {_and(named)}")
        return " ".join(parts)

    def may_meet(self, other: Scope) -> bool:
        """Whether somebody may be in both, as far as grades and schools tell."""
        pairs = ((self.grades, other.grades), (self.schools, other.schools))
        return all(not mine or not theirs or set(mine) & set(theirs) for mine, theirs in pairs)

    def _asked_on(self, days: Days) -> Days:
        """For each day the day on which the lower age is looked at."""
        if self.reached_by is None:
            return days
        month, day = self.reached_by
        starts = [school_year_start(one) for one in days.tolist()]
        asked = [_day_in(start.year + (month < SCHOOL_YEAR_MONTH), month, day) for start in starts]
        return np.array(asked, dtype="datetime64[D]")


def _day_in(year: int, month: int, day: int) -> dt.date:
    """A day of every year; the first of March for a leap day in a year without one."""
    return dt.date(year, month, 1) + dt.timedelta(days=day - 1)


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _named(words: Sequence[str], only: Sequence[str], never: Sequence[str]) -> Bools:
    """Which of the words are meant, and at the end whether somebody is of whom none is known."""
    return np.array([*((not only or word in only) and word not in never for word in words), not only])


def birthday(born: Days, age: int) -> Days:
    """The day on which each turns so many years old; the first of March for who was born on a leap day."""
    month = born.astype("datetime64[M]")
    then: Days = (month + np.timedelta64(12 * age, "M")).astype("datetime64[D]") + (
        born - month.astype("datetime64[D]")
    )
    return then


def read_scope(entry: Entry, **beside: Callable[[Entry], Any]) -> Scope:
    """{from_age: 6, reached_by: 09-01, below_age: 17, not_grades: [PK]}; PolicyError for anything else.

    `beside`: what else may stand there and is none of the scope's.
    """
    given = entry.mapping()
    for key, value in given.items():
        if key not in _READERS and key not in beside:
            raise value.wrong(f"{key} is not known here; allowed: {', '.join((*beside, *_READERS))}")
    mine = {key: value for key, value in given.items() if key in _READERS}
    if not mine:
        raise entry.wrong("an age, grades or schools are needed")
    if "reached_by" in given and "from_age" not in given:
        raise entry.wrong("from_age is missing: reached_by says when it is looked at")
    return Scope(**{key: _READERS[key](value) for key, value in mine.items()})


def _list(entry: Entry) -> list[Entry]:
    if not isinstance(entry.value, list) or not entry.value:
        raise entry.wrong("expected a list: [one, another]")
    return entry.value


def _grades(entry: Entry) -> tuple[str, ...]:
    """[K-3, 9]: grades in any spelling, alone or from one to another."""
    found: list[str] = []
    for item in _list(entry):
        named = grades_in(str(item.value))
        if not named:
            allowed = f"{', '.join(GRADES)}, or from one to another such as K-3"
            raise item.wrong(f"{item.value!s} is no grade; allowed: {allowed}")
        found += named
    return tuple(sorted(set(found), key=GRADES.index))


def _schools(entry: Entry) -> tuple[str, ...]:
    """["0123"]: keys of schools as the district writes them."""
    for item in _list(entry):
        if not isinstance(item.value, str) or not item.value.strip():
            raise item.wrong(f'{item.value!s} is no key of a school; write it in quotes, such as "0123"')
    return tuple(item.value.strip() for item in _list(entry))


def _day_of_year(entry: Entry) -> tuple[int, int]:
    """A day of every year, written like 09-01."""
    words = str(entry.value)
    try:
        day = dt.date.fromisoformat(f"2000-{words}")
    except ValueError:
        raise entry.wrong('expected a day of the year in quotes, such as "09-01"') from None
    return day.month, day.day


_READERS: dict[str, Callable[[Entry], Any]] = {
    "from_age": count, "reached_by": _day_of_year, "below_age": count, "grades": _grades, "not_grades": _grades,
    "schools": _schools, "not_schools": _schools,
}  # fmt: skip
