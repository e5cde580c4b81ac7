"""What later days need to know of earlier ones, so that a day costs the same in September and in May.

Totals to date, the run that goes on, and for the windows every attendance day within reach that was not attended
plainly and whole. Facts go on from here exactly as if all days were still at hand (a property test holds that).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules import patterns, plans
from rules.cells import WHOLE_DAY, Cells
from rules.daily import PLAIN, Daily, Ints
from rules.matrix import Matrix

CARRIED = (
    "enrolled", "absent", "excused", "unexcused", "federal_absent", "tardies", "member_days", "due_days",
    "missing_days", "unknown_days", "unknown_codes", "undecided", "present_ever", "days_not_arrived", "absent_first_20",
    "streak", "streak_start", "unexplained_run", "unexplained_streak", "unexcused_streak",
)  # fmt: skip
KEPT = (*CARRIED, "attendance_days", *patterns.STATE, *plans.STATE)
NEAR = 60  # most windows look back on no more than these: late in the year they should read no more than early
REACH = 180  # attendance days that windows may look back on


class TooFarBack(LookupError):
    """A window is longer than what is carried: the facts have to be worked out from the first day."""


@dataclass(frozen=True, eq=False)
class Events:
    """Attendance days that were anything but whole, plain presence; by student, then by day."""

    row: NDArray[np.int32]  # whose
    nth: NDArray[np.int16]  # the student's how manieth attendance day it was, last year's counted too
    cells: Cells
    weights: NDArray[np.int16]

    @classmethod
    def none(cls) -> Events:
        """Nothing but presence."""
        short = np.zeros(0, dtype=np.int16)
        return cls(short.astype(np.int32), short, short.astype(np.uint16), short)

    @classmethod
    def among(cls, matrix: Matrix, count: Ints) -> Events:
        """Those of a matrix, `count` [D, S] being the running number of attendance days."""
        member = Daily(matrix.cells, matrix.weights).member
        row, column = np.nonzero(member & ((matrix.cells != PLAIN) | (matrix.weights != WHOLE_DAY)))
        cells, weights = matrix.cells[row, column], matrix.weights[row, column]
        return cls(row.astype(np.int32), count[column, row].astype(np.int16), cells, weights.astype(np.int16))

    @cached_property
    def daily(self) -> Daily:
        """What each adds to the measures."""
        return Daily(self.cells, self.weights)

    def at(self, chosen: NDArray[Any]) -> Events:
        """Some of them, in the order given."""
        return Events(self.row[chosen], self.nth[chosen], self.cells[chosen], self.weights[chosen])

    def of(self, rows: NDArray[np.intp], students: int) -> Events:
        """Those of some students, who then stand in the order of `rows`; `students` is how many there were."""
        place = np.full(students, -1, dtype=np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        kept = np.flatnonzero(place[self.row] >= 0)
        found = self.at(kept)
        return Events(place[found.row], found.nth, found.cells, found.weights).in_order()

    def then(self, later: Events) -> Events:
        """These, and later ones of the same students."""
        names = ("row", "nth", "cells", "weights")
        return Events(*(np.concatenate([getattr(self, name), getattr(later, name)]) for name in names)).in_order()

    def in_order(self) -> Events:
        """By student; the days of each stay in their order."""
        if np.all(self.row[1:] >= self.row[:-1]):
            return self
        return self.at(np.argsort(self.row, kind="stable"))

    def near(self, attendance_days: Ints) -> Events:
        """Those of each student's last days; chosen once, `attendance_days` [S] being the days so far."""
        kept: dict[str, Events] = self.__dict__
        if "_near" not in kept:
            kept["_near"] = self.at(np.flatnonzero(self.nth > attendance_days[self.row] - NEAR))
        return kept["_near"]

    def within_reach(self, attendance_days: Ints) -> Events:
        """Without those that no window can still look back on."""
        kept = self.nth > attendance_days[self.row] - REACH
        return self if kept.all() else self.at(kept)


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """How the facts of students stand at the end of a day."""

    facts: Mapping[str, NDArray[Any]]  # [S] each fact that is told to date, and `attendance_days` of both years
    events: Events

    def of(self, rows: NDArray[np.intp]) -> Carried:
        """Some of the students."""
        students = len(self.facts["attendance_days"])
        return Carried({name: part[rows] for name, part in self.facts.items()}, self.events.of(rows, students))

    def since(self, amount: str, nth: Ints) -> Ints:
        """[S] how much of it fell on the attendance days after each student's `nth` [S]; all within reach."""
        students, days = len(nth), self.facts["attendance_days"]
        events = self.events if np.max(days - nth, initial=0) > NEAR else self.events.near(days)
        found = np.flatnonzero(events.nth > nth[events.row])
        each = getattr(events.daily, amount)[found]
        if amount == "enrolled":  # plain days are no events and weigh a whole day each
            each = each - WHOLE_DAY
        total = np.bincount(events.row[found], each, students).astype(np.int32)
        if amount == "enrolled":
            total += (WHOLE_DAY * np.maximum(days - nth, 0)).astype(np.int32)
        return total


def joined(parts: Sequence[Carried]) -> Carried:
    """One behind the other."""
    sizes = [len(part.facts["attendance_days"]) for part in parts]
    firsts = np.cumsum([0, *sizes[:-1]], dtype=np.int32)
    facts = {name: np.concatenate([part.facts[name] for part in parts]) for name in parts[0].facts}
    events = [part.events for part in parts]
    row = np.concatenate([one.row + first for one, first in zip(events, firsts, strict=True)])
    others = (np.concatenate([getattr(one, name) for one in events]) for name in ("nth", "cells", "weights"))
    return Carried(facts, Events(row, *others))
