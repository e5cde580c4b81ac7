"""The cells of a matrix from the rows: what the day ledger says, then full-feed rolls, then marks.

Read once per table, set-based, and laid out with numpy; no row is looked at twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.calendars import Calendars, Lengths, pair
from ew_app.services.measuring.enrolments import Words
from ew_app.services.measuring.frames import Frame
from ew_app.services.measuring.in_class import InClass, Listener, Periods
from ew_app.services.measuring.timetables import Timetables
from models.attendance import UNREAD
from models.queries import measuring as rows
from models.queries import same_child
from rules import cells, day, stints
from rules.cells import Status
from rules.codes import Meaning, meaning
from rules.half_days import DayLength
from rules.matrix import Days

Ints = NDArray[np.int64]


def _dates(days: NDArray[np.integer]) -> Days:
    return days.astype("datetime64[D]")


def _through(school: int, at: Frame) -> np.datetime64:
    return np.datetime64(at.through.get(school, date(1900, 1, 1)), "D")


@dataclass(frozen=True, slots=True, eq=False)
class Recoded:
    """Days on which a code nobody has mapped replaced what was known, and from where on the tier waits."""

    student: Ints
    column: Ints
    waits_from: Ints  # the first column after the day on which the code was loaded

    @classmethod
    def none(cls) -> Recoded:
        """The usual case."""
        return cls(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


def lay(
    student: Ints,
    school: Ints,
    spans: stints.Stints,
    grades: Words,
    member: NDArray[np.bool_],
    schools: Sequence[int],
    calendars: Calendars,
    at: Frame,
    exact: bool = False,
    listener: Listener | None = None,
) -> tuple[cells.Cells, Recoded]:
    """The cells of every (student, school) row: what the ledger says, then rolls, then marks.

    `grades`: that of each stint. `exact`: minutes and periods count in proportion, as who counts hours needs it, and
    not by the half-day rule. `listener`: is told of the class periods.
    """
    if not member.size:  # nobody, or no school day in any calendar
        return np.zeros(member.shape, dtype=np.uint16), Recoded.none()
    school_row = np.searchsorted(schools, school)
    ledger = _by_ledger(schools, calendars.days, at)
    laid = cells.pack(0, np.where(member, ledger[school_row], Status.OUT))
    place = _Place(pair(student, school), calendars.days)
    codes, lengths = _Codes(schools), Lengths(schools, school_row, spans, calendars, exact)
    in_class = Periods(Timetables(schools), spans, grades, calendars, (ledger == Status.UNKNOWN_ROW)[school_row])
    _lay_rolls(laid, place, schools, at, codes)
    _lay_marks(laid, place, lengths, in_class, at, codes, listener)
    return laid, _lay_recoded(laid, place, lengths, codes)


class _Place:
    """Where a (student, school, day) stands in the matrix."""

    def __init__(self, pairs: Ints, days: Days) -> None:
        self._pairs, self._days = pairs, days
        self._same = same_child.known()
        students = np.unique(pairs >> 32)
        self.ids = self._same.ids_of(students)  # files may speak of a student under former ids
        self.several = self._same.ids_of(self._same.several(students))  # ... all ids of those who have one

    def asked(self, row: NDArray[np.intp], column: NDArray[np.intp]) -> rows.Columns:
        """Student, school and day of some places, as a query takes them; once for each id of the student."""
        pairs, on = self._pairs[row], self._days[column].astype(np.int64)
        asked = {"student": pairs >> 32, "school": pairs & 0xFFFFFFFF, "day": on}
        former = np.flatnonzero(np.isin(asked["student"], self._same.kept))
        for at in former.tolist():
            others = self._same.former[self._same.kept == asked["student"][at]]
            more = {"student": others, "school": asked["school"][[at] * len(others)], "day": on[[at] * len(others)]}
            asked = {name: np.concatenate([asked[name], more[name]]) for name in asked}
        return asked

    def own(self, ids: NDArray[np.integer]) -> Ints:
        """The students behind ids."""
        return self._same.own(ids)

    def column_after(self, days: NDArray[np.integer]) -> Ints:
        """The first column after each day."""
        return np.searchsorted(self._days, _dates(days), side="right")

    def of(self, found: rows.Columns) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Row, column, and whether the place exists, for columns student, school, day."""
        asked, on = pair(self.own(found["student"]), found["school"]), _dates(found["day"])
        row = np.minimum(np.searchsorted(self._pairs, asked), len(self._pairs) - 1)
        column = np.minimum(np.searchsorted(self._days, on), max(len(self._days) - 1, 0))
        known = self._pairs[row] == asked
        return row, column, known & (self._days[column] == on) if len(self._days) else np.zeros_like(known)


