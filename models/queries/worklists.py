"""The lists people work from. Each takes whose records the reader reaches; each is a constant number of statements.

`reach` and `person_id` go through `scope`; `on` is today. Restricted work is no part of any list but a person's own
tasks and those of a compartment open to them, so nothing here can be felt by anybody else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, and_, case, distinct, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from models.base import db
from models.cases import Case, CaseEpisode, Outreach, Task
from models.org import CalendarDay, School
from models.people import Student
from models.queries import compartments, scope
from models.queries.compartments import Opening
from models.queries.following import DID_NOT_ARRIVE, idle, stands
from models.queries.scope import Reach, StandInLike
from models.staff import Person
from models.tiers import Finding, StudentStatus

Owner, Answer = aliased(Person), aliased(Outreach)


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case as a list shows it. Days in mils; `late` in school days; `tier` -1 none, 0 Tier 1, 1 watch, 2, 3.

    low, high: between which tiers the student can stand while `open_days` are missing or not understood.
    """

    number: int
    student_id: int
    student_key: str
    first_name: str
    last_name: str
    grade: str
    school_id: int
    school: str
    kind: str
    status: str
    tier: int
    owner_id: int | None
    owner: str | None
    owner_role: str
    department: str
    next_step: str
    due: date | None
    late: int
    last_contact: date | None
    enrolled: int | None
    absent: int | None
    opened: date
    paused_until: date | None
    version: int
    low: int | None
    high: int | None
    open_days: int


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task as its owner's list shows it; the title is neutral where the compartment is shut to the reader."""

    id: int
    kind: str
    title: str
    student_id: int
    student_key: str
    first_name: str
    last_name: str
    grade: str
    school_id: int
    school: str
    case_number: int | None
    owner_id: int | None
    owner_role: str
    department: str
    due: date | None
    late: int
    compartment: str | None  # only where it is open to the reader
    tier: int | None  # of the case


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list and how many there are in all."""

    rows: list[Any]
    total: int


# -- pieces --------------------------------------------------------------------------------------------------


def late_days(due: Any, school_id: Any, on: date) -> ColumnElement[int]:
    """School days after `due` up to today; 0 when it lies ahead."""
    days = select(func.count(distinct(CalendarDay.day))).where(
        CalendarDay.school_id == school_id,
        CalendarDay.day > due,
        CalendarDay.day <= on,
        CalendarDay.day_type.in_(("instructional", "make_up")),
    )
    return days.correlate(Case, Task).scalar_subquery()


def last_contact(student_id: Any) -> ColumnElement[date]:
    """The last day on which anybody was really reached about the student."""
    day = select(func.max(Outreach.on_day)).where(Outreach.student_id == student_id, Outreach.is_contact)
    return day.correlate(Case, Student).scalar_subquery()


def begun() -> ColumnElement[date]:
    """The first day of a case's present run: contacts of an earlier one say nothing about it."""
    run = select(CaseEpisode.opened).where(CaseEpisode.case_id == Case.id, CaseEpisode.episode == Case.episode)
    later = func.coalesce(run.correlate(Case).scalar_subquery(), Case.opened)
    return case((Case.episode > 1, later), else_=Case.opened)  # few cases have a second run to look for


def open_days() -> ColumnElement[int]:
    """How many days of a student are missing or not understood; such days can move the tier."""
    return func.coalesce(StudentStatus.missing_days, 0) + func.coalesce(StudentStatus.unknown_days, 0)


@lru_cache(maxsize=2)
def case_lines(on: date) -> Select[*tuple[Any, ...]]:
    """The rows of any list of cases, to be narrowed: made once a day, because making them takes longer than reading."""
    return (
        select(
            Case.number, Case.student_id, Student.key, Student.first_name, Student.last_name, Student.grade,
            Case.school_id, School.name, Case.kind, Case.status, Case.tier, Case.owner_id, Owner.name,
            Case.owner_role, Case.department, Case.next_step, Case.due, late_days(Case.due, Case.school_id, on),
            last_contact(Case.student_id), StudentStatus.enrolled, StudentStatus.absent, Case.opened,
            Case.paused_until, Case.version, StudentStatus.tier_min, StudentStatus.tier_max, open_days(),
        )
        .join(Student, Student.id == Case.student_id)
        .join(School, School.id == Case.school_id)
        .outerjoin(Owner, Owner.id == Case.owner_id)
        .outerjoin(StudentStatus, StudentStatus.student_id == Case.student_id)
    )  # fmt: skip


