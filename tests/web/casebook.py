"""Work on top of the named world, for the tests of worklists, cases and contacts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from sqlalchemy import event, select

from ew_app.kernel import now, today, transaction
from models.attendance import Batch
from models.base import db
from models.cases import Case, CaseReason, Cause, Note, Task
from models.org import School, Source
from models.people import Stint, Student
from models.staff import Person
from tests.web.world import START


def case_of(number: int) -> Case:
    return db.session.scalars(select(Case).where(Case.number == number)).one()


def person(login: str) -> Person:
    return db.session.scalars(select(Person).where(Person.login == login)).one()


def school(key: str) -> School:
    return db.session.scalars(select(School).where(School.key == key)).one()


def open_case(key: str, *, at: str = "LIN", owner: str | None = "counselor", tier: int = 2, **more: Any) -> int:
    """A new student of that school with an open case; returns its number."""
    place = school(at)
    student = Student(key=key, first_name="Student", last_name=key.title(), grade="4", homeroom="")
    student.stints = [Stint(school=place, entry_date=START)]
    db.session.add(student)
    db.session.flush()
    values = {
        "student_id": student.id, "school_id": place.id, "tier": tier, "department": "school_counseling",
        "owner_role": "counselor", "owner_id": person(owner).id if owner else None, "opened": today(),
        "opened_at": now(), "due": today(), "contact_due": today(), "next_step": "Find out what gets in the way",
    }  # fmt: skip
    case = Case(**(values | more))
    db.session.add(case)
    db.session.flush()
    db.session.add(
        CaseReason(
            case_id=case.id, rule="R07", day=today(), sentence=f"Absent 6 of 52 days ({key}).", added_at=now()
        )
    )  # fmt: skip
    return case.number


def give_task(
    number: int,
    login: str,
    title: str,
    *,
    compartment: str | None = None,
    kind: str = "visit",
    due: date | None = None,
) -> int:
    """An open task on a case, due today if nothing else is said."""
    case, owner = case_of(number), person(login)
    task = Task(
        case_id=case.id, student_id=case.student_id, school_id=case.school_id, kind=kind, period=f"test/{title}",
        title=title, compartment=compartment, department="related_services", owner_role=owner.grants[0].role,
        owner_id=owner.id, due=due or today(), created_at=now(),
    )  # fmt: skip
    db.session.add(task)
    db.session.flush()
    return task.id


def hold_a_file(name: str, sentence: str) -> None:
    """A delivery of the attendance clerk that waits for somebody to decide."""
    source = db.session.scalars(select(Source)).first() or Source(name="default")
    db.session.add(source)
    db.session.flush()
    batch = Batch(
        kind="attendance", source_id=source.id, status="held", name=name, sha256=name, received_at=now(),
        received_by="attendance_clerk", sentence=sentence,
    )  # fmt: skip
    db.session.add(batch)


def keep_secret(number: int, compartment: str, code: str) -> None:
    """A restricted cause, note and task, all inside one compartment."""
    case = case_of(number)
    written: dict[str, Any] = {
        "case_id": case.id, "student_id": case.student_id, "compartment": compartment, "author": "Person nurse",
        "position": "School nurse", "written_at": now(),
    }  # fmt: skip
    db.session.add(Cause(code=code, said_by="caregiver", confidence="said", **written))
    db.session.add(Note(text="Only for those who may read it.", **written))
    give_task(number, "stls_liaison", "Look at transport, uniform and fees", compartment=compartment, kind="support")


@contextmanager
def counting() -> Iterator[list[str]]:
    """Collects the statements sent to the database inside the block."""
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def long_ago(days: int = 7) -> Any:
    return today() - timedelta(days=days)


def committed(work: Any, *arguments: Any, **named: Any) -> Any:
    """Do it in a transaction of its own."""
    with transaction():
        return work(*arguments, **named)
