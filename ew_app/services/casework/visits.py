"""Home visits: two people go, somebody watches, the family is called first, and what came of it becomes a contact.

The clock of a visit starts when they leave and stops with one press when they are back; what happened can be written
down afterwards. Nothing about a visit stays on the phone: every page comes from here and is kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, Conflict, NotFound, Refused, audit, day_text, local, now, operation, record, today
from ew_app.services.casework import outreach, reaching, visit_ends
from ew_app.services.casework.ahead import check_ahead
from ew_app.services.casework.outreach import Attempt
from ew_app.services.casework.repairing import FEWEST_DIGITS
from ew_app.services.casework.visit_people import clock_of, is_there, may_help, tell_alarm, who
from ew_app.services.people.telling import tell
from models.base import db
from models.cases import Case, Outreach, Task
from models.queries import visits, ways
from models.visits import Visit
from rules.access import FieldClass, Permission, Place
from rules.words import check_words

OTHERWISE = "This visit stands differently now. Load the page and look again."
NO_VISIT = "There is no such visit, or you have no part in it."
SHORTEST, LONGEST = 10, 240  # minutes
CALLED_WITHIN = timedelta(days=5)
CALLS = ("call", "text")
ADDRESS_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A visit as its planner wants it. second: a member of staff, or the name of somebody of a partner. phone: on which
    the two are called when they are not back."""

    day: date
    at: time | None = None
    second_id: int | None = None
    second_name: str = ""
    watcher_id: int
    minutes: int = 45
    address: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class VisitAtHand:
    """A visit for somebody who takes part in it, reaches its case (`case`), or was told that they are late (`told`)."""

    visit: Visit
    case: Case | None
    goes: bool
    watches: bool
    told: bool


@operation
def plan(case_number: int, wanted: Wanted, *, by: Actor, once: str | None = None) -> Visit:
    """Plan a visit; whoever plans it goes. The same `once` again is the same visit.

    Raises NotFound, NotAllowed, Refused, UnfitWords.
    """
    held = reaching.case_at_hand(case_number, by, Permission.LOG_OUTREACH)
    if held.case.closed_on is not None:
        raise Refused("This case is closed. Take it up again first, then plan the visit.")
    if FieldClass.CONTACTS not in held.readable:
        raise Refused("Your role does not see where the family lives. Ask the owner of the case to plan the visit.")
    _check(wanted, held.place, by)
    values = {
        "once": once, "case_id": held.case.id, "student_id": held.case.student_id, "school_id": held.case.school_id,
        "day": wanted.day, "at": wanted.at, "visitor_id": by.person_id, "second_id": wanted.second_id,
        "second_name": wanted.second_name.strip(), "watcher_id": wanted.watcher_id, "minutes": wanted.minutes,
        "address": wanted.address.strip(), "phone": wanted.phone.strip(), "planned_at": now(), "status": "planned",
        "no_call_why": "", "called_off_why": "",
    }  # fmt: skip
    number = db.session.scalar(insert(Visit).values(values).on_conflict_do_nothing().returning(Visit.id))
    if number is None:
        return _planned_already(held.case, once)
    visit = db.session.get_one(Visit, number)
    _tell("visit_planned", visit, by, day=wanted.day.isoformat())
    for kind, person in (("visit_with_you", visit.second_id), ("visit_to_watch", visit.watcher_id)):
        once, day = f"visit/{number}/named", day_text(wanted.day)
        tell(kind, [person], once=once, by=by, visit_id=number, who=who(visit), day=day)
    return visit


def _check(wanted: Wanted, place: Place, by: Actor) -> None:
    staff = {row.person_id for row in may_help(place)}
    if wanted.second_id is None and not wanted.second_name.strip():
        raise Refused("Two people go on a visit. Choose who comes along, or write their name.")
    if wanted.second_id is not None and (wanted.second_id not in staff or wanted.second_id == by.person_id):
        raise Refused("Choose somebody else of the school or its network to come along.")
    if wanted.watcher_id not in staff or wanted.watcher_id in (by.person_id, wanted.second_id):
        raise Refused("Choose a colleague who stays at school and is told when you are not back in time.")
    if wanted.day < today():
        raise Refused("That day has passed. Choose today or a later day.")
    check_ahead(wanted.day)
    if not SHORTEST <= wanted.minutes <= LONGEST:
        raise Refused(f"Choose from {SHORTEST} to {LONGEST} minutes until you want to be back.")
    if len(wanted.address) > ADDRESS_LENGTH:
        raise Refused(f"Please keep the address under {ADDRESS_LENGTH} characters.")
    if len(ways.digits(wanted.phone)) < FEWEST_DIGITS or len(wanted.phone) > 40:
        raise Refused(
            "Write a number on which you can be called on the way, for the case that you are not back in time."
        )
    check_words(f"{wanted.address} {wanted.phone}")


