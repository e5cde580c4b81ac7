"""Counting absences as laws do: so much of something, within some window, that ends on each school day.

Vectorised over students x days: a daily amount, its running total, and per day the column where the window begins.
Amounts are integers: thousandths of days, of day parts and of occasions; whole minutes for hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules import cells as c
from rules.cells import WHOLE_DAY, Excuse, Status
from rules.matrix import Days, Matrix

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
WEEK = 7
SCHOOL_WEEKS_A_MONTH = 4


class Unit(StrEnum):
    """What is counted."""

    DAYS = "days"  # shares of days add up
    DAY_PARTS = "day_parts"  # a day missed in part counts like a whole one
    WHOLE_DAYS = "whole_days"  # only days missed whole, each as one
    HOURS = "hours"  # share of the day times its length; minutes
    OCCASIONS = "occasions"  # days on which more than some minutes were missed
    SHARE = "share"  # of the window's attendance days


class Span(StrEnum):
    """How far a window reaches back from the day on which it ends."""

    SCHOOL_YEAR = "school_year"
    ATTENDANCE_DAYS = "attendance_days"  # the student's own last so many
    CALENDAR_DAYS = "calendar_days"
    WEEKS = "weeks"
    MONTHS = "months"
    CALENDAR_MONTH = "calendar_month"
    SCHOOL_MONTH = "school_month"  # four weeks with school, counted from the first
    IN_A_ROW = "in_a_row"  # back to the last attendance day that was not missed whole


COUNTED = (Span.ATTENDANCE_DAYS, Span.CALENDAR_DAYS, Span.WEEKS, Span.MONTHS)
STATES = {"unexcused": Excuse.UNEXCUSED, "unknown": Excuse.UNKNOWN, "excused": Excuse.EXCUSED, "other": Excuse.OTHER}


@dataclass(frozen=True, slots=True)
class Window:
    """A span with its length where it has one. Only one that reaches back looks into the school year before."""

    span: Span
    length: int = 0
    reaches_back: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What was found at the end of each day: [S, D], zero before the school year."""

    amount: Ints
    days: Ints  # attendance days in the window, thousandths by their weight


def count(
    matrix: Matrix,
    unit: Unit,
    window: Window,
    excuses: tuple[str, ...],
    minutes: Ints | None = None,
    longer_than: int = 0,
    taught: Bools | None = None,
) -> Counted:
    """Count on every day. `minutes` [S, D]: how long each school day is, for hours and occasions.

    `excuses`: which absences count, by what their code says. `longer_than`: minutes that make an occasion. `taught`
    [S, D]: on which days the student's school has class, for school months; on every day of the matrix if not said.
    """
    member = c.status(matrix.cells) == Status.MEMBER
    counts = (
        member & np.isin(c.excuse(matrix.cells), [STATES[name] for name in excuses]) & (c.fraction(matrix.cells) > 0)
    )
    daily = np.where(counts, _amount(matrix, unit, minutes, longer_than), 0)
    if window.span is Span.SCHOOL_MONTH:
        begins = _school_months(matrix, taught)
    else:
        begins = _begins(matrix, window, member, counts & (c.fraction(matrix.cells) == WHOLE_DAY))
    weights = np.where(member, matrix.weights, 0)
    return Counted(_since(daily, begins, matrix.first), _since(weights, begins, matrix.first))


def met(
    found: Counted, unit: Unit, at_least: Any = None, more_than: Any = None, below: Any = None, least_days: int = 0
) -> Bools:
    """[S, D] whether the bounds are met, in days, hours or a share of one; exact. `least_days` in thousandths."""
    ok: Bools = found.days >= least_days
    for bound, compare in ((at_least, np.greater_equal), (more_than, np.greater), (below, np.less)):
        if bound is None:
            continue
        if unit is Unit.SHARE:
            ok &= compare(found.amount * bound.denominator, found.days * bound.numerator) & (found.days > 0)
        else:
            scale = 60 if unit is Unit.HOURS else WHOLE_DAY
            ok &= compare(found.amount * bound.denominator, scale * bound.numerator)
    return ok


def incomplete(matrix: Matrix, window: Window, col: int) -> Bools:
    """[S] whether less is on record than the window of that column looks back on; never where it ends with the year."""
    known = c.status(matrix.cells[:, : col + 1]) != Status.OUT
    if not window.reaches_back:
        return np.zeros(len(known), dtype=bool)
    if window.span is Span.ATTENDANCE_DAYS:
        members = c.status(matrix.cells[:, : col + 1]) == Status.MEMBER
        return np.asarray(members.sum(axis=1) < window.length)
    begun = matrix.days[np.where(known.any(axis=1), known.argmax(axis=1), col)]
    return np.asarray(begun > _first_dates(matrix.days, window)[col])