def _by_ledger(schools: Sequence[int], days: Days, at: Frame) -> NDArray[np.uint8]:
    """[schools, D] Present where an exception feed submitted the day, unknown where a full feed did, else missing."""
    said = np.full((len(schools), len(days)), Status.MISSING, dtype=np.uint8)
    found = rows.ledger(schools, at.since, at.day)
    where = np.searchsorted(schools, found["school"])
    column = np.searchsorted(days, _dates(found["day"]))
    known = (column < len(days)) & (days[np.minimum(column, len(days) - 1)] == _dates(found["day"]))
    said[where[known], column[known]] = np.where(found["full"][known] == 1, Status.UNKNOWN_ROW, Status.MEMBER)
    through = np.array([_through(s, at) for s in schools])
    said[days[None, :] > through[:, None]] = Status.OUT
    return said


def _lay_rolls(laid: cells.Cells, place: _Place, schools: Sequence[int], at: Frame, codes: _Codes) -> None:
    """Plain presences of full feeds, by what their code means today: a code can be mapped anew."""
    found = rows.present(place.ids, schools, at.since, at.day, codes.words)
    row, column, known = place.of(found)
    awaited = known.copy()
    awaited[known] = cells.status(laid[row[known], column[known]]) == Status.UNKNOWN_ROW
    found = {name: values[awaited] for name, values in found.items()}
    laid[row[awaited], column[awaited]] = day.whole_day_cells(codes.read(found), DayLength())


def _lay_marks(
    laid: cells.Cells,
    place: _Place,
    lengths: Lengths,
    in_class: Periods,
    at: Frame,
    codes: _Codes,
    listener: Listener | None,
) -> None:
    """Marks of enrolled students on submitted days; what falls elsewhere is held out and listed under Fix data."""
    names = [*in_class.periods, *(listener.periods if listener else ())]
    found = _marks(place, at, codes.words, names)
    row, column, known = place.of(found)
    counted = known.copy()
    counted[known] = np.isin(cells.status(laid[row[known], column[known]]), _COUNTED)
    found = {name: values[counted] for name, values in found.items()}
    row, column = row[counted], column[counted]
    found["length"], due, listed = in_class.of(found, row, column)
    order = np.lexsort((column, row))
    order = order[found["length"][order] != 0]  # what is no part of the day says nothing of it
    if not len(order):
        return
    row, column = row[order], column[order]
    marks = codes.read(found).at(order)
    starts = np.flatnonzero(np.diff(row, prepend=-1) | np.diff(column, prepend=-1))
    periods = day.Periods(_due(due[order], starts), np.logical_or.reduceat(listed[order], starts))
    row, column = row[starts], column[starts]
    unread = np.logical_or.reduceat(found["code"][order] == codes.unread, starts)
    length = lengths.of(row, column)
    if listener:
        called = [names[at - 1] if at > 0 else "" for at in found["period"][order].tolist()]
        parts = day.Parts.of(marks, starts, length, periods)
        listener.heard = InClass(column, starts, marks, called, found["source"][order], length, periods, parts)
    laid[row, column] = np.where(unread, _NOT_READ, day.day_cells(marks, starts, length, periods))


def _due(due: Ints, starts: NDArray[np.intp]) -> Ints:
    """Minutes due per day: one that nobody knows makes the day's unknown."""
    unknown = np.logical_or.reduceat(due < 0, starts)
    return np.where(unknown, day.NOT_GIVEN, np.maximum.reduceat(due, starts))


