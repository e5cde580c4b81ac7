"""What was opened in a crisis: for the person who did, and for those who answer for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, true
from sqlalchemy.orm import aliased, joinedload

from models.base import db
from models.cases import Case, Task
from models.crisis import CrisisOpening
from models.org import School
from models.people import Student
from models.queries.compartments import Opening
from models.queries.scope import AreaLike, school_ids
from models.staff import Person

Opener, Seer, Answerer = aliased(Person), aliased(Person), aliased(Person)


@dataclass(frozen=True, slots=True)
class Line:
    """An opening with those it is about: who opened it, of whom, where, and who found it right or not."""

    opening: CrisisOpening
    student: Student
    school: School
    person: str
    seen_by: str | None
    answered_by: str | None


def answered_for(area: AreaLike, openings: Sequence[Opening], person_id: int | None) -> ColumnElement[bool]:
    """Condition on CrisisOpening: made by somebody else, in the area or of a compartment open to this person."""
    ways: list[ColumnElement[bool]] = [CrisisOpening.school_id.in_(school_ids(area))]
    for one in openings:
        here = true() if one.area.district else CrisisOpening.school_id.in_(school_ids(one.area))
        if one.classes:
            ways.append(and_(here, CrisisOpening.compartment.in_(sorted(one.classes))))
        if one.own_classes and person_id:
            ways.append(and_(here, CrisisOpening.compartment.in_(sorted(one.own_classes)), _own(person_id)))
    return and_(CrisisOpening.person_id != person_id, or_(*ways))


def made_by(person_id: int | None) -> ColumnElement[bool]:
    """Condition on CrisisOpening: this person's own."""
    return CrisisOpening.person_id == person_id


def state_of() -> ColumnElement[str]:
    """What became of an opening: `unanswered`, or the answer; NULL where a row has none."""
    waits = and_(CrisisOpening.id.is_not(None), CrisisOpening.answer.is_(None))
    return case((waits, "unanswered"), else_=CrisisOpening.answer)


def _own(person_id: int) -> ColumnElement[bool]:
    """An open case or task of the student is the person's own."""
    here = Case.student_id == CrisisOpening.student_id, Task.student_id == CrisisOpening.student_id
    of_case = exists().where(here[0], Case.owner_id == person_id, Case.closed_on.is_(None))
    task = exists().where(here[1], Task.owner_id == person_id, Task.status == "open")
    return or_(of_case.correlate(CrisisOpening), task.correlate(CrisisOpening))


def lines(seen: ColumnElement[bool], *, page: int = 1, size: int = 25) -> list[Line]:
    """Those that wait for an answer first, then the newest."""
    wanted = (
        select(CrisisOpening, Student, School, Opener.name, Seer.name, Answerer.name)
        .join(Student, Student.id == CrisisOpening.student_id)
        .join(School, School.id == CrisisOpening.school_id)
        .join(Opener, Opener.id == CrisisOpening.person_id)
        .outerjoin(Seer, Seer.id == CrisisOpening.seen_id)
        .outerjoin(Answerer, Answerer.id == CrisisOpening.answered_id)
        .options(joinedload(School.network))
        .where(seen)
        .order_by(CrisisOpening.answer.is_not(None), CrisisOpening.id.desc())
    )
    return [Line(*row) for row in db.session.execute(wanted.offset((page - 1) * size).limit(size))]


def counts(seen: ColumnElement[bool]) -> tuple[int, int]:
    """How many openings there are, and how many of them wait for an answer."""
    waiting = func.count().filter(CrisisOpening.answer.is_(None))
    total, waits = db.session.execute(select(func.count(), waiting).select_from(CrisisOpening).where(seen)).one()
    return int(total), int(waits)


def by_number(number: int, seen: ColumnElement[bool]) -> Line | None:
    """One opening, if it may be seen."""
    return next(iter(lines(and_(CrisisOpening.id == number, seen), size=1)), None)


def unanswered(since: datetime, limit: int = 200) -> list[tuple[CrisisOpening, School]]:
    """Openings since a moment that wait for an answer, each with its school, the newest first."""
    wanted = (
        select(CrisisOpening, School)
        .join(School, School.id == CrisisOpening.school_id)
        .options(joinedload(School.network))
        .where(CrisisOpening.answer.is_(None), CrisisOpening.opened_at >= since)
        .order_by(CrisisOpening.id.desc())
        .limit(limit)
    )
    return [(opening, school) for opening, school in db.session.execute(wanted)]


def running(person_id: int | None, student_id: int, at: datetime) -> Sequence[CrisisOpening]:
    """What this person opened of a student and may still read, by time alone."""
    wanted = select(CrisisOpening).where(
        CrisisOpening.person_id == person_id, CrisisOpening.student_id == student_id,
        CrisisOpening.ends_at > at, CrisisOpening.closed_at.is_(None),
    )  # fmt: skip
    return db.session.scalars(wanted.order_by(CrisisOpening.id)).all()


def opened_since(person_id: int, since: datetime) -> int:
    """How often this person opened something since a moment."""
    wanted = select(func.count()).where(CrisisOpening.person_id == person_id, CrisisOpening.opened_at > since)
    return db.session.scalar(wanted.select_from(CrisisOpening)) or 0
