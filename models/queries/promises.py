"""The work inside a compartment: its open tasks, what is asked for and who waits for it, who may look after it.

`reach` is whose compartment the reader opens (never whose page); every list passes `scope.students`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select, text

from models.base import db
from models.cases import Case, Task
from models.org import School
from models.people import Student, SupportFlag
from models.promises import Promise, PromiseStep
from models.queries import compartments, scope
from models.queries.compartments import Opening
from models.queries.scope import Reach
from models.queries.worklists import late_days
from models.staff import Grant, Person
from models.tiers import Finding

# SQL: (promise_id, since, until) of every stretch in which a promise waited, by its steps; until: NULL while it does.
# A refusal waits until the family knows how to appeal (`rules.promises.is_settled`).
STRETCHES = """
    SELECT promise_id, on_day AS since, until FROM (
        SELECT promise_id, on_day, waits, lead(on_day) OVER (PARTITION BY promise_id ORDER BY id) AS until FROM (
            SELECT *, lag(waits) OVER (PARTITION BY promise_id ORDER BY id) AS before FROM (
                SELECT id, promise_id, on_day, state IN ('asked', 'approved', 'issued')
                       OR (state = 'refused' AND NOT appeal_told) AS waits
                FROM promise_step) said) step
        WHERE before IS DISTINCT FROM waits) turn
    WHERE waits
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A promise in a list, with whom it is for and who sees to it."""

    promise: Promise
    student: Student
    school: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """A student with what a rule of the compartment says."""

    student: Student
    rule: str
    since: date
    sentence: str


@dataclass(frozen=True, slots=True)
class ToDo:
    """An open task of a compartment, with whom it is about."""

    task: Task
    student: Student
    school: str
    case_number: int | None
    late: int


def to_do(
    compartment: str, openings: Sequence[Opening], person_id: int | None, on: date, *, limit: int = 25
) -> list[ToDo]:
    """The open tasks of one compartment, as far as it is open to this person, what is due first."""
    wanted = (
        select(Task, Student, School.name, Case.number, late_days(Task.due, Task.school_id, on))
        .join(Student, Student.id == Task.student_id)
        .join(School, School.id == Task.school_id)
        .outerjoin(Case, Case.id == Task.case_id)
        .where(Task.compartment == compartment, Task.status == "open", compartments.open_to(openings, person_id))
        .order_by(Task.due.asc().nulls_last(), Task.id)
    )
    return [ToDo(*row) for row in db.session.execute(wanted.limit(limit))]


def of_student(student_id: int, compartment: str) -> Sequence[Promise]:
    """Everything asked for a student in a compartment: what still waits first, then the newest."""
    wanted = select(Promise).where(Promise.student_id == student_id, Promise.compartment == compartment)
    return db.session.scalars(wanted.order_by(Promise.settled_on.is_not(None), Promise.due, Promise.id.desc())).all()


def steps(promise_id: int) -> Sequence[PromiseStep]:
    """Every state of a promise, newest first."""
    wanted = select(PromiseStep).where(PromiseStep.promise_id == promise_id)
    return db.session.scalars(wanted.order_by(PromiseStep.id.desc())).all()


def stretches(promises: Collection[int]) -> dict[int, list[tuple[date, date | None]]]:
    """Promise -> (since, until) of each stretch in which it waited, the first one first; None while it does."""
    found: dict[int, list[tuple[date, date | None]]] = defaultdict(list)
    asked = text(f"SELECT * FROM ({STRETCHES}) s WHERE promise_id = ANY(:promises) ORDER BY promise_id, since")
    for promise, since, until in db.session.execute(asked, {"promises": list(promises)}):
        found[promise].append((since, until))
    return found


def waiting(
    compartment: str, reach: Reach, person_id: int | None, on: date, *, page: int = 1, size: int = 25
) -> list[Waiting]:
    """What is not in hand yet, what is due first before all."""
    wanted = _lines().where(*_open(compartment, reach, person_id, on)).order_by(Promise.due, Promise.id)
    return [Waiting(*row) for row in db.session.execute(wanted.offset((page - 1) * size).limit(size))]


def due_of(person_id: int, on: date, compartments: Collection[str], *, limit: int = 100) -> list[Waiting]:
    """What one person sees to in these compartments and is due by a day, the longest wait first."""
    mine = Promise.owner_id == person_id, Promise.settled_on.is_(None), Promise.due <= on
    wanted = _lines().where(*mine, Promise.compartment.in_(sorted(compartments))).order_by(Promise.due, Promise.id)
    return [Waiting(*row) for row in db.session.execute(wanted.limit(limit))]


def settled(compartment: str, reach: Reach, person_id: int | None, on: date, *, limit: int = 10) -> list[Waiting]:
    """What ended last, the newest first."""
    here = Promise.compartment == compartment, Promise.settled_on.is_not(None), _reached(reach, person_id, on)
    wanted = _lines().where(*here).order_by(Promise.settled_on.desc(), Promise.id.desc()).limit(limit)
    return [Waiting(*row) for row in db.session.execute(wanted)]


def counts(compartment: str, reach: Reach, person_id: int | None, on: date) -> tuple[int, int]:
    """(not in hand yet, of these past their day)."""
    wanted = select(func.count(), func.count().filter(Promise.due < on)).select_from(Promise)
    wanted = wanted.join(Student, Student.id == Promise.student_id)
    open_, late = db.session.execute(wanted.where(*_open(compartment, reach, person_id, on))).one()
    return open_, late


def nothing_asked(
    compartment: str, reach: Reach, person_id: int | None, on: date, since: date, *, limit: int = 25
) -> tuple[list[Student], int]:
    """Students whom the roster names for the compartment and for whom nothing was asked since a day; how many."""
    named = exists().where(SupportFlag.student_id == Student.id, SupportFlag.compartment == compartment)
    asked = exists().where(
        Promise.student_id == Student.id, Promise.compartment == compartment, Promise.asked_on >= since
    )
    here = named.correlate(Student), ~asked.correlate(Student), _reached(reach, person_id, on)
    wanted = select(Student).where(*here).order_by(Student.last_name, Student.first_name, Student.id).limit(limit)
    return list(db.session.scalars(wanted)), db.session.scalar(select(func.count(Student.id)).where(*here)) or 0


def findings(compartment: str, reach: Reach, person_id: int | None, on: date, *, limit: int = 25) -> list[Found]:
    """What rules of the compartment say now, the newest first."""
    wanted = (
        select(Student, Finding.rule, Finding.since, Finding.sentence)
        .join(Finding, Finding.student_id == Student.id)
        .where(
            Finding.compartment == compartment, Finding.withdrawn_at.is_(None), Finding.until.is_(None),
            _reached(reach, person_id, on),
        )
        .order_by(Finding.since.desc(), Finding.id.desc())
    )  # fmt: skip
    return [Found(*row) for row in db.session.execute(wanted.limit(limit))]


def search(reach: Reach, person_id: int | None, on: date, words: str, *, limit: int = 10) -> Sequence[Student]:
    """Students within reach by part of a name or id, whatever a compartment holds of them."""
    name = func.concat(Student.first_name, " ", Student.last_name)
    like = or_(name.icontains(words, autoescape=True), Student.key == words)
    wanted = select(Student).where(like, _reached(reach, person_id, on)).order_by(Student.last_name, Student.id)
    return db.session.scalars(wanted.limit(limit)).all()


def readers(school: str, network: str, roles: Collection[str], on: date) -> list[tuple[int, str]]:
    """(person, name) of whoever holds one of these roles at the school, its network or the district."""
    places = [f"school:{school}", f"network:{network}", "district"]
    wanted = (
        select(Person.id, Person.name)
        .join(Grant, Grant.person_id == Person.id)
        .where(
            Grant.place.in_(places), Grant.role.in_(sorted(roles)), Grant.starts <= on,
            or_(Grant.ends.is_(None), Grant.ends >= on), Person.disabled_at.is_(None),
        )
        .distinct()
        .order_by(Person.name, Person.id)
    )  # fmt: skip
    return [(number, name) for number, name in db.session.execute(wanted)]


def _lines() -> Any:
    return (
        select(Promise, Student, School.name, Person.name)
        .join(Student, Student.id == Promise.student_id)
        .join(School, School.id == Promise.school_id)
        .outerjoin(Person, Person.id == Promise.owner_id)
    )


def _open(compartment: str, reach: Reach, person_id: int | None, on: date) -> tuple[ColumnElement[bool], ...]:
    return Promise.compartment == compartment, Promise.settled_on.is_(None), _reached(reach, person_id, on)


def _reached(reach: Reach, person_id: int | None, on: date) -> ColumnElement[bool]:
    return scope.students(reach, person_id, on)
