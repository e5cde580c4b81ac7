"""What the page of one case reads beside the case itself. The case was found within reach before any of this.

Nothing here returns a row of a compartment; those are read by `services.notes.read_compartment`, which logs it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import aliased

from models.audit import Event
from models.base import db
from models.cases import Case, CaseReason, Cause, Note, Outreach, Task
from models.people import Contact
from models.plans import PlanSupport
from models.promises import Promise
from models.queries import same_child
from models.staff import Grant, Person
from models.tiers import StudentStatus

GONE = "no longer here"
Newer, Deputy = aliased(Note), aliased(Person)


def standing(student_id: int) -> StudentStatus | None:
    """How the student stands, as far as the data reach."""
    return db.session.get(StudentStatus, student_id)


def rules(case: Case) -> tuple[set[str], set[str]]:
    """The rules that speak for the case in this episode, and those of which the reason no longer stands."""
    of_case = CaseReason.case_id == case.id, CaseReason.episode == case.episode
    found = db.session.execute(select(CaseReason.rule, CaseReason.withdrawn_at.is_(None)).where(*of_case)).all()
    return {rule for rule, stands in found if stands}, {rule for rule, stands in found if not stands}


def causes(case: Case) -> Sequence[Cause]:
    """Causes outside compartments, ended ones too: current ones first, the main one before all."""
    wanted = select(Cause).where(Cause.case_id == case.id, Cause.compartment.is_(None))
    return db.session.scalars(
        wanted.order_by(Cause.ended_at.is_not(None), Cause.is_primary.desc(), Cause.id.desc())
    ).all()


def notes(case: Case, author_id: int | None = None) -> Sequence[Note]:
    """Notes outside compartments in their newest version, newest first; of one author if given."""
    wanted = select(Note).where(
        Note.case_id == case.id, Note.compartment.is_(None), ~exists().where(Newer.replaces_id == Note.id)
    )
    if author_id is not None:
        wanted = wanted.where(Note.author_id == author_id)
    return db.session.scalars(wanted.order_by(Note.id.desc())).all()


def tasks(case: Case) -> Sequence[Task]:
    """Tasks of the case outside compartments: open ones by day, then the others, newest first."""
    wanted = select(Task).where(Task.case_id == case.id, Task.compartment.is_(None))
    found = db.session.scalars(wanted.order_by(Task.due.asc().nulls_last(), Task.id)).all()
    return [task for task in found if task.status == "open"] + [
        task for task in reversed(found) if task.status != "open"
    ]


def outreach(student_id: int) -> Sequence[Outreach]:
    """Every contact and attempt about the student, newest first."""
    wanted = select(Outreach).where(Outreach.student_id == student_id)
    return db.session.scalars(wanted.order_by(Outreach.at.desc(), Outreach.id.desc())).all()


def events(case: Case) -> Sequence[Event]:
    """What happened to the case outside compartments, newest first."""
    wanted = select(Event).where(Event.case_id == case.id, Event.compartment.is_(None))
    return db.session.scalars(wanted.order_by(Event.at.desc(), Event.id.desc())).all()


def contacts(student_id: int) -> Sequence[Contact]:
    """The people to reach about a student, whichever id they were sent with; those who may get mail first."""
    wanted = select(Contact).where(Contact.student_id.in_(same_child.ids_of(student_id)))
    return db.session.scalars(wanted.order_by(Contact.may_receive_mail.desc().nulls_last(), Contact.id)).all()


def holds_anything(case: Case, compartments: Collection[str]) -> bool:
    """Whether any of these compartments holds something current, without saying which."""
    if not compartments:
        return False
    inside = sorted(compartments)
    task = exists().where(Task.student_id == case.student_id, Task.status == "open", Task.compartment.in_(inside))
    cause = exists().where(Cause.case_id == case.id, Cause.ended_at.is_(None), Cause.compartment.in_(inside))
    note = exists().where(Note.case_id == case.id, Note.compartment.in_(inside))
    running = PlanSupport.result.is_(None), PlanSupport.compartment.in_(inside)
    support = exists().where(PlanSupport.case_id == case.id, *running)
    promise = exists().where(
        Promise.student_id == case.student_id, Promise.settled_on.is_(None), Promise.compartment.in_(inside)
    )
    return bool(db.session.scalar(select(or_(task, cause, note, support, promise))))


# -- the people around it --------------------------------------------------------------------------------------


def people_at(places: Collection[str], on: date) -> list[Any]:
    """(person_id, name, role) of whoever holds a role at these places on the day, by name."""
    wanted = (
        select(Grant.person_id, Person.name, Grant.role)
        .join(Person, Person.id == Grant.person_id)
        .where(
            Grant.place.in_(sorted(places)),
            Grant.starts <= on,
            or_(Grant.ends.is_(None), Grant.ends >= on),
            Person.disabled_at.is_(None),
        )
        .order_by(Person.name, Person.id)
    )
    return list(db.session.execute(wanted))


def away(person: int, role: str, places: Collection[str], on: date) -> tuple[date | None, str] | None:
    """Whether somebody is on leave in a role there that day: (last day, who stands in); None while they are there."""
    return on_leave(places, on, person).get((person, role))


def on_leave(
    places: Collection[str], on: date, person: int | None = None
) -> dict[tuple[int, str], tuple[date | None, str]]:
    """(person, role) -> (last day, who stands in) of everybody, or of one, who is on leave in a role there that day."""
    wanted = (
        select(Grant.person_id, Grant.role, Grant.away_from, Grant.away_until, Deputy.name)
        .outerjoin(Deputy, Deputy.id == Grant.deputy_id)
        .where(Grant.place.in_(places), Grant.starts <= on, or_(Grant.ends.is_(None), Grant.ends >= on))
    )
    held: dict[tuple[int, str], list[Any]] = {}
    for row in db.session.execute(wanted if person is None else wanted.where(Grant.person_id == person)):
        held.setdefault((row.person_id, row.role), []).append(row)
    return {
        who: (rows[0].away_until, next((one.name for one in rows if one.name), ""))
        for who, rows in held.items()
        if all(one.away_from and one.away_from <= on <= (one.away_until or on) for one in rows)
    }


def names(people: Collection[int], on: date | None = None) -> dict[int, str]:
    """Person -> name; with a day it says of whoever is shut out or holds no role that day that they are gone."""
    if on is None:
        found = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(people)))
        return {number: name for number, name in found}
    holds = Grant.starts <= on, or_(Grant.ends.is_(None), Grant.ends >= on)
    here = and_(Person.disabled_at.is_(None), exists().where(Grant.person_id == Person.id, *holds).correlate(Person))
    told = db.session.execute(select(Person.id, Person.name, here).where(Person.id.in_(people)))
    return {number: name if is_here else f"{name} ({GONE})" for number, name, is_here in told}


def names_by_login(logins: Collection[str]) -> dict[str, str]:
    """Login -> name."""
    found = db.session.execute(select(Person.login, Person.name).where(Person.login.in_(logins)))
    return {login: name for login, name in found}
