"""The life of a case between opening and closing: taken, planned, followed, paused, taken up again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import update

from ew_app.kernel import Actor, Conflict, Refused, operation, record, today
from ew_app.services.casework import hand_over_rows, reaching, resting, tasks
from ew_app.services.casework.ahead import check_ahead
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from ew_app.services.people import signing_in
from ew_app.services.people.telling import tell
from models.base import db
from models.cases import Case, Task
from models.staff import Person
from rules.access import Permission, Place
from rules.case_flow import Action, Status, move
from rules.handing_over import Kind, may_own
from rules.routing import Via
from rules.vocabulary import vocabulary
from rules.words import check_words

LONGEST_STEP = 200
CHOSEN = ""  # Case.owner_via when a person, not the routing table, gave the case


@operation
def assign(case_number: int, *, by: Actor, to: int | None = None, version: int | None = None) -> Case:
    """Give a case to a person, or take it (`to` empty). Its open tasks of the same owner go along.

    Raises NotFound, NotAllowed, Refused, Conflict, IllegalMove.
    """
    held = reaching.case_at_hand(case_number, by, Permission.WORK_CASE, version=version)
    case = held.case
    person = db.session.get(Person, to or by.person_id or 0)
    taken = person is not None and person.id == by.person_id
    before = case.owner_role
    if hand_to(case, person, held.place, by, "case_taken" if taken else "case_assigned"):
        hand_over_rows.settle(case, by)
        if not taken and by.person_id is not None:
            hand_over_rows.begin(
                case, Kind.ASSIGN, by, to_id=case.owner_id, to_role=case.owner_role, from_role=before, due=case.due
            )
    return case


@operation
def take(case_number: int, *, by: Actor) -> Case:
    """Make a case that nobody has one's own; taken twice is taken once. Conflict where somebody was faster."""
    case = reaching.case_at_hand(case_number, by, Permission.WORK_CASE).case
    if case.owner_id is not None and case.owner_id != by.person_id:
        name = db.session.get_one(Person, case.owner_id).name
        raise Conflict(f"{name} has taken this case in the meantime. Ask them for it, or leave it with them.")
    return assign(case_number, by=by)


def hand_to(
    case: Case, person: Person | None, place: Place, by: Actor, kind: str, *, asked_by: int | None = None
) -> bool:
    """Let somebody own a case who may at that place, with the open tasks of the owner before; False if they do already.

    Joins the open transaction; `kind` names the event. asked_by: who asked for it, and is told of the answer instead.
    Raises Refused, IllegalMove.
    """
    person, who = receiver(person)
    before, role = case.owner_id, role_to_own(who, case, place)
    status = move(Status(case.status), Action.ASSIGN)
    if (case.owner_id, case.status, case.owner_via) == (person.id, str(status), CHOSEN):
        return False
    case.owner_id, case.owner_role, case.owner_via, case.status = person.id, role, CHOSEN, str(status)
    _hand_tasks_over(case, before, person.id, role)
    _tell(case, kind, by, to=person.name, role=role)
    once = f"case/{case.id}/given/{case.version}"
    tell("case_given", [person.id], once=once, by=by, case_id=case.id)
    tell("case_taken_over", [before if before != asked_by else None], once=once, by=by, case_id=case.id)
    touch([case.student_id], today())
    ask_for_evaluation()
    return True


def let_go(case: Case, by: Actor) -> None:
    """Nobody owns the case any more, in the open transaction; the routing table looks for somebody."""
    case.owner_id, case.owner_via = None, str(Via.UNOWNED)
    _tell(case, "case_given_back", by)


@operation
def monitor(
    case_number: int, *, by: Actor, next_step: str = "", due: date | None = None, version: int | None = None
) -> Case:
    """Follow the agreed plan, with a day to look again (default: ten school days)."""
    held = reaching.case_at_hand(case_number, by, Permission.WORK_CASE, version=version)
    held.case.status = str(move(Status(held.case.status), Action.MONITOR))
    _set_step(held.case, next_step or "Look at how the plan goes", due or tasks.due_in(10, held.case.school_id))
    _tell(held.case, "case_monitored", by)
    return held.case


@operation
def pause(case_number: int, *, by: Actor, reason: str, until: date | None = None, version: int | None = None) -> Case:
    """Rest a case (a key of `pause_reason`) until a day, on which it comes back by itself; no rule asks for tasks
    meanwhile. Without a day it rests for LONGEST_REST school days."""
    held = reaching.case_at_hand(case_number, by, Permission.WORK_CASE, version=version)
    before = held.case.status
    held.case.status = str(move(Status(before), Action.PAUSE))
    reaching.known("pause_reason", reason)
    if until is not None and until <= today():
        raise Refused("A pause ends on a later day than today.")
    check_ahead(until)
    held.case.paused_until = until or tasks.due_in(resting.LONGEST_REST, held.case.school_id)
    _tell(held.case, "case_paused", by, before=before, why=vocabulary().label("pause_reason", reason))
    return held.case


@operation
def resume(case_number: int, *, by: Actor, version: int | None = None) -> Case:
    """Take a paused case up where it stood; what the rules asked for meanwhile is asked now."""
    held = reaching.case_at_hand(case_number, by, Permission.WORK_CASE, version=version)
    case = held.case
    case.status = str(move(Status(case.status), Action.RESUME, before=resting.before_pause(case)))
    case.paused_until = None
    if case.due is not None and case.due < today():
        case.due = today()
    _tell(held.case, "case_resumed", by)
    touch([case.student_id], today())
    ask_for_evaluation()
    return case


# -- who may own a case --------------------------------------------------------------------------------------


def receiver(person: Person | None) -> tuple[Person, Actor]:
    """Somebody who could be given cases, and what they may do. Raises Refused for nobody, and for whoever is gone."""
    if person is None or person.disabled_at is not None:
        raise Refused("Choose someone of the school, its network or the district who can own a case.")
    return person, signing_in.actor_of(person)


def role_to_own(who: Actor, case: Case, place: Place) -> str:
    """The role in which someone can own a case there; the case's own role where they hold it. Refused without any."""
    roles = list(owning_roles(who, place))
    if not roles:
        raise Refused(f"{who.name} holds no role at {case.school.name} that can own a case.")
    return case.owner_role if case.owner_role in roles else roles[0]


def owning_roles(who: Actor, place: Place) -> Iterable[str]:
    """The roles in which someone can own a case at a place."""
    return (grant.role for grant, held in who.grants.at(place) if may_own(held))


def _hand_tasks_over(case: Case, before: int | None, owner_id: int, role: str) -> None:
    """The open tasks the earlier owner had on the case, outside compartments."""
    theirs = Task.owner_id == before if before is not None else Task.owner_id.is_(None)
    db.session.execute(
        update(Task)
        .where(Task.case_id == case.id, Task.status == "open", Task.compartment.is_(None), theirs)
        .values(owner_id=owner_id, owner_role=role)
    )


# -- steps ---------------------------------------------------------------------------------------------------


def _set_step(case: Case, step: str, due: date) -> None:
    check_words(step)
    if len(step) > LONGEST_STEP:
        raise Refused(f"Please say the next step in under {LONGEST_STEP} characters.")
    if due < today():
        raise Refused("The next day has passed already. Choose today or a later day.")
    check_ahead(due)
    case.next_step, case.due = step.strip(), due


def _tell(case: Case, kind: str, by: Actor, **data: Any) -> None:
    record(kind, by=by, subject=f"case:{case.number}", student_id=case.student_id, case_id=case.id, **data)
