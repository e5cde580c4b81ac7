"""A contact that was written down wrongly: changed with the old words kept, or struck with a reason; none is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Integer, cast, exists, func, inspect, select
from sqlalchemy.orm import aliased

from ew_app.kernel import Actor, Conflict, NotFound, Refused, now, operation, record
from ew_app.services.casework import outreach, reaching, repairing, tasks
from ew_app.services.casework.outreach import Attempt
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from models.audit import Event
from models.base import db
from models.cases import Case, Outreach, Task
from models.outreach import OutreachBefore
from models.people import Student
from rules import access
from rules.access import NotAllowed, Permission
from rules.vocabulary import vocabulary
from rules.words import check_words

NO_ENTRY = "There is no such contact, or it is not one of yours to read."
CHANGED = "Somebody changed this contact while you had it open. Nothing was saved; load the page and look again."
LONGEST_WHY = 280
COLUMNS = [column.name for column in inspect(Outreach).columns]
KEPT = ("by_ladder", "at", "on_day", "about_day")  # what a change leaves as it was, unless a day is given


def entry_at_hand(entry_id: int, by: Actor, *, lock: bool = False) -> Outreach:
    """A contact that this person may read: their own, the office's about an absence, or work on cases within reach.

    Raises NotFound.
    """
    wanted = select(Outreach).where(Outreach.id == entry_id).execution_options(populate_existing=True)
    entry: Outreach | None = db.session.scalar(wanted.with_for_update() if lock else wanted)
    if entry is None or not _may_read(entry.student_id, entry.author_id, entry.about_day is not None, by):
        raise NotFound(NO_ENTRY)
    return entry


def _may_read(student_id: int, author_id: int | None, of_office: bool, by: Actor) -> bool:
    ways = [Permission.LOG_OUTREACH]
    if of_office or (author_id is not None and author_id == by.person_id):
        ways.append(Permission.CALL_ABSENT)
    wanted = select(Student.id).where(Student.id == student_id, reaching.students_of(by, *ways))
    return db.session.scalar(wanted) is not None


def may_change(entry: Outreach, by: Actor) -> bool:
    """Whoever wrote it; nobody puts other words under a colleague's name."""
    return by.person_id is not None and entry.author_id == by.person_id


def may_strike(entry: Outreach, by: Actor) -> bool:
    """Whoever wrote it, or leads the case it stands in."""
    if may_change(entry, by):
        return True
    case = db.session.get(Case, entry.case_id) if entry.case_id else None
    leads = access.can(by.grants, Permission.WORK_CASE, reaching.place_of_school(case.school_id)) if case else False
    return leads and case is not None and db.session.scalar(_worked(case, by)) is not None


def _worked(case: Case, by: Actor) -> Any:
    return select(Case.id).where(Case.id == case.id, reaching.cases_of(by, Permission.WORK_CASE))


@operation
def change(entry_id: int, attempt: Attempt, *, by: Actor, version: int) -> Outreach:
    """Put a contact right: what it said before stays readable with its time.

    Raises NotFound, NotAllowed, Refused, Conflict, UnfitWords.
    """
    entry = entry_at_hand(entry_id, by, lock=True)
    if not may_change(entry, by):
        raise NotAllowed("Only whoever wrote a contact changes it. Write your own beside it, or ask them.")
    if entry.version != version:
        raise Conflict(CHANGED)
    outcome = outreach.checked(attempt)
    outreach.check_way(entry.student_id, attempt.used)
    said = {name: value for name, value in asdict(attempt).items() if name not in KEPT}
    said |= {"note": attempt.note.strip(), "promise": attempt.promise.strip()}
    said |= {"is_contact": outcome.counts_as_contact}
    if all(getattr(entry, name) == value for name, value in said.items()):
        return entry
    _keep(entry, by, "changed")
    was, said_before, step = entry.is_contact, entry.outcome, (entry.next_date, entry.promise)
    for name, value in said.items():
        setattr(entry, name, value)
    entry.version, entry.written_at = entry.version + 1, now()
    _tell("outreach_changed", entry, by)
    if step != (entry.next_date, entry.promise):
        outreach.put_right(entry, step, by)
    if outreach.reached_family(said_before) and not outcome.reached_family:
        _not_done_after_all(entry, by, outreach.ANSWERED_BY_CONTACT)
    elif entry.is_contact:
        outreach.finish_tasks(entry, None, by)
    if entry.outcome != said_before:
        repairing.no_longer(entry, by)
        repairing.ask(entry, outcome, db.session.get(Case, entry.case_id) if entry.case_id else None)
    if was != entry.is_contact:
        _ask_again(entry)
    return entry


