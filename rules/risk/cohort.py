"""Whom a model is trained on and judged by, and what it is asked to foresee.

The label is the year's own rule: absent on at least a tenth of the enrolled days when the year is over, excused or not,
leavers at their last day. Never a case, a tier or anything people did about it: a model must not learn its own echo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rules.risk.features import COLUMN, LEAST_OF_A_YEAR, Features, Ints, Seen

Bools = NDArray[np.bool_]
Rows = NDArray[np.intp] | Bools

GRID = (10, 20, 40, 60, 90, 120)  # taught days; a model each, and between two of them their mean
LEAST_AHEAD = 20  # taught days that must be left
ENOUGH_DAYS = 10  # member days after which a student without an earlier year is judged


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The students of one completed school year as they were known on the evening of one grid day."""

    year: int  # the school year's key, rising with time
    day: int  # taught days so far
    students: Ints  # [S] ids, each once
    x: Features  # [S, 11]
    chronic: Bools  # [S] the label
    later_chronic: Bools  # [S] absent on at least a tenth of the days that were left; told, never trained on
    listed: Bools  # [S] what the rule says on the day: absent on at least a tenth of the days so far
    school: Ints  # [S] ids
    grade: Ints  # [S] as in Seen
    groups: Mapping[str, Bools] = field(default_factory=dict)  # [S] for the audit alone, never an input
    # shares of the kinds of marks so far: drift looks at them
    marked: Mapping[str, float] = field(default_factory=dict)
    # [S] told beside each other and never judged, such as whom staff were in touch with; never an input
    parts: Mapping[str, Bools] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size = len(self.students)
        for name in ("x", "chronic", "later_chronic", "listed", "school", "grade"):
            if len(getattr(self, name)) != size:
                raise ValueError(f"{name} has {len(getattr(self, name))} rows, and there are {size} students")
        if self.x.dtype != np.float32 or self.x.shape != (size, len(COLUMN)):
            raise ValueError(f"features must be float32[{size}, {len(COLUMN)}], not {self.x.dtype}{self.x.shape}")

    def column(self, name: str) -> Features:
        """[S] one feature."""
        found: Features = self.x[:, COLUMN[name]]
        return found

    def of(self, rows: Rows) -> Cohort:
        """Some of the students."""
        parts = {name: getattr(self, name)[rows] for name in _ROWS}
        groups, told = ({name: members[rows] for name, members in of.items()} for of in (self.groups, self.parts))
        return Cohort(self.year, self.day, **parts, groups=groups, marked=self.marked, parts=told)

    def in_order(self) -> Cohort:
        """By student, so that nothing depends on the order in which rows came."""
        return self.of(np.argsort(self.students, kind="stable"))


_ROWS = ("students", "x", "chronic", "later_chronic", "listed", "school", "grade")


def is_chronic(absent: Ints, enrolled: Ints) -> Bools:
    """[S] absent on at least a tenth of the enrolled days, both in mils; without days nobody is."""
    return np.asarray((np.asarray(absent) * 10 >= enrolled) & (np.asarray(enrolled) > 0))


def has_label(enrolled: Ints) -> Bools:
    """[S] whether a year of so many mils tells whether a student was chronically absent: ten days or more."""
    return np.asarray(np.asarray(enrolled) >= LEAST_OF_A_YEAR)


def least_days(day: int) -> int:
    """Member days that a student must have on that taught day to be in the cohort."""
    return min(ENOUGH_DAYS, day // 2)


def belongs(known: Seen, day: int, ahead: int, excluded: Ints | Sequence[int] = ()) -> Bools:
    """[S] who is scored on that taught day with so many days ahead: enough days seen, and not opted out."""
    if ahead < LEAST_AHEAD:
        return np.zeros(len(known.students), dtype=bool)
    enough = (known.member_days >= least_days(day)) & (known.enrolled > 0)
    return np.asarray(enough & ~np.isin(known.students, np.asarray(excluded, dtype=np.int64)))


def later_chronic(absent_then: Ints, enrolled_then: Ints, absent_end: Ints, enrolled_end: Ints) -> Bools:
    """[S] absent on at least a tenth of the days between a day and the end of the year; all in mils."""
    return is_chronic(np.asarray(absent_end) - absent_then, np.asarray(enrolled_end) - enrolled_then)
