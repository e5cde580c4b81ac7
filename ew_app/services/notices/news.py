"""The news of one person: what they were told and may still see now, and what of it is read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy import case as choose
from sqlalchemy.orm import InstrumentedAttribute

from ew_app.kernel import Actor, NotFound, now, operation
from ew_app.services.casework import crisis_answers, handing_over, reaching
from models.base import db
from models.cases import Case, Task
from models.crisis import CrisisOpening
from models.hand_overs import HandOver
from models.notices import Notice
from models.org import School
from models.people import Student
from models.queries import scope
from models.queries.crisis import made_by, state_of
from models.queries.visits import takes_part
from models.visits import Visit
from rules import access
from rules.access import FieldClass, Permission, Right
from rules.notices import notices

SHOWN = 100
Column = InstrumentedAttribute[int | None]
ABOUT: tuple[Column, ...] = (
    Notice.case_id, Notice.task_id, Notice.school_id, Notice.visit_id, Notice.hand_over_id, Notice.opening_id,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class News:
    """A notice as its reader may see it now. `sentence` names no student; `student` does, for the screen alone.

    case, school_key, visit, hand_over, opening: where it leads, if the reader may go there. over: nothing left to do.
    student_key: of a student without a case, about whom a colleague asked them for something that is still to do.
    """

    id: int
    kind: str
    sentence: str
    student: str
    title: str
    case: int | None
    school_key: str | None
    visit: int | None
    hand_over: int | None
    opening: int | None
    student_key: str | None
    at: datetime
    read: bool
    over: bool


def unread_count(by: Actor) -> int:
    """How many notices this person has not read and may see."""
    mine = Notice.person_id == by.person_id, Notice.read_at.is_(None)
    unread, *about = db.session.execute(select(func.count(), *(func.count(one) for one in ABOUT)).where(*mine)).one()
    if not unread:
        return 0
    kinds = [one for one, times in zip(ABOUT, about, strict=True) if times]
    return db.session.scalar(_seen(select(func.count()), by, kinds).where(Notice.read_at.is_(None))) or 0


def read(
    by: Actor, *, unread: bool = False, mailable: Collection[str] | None = None, one: int | None = None
) -> list[News]:
    """This person's notices, the newest first. mailable: only unread ones of these kinds that no e-mail told of yet."""
    reached = reaching.cases_of(by, Permission.SEE_CASE)
    name = func.concat_ws(" ", Student.first_name, Student.last_name)
    wanted = _seen(
        select(
            Notice, choose((or_(Notice.hand_over_id.is_not(None), reached), Case.number), else_=None), name,
            reaching.shown_title(by), School.name, School.key, choose((_asked_by_hand(), Student.key), else_=None),
            func.coalesce(Task.status, HandOver.state, Visit.status, state_of()),
        ),
        by,
    )  # fmt: skip
    if unread or mailable is not None:
        wanted = wanted.where(Notice.read_at.is_(None))
    if mailable is not None:
        wanted = wanted.where(Notice.mailed_at.is_(None), Notice.kind.in_(sorted(mailable)))
    if one is not None:
        wanted = wanted.where(Notice.id == one)
    found = db.session.execute(wanted.order_by(Notice.id.desc()).limit(SHOWN))
    named = access.right(by.grants, FieldClass.ROSTER, own=True).reaches(Right.PART)
    return [replace(one, student=one.student if named else "") for one in (_news(*row) for row in found)]


def _news(
    notice: Notice,
    case: int | None,
    student: str,
    title: str | None,
    school: str | None,
    key: str | None,
    student_key: str | None,
    state: str | None,
) -> News:
    kind = notices().kind(notice.kind)
    return News(
        id=notice.id,
        kind=notice.kind,
        sentence=kind.sentence(case=case, school=school, **notice.numbers),
        student=student if notice.visit_id is None or case is not None else "",
        title=(title or "") if notice.task_id is not None else "",
        case=case,
        school_key=key,
        visit=notice.visit_id,
        hand_over=notice.hand_over_id,
        opening=notice.opening_id,
        student_key=student_key,
        at=notice.at,
        read=notice.read_at is not None,
        over=kind.is_over(state),
    )


def _asked_by_hand() -> ColumnElement[bool]:
    """An open task about a student without a case that no rule asked for, outside every compartment."""
    plain = Task.case_id.is_(None), Task.rule.is_(None), Task.compartment.is_(None)
    return and_(Notice.task_id.is_not(None), Task.status == "open", *plain)


@operation
def mark_read(by: Actor, *, one: int | None = None) -> News | None:
    """Mark a notice as read, or all of them; read twice is read once. NotFound for one that is not theirs to see."""
    found = read(by, one=one) if one is not None else []
    if one is not None and not found:
        raise NotFound("There is no such notice, or it is not about anything you may see now.")
    mine = update(Notice).where(Notice.person_id == by.person_id, Notice.read_at.is_(None))
    db.session.execute((mine.where(Notice.id == one) if one is not None else mine).values(read_at=now()))
    return found[0] if found else None


def _may_see(about: Column, by: Actor) -> ColumnElement[bool]:
    """Condition: the person may see now what a notice is about that points there."""
    if about is Notice.case_id:
        return reaching.cases_of(by, Permission.SEE_CASE)
    if about is Notice.task_id:
        return reaching.tasks_of(by)
    if about is Notice.school_id:
        return scope.schools(access.scope_of(by.grants, Permission.SEE_SCHOOL_BOARD).whole)
    if about is Notice.hand_over_id:
        return or_(handing_over.addressed_to(by), handing_over.sent_by(by))
    if about is Notice.opening_id:
        return or_(crisis_answers.seen_by(by), made_by(by.person_id))
    told = Notice.kind.in_(notices().told())  # a visit: whom an alarm has reached reads it, and the rest who may
    return or_(told, takes_part(by.person_id), reaching.cases_of(by, Permission.SEE_CASE))


def _seen(wanted: Select[Any], by: Actor, kinds: Collection[Column] = ABOUT) -> Select[Any]:
    """The notices of a person that are about nothing but them, or about what they may see now.

    kinds: what their notices are about at all, where that is known; no more than that is then asked.
    """
    about_me = and_(*(column.is_(None) for column in ABOUT))
    ways = (and_(one.is_not(None), _may_see(one, by)) for one in kinds)
    return (
        wanted.select_from(Notice)
        .outerjoin(Task, Task.id == Notice.task_id)
        .outerjoin(Visit, Visit.id == Notice.visit_id)
        .outerjoin(HandOver, HandOver.id == Notice.hand_over_id)
        .outerjoin(CrisisOpening, CrisisOpening.id == Notice.opening_id)
        .outerjoin(Case, Case.id == func.coalesce(Notice.case_id, Task.case_id, Visit.case_id, HandOver.case_id))
        .outerjoin(Student, Student.id == func.coalesce(Case.student_id, Task.student_id))
        .outerjoin(School, School.id == Notice.school_id)
        .where(Notice.person_id == by.person_id, or_(about_me, *ways))
    )
