"""Letters as screens list them: those of a case, and those that were sent and whose marks were corrected since."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from models.base import db
from models.cases import Case
from models.letters import Letter
from models.org import School
from models.people import Student
from models.queries import scope
from models.queries.scope import Reach
from models.tiers import StudentStatus

UNSETTLED: ColumnElement[bool] = and_(Letter.corrected_at.is_not(None), Letter.settled_at.is_(None))


def of_case(case: Case) -> Sequence[Letter]:
    """The letters of a case, the newest first."""
    return db.session.scalars(select(Letter).where(Letter.case_id == case.id).order_by(Letter.id.desc())).all()


def days_of(student_id: int) -> tuple[int, int]:
    """(absent, enrolled) of a student so far this year, in thousandths of a day."""
    row = db.session.get(StudentStatus, student_id)
    return (row.absent or 0, row.enrolled or 0) if row else (0, 0)


def to_tell_again(login: str, reach: Reach, person_id: int | None, on: date) -> Sequence[Any]:
    """(letter, student, school, case number) of letters that this person sent, whose marks were corrected since; only
    about cases within reach."""
    wanted = (
        select(Letter, Student, School.name, Case.number)
        .join(Case, Case.id == Letter.case_id)
        .join(Student, Student.id == Letter.student_id)
        .join(School, School.id == Letter.school_id)
        .where(UNSETTLED, Letter.sent_by == login, scope.cases(reach, person_id, on))
    )
    return db.session.execute(wanted.order_by(Letter.corrected_at, Letter.id)).all()
