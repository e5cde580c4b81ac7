"""Contact details that failed: one task for the clerk, a number noted until the roster brings it, and the end of both.

The student system is where contact details are mended; what is noted here stands beside them and gives way to them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from ew_app.kernel import WORKER, Actor, Refused, now, operation, record, today
from ew_app.services.casework import reaching, tasks
from ew_app.services.casework.staffing import Staff, place_of
from models.base import db
from models.cases import Case, Outreach, Task
from models.outreach import NotedContact
from models.people import Contact, Stint, Student
from models.queries import student_page, ways
from models.tiers import StudentStatus
from rules import access
from rules.access import FieldClass, NotAllowed, Permission, Place, Right
from rules.routing import PlannedTask, tasks_for
from rules.vocabulary import Outcome, vocabulary
from rules.words import check_words

REPAIR = "R27"
KIND, INTERPRETER = "contact_repair", "interpreter"
MEND = Permission.FIX_DATA
LONGEST_NAME = 80
FEWEST_DIGITS = 7
STRUCK = "The contact that asked for this was put right."
BROUGHT = "The roster brought other contact details."


def ask(entry: Outreach, outcome: Outcome, case: Case | None) -> None:
    """In the open transaction: what failed in a contact becomes the clerk's task, once while it is open."""
    if not (outcome.contact_problem or outcome.key == "interpreter_needed"):
        return
    school = case.school_id if case else _school_of(entry.student_id)
    if school is None:
        return
    staff = Staff([school])
    near = staff.near(school, db.session.get_one(Student, entry.student_id).homeroom)
    for planned in tasks_for(REPAIR, staff.place(school), near, on=staff.on, loads=staff.loads):
        wanted = planned if outcome.contact_problem else _interpreter(planned)
        period = f"outreach/{entry.id}"
        tasks.ask(wanted, student_id=entry.student_id, school_id=school, case=case, period=period, rule=REPAIR)


def no_longer(entry: Outreach, by: Actor, *, struck: bool = False) -> None:
    """In the open transaction: a contact was struck or reads otherwise; what it asked to repair, and no other contact
    since does, is asked for no longer."""
    db.session.flush()
    asks = {KIND: failing(), INTERPRETER: ["interpreter_needed"]}
    open_ones = Task.student_id == entry.student_id, Task.kind.in_(asks), Task.status == "open", Task.rule == REPAIR
    for task in db.session.scalars(select(Task).where(*open_ones).order_by(Task.id).with_for_update()).all():
        first = task.period.rpartition("/")[2]
        if not first.isdecimal() or entry.id < int(first):
            continue
        others = Outreach.student_id == entry.student_id, Outreach.id >= int(first), Outreach.id != entry.id
        since = select(Outreach.id).where(*others, Outreach.outcome.in_(asks[task.kind]))
        speaks = not struck and entry.outcome in asks[task.kind]
        if not speaks and db.session.scalar(since.limit(1)) is None:
            tasks.withdraw(task, STRUCK, by)


def _interpreter(planned: PlannedTask) -> PlannedTask:
    return replace(planned, kind=INTERPRETER, title="Find an interpreter for this family")


def _school_of(student_id: int) -> int | None:
    status = db.session.get(StudentStatus, student_id)
    last = select(Stint.school_id).where(Stint.student_id == student_id).order_by(Stint.entry_date.desc()).limit(1)
    return status.school_id if status else db.session.scalar(last)


def failing() -> list[str]:
    """Outcomes that speak against the number or address that was used."""
    return [key for key, outcome in vocabulary().outcomes.items() if outcome.contact_problem]


# -- by hand -------------------------------------------------------------------------------------------------


@operation
def note_number(student_id: int, *, name: str, phone: str, by: Actor, once: str | None = None) -> NotedContact:
    """A number for a family that the roster does not have yet. Raises NotFound, NotAllowed, Refused, UnfitWords."""
    _check_may(student_id, by)
    if len(ways.digits(phone)) < FEWEST_DIGITS or len(phone) > 40:
        raise Refused("Write the whole number, with its area code.")
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Refused("Say whose number this is, in a few words.")
    check_words(f"{name} {phone}")
    same = select(NotedContact).where(NotedContact.student_id == student_id, NotedContact.ended_at.is_(None))
    for earlier in db.session.scalars(same.where(NotedContact.kind == "number")):
        if ways.alike(earlier.phone) == ways.alike(phone):
            return earlier
    return _add(student_id, "number", name.strip(), phone.strip(), by, once)