def _task_lines(on: date, openings: Sequence[Opening], person_id: int | None) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Task.id, Task.kind, compartments.title_shown(openings, person_id), Task.student_id, Student.key,
            Student.first_name, Student.last_name, Student.grade, Task.school_id, School.name, Case.number,
            Task.owner_id, Task.owner_role, Task.department, Task.due, late_days(Task.due, Task.school_id, on),
            compartments.named(openings, person_id), Case.tier,
        )
        .join(Student, Student.id == Task.student_id)
        .join(School, School.id == Task.school_id)
        .outerjoin(Case, Case.id == Task.case_id)
        .where(Task.status == "open")
        .order_by(Task.due.asc().nulls_last(), Task.id)
    )  # fmt: skip


# -- some of them, and what they wait for -------------------------------------------------------------------


def by_number(reach: Reach, person_id: int | None, on: date, numbers: Collection[int]) -> list[CaseLine]:
    """The cases within reach that have these numbers, by name."""
    here = scope.cases(reach, person_id, on), Case.number.in_(sorted(numbers))
    rows = case_lines(on).where(*here).order_by(Student.last_name, Student.first_name, Case.number)
    return [CaseLine(*row) for row in db.session.execute(rows)]


def waits_for_first_contact(on: date) -> ColumnElement[bool]:
    """The day for a first contact has come, and nobody was reached since the case was opened or taken up again."""
    reached = exists().where(Outreach.student_id == Case.student_id, Outreach.is_contact, Outreach.on_day >= begun())
    return and_(Case.contact_due <= on, Case.status != "paused", ~reached.correlate(Case))


# -- today ---------------------------------------------------------------------------------------------------


class StandInUntil(StandInLike, Protocol):
    """A stand-in with the last day of the leave; None: until said otherwise."""

    @property
    def until(self) -> date | None: ...


def my_tasks(
    person_id: int,
    on: date,
    openings: Sequence[Opening],
    *,
    until: date | None = None,
    limit: int = 100,
    stand_ins: Sequence[StandInUntil] = (),
) -> list[TaskLine]:
    """The open tasks given to a person, what is due first; `until` leaves out what is due later.

    stand_ins: of those who are away, what is due in their leave and open to this person is theirs too.
    """
    rows = _task_lines(on, openings, person_id).where(on_list_of(person_id, stand_ins, openings))
    if until is not None:
        rows = rows.where(or_(Task.due.is_(None), Task.due <= until))
    return [TaskLine(*row) for row in db.session.execute(rows.limit(limit))]


def late_tasks(school: int, role: str, on: date) -> list[TaskLine]:
    """The open tasks of a role at a school that are late, outside compartments, the longest wait first."""
    here = Task.school_id == school, Task.owner_role == role, Task.compartment.is_(None), Task.due < on
    return [TaskLine(*row) for row in db.session.execute(_task_lines(on, (), None).where(*here).limit(200))]


def my_due_cases(
    person_id: int,
    on: date,
    *,
    until: date | None = None,
    limit: int = 100,
    stand_ins: Sequence[StandInUntil] = (),
) -> list[CaseLine]:
    """The open cases a person owns that are due by a day (default: today), the latest first.

    stand_ins: of those who are away, what is due in their leave is theirs too.
    """
    mine = cases_on_list_of(person_id, stand_ins), Case.closed_on.is_(None), Case.status != "paused"
    rows = case_lines(on).where(*mine, Case.due <= (until or on)).order_by(Case.due, Case.number)
    return [CaseLine(*row) for row in db.session.execute(rows.limit(limit))]


