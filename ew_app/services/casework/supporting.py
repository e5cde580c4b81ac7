"""Supports in a plan: offered to one student, given so many times, and in the end what came of each.

One that is for a restricted cause, or that exists for such causes only, lives in that compartment from the first day:
nothing outside changes with it, and only those who may write there offer it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from ew_app.kernel import Actor, Conflict, NotFound, Refused, now, operation, record, today
from ew_app.services.casework import reaching, support_tasks, tasks
from ew_app.services.casework.ahead import check_ahead
from ew_app.services.casework.near import near
from ew_app.services.casework.reaching import CaseAtHand
from models.base import db
from models.cases import Case, Cause
from models.plans import PlanSupport, SupportGiven
from rules import access
from rules.access import FieldClass, NotAllowed, Permission, Right
from rules.case_flow import Action, Status, move
from rules.interventions import Intervention, intervention, kept_in
from rules.words import check_words

MAY = (Permission.WORK_CASE, Permission.LOG_OUTREACH)
NO_SUPPORT = "There is no such support, or it is not one of yours."
LONGEST_WORDS = 280
MOST_TIMES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is offered: a key of the catalogue, the cause it is for, and what is not as the catalogue has it."""

    intervention: str
    cause: str = ""
    owner_id: int | None = None
    starts: date | None = None
    planned_end: date | None = None
    dose_planned: int | None = None
    family_agreed: str = "not_asked"


class SupportChanged(Conflict):
    """Somebody changed the support in between; `theirs` is what stands now."""

    def __init__(self, theirs: PlanSupport) -> None:
        super().__init__("Somebody changed this support while you had it open. What stands now is shown beside yours.")
        self.theirs = theirs


@operation
def offer(case_number: int, offered: Offer, *, by: Actor, once: str | None = None) -> PlanSupport:
    """Offer a support and ask whoever gives it. The same `once` again returns the first.

    Raises NotFound, NotAllowed, Refused, IllegalMove.
    """
    held = reaching.case_at_hand(case_number, by, *MAY)
    if once and (sent := _offered_before(once, by)):
        return sent
    move(Status(held.case.status), Action.CAUSE)  # what an open case that is not paused allows
    chosen = _chosen(offered.intervention)
    compartment = _check_place(held, chosen, offered, by)
    support = PlanSupport(
        case_id=held.case.id, student_id=held.case.student_id, episode=held.case.episode, intervention=chosen.key,
        cause=offered.cause or None, compartment=compartment, once=once, author_id=by.person_id, author=by.name,
        position=by.position, written_at=now(), **_checked(held, chosen, offered),
    )  # fmt: skip
    db.session.add(support)
    db.session.flush()
    support_tasks.ask_owner(held, support, chosen, by)
    _tell(support, "support_offered", by)
    return support


@operation
def change(support_id: int, offered: Offer, *, by: Actor, seen: int | None = None) -> PlanSupport:
    """Change days, dose, owner or the family's answer. `seen`: the version that lay before the writer.

    Raises NotFound, NotAllowed, Refused, SupportChanged.
    """
    held, support = at_hand(support_id, by)
    if seen is not None and support.version != seen:
        raise SupportChanged(support)
    _check_running(support)
    values = _checked(held, intervention(support.intervention), offered, support)
    changed = {name: value for name, value in values.items() if getattr(support, name) != value}
    before = {name: str(getattr(support, name)) for name in changed}
    for name, value in changed.items():
        setattr(support, name, value)
    if changed:
        if "owner_id" in changed:
            support_tasks.ask_owner(held, support, intervention(support.intervention), by)
        _tell(support, "support_changed", by, was=before, now={name: str(value) for name, value in changed.items()})
    db.session.flush()
    return support


@operation
def give(
    support_id: int, *, by: Actor, on_day: date | None = None, note: str = "", once: str | None = None
) -> SupportGiven:
    """Note one time that a support was given. The same `once` again returns the first.

    Raises NotFound, NotAllowed, Refused, UnfitWords.
    """
    _, support = at_hand(support_id, by)
    if once and (sent := _given_before(once, by)):
        return sent
    _check_running(support)
    day = on_day or today()
    if not support.starts - timedelta(days=7) <= day <= today():
        raise Refused("The day lies ahead, or long before the support began. Choose the day on which it was given.")
    made = SupportGiven(
        support_id=support.id, on_day=day, note=_words(note), once=once, author_id=by.person_id, author=by.name,
        position=by.position, written_at=now(),
    )  # fmt: skip
    db.session.add(made)
    tasks.mark_done(support_tasks.open_ones(support), by)
    _tell(support, "support_given", by, day=day.isoformat())
    db.session.flush()
    return made


@operation
def take_back(given_id: int, *, by: Actor) -> SupportGiven:
    """Take back a time that was noted by mistake: by whoever noted it. Raises NotFound, NotAllowed."""
    given = db.session.get(SupportGiven, given_id)
    if given is None:
        raise NotFound(NO_SUPPORT)
    _, support = at_hand(given.support_id, by)
    if given.author_id != by.person_id:
        raise NotAllowed("Only whoever noted this can take it back.")
    if given.taken_back_at is None:
        given.taken_back_at = now()
        _tell(support, "support_not_given", by, day=given.on_day.isoformat())
        support_tasks.ask_again(support, given, by)
    return given


