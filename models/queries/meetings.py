"""What a team meeting looks at: whom to decide about and why, what was agreed before, what many share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, exists, func, or_, select, text

from models.base import db
from models.cases import Case, Cause, Outreach, Task
from models.meetings import Meeting, MeetingItem, MeetingMember
from models.people import Student
from models.plans import Plan
from models.queries import scope
from models.queries.scope import Reach
from models.queries.worklists import begun, last_contact
from models.staff import Person
from models.tiers import Finding, StudentStatus, TierChange

RETURNED, IMPROVED = "R21", "R25"
UNDER_PLAN = ("planned", "monitoring")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open case a team may look at. Days in mils; last_contact: the last day anybody was reached."""

    case_id: int
    tier: int
    due: date | None
    untried: bool
    new_tier_3: bool
    no_answer: bool
    returned: bool
    carried: bool
    review: bool
    tries: int
    last_contact: date | None
    absent: int | None
    enrolled: int | None
    absent_last_20: int | None
    enrolled_last_20: int | None


def candidates(school_id: int, since: date, on: date, *, tries: int, last: int | None) -> list[Candidate]:
    """Open cases of a school in Tier 3 of which nobody has tried to reach the family by the day it was due, that came
    into Tier 3 since a day, that nobody was reached for, whose student is back, that meeting `last` left over, or whose
    plan is due for a look."""
    rose = exists().where(
        TierChange.student_id == Case.student_id, TierChange.day > since, TierChange.after == 3,
        TierChange.before < 3, TierChange.withdrawn_at.is_(None),
    )  # fmt: skip
    back = exists().where(
        Finding.student_id == Case.student_id, Finding.rule == RETURNED, Finding.since > since,
        Finding.withdrawn_at.is_(None),
    )  # fmt: skip
    made = Outreach.student_id == Case.student_id, Outreach.on_day >= begun()
    tried = select(func.count()).where(*made, Outreach.direction == "out").correlate(Case).scalar_subquery()
    reached = exists().where(*made, Outreach.is_contact).correlate(Case)
    left_over = exists().where(
        MeetingItem.case_id == Case.id, MeetingItem.meeting_id == last, MeetingItem.decision == "later"
    )
    in_tier_3 = func.coalesce(StudentStatus.tier, Case.tier) == 3
    new_tier_3 = and_(rose.correlate(Case), in_tier_3)
    untried = and_(in_tier_3, Case.contact_due < on, tried == 0, ~reached)
    no_answer = and_(tried >= tries, ~reached)
    review = and_(Case.status.in_(UNDER_PLAN), func.coalesce(_next_look(), Case.due) <= on)
    why = untried, new_tier_3, no_answer, back.correlate(Case), left_over.correlate(Case), review
    wanted = (
        select(
            Case.id, Case.tier, Case.due, *why, tried, last_contact(Case.student_id), StudentStatus.absent,
            StudentStatus.enrolled, StudentStatus.absent_last_20, StudentStatus.enrolled_last_20,
        )
        .outerjoin(StudentStatus, StudentStatus.student_id == Case.student_id)
        .where(Case.school_id == school_id, Case.closed_on.is_(None), Case.status != "paused", or_(*why))
    )  # fmt: skip
    return [Candidate(*row) for row in db.session.execute(wanted)]


def tried(case_id: int) -> tuple[int, date | None]:
    """How often the family was tried since the case was opened, and the last day anybody was reached."""
    made = Outreach.student_id == Case.student_id, Outreach.on_day >= begun()
    counted = select(func.count()).where(*made, Outreach.direction == "out").correlate(Case).scalar_subquery()
    wanted = select(counted, last_contact(Case.student_id)).where(Case.id == case_id)
    tries, reached = db.session.execute(wanted).one()
    return tries, reached


def _next_look() -> Any:
    """The day on which the newest version of a case's plan is to be looked at."""
    newest = select(Plan.review_on).where(Plan.case_id == Case.id, Plan.episode == Case.episode)
    return newest.order_by(Plan.version.desc()).limit(1).correlate(Case).scalar_subquery()


def shared_causes(school_id: int, at_least: int) -> list[tuple[str, int]]:
    """(cause, open cases) of a school that so many share; nothing restricted, the most shared first."""
    counted = (
        select(Cause.code, func.count(func.distinct(Cause.case_id)))
        .join(Case, Case.id == Cause.case_id)
        .where(Case.school_id == school_id, Case.closed_on.is_(None), Cause.ended_at.is_(None))
        .where(Cause.compartment.is_(None))
        .group_by(Cause.code)
        .having(func.count(func.distinct(Cause.case_id)) >= at_least)
        .order_by(func.count(func.distinct(Cause.case_id)).desc(), Cause.code)
    )
    return [(code, number) for code, number in db.session.execute(counted)]


