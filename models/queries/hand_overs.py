"""Hand-overs as lists and one by one: what is asked of somebody, what they asked, what was asked about a case."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, text, true
from sqlalchemy.orm import aliased

from models.base import db
from models.cases import Case
from models.hand_overs import HandOver, HandOverStep
from models.org import School
from models.people import Student
from models.staff import Person

Sender, Receiver = aliased(Person), aliased(Person)
WAITING = ("to_write", "sent")
Schools = Select[int] | None  # ids of schools; None for all
Seat = tuple[Schools, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A hand-over as a list shows it."""

    id: int
    kind: str
    state: str
    asked: str
    due: date | None
    asked_on: date
    case_number: int
    student: str
    grade: str
    school: str
    from_id: int | None
    sender: str | None
    to_id: int | None
    receiver: str | None
    to_role: str
    department: str
    task_id: int | None


@cache
def _lines() -> Select[*tuple[Any, ...]]:
    return (
        select(
            HandOver.id, HandOver.kind, HandOver.state, HandOver.asked, HandOver.due, HandOver.asked_on, Case.number,
            Student.first_name + " " + Student.last_name, Student.grade, School.name, HandOver.from_id, Sender.name,
            HandOver.to_id, Receiver.name, HandOver.to_role, HandOver.department, HandOver.task_id,
        )
        .join(Case, Case.id == HandOver.case_id)
        .join(Student, Student.id == HandOver.student_id)
        .join(School, School.id == HandOver.school_id)
        .outerjoin(Sender, Sender.id == HandOver.from_id)
        .outerjoin(Receiver, Receiver.id == HandOver.to_id)
    )  # fmt: skip


def _read(wanted: Select[*tuple[Any, ...]]) -> list[Line]:
    return [Line(*row) for row in db.session.execute(wanted)]


def addressed(
    person_id: int, seats: Sequence[Seat], cases: Sequence[Schools], lent: Sequence[tuple[int, Schools, str]] = ()
) -> ColumnElement[bool]:
    """Condition: sent to the person, or to all in a role of theirs there; a case that changes school, to all who
    work on cases at the new one (`cases`); and what is sent to somebody for whom they stand in there (`lent`)."""
    ways: list[ColumnElement[bool]] = [HandOver.to_id == person_id]
    ways += [and_(HandOver.to_id == away, HandOver.to_role == role, _at(schools)) for away, schools, role in lent]
    for schools, role in seats:
        ways.append(and_(HandOver.to_id.is_(None), HandOver.to_role == role, _at(schools)))
    for schools in cases:
        ways.append(and_(HandOver.to_id.is_(None), HandOver.kind == "school_change", _at(schools)))
    return or_(*ways)


def _at(schools: Schools) -> ColumnElement[bool]:
    return true() if schools is None else HandOver.school_id.in_(schools)


def asked_of(person_id: int, mine: ColumnElement[bool], lent: Collection[int] = ()) -> list[Line]:
    """What waits for this person: questions to answer, hand-overs to write, and help they promised.

    mine: what is addressed to them; lent: for whom they stand in. A case that was given is asked about until somebody
    has begun with it.
    """
    begun = and_(HandOver.kind == "assign", or_(Case.owner_id != HandOver.to_id, Case.status != "assigned"))
    answer = and_(HandOver.state == "sent", mine, ~begun)
    write = and_(HandOver.state == "to_write", HandOver.from_id.in_([person_id, *lent]))
    helps = and_(HandOver.state == "accepted", HandOver.kind == "refer", HandOver.to_id == person_id)
    here = Case.closed_on.is_(None), or_(answer, write, helps)
    return _read(_lines().where(*here).order_by(HandOver.due.asc().nulls_last(), HandOver.id))


def asked_by(person_id: int, limit: int = 50) -> list[Line]:
    """What this person asked of others, newest first."""
    mine = HandOver.from_id == person_id, HandOver.state != "to_write"
    return _read(_lines().where(*mine).order_by(HandOver.id.desc()).limit(limit))


def of_case(case_id: int) -> list[Line]:
    """Everything that was asked about a case, what is open first, then the newest."""
    opened = HandOver.state.in_((*WAITING, "accepted"))
    return _read(_lines().where(HandOver.case_id == case_id).order_by(opened.desc(), HandOver.id.desc()))


def lines_of(wanted: ColumnElement[bool], limit: int = 200) -> list[Line]:
    """Hand-overs by a condition, the oldest first."""
    return _read(_lines().where(wanted).order_by(HandOver.id).limit(limit))


def one(number: int, reach: ColumnElement[bool]) -> Line | None:
    """One hand-over within reach."""
    found = _read(_lines().where(HandOver.id == number, reach))
    return found[0] if found else None


def steps(numbers: Collection[int]) -> dict[int, list[HandOverStep]]:
    """Hand-over -> what was said about it, oldest first."""
    said: dict[int, list[HandOverStep]] = {}
    wanted = select(HandOverStep).where(HandOverStep.hand_over_id.in_(numbers)).order_by(HandOverStep.id)
    for step in db.session.scalars(wanted):
        said.setdefault(step.hand_over_id, []).append(step)
    return said


def open_of(case_id: int, kinds: Sequence[str]) -> HandOver | None:
    """The hand-over of these kinds that waits about a case, if any."""
    waiting = HandOver.case_id == case_id, HandOver.kind.in_(kinds), HandOver.state.in_(WAITING)
    found: HandOver | None = db.session.scalar(select(HandOver).where(*waiting).order_by(HandOver.id).limit(1))
    return found


def moved_away() -> list[Any]:
    """Open cases of students who go to another school now, and of whom nobody has been asked to hand them over.

    (case, number, student, case's school, school now, owner, role)
    """
    return list(
        db.session.execute(
            text("""
                SELECT c.id, c.number, c.student_id, c.school_id AS was, t.school_id AS now, c.owner_id, c.owner_role
                FROM support_case c JOIN student_status t ON t.student_id = c.student_id
                WHERE c.closed_on IS NULL AND t.enrolled_now AND t.school_id <> c.school_id
                  AND NOT EXISTS (SELECT FROM hand_over h WHERE h.case_id = c.id AND h.kind = 'school_change'
                                    AND h.state IN ('to_write', 'sent'))
                ORDER BY c.id FOR UPDATE OF c
            """)
        )
    )


def not_needed() -> list[HandOver]:
    """What waits about closed cases, and hand-overs to a school to which the student does not go any more."""
    return list(
        db.session.scalars(
            select(HandOver).from_statement(
                text("""
                    SELECT h.* FROM hand_over h JOIN support_case c ON c.id = h.case_id
                    LEFT JOIN student_status t ON t.student_id = h.student_id
                    WHERE h.state IN ('to_write', 'sent') AND (c.closed_on IS NOT NULL OR (
                        h.kind = 'school_change' AND t.enrolled_now AND t.school_id <> h.school_id))
                    ORDER BY h.id FOR UPDATE OF h
                """)
            )
        )
    )
