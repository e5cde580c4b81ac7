"""Home visits as lists and pages show them: one's own, those one watches, and those of cases within reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select

from models.base import db
from models.cases import Case, Outreach
from models.notices import Notice
from models.org import School
from models.people import Student
from models.queries import scope
from models.queries.scope import Reach
from models.visits import Visit

LATE = "visit_late"


def takes_part(person_id: int | None) -> ColumnElement[bool]:
    """Condition on Visit: the person goes along, or watches."""
    if person_id is None:
        return false()
    return or_(Visit.visitor_id == person_id, Visit.second_id == person_id, Visit.watcher_id == person_id)


def was_told(person_id: int | None) -> ColumnElement[bool]:
    """Condition on Visit: the person was told that the two are not back in time."""
    if person_id is None:
        return false()
    return exists().where(Notice.visit_id == Visit.id, Notice.person_id == person_id, Notice.kind == LATE)


def seen(reach: Reach, person_id: int | None, on: date) -> ColumnElement[bool]:
    """Condition on Visit joined with its Case: the person takes part, or reaches the case."""
    return or_(takes_part(person_id), scope.cases(reach, person_id, on))


def ahead(reach: Reach, person_id: int | None, on: date) -> Sequence[Any]:
    """(visit, case number, student, school, whether the case is within reach) of visits that are planned, under way,
    or over without a word on what came of them; the soonest first."""
    reached = scope.cases(reach, person_id, on)
    open_ones = or_(Visit.status.in_(("planned", "out")), and_(Visit.status == "back", Visit.outreach_id.is_(None)))
    wanted = (
        select(Visit, Case.number, Student, School.name, reached)
        .join(Case, Case.id == Visit.case_id)
        .join(Student, Student.id == Visit.student_id)
        .join(School, School.id == Visit.school_id)
        .where(open_ones, seen(reach, person_id, on))
        .order_by(Visit.day, Visit.at.asc().nulls_last(), Visit.id)
        .limit(100)
    )
    return db.session.execute(wanted).all()


def of_case(case_id: int) -> Sequence[Visit]:
    """The visits of a case, the newest first."""
    return db.session.scalars(select(Visit).where(Visit.case_id == case_id).order_by(Visit.id.desc())).all()


def late(moment: datetime) -> Sequence[int]:
    """Visits whose people wanted to be back before the moment, and of which nobody was told yet."""
    wanted = select(Visit.id).where(Visit.status == "out", Visit.late_at.is_(None), Visit.back_by < moment)
    return db.session.scalars(wanted.order_by(Visit.id)).all()


def was_late(visit_id: int) -> bool:
    """Whether anybody was told that the people of a visit were not back in time."""
    told = select(Notice.id).where(Notice.visit_id == visit_id, Notice.kind == LATE)
    return db.session.scalar(told.limit(1)) is not None


def called_since(student_id: int, day: date, methods: Sequence[str]) -> bool:
    """Whether somebody tried to reach the family from here since a day, in one of these ways."""
    tried = select(Outreach.id).where(
        Outreach.student_id == student_id, Outreach.on_day >= day, Outreach.direction == "out",
        Outreach.method.in_(methods),
    )  # fmt: skip
    return db.session.scalar(tried.limit(1)) is not None
