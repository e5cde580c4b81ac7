"""What was known of students on an evening of a past school year: the marks of then, cut at that day, as facts.

The same facts that the evaluation packs every evening, so that a model is asked what it was taught.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.kernel import apart
from ew_app.services.measuring import hindsight, policies
from ew_app.services.measuring.enrolments import Enrolments
from ew_app.services.measuring.frames import Frame
from ew_app.services.measuring.years import NOWHERE, year_of
from ew_app.services.risk.calendar import SchoolYear
from models import past_evenings
from models.queries import measuring, same_child
from rules import facts
from rules.carried import Carried
from rules.grades import grade_of
from rules.risk.features import GRADE_NUMBERS, UNKNOWN_GRADE

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Evening:
    """Students as they stood on an evening; a row each, ascending."""

    students: Ints
    carried: Carried
    school: Ints  # -1 for none
    grade: list[str]
    enrolled: NDArray[np.bool_]  # on that day

    def enrolled_there(self) -> Evening:
        """Who was enrolled at a school that day."""
        return self.at(np.flatnonzero(self.enrolled & (self.school != NOWHERE)))

    def at(self, rows: NDArray[np.intp]) -> Evening:
        """Some of the students, ascending."""
        if len(rows) == len(self.students):
            return self
        grades = [self.grade[row] for row in rows.tolist()]
        return Evening(self.students[rows], self.carried.of(rows), self.school[rows], grades, self.enrolled[rows])

    @property
    def grade_numbers(self) -> Ints:
        """[S] PK -1, K 0, 1 to 12, or UNKNOWN_GRADE."""
        return np.array([GRADE_NUMBERS.get(grade_of(words), UNKNOWN_GRADE) for words in self.grade], dtype=np.int64)


def evening(students: Ints, year: SchoolYear, day: date) -> Evening | None:
    """As known on the evening of a day of a completed school year; None where no school day was known of anybody."""
    return _known(students, year, day, hindsight.end_of(day))


def year_end(students: Ints, year: SchoolYear) -> Evening | None:
    """How the whole year went, as known on the 1 July after it."""
    return _known(students, year, year.until, hindsight.end_of(year.until + timedelta(days=1)))


def _known(students: Ints, year: SchoolYear, day: date, moment: Any) -> Evening | None:
    ids = same_child.known().ids_of(students)
    left_out = policies.timeline().on(day).no_show_exit_codes
    lay = past_evenings.as_received if year.live else past_evenings.as_modified
    with apart():
        lay(moment, ids.tolist(), year.start, day)
        through = measuring.last_submitted(day)
        at = Frame(day, day, year.start, year.start, through, through)
        found = year_of(Enrolments.read(students, year.start), at, left_out)
        if not len(found.days) or not len(found.by_student.students):
            return None
        matrix = found.by_student
        known = facts.compute(matrix).carried()
        return Evening(matrix.students, known, found.school.astype(np.int64), found.grade, found.enrolled_now)