def _planned_already(case: Case, once: str | None) -> Visit:
    first = db.session.scalar(select(Visit).where(Visit.once == once)) if once else None
    if first is not None and first.case_id == case.id:
        return first
    raise Refused("A visit to this family is planned already. Open it, or call it off first.")


# -- on the day ----------------------------------------------------------------------------------------------


@operation
def check_address(visit_id: int, address: str, *, by: Actor) -> Visit:
    """Say that the address was asked for again today, and what it is."""
    visit = _of_those_who_go(visit_id, by, "planned")
    check_words(address)
    if not address.strip() or len(address) > ADDRESS_LENGTH:
        raise Refused("Write the address you were told, in one or two lines.")
    visit.address, visit.address_checked_at = address.strip(), now()
    return visit


@operation
def go(visit_id: int, *, by: Actor, no_call_why: str = "") -> Visit:
    """Leave: the clock starts, and whoever watches is told. Raises Refused while something is missing.

    no_call_why: why nobody could call first; a call or a text of the last days makes it needless.
    """
    visit = _of_those_who_go(visit_id, by, "planned", "out")
    if visit.status == "out":
        return visit
    if missing := missing_before_going(visit, no_call_why):
        raise Refused(missing)
    check_words(no_call_why)
    visit.no_call_why = no_call_why.strip()
    visit.status, visit.out_at, visit.back_by = "out", now(), now() + timedelta(minutes=visit.minutes)
    once, clock = f"visit/{visit.id}/out", clock_of(visit)
    tell("visit_begins", [visit.watcher_id], once=once, by=by, visit_id=visit.id, clock=clock)
    _tell("visit_begun", visit, by)
    return visit


def missing_before_going(visit: Visit, no_call_why: str = "") -> str:
    """What has to be done before they leave, as a sentence; nothing when all is well."""
    if visit.day != today():
        return "This visit is planned for another day. Plan it anew for today, or call it off."
    if visit.address_checked_at is None or local(visit.address_checked_at).date() != local(now()).date():
        return "Check the address today, best in the call before you leave. Families move."
    if not is_there(visit.watcher_id, visit.school_id):
        return (
            "The colleague who was to watch is not there today, so nobody would miss you. "
            "Call this visit off and plan it anew with somebody who is."
        )
    called = visits.called_since(visit.student_id, today() - CALLED_WITHIN, CALLS)
    if not called and not no_call_why.strip():
        return "Call or text the family first and log it, or say why you could not."
    return ""


@operation
def stay_longer(visit_id: int, minutes: int, *, by: Actor) -> Visit:
    """Want to be back so many minutes from now. The alarm for the earlier time falls away; where it was given, those
    who were told hear of the new time, and are told again when that passes too."""
    visit = _of_those_who_go(visit_id, by, "out")
    if not SHORTEST <= minutes <= LONGEST:
        raise Refused(f"Choose from {SHORTEST} to {LONGEST} minutes.")
    visit.back_by = now() + timedelta(minutes=minutes)
    _tell("visit_longer", visit, by)
    if visit.late_at is not None:
        visit.late_at, once = None, f"visit/{visit.id}/longer/{visit.back_by.isoformat()}"
        tell_alarm("visit_longer", visit, once=once, by=by)
    return visit


@operation
def back(visit_id: int, *, by: Actor) -> Visit:
    """Both are back and well: the clock stops. Said by whoever goes or watches, or was told that they are not back;
    said twice is said once."""
    at_hand = visit_at_hand(visit_id, by, lock=True)
    visit = at_hand.visit
    if not (at_hand.goes or at_hand.watches or at_hand.told):
        raise Refused("Only those who go, and the colleague who watches, say that they are back.")
    if visit.status == "back":
        return visit
    if visit.status != "out":
        raise Refused("Nobody has left for this visit.")
    if visits.was_late(visit.id):
        tell_alarm("visit_safe", visit, once=f"visit/{visit.id}/safe", by=by)
    visit.status, visit.back_at, visit.address, visit.phone = "back", now(), "", ""
    _tell("visit_back", visit, by)
    return visit