@operation
def it_works(student_id: int, *, phone: str, by: Actor, once: str | None = None) -> NotedContact:
    """A number that failed was checked and is right. Raises NotFound, NotAllowed, Refused."""
    _check_may(student_id, by)
    if ways.alike(phone) not in ways.bad_ways([student_id], failing()).get(student_id, {}):
        raise Refused("Nothing is known against that number.")
    return _add(student_id, "works", "", phone, by, once)


@operation
def forget_number(noted_id: int, *, by: Actor) -> None:
    """A number that was noted is of no use any more. Raises NotFound, NotAllowed, Refused."""
    noted = db.session.get(NotedContact, noted_id)
    if noted is None:
        raise Refused("That number is not noted any more.")
    _check_may(noted.student_id, by)
    if noted.ended_at is None:
        noted.ended_at = now()
        _tell("number_forgotten", noted, by)


def _add(student_id: int, kind: str, name: str, phone: str, by: Actor, once: str | None) -> NotedContact:
    if once and (first := db.session.scalar(select(NotedContact).where(NotedContact.once == once))):
        return first
    noted = NotedContact(
        student_id=student_id, kind=kind, name=name, phone=phone, once=once, author_id=by.person_id, author=by.name,
        position=by.position, written_at=now(),
    )  # fmt: skip
    db.session.add(noted)
    db.session.flush()
    _tell("number_noted" if kind == "number" else "number_works", noted, by)
    return noted


def _check_may(student_id: int, by: Actor) -> None:
    """Contact details are written by those whose role writes them at the student's school."""
    reaching.student_at_hand(student_id, by, MEND)
    school = next(iter(student_page.schools_of(student_id, today())), None)
    place = place_of(school) if school else Place.district()
    if not access.right(by.grants, FieldClass.CONTACTS, place).reaches(Right.WRITE):
        raise NotAllowed("Your role does not let you write contact details. Tell the attendance clerk.")


def _tell(kind: str, noted: NotedContact, by: Actor) -> None:
    record(kind, by=by, subject=f"noted_contact:{noted.id}", student_id=noted.student_id)


# -- by the roster -------------------------------------------------------------------------------------------


@operation
def settle(students: Collection[int] | None = None) -> int:
    """End what the roster has mended: numbers noted that it brings now, and tasks whose number it no longer has.

    Of these students, or of all with an open task or a noted number; returns how many tasks ended.
    """
    concerned = _concerned() if students is None else sorted(set(students) & set(_concerned()))
    if not concerned:
        return 0
    current = ways.contacts_of(concerned)
    for noted in db.session.scalars(select(NotedContact).where(NotedContact.student_id.in_(concerned))):
        brought = {ways.alike(one.phone) for one in current.get(noted.student_id, ()) if one.phone}
        if noted.kind == "number" and noted.ended_at is None and ways.alike(noted.phone) in brought:
            noted.ended_at = now()
            _tell("number_brought", noted, WORKER)
    return _finish_mended(concerned, current)


def _concerned() -> list[int]:
    asked = select(Task.student_id).where(Task.kind == KIND, Task.status == "open")
    noted = select(NotedContact.student_id).where(NotedContact.kind == "number", NotedContact.ended_at.is_(None))
    return sorted(number for number in db.session.scalars(asked.union(noted)) if number is not None)


def _finish_mended(concerned: Collection[int], people: Mapping[int, Sequence[Contact]]) -> int:
    """Tasks of students of whom nothing that failed is among the contacts any more, and something else is."""
    bad = ways.bad_ways(concerned, failing())
    asked = select(Task).where(Task.student_id.in_(concerned), Task.kind == KIND, Task.status == "open")
    ended = []
    for task in db.session.scalars(asked.with_for_update()):
        student = task.student_id or 0
        here = {
            ways.alike(way) for one in people.get(student, ()) for way in (one.phone, one.email, one.address) if way
        }
        failed = set(bad.get(student, {}))
        if failed and here and not failed & here:
            ended.append(task)
    tasks.mark_done(ended, WORKER, BROUGHT)
    return len(ended)
