"""Root causes of a case: heard or seen, at most three at a time, each with the task the routing table asks for.

A restricted cause stays in its compartment with its task. Nothing outside moves: no owner, due date or version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select

from ew_app.kernel import Actor, NotFound, Refused, now, operation, record, today
from ew_app.services.casework import reaching, tasks
from ew_app.services.casework.reaching import CaseAtHand
from ew_app.services.casework.staffing import Staff
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from models.base import db
from models.cases import Case, Cause
from models.queries import following
from rules import access
from rules.access import FieldClass, NotAllowed, Permission, Right
from rules.case_flow import Action, Status, move
from rules.routing import Assignment, PlannedTask, compartment_task, route, tasks_for
from rules.routing_table import routing_table
from rules.tiers import Tier
from rules.vocabulary import vocabulary
from rules.words import check_words

MOST = 3
LONGEST_NOTE = 280
MAY_RECORD = (Permission.WORK_CASE, Permission.LOG_OUTREACH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What someone learned about why a student is away; keys are those of the vocabulary."""

    code: str
    said_by: str
    confidence: str = "said"
    primary: bool = False
    strengths: str = ""
    note: str = ""


@operation
def record_cause(case_number: int, heard: Heard, *, by: Actor, once: str | None = None) -> Cause:
    """Note a root cause of an open case and ask for the help the routing table names.

    One that is current already and says the same is returned as it is, and so is the first of the same `once`; one that
    says something new takes the place of the earlier entry, which stays in the history. Raises NotFound, NotAllowed,
    Refused, UnfitWords, IllegalMove.
    """
    held = reaching.case_at_hand(case_number, by, *MAY_RECORD)
    if once and (sent := _sent_before(once, by)):
        return sent
    compartment = _checked(held, heard, by)
    current = _current(held.case, compartment)
    same = next((cause for cause in current if cause.code == heard.code), None)
    if same is not None and _says_nothing_new(same, heard):
        return same
    move(Status(held.case.status), Action.CAUSE)
    if same is not None:
        heard = _kept_beside(heard, same)
        same.ended_at, same.is_primary = now(), False
        current.remove(same)
    elif len(current) >= MOST:
        raise Refused(f"There are {MOST} current causes already. End the one that matters least, then add this one.")
    cause = _store(held.case, heard, compartment, current, by, once)
    if compartment is None:
        _move_case(held, by, new=None if same else heard.code)
        touch([held.case.student_id], today())  # a barrier with an owner lets Tier 3 step down
        ask_for_evaluation()
    else:
        _ask_inside(held, cause, new=same is None)
    record(
        "cause_added", by=by, subject=f"cause:{cause.id}", student_id=held.case.student_id,
        case_id=held.case.id, compartment=compartment, code=heard.code,
    )  # fmt: skip
    return cause


@operation
def end_cause(cause_id: int, *, by: Actor) -> Cause:
    """A cause no longer holds; it stays in the history. Raises NotFound, NotAllowed."""
    cause = db.session.get(Cause, cause_id)
    case = db.session.get(Case, cause.case_id) if cause else None
    if cause is None or case is None:
        raise NotFound("There is no such cause.")
    held = reaching.case_at_hand(case.number, by, *MAY_RECORD)
    if cause.compartment is not None and FieldClass(cause.compartment) not in held.readable:
        raise NotFound("There is no such cause.")
    if cause.ended_at is None:
        was_primary = cause.is_primary
        cause.ended_at, cause.is_primary = now(), False
        if was_primary and (left := _current(case, cause.compartment)):
            left[0].is_primary = True
        record(
            "cause_ended", by=by, subject=f"cause:{cause.id}", student_id=case.student_id, case_id=case.id,
            compartment=cause.compartment, code=cause.code,
        )  # fmt: skip
        if cause.compartment is None:
            _move_case(held, by)
    return cause


def _checked(held: CaseAtHand, heard: Heard, by: Actor) -> str | None:
    """The compartment the cause belongs to, once this person may record it and the words are fit."""
    cause = vocabulary().causes[reaching.known("cause", heard.code)]
    reaching.known("said_by", heard.said_by)
    reaching.known("confidence", heard.confidence)
    if not access.right(by.grants, FieldClass.CASE, held.place, own=held.own).reaches(Right.WRITE):
        raise NotAllowed("Your role does not let you note a cause on this case. Tell its owner instead.")
    if cause not in vocabulary().causes_shown(held.readable):
        raise NotAllowed("Your role does not let you note this cause. Tell whoever looks after it instead.")
    for words in (heard.note, heard.strengths):
        if len(words) > LONGEST_NOTE:
            raise Refused(f"Please keep this under {LONGEST_NOTE} characters.")
        check_words(words)
    return cause.restricted