@operation
def say_what_happened(visit_id: int, attempt: Attempt, *, by: Actor, once: str | None = None) -> Visit:
    """Write down what came of it, as a contact of the case; it finishes the task that asked for a visit.

    Raises NotFound, NotAllowed, Refused, UnfitWords.
    """
    visit = _of_those_who_go(visit_id, by, "back")
    if visit.outreach_id is not None:
        _check_is_first(visit, attempt, once)
        return visit
    asked = select(Task.id).where(
        Task.case_id == visit.case_id, Task.kind == "visit", Task.status == "open", Task.compartment.is_(None)
    )
    task = db.session.scalar(asked.order_by(Task.id).limit(1))
    done = replace(attempt, method="visit", at=visit.out_at)
    entry = outreach.log_outreach(done, by=by, student_id=visit.student_id, task_id=task, once=once)
    entry.case_id = entry.case_id or visit.case_id  # also where the case was closed since
    visit.outreach_id = entry.id
    return visit


def _check_is_first(visit: Visit, attempt: Attempt, once: str | None) -> None:
    """The same form again is the same account; another one of the same visit is not thrown away unsaid."""
    first = db.session.get(Outreach, visit.outreach_id)
    if first is None or (once is not None and first.once == once):
        return
    yours = f" What you wrote: “{attempt.note.strip()}”" if attempt.note.strip() else ""
    raise Conflict(f"{first.author} has written down already what happened. Add yours to the case as a note.{yours}")


@operation
def call_off(visit_id: int, why: str, *, by: Actor) -> Visit:
    """Not going, or not today; called off twice is called off once. Whoever has a part in it is told."""
    visit = visit_at_hand(visit_id, by, lock=True).visit
    if not visit_ends.may_call_off(visit, by):
        raise Refused("Only those who go on this visit, and those who work on the case, can call it off.")
    if visit.status == "called_off":
        return visit
    if visit.status != "planned":
        raise Conflict(OTHERWISE)
    if not why.strip():
        raise Refused("Say in a few words why, so that the next one knows.")
    check_words(why)
    visit_ends.call_off(visit, why, by)
    return visit


# -- one by number -------------------------------------------------------------------------------------------


def visit_at_hand(visit_id: int, by: Actor, *, lock: bool = False) -> VisitAtHand:
    """A visit somebody takes part in, or of a case within their reach, or of which they were told that two are not
    back. Raises NotFound."""
    reached, told = reaching.cases_of(by, Permission.SEE_CASE), visits.was_told(by.person_id)
    wanted = select(Visit, Case, reached, told).join(Case, Case.id == Visit.case_id).where(Visit.id == visit_id)
    wanted = wanted.where(or_(visits.takes_part(by.person_id), reached, told))
    wanted = wanted.execution_options(populate_existing=True)
    found = db.session.execute(wanted.with_for_update(of=Visit) if lock else wanted).one_or_none()
    if found is None:
        raise NotFound(NO_VISIT)
    visit, case, sees_case, was_told = found
    goes = by.person_id in (visit.visitor_id, visit.second_id)
    return VisitAtHand(visit, case if sees_case else None, goes, by.person_id == visit.watcher_id, was_told)


@operation
def address_for(at_hand: VisitAtHand, by: Actor) -> str:
    """Where they went: for those who reach the case or go along, and once they are late for whoever watches.

    What the watcher reads is noted in the audit.
    """
    visit = at_hand.visit
    late = at_hand.watches and visit.late_at
    if visit.status not in ("planned", "out") or not (at_hand.case or at_hand.goes or late):
        return ""
    if at_hand.case is None:
        audit("visit_address_read", by=by, subject=f"visit:{visit.id}", student_id=visit.student_id)
    return visit.address


def _of_those_who_go(visit_id: int, by: Actor, *states: str) -> Visit:
    at_hand = visit_at_hand(visit_id, by, lock=True)
    if not at_hand.goes:
        raise Refused("Only those who go on this visit can do that.")
    if at_hand.visit.status not in states:
        raise Conflict(OTHERWISE)
    return at_hand.visit


def _tell(kind: str, visit: Visit, by: Actor, **data: str) -> None:
    record(kind, by=by, subject=f"visit:{visit.id}", student_id=visit.student_id, case_id=visit.case_id, **data)