def minutes_missed(matrix: Matrix, minutes: Ints) -> Ints:
    """Whole minutes missed on each day. A share was floored to thousandths, so the next minute up is what was meant."""
    return -(-c.fraction(matrix.cells).astype(np.int64) * minutes // WHOLE_DAY)


def _amount(matrix: Matrix, unit: Unit, minutes: Ints | None, longer_than: int) -> Ints | int:
    if unit is Unit.DAY_PARTS:
        return WHOLE_DAY
    if unit is Unit.WHOLE_DAYS:
        return np.where(c.fraction(matrix.cells) == WHOLE_DAY, WHOLE_DAY, 0)
    if unit in (Unit.HOURS, Unit.OCCASIONS):
        if minutes is None:
            raise ValueError(f"{unit} are counted by the length of the school day")
        missed = minutes_missed(matrix, minutes)
        return missed if unit is Unit.HOURS else np.where(missed > longer_than, WHOLE_DAY, 0)
    amount: Ints = c.fraction(matrix.cells).astype(np.int64) * matrix.weights // WHOLE_DAY
    return amount


def _since(daily: NDArray[Any], begins: Ints, first: int) -> Ints:
    """Sums over the columns from `begins` to the day itself."""
    rows, days = daily.shape
    total = np.zeros((rows, days + 1), dtype=np.int64)
    np.cumsum(daily, axis=1, out=total[:, 1:])
    found: Ints = total[:, 1:] - np.take_along_axis(total, np.broadcast_to(begins, daily.shape), axis=1)
    found[:, :first] = 0
    return found


def _begins(matrix: Matrix, window: Window, member: Bools, missed_whole: Bools) -> Ints:
    """The first column of each day's window; [D], or [S, D] where it is the student's own."""
    earliest = 0 if window.reaches_back else matrix.first
    own = {Span.ATTENDANCE_DAYS: _attendance_days, Span.IN_A_ROW: _in_a_row}
    if window.span in own:
        begins = own[window.span](matrix, window, member, missed_whole, earliest)
    else:
        begins = np.searchsorted(matrix.days, _first_dates(matrix.days, window))[None, :]
    first: Ints = np.maximum(begins, earliest).astype(np.int64)
    return first


def _first_dates(days: Days, window: Window) -> Days:
    """The first date within the window that ends on each day."""
    if window.span is Span.SCHOOL_YEAR:
        return np.full(len(days), np.datetime64("0001-01-01"))
    month = days.astype("datetime64[M]")
    if window.span is Span.CALENDAR_MONTH:
        return month.astype("datetime64[D]")
    if window.span is Span.MONTHS:
        return _months_before(days, window.length) + 1
    back = window.length * (WEEK if window.span is Span.WEEKS else 1)
    first: Days = days - np.timedelta64(back - 1, "D")
    return first


def _months_before(days: Days, months: int) -> Days:
    """The same day so many months earlier, or that month's last day."""
    month = days.astype("datetime64[M]")
    then = month - np.timedelta64(months, "M")
    same_day = then.astype("datetime64[D]") + (days - month.astype("datetime64[D]"))
    last: Days = np.minimum(same_day, (then + 1).astype("datetime64[D]") - 1)
    return last


def _attendance_days(matrix: Matrix, window: Window, member: Bools, _: Bools, earliest: int) -> Ints:
    """The column of the student's own attendance day that is the first of the last so many."""
    member = member.copy()
    member[:, :earliest] = False
    begins = np.zeros(member.shape, dtype=np.int64)
    for row, here in enumerate(member):
        columns = np.append(np.flatnonzero(here), len(here))
        begins[row] = columns[np.maximum(np.cumsum(here) - window.length, 0)]
    return begins


def _in_a_row(matrix: Matrix, window: Window, member: Bools, missed_whole: Bools, earliest: int) -> Ints:
    """The column after the last attendance day that was not missed whole; other days neither count nor break."""
    breaks = member & ~missed_whole
    columns = np.where(breaks, np.arange(1, member.shape[1] + 1), 0)
    begins: Ints = np.maximum.accumulate(columns, axis=1).astype(np.int64)
    return begins


def _school_months(matrix: Matrix, taught: Bools | None) -> Ints:
    """Weeks in which the student's own school has class, from the first of its school year on, four by four."""
    if taught is None:
        return _months_of(matrix, np.ones(len(matrix.days), dtype=bool))[None, :]
    alike, which = np.unique(taught, axis=0, return_inverse=True)
    return np.array([_months_of(matrix, row) for row in alike], dtype=np.int64)[which.reshape(-1)]


def _months_of(matrix: Matrix, taught: Bools) -> Ints:
    """[D] the column with which the school month of each day begins."""
    monday = (matrix.days.astype(np.int64) + 3) // WEEK
    weeks = np.unique(monday[matrix.first :][taught[matrix.first :]])
    month = np.maximum(np.searchsorted(weeks, monday, side="right") - 1, 0) // SCHOOL_WEEKS_A_MONTH
    begins = np.searchsorted(month[matrix.first :], month) + matrix.first
    return np.asarray(begins, dtype=np.int64)
