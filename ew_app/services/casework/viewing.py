"""What one person may see of the numbers that commands and scripts read: the operator sees every student."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from ew_app.kernel import Actor, NotFound, Refused, audit, operation, today
from ew_app.services.measuring import why
from ew_app.services.measuring.as_told import OpenCase
from ew_app.services.measuring.why import Explanation
from models.base import db
from models.cases import Case
from models.org import School
from models.people import Student
from models.queries import naming, scope, staffing
from models.queries.case_table import cases_table
from models.tiers import StudentStatus
from rules import access
from rules.access import Permission, Place
from rules.tiers import Tier


def numbers_of(by: Actor) -> frozenset[int] | None:
    """Numbers of the students whose records this person may open; None for everybody."""
    reach = access.scope_of(by.grants, Permission.SEE_STUDENT)
    if reach.whole.district:
        return None
    return frozenset(db.session.scalars(select(Student.id).where(scope.students(reach, by.person_id, today()))))


def schools_of(by: Actor, permission: Permission) -> frozenset[int] | None:
    """Numbers of the schools whose counts this permission opens to a person; None for all."""
    area = access.scope_of(by.grants, permission).whole
    return None if area.district else frozenset(db.session.scalars(scope.school_ids(area)))


def students_of(by: Actor) -> frozenset[str] | None:
    """Keys of the students whose records this person may open; None for everybody."""
    reach = access.scope_of(by.grants, Permission.SEE_STUDENT)
    if reach.whole.district:
        return None
    condition = scope.students(reach, by.person_id, today())
    return frozenset(db.session.scalars(select(Student.key).where(condition)))


@operation
def explain(student: str, as_of: date | None = None, *, by: Actor, known_at: datetime | None = None) -> Explanation:
    """Why a student stands where they stand, as far as this person may read. NotFound also when out of reach.

    Reading a finding of a compartment is noted in the audit.
    """
    allowed = students_of(by)
    if allowed is not None and student not in allowed:
        raise NotFound(f"There is no student {student}.")
    classes = access.readable_classes(by.grants, _place(student))
    found = why.explain(student, as_of, classes=[held.value for held in classes], known_at=known_at)
    found = replace(found, cases=_within_reach(found.cases, by))
    number = naming.student_id(student)
    for compartment in sorted({reason.restricted for reason in found.reasons if reason.restricted}):
        audit("compartment_read", by=by, subject=f"student:{number}", student_id=number, compartment=compartment)
    return found


def _within_reach(cases: Sequence[OpenCase], by: Actor) -> tuple[OpenCase, ...]:
    """Of these cases those that this person may see."""
    reach = access.scope_of(by.grants, Permission.SEE_CASE)
    numbers = [case.number for case in cases]
    asked = select(Case.number).where(Case.number.in_(numbers), scope.cases(reach, by.person_id, today()))
    seen = set(db.session.scalars(asked))
    return tuple(case for case in cases if case.number in seen)


def _place(student: str) -> Place:
    """The student's school, with its network; the district for a student of no school."""
    number = naming.student_id(student)
    row = db.session.execute(
        select(School)
        .join(StudentStatus, StudentStatus.school_id == School.id)
        .where(StudentStatus.student_id == number)
    ).scalar_one_or_none()
    return Place.of_school(row.key, row.network.key) if row else Place.district()


def counted_by(level: str, *, by: Actor) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a row of counts (district, network, school) may be seen by this person. Raises NotAllowed, Refused."""
    if level == "grade" and by.person_id is not None:
        raise Refused("Counts by grade are on the page of each school, where small numbers are hidden.")
    if level in ("district", "grade"):
        access.check(by.grants, Permission.SEE_DISTRICT_BOARD, Place.district())
        return lambda row: True
    wanted = Permission.SEE_NETWORK_BOARD if level == "network" else Permission.SEE_SCHOOL_BOARD
    access.check(by.grants, wanted)
    area = access.scope_of(by.grants, wanted).whole
    if level == "network":
        return lambda row: area.covers(Place.of_network(row["network_id"]))
    networks = {key: network for _, key, network in staffing.schools()}
    return lambda row: area.covers(Place.of_school(row["school_id"], networks.get(row["school_id"])))


def cases(*, by: Actor, only_open: bool) -> Iterator[dict[str, Any]]:
    """Rows of `ew cases`, as far as this person reaches, by number. Restricted rules never stand on a case."""
    reach = access.scope_of(by.grants, Permission.SEE_CASE)
    return map(_case_row, cases_table(reach, by.person_id, today(), only_open=only_open))


@operation
def cases_page(*, by: Actor, only_open: bool, after: int, most: int) -> tuple[list[dict[str, Any]], int | None]:
    """The same rows of the next `most` cases, and the number to go on after; None at the end.

    A program takes them out of the product, so each student is written down, as in a file of the caseload.
    """
    reach = access.scope_of(by.grants, Permission.SEE_CASE)
    found = cases_table(reach, by.person_id, today(), only_open=only_open, after=after, most=most + 1)
    page = found[:most]
    for row in page:
        audit("case_fetched", by=by, subject=f"case:{row.number}", student_id=row.student_number)
    return [_case_row(row) for row in page], page[-1].number if len(found) > most else None


def _case_row(row: Any) -> dict[str, Any]:
    return {
        "case_number": row.number,
        "student_id": row.student,
        "school_id": row.school,
        "tier": Tier(row.tier).text,
        "owner_role": row.owner_role,
        "owner": row.owner or "",
        "department": row.department,
        "status": row.status,
        "opened": row.opened,
        "due": row.due,
        "rules": ";".join(row.rules or ()),
    }
