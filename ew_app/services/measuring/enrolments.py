"""Enrolments as columns: read from the rows, or kept from the last time for whom nothing in the roster changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from models.queries import measuring as rows
from models.queries.calendars import NOT_KNOWN
from rules.matrix import Days, stand_in

Ints = NDArray[np.int64]
Chosen = NDArray[np.intp] | NDArray[np.bool_]


def born(students: Ints) -> Days:
    """The birth date of each of these students, ascending by id; NaT where nobody told it."""
    found = rows.births(students)
    return np.where(found == NOT_KNOWN, np.datetime64("NaT"), found.astype("datetime64[D]"))


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A column of few different texts."""

    index: NDArray[np.int32]
    different: list[str]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Words:
        """The column of these texts."""
        number: dict[str, int] = {}
        index = np.fromiter((number.setdefault(text, len(number)) for text in texts), np.int32, len(texts))
        return cls(index, list(number))

    def at(self, chosen: Chosen) -> Words:
        """Some places of the column."""
        return Words(self.index[chosen], self.different)

    def texts(self) -> list[str]:
        """The column as texts."""
        return [self.different[place] for place in self.index.tolist()]

    def behind(self, other: Words) -> Words:
        """The other column, then this one."""
        number = {text: place for place, text in enumerate(other.different)}
        place = np.array([number.setdefault(text, len(number)) for text in self.different], dtype=np.int32)
        mine = place[self.index] if len(place) else self.index
        return Words(np.concatenate([other.index, mine]), list(number))


@dataclass(frozen=True, slots=True, eq=False)
class Enrolments:
    """Stints as parallel columns, in the order in which they were loaded; `last` is NaT while one is open."""

    student: Ints
    school: Ints
    entry: Days
    last: Days
    primary: NDArray[np.int32]  # 1, 0, or -1 where nobody said
    exit_code: Words
    calendar: Words
    grade: Words

    @classmethod
    def read(cls, students: Ints, since: date) -> Enrolments:
        """All stints of these students that end on `since` or later, those that begin some day included."""
        found = rows.stints(students, since)
        ended = found["last"] != rows.OPEN
        return cls(
            found["student"].astype(np.int64),
            found["school"].astype(np.int64),
            found["entry"].astype("datetime64[D]"),
            np.where(ended, found["last"].astype("datetime64[D]"), np.datetime64("NaT")),
            found["primary"],
            *(Words.of(found[name]) for name in ("exit_code", "calendar", "grade")),
        )

    @classmethod
    def none(cls) -> Enrolments:
        """Nobody's."""
        nobody, days = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[D]")
        return cls(nobody, nobody, days, days, nobody.astype(np.int32), *(Words.of(()) for _ in range(3)))

    def at(self, chosen: Chosen) -> Enrolments:
        """Some of them."""
        return Enrolments(
            self.student[chosen],
            self.school[chosen],
            self.entry[chosen],
            self.last[chosen],
            self.primary[chosen],
            self.exit_code.at(chosen),
            self.calendar.at(chosen),
            self.grade.at(chosen),
        )

    def of(self, students: Ints) -> Enrolments:
        """Those of some students, ascending."""
        return self.at(stand_in(students, self.student))

    def behind(self, other: Enrolments) -> Enrolments:
        """The others, then these."""
        return Enrolments(
            np.concatenate([other.student, self.student]),
            np.concatenate([other.school, self.school]),
            np.concatenate([other.entry, self.entry]),
            np.concatenate([other.last, self.last]),
            np.concatenate([other.primary, self.primary]),
            self.exit_code.behind(other.exit_code),
            self.calendar.behind(other.calendar),
            self.grade.behind(other.grade),
        )

    def begun(self, day: date) -> Enrolments:
        """Those that began on or before a day."""
        return self.at(self.entry <= np.datetime64(day))
