"""Who read a compartment, what of it and when: for those who may read it themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select

from models.audit import AuditRow
from models.base import db
from models.people import Student
from models.queries import scope
from models.queries.scope import Reach
from models.staff import Person

READS = ("compartment_opened", "compartment_read", "compartment_listed")


@dataclass(frozen=True, slots=True)
class Read:
    """One reading: by whom in which position, of which student, why if somebody had to say."""

    at: datetime
    action: str
    name: str
    position: str
    student_key: str
    student: str
    reason: str


def reads(
    compartment: str,
    reach: Reach,
    person_id: int | None,
    on: date,
    *,
    student: int | None = None,
    page: int = 1,
    size: int = 25,
) -> list[Read]:
    """The newest readings of a compartment, of students within reach, or of one of them."""
    wanted = (
        select(
            AuditRow.at, AuditRow.action, func.coalesce(Person.name, AuditRow.actor), AuditRow.role, Student.key,
            func.concat(Student.first_name, " ", Student.last_name), AuditRow.reason,
        )
        .join(Student, Student.id == AuditRow.student_id)
        .outerjoin(Person, Person.login == AuditRow.actor)
    )  # fmt: skip
    wanted = wanted.where(*_of(compartment, reach, person_id, on, student))
    found = wanted.order_by(AuditRow.id.desc()).offset((page - 1) * size).limit(size)
    return [Read(*row) for row in db.session.execute(found)]


def total(compartment: str, reach: Reach, person_id: int | None, on: date) -> int:
    """How many readings there are."""
    wanted = select(func.count()).select_from(AuditRow).join(Student, Student.id == AuditRow.student_id)
    return db.session.scalar(wanted.where(*_of(compartment, reach, person_id, on))) or 0


def listed_since(compartment: str, actor: str, since: datetime, students: Collection[int]) -> set[int]:
    """Of these students those whose presence in a list this person has read since a moment."""
    wanted = select(AuditRow.student_id).where(
        AuditRow.student_id.in_(students), AuditRow.compartment == compartment, AuditRow.at >= since,
        AuditRow.actor == actor, AuditRow.action == "compartment_listed",
    )  # fmt: skip
    return {number for number in db.session.scalars(wanted) if number is not None}


def _of(
    compartment: str, reach: Reach, person_id: int | None, on: date, student: int | None = None
) -> tuple[ColumnElement[bool], ...]:
    """Conditions on AuditRow with its Student."""
    here = AuditRow.compartment == compartment, AuditRow.action.in_(READS), scope.students(reach, person_id, on)
    return here if student is None else (*here, AuditRow.student_id == student)