def _sent_before(once: str, by: Actor) -> Cause | None:
    same: Cause | None = db.session.scalar(select(Cause).where(Cause.once == once, Cause.author_id == by.person_id))
    return same


def _says_nothing_new(cause: Cause, heard: Heard) -> bool:
    """Whether an entry says already who said it, how sure it is, and everything that was written with it."""
    told = _kept_beside(heard, cause)
    before = (cause.said_by, cause.confidence, cause.note, cause.strengths, cause.is_primary)
    return before == (told.said_by, told.confidence, told.note.strip(), told.strengths.strip(), told.primary)


def _kept_beside(heard: Heard, before: Cause) -> Heard:
    """What is heard now, with the note and strengths of the earlier entry where nothing new is said of them."""
    return replace(
        heard, primary=heard.primary or before.is_primary, note=heard.note.strip() or before.note,
        strengths=heard.strengths.strip() or before.strengths,
    )  # fmt: skip


def _current(case: Case, compartment: str | None) -> list[Cause]:
    """Current causes of one compartment, or outside all; what lies elsewhere must not be felt here."""
    mine = select(Cause).where(
        Cause.case_id == case.id, Cause.ended_at.is_(None), Cause.compartment.is_not_distinct_from(compartment)
    )
    db.session.flush()
    return list(db.session.scalars(mine.order_by(Cause.id)))


def _store(
    case: Case, heard: Heard, compartment: str | None, current: list[Cause], by: Actor, once: str | None
) -> Cause:
    primary = heard.primary or not any(cause.is_primary for cause in current)
    if primary:
        for other in current:
            other.is_primary = False
    cause = Cause(
        case_id=case.id, student_id=case.student_id, code=heard.code, compartment=compartment, said_by=heard.said_by,
        confidence=heard.confidence, is_primary=primary, strengths=heard.strengths.strip(), note=heard.note.strip(),
        once=once, author_id=by.person_id, author=by.name, position=by.position, written_at=now(),
    )  # fmt: skip
    db.session.add(cause)
    db.session.flush()
    return cause


# -- what follows --------------------------------------------------------------------------------------------


def _move_case(held: CaseAtHand, by: Actor, *, new: str | None = None) -> None:
    """Department, owner and tasks as the routing table says; an owner chosen by a person stays.

    new: the cause that has just begun.
    """
    case = held.case
    db.session.flush()
    codes = following.causes([case.id]).get(case.id, ())
    staff = Staff([case.school_id])
    near = staff.near(case.school_id, case.student.homeroom)
    rules = [r.rule for r in following.reasons([case.id]) if not r.withdrawn]
    found = route(rules, Tier(case.tier).text, codes, staff.place(case.school_id), near, on=staff.on, loads=staff.loads)
    case.department = found.department
    if case.owner_via and found.person_id is not None and found.role != case.owner_role:
        _hand_over(case, found, by)
    for code in codes:
        for planned in tasks_for(code, staff.place(case.school_id), near, on=staff.on, loads=staff.loads):
            _ask(case, planned, code, new=code == new)


def _hand_over(case: Case, found: Assignment, by: Actor) -> None:
    case.owner_id, case.owner_role, case.owner_via = found.person_id, found.role, str(found.via)
    record(
        "case_moved", by=by, subject=f"case:{case.number}", student_id=case.student_id, case_id=case.id,
        role=found.role, why=found.why,
    )  # fmt: skip


def _ask_inside(held: CaseAtHand, cause: Cause, *, new: bool) -> None:
    case = held.case
    staff = Staff([case.school_id])
    near = staff.near(case.school_id, case.student.homeroom)
    planned = compartment_task(cause.code, staff.place(case.school_id), near, on=staff.on, loads=staff.loads)
    _ask(case, planned, cause.code, new=new)


def _ask(case: Case, planned: PlannedTask, code: str, *, new: bool) -> None:
    """Once for each time the cause begins, so that one that comes back is asked about anew. The period ends in it."""
    period, ending = f"case {case.number}/{case.episode}", f"/{code}"
    before = tasks.times_asked(planned, case.student_id, period, ending) if new else 0
    again = f" again {before}" if before else ""
    tasks.ask(
        planned, student_id=case.student_id, school_id=case.school_id, case=case, period=period + again + ending,
        same=routing_table().trigger(code).rules,
    )  # fmt: skip