def _marks(place: _Place, at: Frame, words: Sequence[str], periods: Sequence[str]) -> rows.Columns:
    """The marks that stand; what was sent of one child under several ids is heard as of one."""
    if not len(place.several):
        return rows.marks(place.ids, at.since, at.day, words, periods)
    usual = rows.marks(np.setdiff1d(place.ids, place.several), at.since, at.day, words, periods)
    as_one = same_child.marks(place.several, at.since, at.day, words, periods)
    return {name: np.concatenate([usual[name], as_one[name]]) for name in usual}


def _lay_recoded(laid: cells.Cells, place: _Place, lengths: Lengths, codes: _Codes) -> Recoded:
    """Where a code nobody has mapped replaced something known, keep what was known in the cell: tiers rest on it."""
    unmapped = np.nonzero(cells.status(laid) == Status.UNKNOWN_CODE)
    if not len(unmapped[0]):
        return Recoded.none()
    found = rows.before_unmapped(place.asked(*unmapped), codes.words)
    marks = codes.read(found, present=-1)
    known = np.flatnonzero(marks.kind != day.Kind.UNKNOWN)
    found, marks = {name: values[known] for name, values in found.items()}, marks.at(known)
    row, column, _ = place.of(found)
    order = np.lexsort((column, row))  # the latest of each place stays first
    latest = order[np.flatnonzero(np.diff((row * laid.shape[1] + column)[order], prepend=-1))]
    row, column = row[latest], column[latest]
    length = lengths.of(row, column)
    laid[row, column] = cells.recoded(day.whole_day_cells(marks.at(latest), length))
    return Recoded(place.own(found["student"][latest]), column, place.column_after(found["arrived"][latest]))


_COUNTED = (Status.MEMBER, Status.UNKNOWN_ROW, Status.UNKNOWN_CODE, Status.HELD_OUT)


_NOT_READ = cells.pack(0, Status.UNKNOWN_ROW)  # a row came, and nobody can tell what it says


class _Codes:
    """What codes mean at some schools, asked once for each school and code."""

    def __init__(self, schools: Sequence[int]) -> None:
        self._meanings = _meanings(schools)
        self.words = sorted({*self._meanings, UNREAD})
        self.unread = self.words.index(UNREAD)
        self._dated = any(m.starts or m.ends for group in self._meanings.values() for m in group)

    def read(self, found: rows.Columns, present: int | None = None) -> day.Marks:
        """Marks with their codes' meanings; numbers of their own default to "not given".

        `present`: a number in place of a code that says plainly present.
        """
        on = found["day"] if self._dated else np.zeros_like(found["day"])
        days, when = np.unique(on, return_inverse=True)
        codes = len(self.words) + 2  # -2 and -1 are none of the words
        at = (found["school"].astype(np.int64) * codes + found["code"] + 2) * max(len(days), 1) + when
        asked, back = np.unique(at, return_inverse=True)
        keys = [(*divmod(key // len(days), codes), int(days[key % len(days)])) for key in asked.tolist()]
        answers = [self._answer(school, code - 2, when) for school, code, when in keys]
        kind, reason, fraction = (
            np.array([getattr(answer, part) for answer in answers], dtype=np.int64)[back.ravel()]
            for part in ("kind", "reason", "fraction")
        )
        if present is not None:
            kind = np.where(found["code"] == present, day.Kind.PRESENT, kind)
        none = np.full(len(on), day.NOT_GIVEN)
        own, minutes, period, length = (found.get(name, none) for name in ("fraction", "minutes", "period", "length"))
        told = found.get("told", np.zeros_like(none))
        return day.Marks(kind, reason, fraction, own, minutes, period != day.NOT_GIVEN, length, told)

    def _answer(self, school: int, code: int, when: int) -> Meaning:
        said = self._meanings[self.words[code]] if code >= 0 else ()
        return meaning(said, school, rows.EPOCH + timedelta(days=when))


def _meanings(schools: Sequence[int]) -> dict[str, list[Meaning]]:
    """Code -> what it means, at these schools or in the whole district."""
    found: dict[str, list[Meaning]] = defaultdict(list)
    for code in rows.codes(schools):
        kind, reason = day.Kind[code.kind.upper()], day.Reason[code.excused.upper()]
        found[code.code].append(
            Meaning(code.school_id, code.code, kind, reason, code.absent_fraction, code.valid_from, code.valid_to)
        )
    return found