def improved(school_id: int, since: date) -> list[int]:
    """Ids of open cases of a school whose student has come clearly more since a day."""
    better = exists().where(
        Finding.student_id == Case.student_id, Finding.rule == IMPROVED, Finding.since > since,
        Finding.withdrawn_at.is_(None),
    )  # fmt: skip
    wanted = select(Case.id).where(Case.school_id == school_id, Case.closed_on.is_(None), better.correlate(Case))
    return list(db.session.scalars(wanted.order_by(Case.id)))


def last_before(school_id: int, day: date) -> Meeting | None:
    """The last meeting of a school before a day."""
    earlier = select(Meeting).where(Meeting.school_id == school_id, Meeting.day < day)
    return db.session.scalars(earlier.order_by(Meeting.day.desc()).limit(1)).first()


def held(school_id: int, limit: int = 20) -> Sequence[Meeting]:
    """The meetings of a school, the newest first."""
    return db.session.scalars(
        select(Meeting).where(Meeting.school_id == school_id).order_by(Meeting.day.desc()).limit(limit)
    ).all()


def actions(school_id: int, before: date, since: date) -> list[Any]:
    """(task, case id, day of the meeting) of what earlier meetings decided: what is open, and what was done since."""
    wanted = (
        select(Task, MeetingItem.case_id, Meeting.day)
        .join(MeetingItem, MeetingItem.task_id == Task.id)
        .join(Meeting, Meeting.id == MeetingItem.meeting_id)
        .where(Meeting.school_id == school_id, Meeting.day < before)
        .where(or_(Task.status == "open", and_(Task.status == "done", func.date(Task.done_at) >= since)))
        .order_by(Task.status.desc(), Task.due.asc().nulls_last(), Task.id)
    )
    return list(db.session.execute(wanted))


def items(meeting_id: int, reach: Reach, person_id: int | None, on: date) -> list[Any]:
    """(item, case, student) of a meeting as far as the reader reaches the cases, in their order."""
    wanted = (
        select(MeetingItem, Case, Student)
        .join(Case, Case.id == MeetingItem.case_id)
        .join(Student, Student.id == Case.student_id)
        .where(MeetingItem.meeting_id == meeting_id, scope.cases(reach, person_id, on))
        .order_by(MeetingItem.position, MeetingItem.id)
    )
    return list(db.session.execute(wanted.execution_options(populate_existing=True)))


def others(meeting: Meeting, reach: Reach, person_id: int | None, on: date) -> list[Any]:
    """(case number, tier, student) of the open cases of the school within reach that are not on the agenda, by name."""
    there = exists().where(MeetingItem.meeting_id == meeting.id, MeetingItem.case_id == Case.id).correlate(Case)
    wanted = select(Case.number, Case.tier, Student).join(Student, Student.id == Case.student_id)
    wanted = wanted.where(Case.school_id == meeting.school_id, Case.closed_on.is_(None), ~there)
    found = wanted.where(scope.cases(reach, person_id, on))
    return list(db.session.execute(found.order_by(Student.first_name, Student.last_name, Case.number)))


def how_many(meeting_id: int) -> tuple[int, int]:
    """How many students are on the agenda, and for how many something was decided."""
    counted = select(func.count(), func.count().filter(MeetingItem.decision.is_not(None)))
    all_of_them, decided = db.session.execute(counted.where(MeetingItem.meeting_id == meeting_id)).one()
    return all_of_them, decided


def members(meeting_id: int) -> list[Any]:
    """(person id, name, role, present) of a meeting's team, by name."""
    wanted = (
        select(MeetingMember.person_id, Person.name, MeetingMember.role, MeetingMember.present)
        .join(Person, Person.id == MeetingMember.person_id)
        .where(MeetingMember.meeting_id == meeting_id)
        .order_by(Person.name, Person.id)
    )
    return list(db.session.execute(wanted))


def tasks(ids: Collection[int]) -> dict[int, Task]:
    """Id -> task."""
    return {task.id: task for task in db.session.scalars(select(Task).where(Task.id.in_(ids)))}


def names_of_cases(cases: Collection[int], reach: Reach, person_id: int | None, on: date) -> dict[int, Any]:
    """Case id -> (case number, student) of those within reach."""
    wanted = select(Case.id, Case.number, Student).join(Student, Student.id == Case.student_id)
    found = db.session.execute(wanted.where(Case.id.in_(cases), scope.cases(reach, person_id, on)))
    return {row[0]: (row[1], row[2]) for row in found}


def lock_agenda(meeting_id: int) -> None:
    """Let two who add to one agenda take turns."""
    db.session.execute(text("SELECT id FROM meeting WHERE id = :id FOR UPDATE"), {"id": meeting_id})
