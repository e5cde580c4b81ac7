"""From marks to cells: how much of a day a student missed, and which of several marks stands.

Evidence in order: fraction_absent, minutes_absent, periods, the code's own fraction. A fraction stays exact;
minutes and periods pass the half-day rule (or count in proportion where a district says so). Periods count by
their minutes where a timetable or a person tells them, else as a share of the rows where every period has one; where
neither holds, what was missed is unknown. Where every period has a row, one without a row was not taken: it is unknown,
and the others are the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rules import cells as c
from rules.cells import WHOLE_DAY, Cells, Excuse, Status
from rules.half_days import DayLength, half_day_rule

Ints = NDArray[np.int64]

WHOLE_DAY_MINUTES = 999  # some systems write 999 for "the whole day"
NOT_GIVEN = -1


class Kind(IntEnum):
    """What an attendance code means."""

    UNKNOWN = 0  # nobody has mapped the code
    PRESENT = 1
    ABSENCE = 2
    TARDY = 3
    EARLY_LEAVE = 4
    SUSPENSION_OUT = 5
    SUSPENSION_IN = 6
    HOMEBOUND = 7
    HOSPITAL = 8
    REMOTE = 9
    SCHOOL_FUNCTION = 10
    NON_MEMBERSHIP = 11


class Reason(IntEnum):
    """The `excused` column of a code; only the first two words ever count as excused or unexcused."""

    UNKNOWN = 0
    EXCUSED = 1
    UNEXCUSED = 2
    EXEMPT = 3


HELD_OUT_KINDS = (Kind.HOMEBOUND, Kind.HOSPITAL, Kind.NON_MEMBERSHIP)
ABSENT_KINDS = (Kind.ABSENCE, Kind.SUSPENSION_OUT)
# Kinds whose code may carry a fraction. A day from home that nobody joined is a remote code worth a whole day.
FRACTION_KINDS = (*ABSENT_KINDS, Kind.TARDY, Kind.EARLY_LEAVE, Kind.REMOTE)
# With the school, though not in the classroom: such a day stands, also where teachers marked the empty chair.
ELSEWHERE_KINDS = (Kind.SUSPENSION_IN, Kind.SCHOOL_FUNCTION, Kind.REMOTE)


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Attendance rows as parallel arrays; -1 stands for "not given"."""

    kind: NDArray[np.integer]  # Kind
    reason: NDArray[np.integer]  # Reason
    code_fraction: NDArray[np.integer]  # thousandths the code stands for
    fraction: NDArray[np.integer]  # fraction_absent of the row, thousandths (floor)
    minutes: NDArray[np.integer]  # minutes_absent of the row
    period: NDArray[np.bool_]  # True: one period, False: the whole day
    length: NDArray[np.integer]  # minutes of that period
    told: NDArray[np.integer]  # the delivery that first told of that period; below zero where it said otherwise then

    def at(self, rows: NDArray[np.generic]) -> Marks:
        """Some of the rows."""
        return Marks(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """What is known of the class periods of a day; each a value for all days, or one per day resolved."""

    due: ArrayLike = 0  # minutes of all periods that count, by the student's timetable; 0 without one
    # ... and NOT_GIVEN where the periods on it are more than a day, so that nobody knows which of them were due
    listed: ArrayLike = False  # every period of the day has a row


NOT_TOLD = Periods()


def precedence(kind: NDArray[np.integer], reason: NDArray[np.integer]) -> NDArray[np.int8]:
    """Rank of a mark among rows of one file for the same student, school and day; the highest stands.

    Tardy > held out > absent (excused > exempt > unexcused > unknown) > left early > present > unknown code.
    """
    rank: NDArray[np.int8] = _RANK[kind, reason]
    return rank


_RANK = np.full((len(Kind), len(Reason)), 2, dtype=np.int8)
_RANK[Kind.UNKNOWN] = 1
_RANK[Kind.EARLY_LEAVE] = 3
for _kind in ABSENT_KINDS:
    _RANK[_kind, [Reason.UNKNOWN, Reason.UNEXCUSED, Reason.EXEMPT, Reason.EXCUSED]] = 4, 5, 6, 7
for _kind in HELD_OUT_KINDS:
    _RANK[_kind] = 8
_RANK[Kind.TARDY] = 9


def whole_day_cells(marks: Marks, length: DayLength) -> Cells:
    """One cell per mark, each mark speaking for a whole day of its own."""
    missed = np.where(marks.minutes == WHOLE_DAY_MINUTES, np.asarray(length.day), marks.minutes)
    by_minutes = half_day_rule(missed, 1, length)
    share = _unless_there(marks, np.where(marks.minutes >= 0, by_minutes, code_share(marks)))
    return _cells(share, _status(marks.kind), _excuse(marks), marks.kind == Kind.TARDY)


def day_cells(marks: Marks, starts: NDArray[np.intp], length: DayLength, periods: Periods = NOT_TOLD) -> Cells:
    """One cell per group of marks that share student, school and day; groups begin at `starts`.

    `length` and `periods` have one value, or one per group. Of several whole-day rows the highest precedence stands.
    How much was missed: its own number, else the periods, else its code. Held out, on a trip or in a code nobody
    knows, it is the day; absent, it is the day where the periods do not tell how much was missed.
    """
    whole = _standing_whole_day(marks, starts)
    said = marks.at(np.maximum(whole, 0))
    by_whole = whole_day_cells(said, length)
    by_period = _period_cells(marks, starts, length, periods)
    settles = (said.fraction >= 0) | (said.minutes >= 0) | np.isin(said.kind, (Kind.UNKNOWN, *HELD_OUT_KINDS))
    settles |= c.status(by_period) == Status.UNKNOWN_CODE
    settles |= np.isin(said.kind, ELSEWHERE_KINDS) & _there(said)
    settles |= np.isin(said.kind, ABSENT_KINDS) & (c.status(by_period) == Status.UNKNOWN_PERIODS)
    has_period = np.logical_or.reduceat(marks.period, starts)
    periods_tell = has_period & ~((whole >= 0) & settles)
    return np.where(periods_tell, _with_its_reason(by_period, said, whole >= 0), by_whole)


def _with_its_reason(by_period: Cells, whole: Marks, given: NDArray[np.bool_]) -> Cells:
    """A day told by periods with what its whole-day row adds: the reason of an absence, and that it came late."""
    member = given & (c.status(by_period) == Status.MEMBER)
    decides = member & np.isin(whole.kind, ABSENT_KINDS) & (c.fraction(by_period) > 0)
    excuse = np.where(decides, _excuse(whole), c.excuse(by_period))
    late = c.tardy(by_period) | (member & (whole.kind == Kind.TARDY))
    return c.pack(c.fraction(by_period), c.status(by_period), excuse, late)


def _there(marks: Marks) -> NDArray[np.bool_]:
    """Whether a mark says that the student took part; a remote code worth a part of the day says that nobody joined."""
    present = np.isin(marks.kind, (Kind.PRESENT, *ELSEWHERE_KINDS))
    return np.asarray(present & ((marks.kind != Kind.REMOTE) | (marks.code_fraction <= 0)))


def _unless_there(marks: Marks, share: Ints) -> Ints:
    """The row's own fraction, else `share`; nothing under a code of presence, whatever number stands beside it."""
    told = np.where(marks.fraction >= 0, np.minimum(marks.fraction, WHOLE_DAY), share)
    return np.where(_there(marks), 0, told)


def code_share(marks: Marks) -> Ints:
    """Thousandths missed going by the code alone; an absence without a fraction is a whole day."""
    usual = np.where(np.isin(marks.kind, ABSENT_KINDS), WHOLE_DAY, 0)
    given = np.where(marks.code_fraction >= 0, np.minimum(marks.code_fraction, WHOLE_DAY), usual)
    return np.where(np.isin(marks.kind, FRACTION_KINDS), given, 0)


def _standing_whole_day(marks: Marks, starts: NDArray[np.intp]) -> NDArray[np.intp]:
    """Per group the row of the whole-day mark that stands, -1 without one; the first of equals."""
    rows = np.arange(len(marks.kind))
    rank = precedence(marks.kind, marks.reason).astype(np.int64)
    key = np.where(marks.period, -1, (rank << 32) - rows)
    best = np.maximum.reduceat(key, starts)
    return np.where(best < 0, -1, -best & 0xFFFFFFFF)


def _period_cells(marks: Marks, starts: NDArray[np.intp], length: DayLength, periods: Periods) -> Cells:
    """The day as its periods tell it. Unknown and held-out periods drop out and the rest is scaled up."""
    unknown = marks.period & (marks.kind == Kind.UNKNOWN)
    parts = Parts.of(marks, starts, length, periods)
    known, missed = parts.known, parts.share > 0
    seen = np.logical_or.reduceat(known, starts)
    absent = half_day_rule(np.asarray(length.day) * parts.missed, parts.of_all * WHOLE_DAY, length)
    nothing_known = np.where(np.logical_or.reduceat(unknown, starts), Status.UNKNOWN_CODE, Status.HELD_OUT)
    status = np.where(parts.told, Status.MEMBER, Status.UNKNOWN_PERIODS)
    late = np.logical_or.reduceat(known & (marks.kind == Kind.TARDY), starts)
    return _cells(absent, np.where(seen, status, nothing_known), _worst_excuse(_excuse(marks), missed, starts), late)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """How much of each day its periods are: `known` and `share` have a value per mark, the others one per day."""

    known: NDArray[np.bool_]  # periods that say something of the day: neither unknown nor held out
    share: Ints  # thousandths of each known period missed
    missed: Ints  # thousandths of the parts missed, added up
    of_all: Ints  # how many parts the known periods of the day are
    by_minutes: NDArray[np.bool_]  # whether the parts are minutes; rows otherwise
    told: NDArray[np.bool_]  # whether this is known at all

    @classmethod
    def of(cls, marks: Marks, starts: NDArray[np.intp], length: DayLength, periods: Periods) -> Parts:
        """By minutes where every missed period has some; else by rows, where each period has one."""
        known = marks.period & ~np.isin(marks.kind, (Kind.UNKNOWN, *HELD_OUT_KINDS))
        day, size = _each(length.day, starts), np.diff(np.append(starts, len(marks.kind)))
        rows = np.add.reduceat(known.astype(np.int64), starts)
        by_row = np.where(known, _period_share(marks, np.repeat(rows, size), np.repeat(day, size)), 0)
        minutes, share = np.maximum(_minutes_of(marks), 0), np.where(known, _share_of_minutes(marks), 0)
        due, listed = _each(periods.due, starts), _each(periods.listed, starts).astype(bool)
        shown = _shown(marks, known, known & (by_row > 0), starts)
        by_rows = listed | (shown & (due < 0))  # the periods that have a row are the day
        asked = np.where(np.repeat(by_rows, size), known, known & (by_row > 0))  # whose minutes must be known
        sized = np.where(np.repeat(by_rows | (due >= 0), size), _minutes_of(marks) >= 0, _own_minutes(marks) >= 0)
        measured = ~np.logical_or.reduceat(asked & ~sized, starts)
        out = np.add.reduceat(np.where(marks.period & ~known, minutes, 0), starts)
        gone = np.add.reduceat(np.where(share > 0, minutes, 0), starts)
        taken = np.add.reduceat(np.where(known, minutes, 0), starts)
        rest = np.maximum(np.where(by_rows, taken, np.where(due > 0, due, day) - out), np.maximum(gone, 1))
        added = np.where(measured, np.add.reduceat(share * minutes, starts), np.add.reduceat(by_row, starts))
        of_all = np.where(measured, rest, np.maximum(rows, 1))
        share = np.where(np.repeat(measured, size), share, by_row)
        return cls(known, share, added, of_all, measured, measured | listed | shown)


def _shown(
    marks: Marks, known: NDArray[np.bool_], missed: NDArray[np.bool_], starts: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Per day whether an attended period shows that every period has a row.

    It does beside a missed one of which the same delivery told first. One that corrects an absence shows nothing, nor
    does one that was told of later: in a feed of exceptions both are just that.
    """
    size = np.diff(np.append(starts, len(marks.kind)))
    key = np.repeat(np.arange(len(starts)), size) << 32 | np.abs(marks.told).astype(np.int64)
    shows = known & (marks.kind == Kind.PRESENT) & (marks.told >= 0)
    return np.asarray(np.logical_or.reduceat(shows & np.isin(key, key[missed]), starts))


def _minutes_of(marks: Marks) -> Ints:
    """The minutes of a period; of one whose length nobody knows those missed of it. -1 where neither is known."""
    return np.where(marks.length >= 0, marks.length, _own_minutes(marks)).astype(np.int64)


def _own_minutes(marks: Marks) -> Ints:
    """The minutes that a row itself says were missed; -1 where it does not say, or says the whole day."""
    return np.where(marks.minutes == WHOLE_DAY_MINUTES, NOT_GIVEN, marks.minutes).astype(np.int64)


def _share_of_minutes(marks: Marks) -> Ints:
    """Thousandths of each period missed, where its own minutes are minutes of its length."""
    length = np.maximum(_minutes_of(marks), 1)
    by_minutes = np.minimum(WHOLE_DAY * marks.minutes.astype(np.int64) // length, WHOLE_DAY)
    return _unless_there(marks, np.where(marks.minutes >= 0, by_minutes, code_share(marks)))


def _period_share(marks: Marks, periods: Ints, day: Ints) -> Ints:
    """Thousandths of each period missed: its fraction, its minutes of an equal share, or its code."""
    periods = np.maximum(periods, 1)
    minutes = np.where(marks.minutes == WHOLE_DAY_MINUTES, day, marks.minutes).astype(np.int64)
    by_minutes = np.minimum(WHOLE_DAY * minutes * periods // np.maximum(day, 1), WHOLE_DAY)
    return _unless_there(marks, np.where(marks.minutes >= 0, by_minutes, code_share(marks)))


def _worst_excuse(excuse: Ints, missed: NDArray[np.bool_], starts: NDArray[np.intp]) -> Ints:
    """Unexcused if any missed period is, else excused if any is; unknown where nothing is known of any."""
    unexcused = np.logical_or.reduceat(missed & (excuse == Excuse.UNEXCUSED), starts)
    excused = np.logical_or.reduceat(missed & (excuse == Excuse.EXCUSED), starts)
    other = np.logical_or.reduceat(missed & (excuse == Excuse.OTHER), starts)
    rest = np.where(other, Excuse.OTHER, Excuse.UNKNOWN)
    return np.where(unexcused, Excuse.UNEXCUSED, np.where(excused, Excuse.EXCUSED, rest))


def _status(kind: NDArray[np.integer]) -> Ints:
    held = np.where(np.isin(kind, HELD_OUT_KINDS), Status.HELD_OUT, Status.MEMBER)
    return np.where(kind == Kind.UNKNOWN, Status.UNKNOWN_CODE, held)


def _excuse(marks: Marks) -> Ints:
    """What the code says; but why a suspension is, is known, and it is never unexcused, whatever its code says."""
    said: Ints = _EXCUSE_OF[marks.reason]
    suspended = (marks.kind == Kind.SUSPENSION_OUT) & (said != Excuse.EXCUSED)
    return np.where(suspended, Excuse.OTHER, said)


_EXCUSE_OF = np.zeros(len(Reason), dtype=np.int64)
_EXCUSE_OF[[Reason.UNKNOWN, Reason.EXCUSED, Reason.UNEXCUSED, Reason.EXEMPT]] = (
    Excuse.UNKNOWN, Excuse.EXCUSED, Excuse.UNEXCUSED, Excuse.OTHER,
)  # fmt: skip


def _cells(share: Ints, status: Ints, excuse: Ints, tardy: NDArray[np.bool_]) -> Cells:
    """Only a member day keeps a share, only a missed part keeps an excuse."""
    member = status == Status.MEMBER
    share = np.where(member, share, 0)
    return c.pack(share, status, np.where(share > 0, excuse, Excuse.OTHER), tardy & member)


def _each(value: ArrayLike, starts: NDArray[np.intp]) -> Ints:
    return np.broadcast_to(np.asarray(value, dtype=np.int64), starts.shape)
