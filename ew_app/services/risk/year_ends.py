"""How completed school years ended, kept for each student: what a model has to foresee, and last year of the next.

Where no marks are known of a student's year, totals that a roster told stand in; of its last weeks nothing is known.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ew_app.kernel import operation
from ew_app.services.measuring.told_totals import told_totals
from ew_app.services.risk import evenings
from ew_app.services.risk.calendar import SchoolYear
from models.queries import risk_years as rows
from models.queries import same_child
from rules.risk.features import NOT_KNOWN, Past
from rules.stints import names_of_year

LATE = 44  # member days at the end of the year
Ints = NDArray[np.int64]


@operation
def store(students: Ints, year: SchoolYear) -> None:
    """Work out and keep how a completed year ended for these students, ascending."""
    found = evenings.year_end(students, year)
    rows.replace_year_ends(students, year.start, {} if found is None else _columns(found, year.start))


def _columns(found: evenings.Evening, year: date) -> dict[str, Any]:
    facts, days = found.carried.facts, found.carried.facts["attendance_days"]
    lately = days - np.minimum(facts["member_days"], LATE)
    was = np.flatnonzero(facts["enrolled"] > 0)
    late_enrolled, late_absent = (found.carried.since(amount, lately) for amount in ("enrolled", "absent"))
    return {
        "school_year": [year] * len(was),
        "student_id": found.students[was],
        "known_by": ["marks"] * len(was),
        "enrolled": facts["enrolled"][was],
        "absent": facts["absent"][was],
        "late_enrolled": late_enrolled[was],
        "late_absent": late_absent[was],
        "school_id": found.school[was],
        "grade": [found.grade[row] for row in was.tolist()],
    }


@operation
def store_told(year: date) -> None:
    """Keep the totals that rosters told of a school year, where its marks are not known."""
    same = same_child.known()
    students = np.unique(same.own(rows.told_students(names_of_year(year))))
    absent, enrolled = told_totals(students, year, same)
    told = np.flatnonzero(enrolled > 0)
    nothing = [None] * len(told)
    columns = {
        "school_year": [year] * len(told),
        "student_id": students[told],
        "known_by": ["told"] * len(told),
        "enrolled": enrolled[told],
        "absent": absent[told],
        **dict.fromkeys(("late_enrolled", "late_absent", "school_id"), nothing),
        "grade": [""] * len(told),
    }
    rows.replace_told(year, columns)


def catch_up(year: date) -> None:
    """Keep what rosters told since the last training of the two years before the one that starts on `year`."""
    for back in (1, 2):
        earlier = date(year.year - back, year.month, 1)
        if rows.told_since(earlier, names_of_year(earlier)):
            store_told(earlier)


@operation
def forget_others(students: Ints, year: SchoolYear) -> None:
    """Drop what was kept of that year about anybody but these."""
    rows.forget_year_ends(year.start, students)


def past(students: Ints, year: date) -> Past:
    """What the two school years before the one that starts on `year` say of these students; nothing where not known."""
    last, before = (_in_order(students, date(year.year - back, year.month, 1)) for back in (1, 2))
    return Past(
        last["absent"], last["enrolled"], last["late_absent"], last["late_enrolled"], before["absent"],
        before["enrolled"],
    )  # fmt: skip


def _in_order(students: Ints, year: date) -> dict[str, Ints]:
    """[S] of each student, whichever of the child's ids it was kept under; of several the one with most days."""
    same = same_child.known()
    found = rows.year_ends(same.ids_of(students), year)
    own = same.own(found["student"])
    order = np.lexsort((-found["enrolled"], own))
    _, first = np.unique(own[order], return_index=True)
    found = {name: column[order][first] for name, column in (found | {"student": own}).items()}
    own = np.searchsorted(found["student"], students)
    own = np.minimum(own, max(len(found["student"]) - 1, 0))
    there = found["student"][own] == students if len(found["student"]) else np.zeros(len(students), dtype=bool)
    told = ("absent", "enrolled", "late_absent", "late_enrolled")
    return {name: np.where(there, _at(found[name], own), NOT_KNOWN).astype(np.int64) for name in told}


def _at(column: Ints, places: NDArray[np.intp]) -> Ints:
    """The values there; of an empty column any."""
    return column[places] if len(column) else np.full(len(places), NOT_KNOWN, dtype=np.int64)


def labels(students: NDArray[np.integer], year: date) -> tuple[Ints, Ints]:
    """[S] (absent, enrolled) in mils of the whole of a completed year; -1 where nothing is known of it."""
    found = _in_order(students.astype(np.int64), year)
    return found["absent"], found["enrolled"]
