"""From rows to matrices: everything a school year says about a set of students, ready for the pure rules.

Nothing is stored here, and nothing is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.services.measuring.frames import Frame
from ew_app.services.measuring.laying import Calendars, Ints, Recoded, lay, pair
from models.queries import measuring as rows
from rules import matrix, stints
from rules.matrix import Days, Matrix

NOWHERE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """A school year of some students, at both scopes, with where each student belonged on each day."""

    frame: Frame
    by_school: Matrix  # a row per student and school
    by_student: Matrix  # a row per student, ascending
    stint_at: NDArray[np.int32]  # [S, D] the enrolment that stood on that day, -1 when not enrolled
    stint_school: Ints  # the school of each enrolment
    stint_grade: list[str]
    school: NDArray[np.int32]  # [S] school on the frame's day, or the last one; -1 when none
    enrolled_now: NDArray[np.bool_]  # [S]
    grade: list[str]  # [S]
    open_days: dict[int, NDArray[np.bool_]]  # school -> [D] instructional and within its data-through day
    recoded: Recoded  # days whose code nobody has mapped replaced what was known


def year_of(students: Sequence[int] | Ints, at: Frame, excluded_exits: Sequence[str]) -> Year:
    """Build both matrices for these students. `excluded_exits` are the exit codes of stints that never were."""
    found = _Enrolments(rows.stints([int(s) for s in students], at.since, at.day))
    schools = sorted(set(found.school.tolist()))
    calendars = Calendars(schools, at)
    pairs, row = np.unique(pair(found.student, found.school), return_inverse=True)
    followed = [calendars.of(*where) for where in zip(found.school.tolist(), found.calendar, strict=True)]
    spans = stints.Stints(row, found.student, found.school, np.array(followed, dtype=np.intp), found.entry, found.last)
    real = stints.counted(spans, found.exit_code, excluded_exits, calendars.first_days(spans, at))
    spans = stints.share_boundary_days(spans.only(real))
    member, weights = stints.membership(spans, calendars.table, calendars.days, len(pairs))
    student, school = pairs >> 32, pairs & 0xFFFFFFFF
    laid, recoded = lay(student, school, spans, member, schools, calendars, at)
    first = int(np.searchsorted(calendars.days, np.datetime64(at.start)))
    by_school = Matrix(student, calendars.days, weights, laid, first, school)
    belongs = _belonging(np.unique(student), spans, found, real, calendars.days, at)
    return Year(at, by_school, matrix.combine(by_school), *belongs, calendars.open_days(schools, at), recoded)


class _Enrolments:
    """Stints as columns."""

    def __init__(self, found: Sequence[Sequence[Any]]) -> None:
        columns = list(zip(*found, strict=True)) or [()] * 8
        self.student = np.array(columns[0], dtype=np.int64)
        self.school = np.array(columns[1], dtype=np.int64)
        self.entry: Days = np.array(columns[2], dtype="datetime64[D]")
        self.last: Days = np.array(columns[3], dtype="datetime64[D]")
        self.primary = np.array([-1 if said is None else int(said) for said in columns[4]], dtype=np.int8)
        self.exit_code, self.calendar, self.grade = (list(column) for column in columns[5:])


def _belonging(
    students: Ints, spans: stints.Stints, found: _Enrolments, real: NDArray[np.bool_], days: Days, at: Frame
) -> tuple[NDArray[np.int32], Ints, list[str], NDArray[np.int32], NDArray[np.bool_], list[str]]:
    """The enrolment of each day, and where everybody is now (or was last); the later entry wins among equals.

    A student whose every enrolment was a no-show still belongs to the school that expected them.
    """
    stint_at = np.full((len(students), len(days)), NOWHERE, dtype=np.int32)
    school = np.full(len(students), NOWHERE, dtype=np.int32)
    enrolled = np.zeros(len(students), dtype=bool)
    grade = [""] * len(students)
    expected = np.searchsorted(students, found.student)
    for stint in np.argsort(found.entry, kind="stable").tolist():
        school[expected[stint]], grade[expected[stint]] = found.school[stint], found.grade[stint]
    grades = [said for said, kept in zip(found.grade, real, strict=True) if kept]
    row = np.searchsorted(students, spans.student)
    last = np.where(np.isnat(spans.last), np.datetime64("9999-12-31"), spans.last)
    begins, ends = np.searchsorted(days, spans.entry), np.searchsorted(days, last, side="right")
    now = (spans.entry <= np.datetime64(at.day)) & (last >= np.datetime64(at.day))
    for stint in np.lexsort((spans.entry, found.primary[real], now)).tolist():
        where = row[stint]
        stint_at[where, begins[stint] : ends[stint]] = stint
        school[where], grade[where] = spans.school[stint], grades[stint]
        enrolled[where] |= now[stint]
    return stint_at, spans.school, grades, school, enrolled, grade