@operation
def strike(entry_id: int, *, why: str, by: Actor) -> None:
    """Take a contact that never was out of every count; it stays readable as struck, with who, when and why.

    Raises NotFound, NotAllowed, Refused, UnfitWords.
    """
    entry = entry_at_hand(entry_id, by, lock=True)
    if not may_strike(entry, by):
        raise NotAllowed("Only whoever wrote a contact, or leads the case, can strike it.")
    if not why.strip():
        raise Refused("Say in a few words why this contact is struck. The reason is kept.")
    if len(why) > LONGEST_WHY:
        raise Refused(f"Please keep the reason under {LONGEST_WHY} characters.")
    check_words(why)
    _keep(entry, by, "struck", why.strip(), once=entry.once)
    _tell("outreach_struck", entry, by, why=why.strip())
    outreach.put_right(entry, (entry.next_date, entry.promise), by, struck=True)
    _not_done_after_all(entry, by)
    _ask_again(entry)
    repairing.no_longer(entry, by, struck=True)
    db.session.delete(entry)


def versions(entry_id: int, *, by: Actor) -> Sequence[OutreachBefore]:
    """How a contact read before, newest first; of a struck one too. Raises NotFound."""
    wanted = select(OutreachBefore).where(OutreachBefore.outreach_id == entry_id).order_by(OutreachBefore.id.desc())
    found = db.session.scalars(wanted).all()
    if not found:
        entry_at_hand(entry_id, by)
    elif not _may_read(found[0].student_id, found[0].entry["author_id"], bool(found[0].entry["about_day"]), by):
        raise NotFound(NO_ENTRY)
    return found


def _keep(entry: Outreach, by: Actor, ended: str, why: str = "", once: str | None = None) -> None:
    columns = {name: _plain(getattr(entry, name)) for name in COLUMNS}
    db.session.add(
        OutreachBefore(
            outreach_id=entry.id, student_id=entry.student_id, version=entry.version, entry=columns, ended=ended,
            why=why, ended_at=now(), ended_by=by.name, ended_position=by.position, once=once,
        )
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _not_done_after_all(entry: Outreach, by: Actor, kinds: Sequence[str] = ()) -> None:
    """The tasks that this contact had finished (of these kinds, or all) are open again, unless another contact since
    did the same, one like it is asked for, or their case is closed."""
    db.session.flush()
    done = select(cast(func.split_part(Event.subject, ":", 2), Integer)).where(
        Event.student_id == entry.student_id, Event.kind == "task_done", Event.data["entry"].as_integer() == entry.id
    )
    other, alike = aliased(Outreach), aliased(Task)
    family = [key for key, one in vocabulary().outcomes.items() if one.reached_family]
    reached = exists().where(
        other.student_id == Task.student_id,
        other.outcome.in_(family),
        other.id != entry.id,
        other.written_at >= Task.created_at,
    )
    asked = exists().where(
        alike.student_id == Task.student_id, alike.kind == Task.kind, alike.status == "open",
        alike.compartment.is_not_distinct_from(Task.compartment),
    )  # fmt: skip
    closed = exists().where(Case.id == Task.case_id, Case.closed_on.is_not(None))
    wanted = select(Task).where(Task.id.in_(done), Task.status == "done", ~reached, ~asked, ~closed)
    if kinds:
        wanted = wanted.where(Task.kind.in_(kinds))
    tasks.open_again(db.session.scalars(wanted.order_by(Task.id).with_for_update()).all(), by)


def _ask_again(entry: Outreach) -> None:
    """Rules ask whether anybody was reached: look at the student again from that day."""
    touch([entry.student_id], entry.on_day)
    ask_for_evaluation()


def _tell(kind: str, entry: Outreach, by: Actor, **data: Any) -> None:
    record(
        kind, by=by, subject=f"outreach:{entry.id}", student_id=entry.student_id, case_id=entry.case_id,
        entry=entry.id, **data,
    )  # fmt: skip
