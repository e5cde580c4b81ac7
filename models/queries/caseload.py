"""A caseload: open cases within reach, narrowed and in an order, some rows at a time. Two statements for any number.

Which cases stand on a page is found first, from the cases and what the order looks at alone; everything else that a
row shows is read for these few. So a page costs the same however much a district knows of its students, and the
four hundredth hardly more than the first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from models.base import db
from models.cases import Case, Task
from models.org import School
from models.people import Student
from models.queries import scope
from models.queries.scope import Reach
from models.queries.worklists import (
    CaseLine,
    Page,
    StandInUntil,
    case_lines,
    cases_on_list_of,
    last_contact,
    waits_for_first_contact,
)
from models.tiers import StudentStatus

SORTS: dict[str, tuple[Any, ...]] = {
    "due": (Case.due, Case.number),
    "name": (Student.last_name, Student.first_name, Case.number),
    "school": (School.name, Case.due, Case.number),
    "tier": (Case.tier, Case.due, Case.number),
    "status": (Case.status, Case.due, Case.number),
    "opened": (Case.opened, Case.number),
    "contact": (last_contact(Case.student_id), Case.number),
    "absent": (StudentStatus.absent, Case.number),
}


def caseload(
    reach: Reach,
    person_id: int | None,
    on: date,
    *,
    mine: bool = False,
    school: int | None = None,
    tier: int | None = None,
    status: str = "",
    overdue: bool = False,
    until: date | None = None,
    unowned: bool = False,
    first_contact: bool = False,
    role: str = "",
    since: date | None = None,
    text: str = "",
    sort: str = "due",
    descending: bool = False,
    page: int = 1,
    size: int = 25,
    stand_ins: Sequence[StandInUntil] = (),
    model: ColumnElement[int | None] | None = None,
) -> Page:
    """Open cases within reach (`mine`: those on one's own list), what is due first; `status="closed"`: closed ones.

    `until`: due by that day; `unowned`: nobody has it; `first_contact`: nobody was reached yet, and the day for it has
    come; `role`: in which its owner has it; `since`: opened on that day or later; `stand_ins`: for whom one stands in.
    `model`: with sort="model", by what cases of one tier are put in order, the highest first; the tier comes before it.
    """
    where = [scope.cases(reach, person_id, on), *_filters(on, school, tier, status, overdue, text)]
    if mine:
        where.append(cases_on_list_of(person_id, stand_ins))
    if until is not None:
        where += [Case.due <= until, Case.status != "paused"]
    if role:
        where.append(Case.owner_role == role)
    if since is not None:
        where.append(Case.opened >= since)
    if unowned:
        where.append(Case.owner_id.is_(None))
    if first_contact:
        where.append(waits_for_first_contact(on))
    first, *rest = SORTS.get(sort, SORTS["due"])
    order = (first.desc().nulls_last() if descending else first.asc().nulls_last(), *rest)
    if sort == "model" and model is not None:
        order = (Case.tier.desc(), model.desc().nulls_last(), *SORTS["due"])
    total = db.session.scalar(_with(select(func.count()).select_from(Case), "", text).where(*where)) or 0
    if not total:
        return Page([], 0)
    here = _with(select(Case.id), sort, text).where(*where).order_by(*order).offset((page - 1) * size).limit(size)
    rows = case_lines(on).where(Case.id.in_(here)).order_by(*order)
    return Page([CaseLine(*row) for row in db.session.execute(rows)], total)


def late_tasks(numbers: Collection[int], on: date) -> dict[int, int]:
    """Case number -> its open tasks outside compartments that are late, though the case itself may be due later."""
    wanted = (
        select(Case.number, func.count())
        .join(Task, Task.case_id == Case.id)
        .where(Case.number.in_(numbers), Task.status == "open", Task.compartment.is_(None), Task.due < on)
        .group_by(Case.number)
    )
    return {number: late for number, late in db.session.execute(wanted)}


def counted_through(students: Collection[int]) -> dict[int, date]:
    """Student -> the last day that is in their numbers."""
    wanted = select(StudentStatus.student_id, StudentStatus.data_through).where(
        StudentStatus.student_id.in_(students), StudentStatus.data_through.is_not(None)
    )
    return {student: day for student, day in db.session.execute(wanted) if day is not None}


def _with(wanted: Select[Any], sort: str, text: str) -> Select[Any]:
    """The cases with the tables beside them that an order or a search looks at."""
    if sort == "name" or text:
        wanted = wanted.join(Student, Student.id == Case.student_id)
    if sort == "school":
        wanted = wanted.join(School, School.id == Case.school_id)
    if sort == "absent":
        wanted = wanted.outerjoin(StudentStatus, StudentStatus.student_id == Case.student_id)
    return wanted


def _filters(
    on: date, school: int | None, tier: int | None, status: str, overdue: bool, text: str
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [Case.closed_on.is_not(None) if status == "closed" else Case.closed_on.is_(None)]
    if school is not None:
        where.append(Case.school_id == school)
    if tier is not None:
        where.append(Case.tier == tier)
    if status:
        where.append(Case.status == status)
    if overdue:
        where.append(_overdue(on))
    if text:
        where.append(_named(text))
    return where


def _named(text: str) -> ColumnElement[bool]:
    """Part of the name or of the student's id, or the number of the case."""
    name = func.concat(Student.first_name, " ", Student.last_name)
    ways = [name.icontains(text, autoescape=True), Student.key.icontains(text, autoescape=True)]
    if text.isdecimal() and len(text) < 10:
        ways.append(Case.number == int(text))
    return or_(*ways)


def _overdue(on: date) -> ColumnElement[bool]:
    return and_(Case.due < on, Case.status != "paused")