def on_list_of(
    person_id: int | None, stand_ins: Sequence[StandInUntil], openings: Sequence[Opening]
) -> ColumnElement[bool]:
    """Condition on Task: theirs, or of somebody for whom they stand in, due in the leave and open to them."""
    lent = [and_(scope.tasks_held(None, [one]), _in_leave(Task.due, one)) for one in stand_ins]
    mine = Task.owner_id == person_id
    return or_(mine, and_(or_(*lent), compartments.open_to(openings, person_id))) if lent else mine


def cases_on_list_of(person_id: int | None, stand_ins: Sequence[StandInUntil]) -> ColumnElement[bool]:
    """Condition on Case: theirs, or of somebody for whom they stand in and due in the leave."""
    lent = (and_(scope.cases_held(None, [one]), _in_leave(Case.due, one)) for one in stand_ins)
    return or_(Case.owner_id == person_id, *lent)


def _in_leave(due: InstrumentedAttribute[date | None], one: StandInUntil) -> ColumnElement[bool]:
    """Due before the leave ends: late work of somebody who is away is part of it."""
    return due.is_not(None) if one.until is None else due <= one.until


def new_cases(reach: Reach, person_id: int | None, on: date, since: datetime, *, limit: int = 100) -> list[CaseLine]:
    """Open cases within reach that were opened, or taken up again, after a moment."""
    here = scope.cases(reach, person_id, on), Case.closed_on.is_(None), Case.opened_at > since
    rows = case_lines(on).where(*here).order_by(Case.tier.desc(), Case.number).limit(limit)
    return [CaseLine(*row) for row in db.session.execute(rows)]


def arrived(person_id: int, on: date) -> list[CaseLine]:
    """A person's open cases that were opened to look for a student for whom nobody has to look any more."""
    missing = exists().where(Finding.student_id == Case.student_id, stands(DID_NOT_ARRIVE))
    mine = Case.owner_id == person_id, Case.closed_on.is_(None), Case.kind == "did_not_arrive"
    return _if_any(select(Case.id).where(*mine, ~missing), on, Student.last_name, Case.number)


def held_by_nothing(reach: Reach, person_id: int | None, on: date) -> list[int]:
    """The numbers of open cases within reach, one's own or nobody's, that no reason holds and nobody has worked on."""
    theirs = or_(Case.owner_id == person_id, Case.owner_id.is_(None))
    here = scope.cases(reach, person_id, on), Case.closed_on.is_(None), theirs, idle()
    return list(db.session.scalars(select(Case.number).where(*here).order_by(Case.number)))


def _if_any(cases: Select[int], on: date, *order: Any) -> list[CaseLine]:
    """The lines of cases of which there are none on most days: then nothing else of them is read."""
    found = list(db.session.scalars(cases))
    rows = case_lines(on).where(Case.id.in_(found)).order_by(*order)
    return [CaseLine(*row) for row in db.session.execute(rows)] if found else []


def answers_waiting(person_id: int, on: date) -> list[CaseLine]:
    """A person's open cases whose family or student came to us and has had no answer since."""
    later = exists().where(Answer.student_id == Outreach.student_id, Answer.direction == "out", Answer.at > Outreach.at)
    waiting = exists().where(Outreach.case_id == Case.id, Outreach.direction == "in", ~later)
    mine = Case.owner_id == person_id, Case.closed_on.is_(None)
    return _if_any(select(Case.id).where(*mine, waiting), on, Case.due, Case.number)


def unowned(reach: Reach, person_id: int | None, on: date) -> list[CaseLine]:
    """Open cases within reach that nobody owns, the oldest first."""
    here = scope.cases(reach, person_id, on), Case.closed_on.is_(None), Case.owner_id.is_(None)
    rows = case_lines(on).where(*here).order_by(Case.opened_at, Case.number)
    return [CaseLine(*row) for row in db.session.execute(rows)]
