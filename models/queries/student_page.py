"""What the page of one student asks beside the measures: who it is, where, and whether a case is open."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import contains_eager, selectinload

from models.base import db
from models.cases import Case, Task
from models.org import School
from models.people import Stint, Student
from models.promises import Promise
from models.queries import scope
from models.queries.scope import Reach
from models.tiers import Finding


def student(key: str, reach: Reach, person_id: int | None, on: date) -> Student | None:
    """A student by the district's key, if the reader reaches them on that day."""
    reached = scope.students(reach, person_id, on)
    wanted = select(Student).where(Student.key == key, reached).options(selectinload(Student.stints))
    return db.session.scalar(wanted)


def schools_of(student_id: int, on: date) -> Sequence[School]:
    """Where the student is enrolled that day, the latest entry first; after leaving, the last school."""
    stints = (
        select(Stint)
        .join(Stint.school)
        .join(School.network)
        .options(contains_eager(Stint.school).contains_eager(School.network))
        .where(Stint.student_id == student_id, Stint.entry_date <= on)
        .order_by(Stint.entry_date.desc(), Stint.id.desc())
    )
    found = db.session.scalars(stints).all()
    here = [one for one in found if one.exit_date is None or one.exit_date >= on]
    return list({one.school_id: one.school for one in here or found[:1]}.values())


def is_own(student_id: int, person_id: int | None) -> bool:
    """Whether an open case or task of this student is the person's own."""
    case = exists().where(Case.student_id == student_id, Case.owner_id == person_id, Case.closed_on.is_(None))
    task = exists().where(Task.student_id == student_id, Task.owner_id == person_id, Task.status == "open")
    return person_id is not None and bool(db.session.scalar(select(or_(case, task))))


def looks_after(student_id: int, person_id: int | None) -> bool:
    """The same, or the person sees to something that was asked for the student inside a compartment."""
    asked = exists().where(
        Promise.student_id == student_id, Promise.owner_id == person_id, Promise.settled_on.is_(None)
    )
    return is_own(student_id, person_id) or (person_id is not None and bool(db.session.scalar(select(asked))))


def open_case(student_id: int, reach: Reach, person_id: int | None, on: date) -> Case | None:
    """The open case of a student, if the reader may open it."""
    wanted = select(Case).where(
        Case.student_id == student_id, Case.closed_on.is_(None), scope.cases(reach, person_id, on)
    )
    return db.session.scalar(wanted)


def has_open_case(student_id: int) -> bool:
    """Whether somebody works on a case of the student."""
    return bool(db.session.scalar(select(exists().where(Case.student_id == student_id, Case.closed_on.is_(None)))))


def open_tasks(student_id: int, kinds: Collection[str]) -> Sequence[Task]:
    """Open tasks of these kinds about a student, in no case and no compartment, what is due first."""
    plain = Task.case_id.is_(None), Task.compartment.is_(None), Task.status == "open"
    wanted = select(Task).where(Task.student_id == student_id, Task.kind.in_(kinds), *plain)
    return db.session.scalars(wanted.order_by(Task.due, Task.id)).all()


def task_of(student_id: int, task_id: int) -> Task | None:
    """A task about this student, whatever its state."""
    wanted = select(Task).where(Task.id == task_id, Task.student_id == student_id, Task.compartment.is_(None))
    return db.session.scalars(wanted).one_or_none()


def said_then(student_id: int) -> dict[tuple[str, date], str]:
    """(rule, since) -> what was said on the first day of each open finding that stands outside every compartment."""
    wanted = select(Finding.rule, Finding.since, Finding.sentence).where(
        Finding.student_id == student_id,
        Finding.withdrawn_at.is_(None),
        Finding.until.is_(None),
        Finding.compartment.is_(None),
    )
    return {(rule, since): sentence for rule, since, sentence in db.session.execute(wanted)}


def school_names(keys: Sequence[str]) -> dict[str, str]:
    """Key -> name."""
    found = db.session.execute(select(School.key, School.name).where(School.key.in_(keys)))
    return {key: name for key, name in found}
