"""Cases as the command line and scripts list them: keys instead of numbers, one row a case."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select

from models.base import db
from models.cases import Case, CaseReason
from models.org import School
from models.people import Student
from models.queries import scope
from models.queries.scope import Reach
from models.staff import Person


def cases_table(
    reach: Reach, person_id: int | None, on: date, *, only_open: bool, after: int = 0, most: int | None = None
) -> list[Any]:
    """Rows by case number: the case's columns, the keys of student and school, the owner's name, its live rules.

    At most `most` of them, with numbers after `after`.
    """
    rules = (
        select(func.array_agg(CaseReason.rule.distinct()))
        .where(
            CaseReason.case_id == Case.id,
            CaseReason.episode == Case.episode,
            CaseReason.withdrawn_at.is_(None),
        )
        .scalar_subquery()
    )
    asked = (
        select(
            Case.number,
            Case.student_id.label("student_number"),
            Student.key.label("student"),
            School.key.label("school"),
            Case.tier,
            Case.owner_role,
            Person.name.label("owner"),
            Case.department,
            Case.status,
            Case.opened,
            Case.due,
            rules.label("rules"),
        )
        .join(Student, Student.id == Case.student_id)
        .join(School, School.id == Case.school_id)
        .outerjoin(Person, Person.id == Case.owner_id)
        .where(scope.cases(reach, person_id, on), Case.number > after)
        .order_by(Case.number)
        .limit(most)
    )
    if only_open:
        asked = asked.where(Case.closed_on.is_(None))
    return list(db.session.execute(asked))
