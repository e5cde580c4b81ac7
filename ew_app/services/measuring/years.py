"""From rows to matrices: everything a school year says about a set of students, ready for the pure rules.

Nothing is stored here, and nothing is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.calendars import Calendars, day_minutes, pair
from ew_app.services.measuring.enrolments import Enrolments
from ew_app.services.measuring.frames import Frame
from ew_app.services.measuring.in_class import Listener
from ew_app.services.measuring.laying import Ints, Recoded, lay
from rules import matrix, stints
from rules.matrix import Days, Matrix

NOWHERE = -1
NO_GRADE = -1
_AS_PRIMARY = np.array([0, 2, 1])  # said not to be, said to be, and (-1) nothing said


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """A school year of some students, at both scopes, with where each student belonged on each day."""

    frame: Frame
    days: Days  # every school day looked at, this school year's and, where history exists, the one before
    by_school: Matrix  # a row per student and school
    by_student: Matrix  # a row per student, ascending
    stint_at: NDArray[np.int32]  # [S, D] the enrolment that stood on that day, -1 when not enrolled
    stint_student: Ints  # whose each enrolment is
    stint_school: Ints
    stint_entry: Days
    stint_last: Days  # inclusive; NaT while it is open
    stint_grade: list[str]
    school: NDArray[np.int32]  # [S] school on the frame's day, or the last one; -1 when none
    told_until: Ints  # [S] the last day, since 1970, that any of their schools told of them
    enrolled_now: NDArray[np.bool_]  # [S]
    left_on: Ints  # [S] the last enrolled day, since 1970, of who is not enrolled now; -1 for everybody else
    grade: list[str]  # [S]
    recoded: Recoded  # days whose code nobody has mapped replaced what was known
    minutes: Ints | None = None  # [S, D] how long each due day is, where it was asked for


def year_of(
    every: Enrolments,
    at: Frame,
    excluded_exits: Sequence[str],
    after: date | None = None,
    *,
    exact: bool = False,
    listener: Listener | None = None,
) -> Year:
    """Both matrices of whoever is enrolled. `excluded_exits` are the exit codes of stints that never were.

    With `after` only the later days are read, behind a column for that day itself, on which nothing is taught.
    `exact`: for counting hours, with the minutes of each day and without the half-day rule. `listener`: as `lay` has.
    """
    found = every.begun(at.day)
    schools = sorted(set(found.school.tolist()))
    calendars = Calendars(schools, at, after)
    pairs, row = np.unique(pair(found.student, found.school), return_inverse=True)
    spans = stints.Stints(row, found.student, found.school, calendars.followed(found), found.entry, found.last)
    real = stints.counted(spans, found.exit_code.texts(), excluded_exits, calendars.first_days(spans, at))
    spans = stints.share_boundary_days(spans.only(real))
    student, school = pairs >> 32, pairs & 0xFFFFFFFF
    belongs = _belonging(np.unique(student), spans, found, real, calendars.days, at)
    reading = at if after is None else replace(at, since=after + timedelta(days=1))
    member, weights = stints.membership(spans, calendars.table, calendars.days, len(pairs))
    grades = found.grade.at(real)
    laid, recoded = lay(student, school, spans, grades, member, schools, calendars, reading, exact, listener)
    first = int(np.searchsorted(calendars.days, np.datetime64(at.start)))
    by_school = Matrix(student, calendars.days, weights, laid, first, school)
    minutes = None
    if exact:
        minutes = np.zeros((len(belongs[0]), len(calendars.days)), dtype=np.int64)
        each = day_minutes(school, spans, member, weights, schools, calendars)
        np.maximum.at(minutes, np.searchsorted(np.unique(student), student), each)
    return Year(at, calendars.days, by_school, matrix.combine(by_school), *belongs, recoded, minutes)


def _belonging(
    students: Ints, spans: stints.Stints, found: Enrolments, real: NDArray[np.bool_], days: Days, at: Frame
) -> tuple[
    NDArray[np.int32], Ints, Ints, Days, Days, list[str], NDArray[np.int32], Ints, NDArray[np.bool_], Ints, list[str]
]:
    """The enrolment of each day, and where everybody is now (or was last); the later entry wins among equals.

    A student whose every enrolment was a no-show still belongs to the school that expected them.
    """
    stint_at = np.full((len(students), len(days)), NOWHERE, dtype=np.int32)
    school = np.full(len(students), NOWHERE, dtype=np.int32)
    enrolled = np.zeros(len(students), dtype=bool)
    grade = np.full(len(students), NO_GRADE, dtype=np.int32)
    expected = np.searchsorted(students, found.student)
    for wave in _in_order(expected, np.argsort(found.entry, kind="stable")):
        school[expected[wave]], grade[expected[wave]] = found.school[wave], found.grade.index[wave]
    grades = found.grade.at(real)
    row, day = np.searchsorted(students, spans.student), np.arange(len(days))
    last = np.where(np.isnat(spans.last), np.datetime64("9999-12-31"), spans.last)
    begins, ends = np.searchsorted(days, spans.entry), np.searchsorted(days, last, side="right")
    now = (spans.entry <= np.datetime64(at.day)) & (last >= np.datetime64(at.day))
    by_rank = (spans.entry, _AS_PRIMARY[found.primary[real]])
    for wave in _in_order(row, np.lexsort(by_rank)):  # of a past day, whatever day is asked on
        inside = (day >= begins[wave, None]) & (day < ends[wave, None])
        stint_at[row[wave]] = np.where(inside, wave[:, None], stint_at[row[wave]])
    for wave in _in_order(row, np.lexsort((*by_rank, now))):
        school[row[wave]], grade[row[wave]] = spans.school[wave], grades.index[wave]
        enrolled[row[wave]] |= now[wave]
    told_until = np.full(len(students), NOWHERE, dtype=np.int64)
    through = np.array([at.data_through(number) or date.min for number in spans.school.tolist()], dtype="datetime64[D]")
    np.maximum.at(told_until, row, np.minimum(last, through).astype(np.int64))
    left_on = np.full(len(students), -1, dtype=np.int64)
    np.maximum.at(left_on, row, last.astype(np.int64))
    left_on[enrolled] = -1
    named = ["" if place == NO_GRADE else found.grade.different[place] for place in grade.tolist()]
    stint = (spans.student, spans.school, spans.entry, spans.last, grades.texts())
    return stint_at, *stint, school, told_until, enrolled, left_on, named


def _in_order(row: NDArray[np.intp], order: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Stints in this order, in groups that speak of each row at most once."""
    ranked = np.argsort(row[order], kind="stable")
    nth = np.empty(len(order), dtype=np.intp)
    at = row[order][ranked]
    nth[ranked] = np.arange(len(order)) - np.searchsorted(at, at, side="left")
    return [order[nth == wave] for wave in range(int(nth.max(initial=-1)) + 1)]