@operation
def finish(support_id: int, *, by: Actor, result: str, why: str = "", seen: int | None = None) -> PlanSupport:
    """Say what came of a support (a key of `plan_result`); one that stops early says why. Twice the same is once.

    Raises NotFound, NotAllowed, Refused, SupportChanged, UnfitWords.
    """
    _, support = at_hand(support_id, by)
    if support.result == result and support.why_ended == why.strip():
        return support
    if seen is not None and support.version != seen:
        raise SupportChanged(support)
    _check_running(support)
    if result == "stopped" and not why.strip():
        raise Refused("Say in a few words why it stopped.")
    support.result = reaching.known("plan_result", result)
    support.why_ended, support.ended_on = _words(why), today()
    support_tasks.withdraw(support)
    _tell(support, "support_ended", by, result=result)
    db.session.flush()
    return support


# -- who may, and where it is kept -----------------------------------------------------------------------------


def at_hand(support_id: int, by: Actor, *, lock: bool = True) -> tuple[CaseAtHand, PlanSupport]:
    """A support whose class this person writes, its case locked for a change. Raises NotFound, NotAllowed."""
    support = db.session.get(PlanSupport, support_id, populate_existing=True)
    case = db.session.get(Case, support.case_id) if support else None
    if support is None or case is None:
        raise NotFound(NO_SUPPORT)
    held = reaching.case_at_hand(case.number, by, *MAY, lock=lock)
    if support.compartment is not None and FieldClass(support.compartment) not in held.readable:
        raise NotFound(NO_SUPPORT)
    _check_writes(held, FieldClass(support.compartment or FieldClass.CASE), by)
    db.session.refresh(support)
    return held, support


def _check_writes(held: CaseAtHand, wanted: FieldClass, by: Actor) -> None:
    if not access.right(by.grants, wanted, held.place, own=held.own).reaches(Right.WRITE):
        raise NotAllowed("Your role does not let you offer this support. Tell the owner of the case instead.")


def _check_place(held: CaseAtHand, chosen: Intervention, offered: Offer, by: Actor) -> str | None:
    """The compartment it is kept in, once this person may write there, and the cause is a current one."""
    if offered.cause:
        reaching.known("cause", offered.cause)
    wanted = kept_in(chosen, offered.cause or None)
    _check_writes(held, wanted or FieldClass.CASE, by)
    if offered.cause and not _is_current(held.case, offered.cause):
        raise Refused("This is not written down as something that gets in the way now. Add it first.")
    return str(wanted) if wanted else None


def _is_current(case: Case, code: str) -> bool:
    current = select(Cause.id).where(Cause.case_id == case.id, Cause.code == code, Cause.ended_at.is_(None))
    return db.session.scalar(current.limit(1)) is not None


def _chosen(key: str) -> Intervention:
    try:
        return intervention(key)
    except KeyError as error:
        raise Refused(str(error.args[0])) from error


def _checked(
    held: CaseAtHand, chosen: Intervention, offered: Offer, before: PlanSupport | None = None
) -> dict[str, Any]:
    """The columns that can be chosen, with what the catalogue says where nothing is."""
    starts = offered.starts or (before.starts if before else today())
    planned_end = offered.planned_end or (
        before.planned_end if before else tasks.due_in(chosen.dose.days, held.case.school_id)
    )
    times = offered.dose_planned or (before.dose_planned if before else chosen.dose.times)
    check_ahead(starts, planned_end)
    if planned_end < starts:
        raise Refused("The support ends before it begins. Choose a later end.")
    if not 1 <= times <= MOST_TIMES:
        raise Refused(f"Say how many times it is planned: 1 to {MOST_TIMES}.")
    if offered.owner_id is not None and offered.owner_id not in near(held.place):
        raise Refused("Choose someone of the school, its network or the district who gives it.")
    return {
        "starts": starts, "planned_end": planned_end, "dose_planned": times, "owner_id": offered.owner_id,
        "family_agreed": reaching.known("family_agreed", offered.family_agreed),
    }  # fmt: skip


def _check_running(support: PlanSupport) -> None:
    if support.result is not None:
        raise Refused("This support has ended. Offer it anew if it is to go on.")


def _words(text: str) -> str:
    if len(text) > LONGEST_WORDS:
        raise Refused(f"Please keep this under {LONGEST_WORDS} characters.")
    check_words(text)
    return text.strip()


# -- what follows ----------------------------------------------------------------------------------------------


def _offered_before(once: str, by: Actor) -> PlanSupport | None:
    mine = select(PlanSupport).where(PlanSupport.once == once, PlanSupport.author_id == by.person_id)
    same: PlanSupport | None = db.session.scalar(mine)
    return same


def _given_before(once: str, by: Actor) -> SupportGiven | None:
    mine = select(SupportGiven).where(SupportGiven.once == once, SupportGiven.author_id == by.person_id)
    same: SupportGiven | None = db.session.scalar(mine)
    return same


def _tell(support: PlanSupport, kind: str, by: Actor, **data: Any) -> None:
    record(
        kind, by=by, subject=f"support:{support.id}", student_id=support.student_id, case_id=support.case_id,
        compartment=support.compartment, support=support.intervention, **data,
    )  # fmt: skip
