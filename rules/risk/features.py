"""What a model may look at: attendance, the school's own attendance and the grade, as known on the evening of a day.

Nothing else is ever an input. Each attendance feature rises, or stays, when a single mark is made worse, so that a
model that rises with each of them never lowers a score for a day missed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from rules.carried import Carried

Ints = NDArray[np.integer]
Floats = NDArray[np.float64]
Features = NDArray[np.float32]

NAMES = (
    "rate", "absences", "rate_last_20", "unexcused_share", "marked_share", "last_year_rate", "last_year_late_rate",
    "year_before_rate", "has_last_year", "school_rate", "grade",
)  # fmt: skip
NOT_RISING = ("has_last_year", "grade")  # the two that are no measure of attendance
RISING = tuple(name not in NOT_RISING for name in NAMES)
COLUMN: Mapping[str, int] = {name: place for place, name in enumerate(NAMES)}

LATELY = 20  # member days
LEAST_OF_A_YEAR = 10_000  # mils: with fewer days than these a year says nothing about the next
NOT_KNOWN = -1
UNKNOWN_GRADE = -99
GRADE_NUMBERS: Mapping[str, int] = {"PK": -1, "TK": 0, "K": 0} | {str(number): number for number in range(1, 13)}


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Totals of the two school years before, [S] mils each; -1 where not known."""

    last_absent: Ints
    last_enrolled: Ints
    late_absent: Ints  # on the last 44 member days of last year
    late_enrolled: Ints
    before_absent: Ints  # two years ago
    before_enrolled: Ints

    @classmethod
    def none(cls, students: int) -> Past:
        """Of students of whom no earlier year is known."""
        return cls(*(np.full(students, NOT_KNOWN, dtype=np.int64) for _ in fields(cls)))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What is known of S students on the evening of one day; columns [S] in mils unless said."""

    students: Ints  # ids
    absent: Ints  # this school year to date, every cause
    enrolled: Ints
    absent_last_20: Ints  # on this year's last 20 member days
    enrolled_last_20: Ints
    unexcused: Ints
    marked_days: Ints  # member days with any absence or tardy, a count
    member_days: Ints  # a count
    last_absent: Ints  # as in Past
    last_enrolled: Ints
    late_absent: Ints
    late_enrolled: Ints
    before_absent: Ints
    before_enrolled: Ints
    school: Ints  # ids
    school_absent: Ints  # all students of the school to date, on every row
    school_enrolled: Ints
    grade: Ints  # PK -1, K 0, 1 to 12; UNKNOWN_GRADE

    def of(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Seen:
        """Some of the students."""
        return Seen(*(getattr(self, field.name)[rows] for field in fields(self)))


def seen(carried: Carried, students: Ints, school: Ints, grade: Ints, past: Past) -> Seen:
    """What the facts at the end of a day tell, one row a student in the order of `carried`; reads no mark.

    `carried` must hold every student of each school, because the school's own sums are taken from it. School sums are
    those of the students who are there now.
    """
    facts, days = carried.facts, np.asarray(carried.facts["attendance_days"])
    begun = days - facts["member_days"]  # attendance days of earlier years
    lately = np.maximum(days - LATELY, begun)
    events = carried.events
    marked = (events.daily.fraction > 0) | events.daily.tardies
    marked &= events.daily.member & (events.nth > begun[events.row])
    _, place = np.unique(school, return_inverse=True)
    absent, enrolled = (np.asarray(facts[name], dtype=np.int64) for name in ("absent", "enrolled"))
    return Seen(
        students=np.asarray(students), absent=absent, enrolled=enrolled,
        absent_last_20=carried.since("absent", lately), enrolled_last_20=carried.since("enrolled", lately),
        unexcused=facts["unexcused"], marked_days=np.bincount(events.row[marked], minlength=len(days)),
        member_days=facts["member_days"],
        last_absent=past.last_absent, last_enrolled=past.last_enrolled,
        late_absent=past.late_absent, late_enrolled=past.late_enrolled,
        before_absent=past.before_absent, before_enrolled=past.before_enrolled,
        school=np.asarray(school), school_absent=_sums(absent, place), school_enrolled=_sums(enrolled, place),
        grade=np.asarray(grade),
    )  # fmt: skip


def together(parts: Sequence[Seen]) -> Seen:
    """Students seen part by part as one, ascending, the sums of each school over all of them."""
    columns = {field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Seen)}
    whole = Seen(**columns).of(np.argsort(columns["students"], kind="stable"))
    _, place = np.unique(whole.school, return_inverse=True)
    absent, enrolled = whole.absent.astype(np.int64), whole.enrolled.astype(np.int64)
    return replace(whole, school_absent=_sums(absent, place), school_enrolled=_sums(enrolled, place))


def features(known: Seen) -> Features:
    """[S, 11] the columns NAMES, NaN where not known. Rates are shares from 0 to 1, `absences` days."""
    has_last = _tells(known.last_absent, known.last_enrolled)
    grade = np.where(known.grade == UNKNOWN_GRADE, np.nan, known.grade)
    columns = {
        "rate": _share(known.absent, known.enrolled),
        "absences": np.asarray(known.absent, dtype=np.float64) / 1000,
        "rate_last_20": _share(known.absent_last_20, known.enrolled_last_20),
        "unexcused_share": _share(known.unexcused, known.enrolled),
        "marked_share": _share(known.marked_days, known.member_days),
        "last_year_rate": _share(known.last_absent, known.last_enrolled, has_last),
        "last_year_late_rate": _share(
            known.late_absent, known.late_enrolled, has_last & _tells(known.late_absent, known.late_enrolled)
        ),
        "year_before_rate": _share(
            known.before_absent, known.before_enrolled, _tells(known.before_absent, known.before_enrolled)
        ),
        "has_last_year": has_last.astype(np.float64),
        "school_rate": _share(known.school_absent, known.school_enrolled),
        "grade": grade,
    }
    return np.stack([columns[name] for name in NAMES], axis=1).astype(np.float32)


def _tells(absent: Ints, enrolled: Ints) -> NDArray[np.bool_]:
    """[S] whether the totals of a year are known and of enough days."""
    return np.asarray((absent >= 0) & (enrolled >= LEAST_OF_A_YEAR))


def _share(part: Ints, whole: Ints, known: NDArray[np.bool_] | None = None) -> Floats:
    """[S] NaN where there is no whole, or it is not known."""
    told = whole > 0 if known is None else known & (whole > 0)
    share: Floats = np.divide(part, whole, out=np.full(len(whole), np.nan), where=told)
    return share


def _sums(amounts: NDArray[np.int64], place: NDArray[np.intp]) -> NDArray[np.int64]:
    """[S] the sum of the amounts of all rows of one place, on every row of it."""
    totals = np.zeros(int(place.max(initial=-1)) + 1, dtype=np.int64)
    np.add.at(totals, place, amounts)
    return totals[place]
