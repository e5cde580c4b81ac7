"""The other side of a hand-over: yes, no with a reason, done with a report; and taking a question back.

The case is locked first, then the hand-over: of two who answer at once one is told that it is answered.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from ew_app.kernel import Actor, Conflict, NotFound, Refused, now, operation, today
from ew_app.outbox import Job, enqueue
from ew_app.services.casework import hand_over_rows, handing_over, moves, school_changes, tasks
from models.base import db
from models.cases import Case, Task
from models.hand_overs import HandOver
from models.staff import Person
from rules.access import NotAllowed, Place
from rules.handing_over import Answer, Kind, State
from rules.routing_table import routing_table

NOT_YOURS = "This is asked of somebody else."


@operation
def accept(number: int, *, by: Actor, words: str = "") -> HandOver:
    """Say yes: help begins as a task, or the case has a new owner. Yes said twice stays one yes.

    Raises NotFound, Conflict, Refused, IllegalMove, UnfitWords.
    """
    row, case, place = handing_over.at_hand(number, by)
    whose = _whose(row, by)
    if row.state == State.ACCEPTED and row.to_id == whose:
        return row
    _check_waits(row, case, whose)
    _check_addressed(row, by)
    hand_over_rows.move(row, case, Answer.ACCEPT, by, words)
    row.to_id = whose
    match Kind(row.kind):
        case Kind.REFER:
            row.task_id = _promised(row, case).id
        case Kind.SCHOOL_CHANGE:
            school_changes.arrive(row, case, place, by)
        case Kind.REQUEST:
            _move_owner(case, row, row.from_id, place, by)
        case Kind.TRANSFER:
            _move_owner(case, row, whose, place, by)
        case Kind.ASSIGN:
            pass  # the case is theirs already
    return row


@operation
def decline(number: int, *, by: Actor, why: str) -> HandOver:
    """Say no, with a reason for whoever asked; a case that was given goes back to them, if they can own it.

    Raises NotFound, Conflict, Refused, IllegalMove, UnfitWords.
    """
    row, case, place = handing_over.at_hand(number, by)
    whose = _whose(row, by)
    if row.state == State.DECLINED and row.to_id == whose:
        return row
    _check_waits(row, case, whose)
    _check_addressed(row, by)
    if not why.strip():
        raise Refused("Say in a few words why not, so that somebody else can be asked.")
    hand_over_rows.move(row, case, Answer.DECLINE, by, why)
    row.to_id = whose
    if row.kind == Kind.ASSIGN and case.owner_id == whose:
        _give_back(case, row, place, by)
    return row


@operation
def finish(number: int, *, by: Actor, report: str) -> HandOver:
    """Say what was done; the task of the help is done with it. Raises NotFound, Refused, IllegalMove, UnfitWords."""
    row, case, _ = handing_over.at_hand(number, by)
    if not handing_over.stands_for(by, row.to_id):
        raise NotAllowed(NOT_YOURS)
    if row.state == State.DONE:
        return row
    if not report.strip():
        raise Refused("Say in a sentence what was done, for whoever asked.")
    words = hand_over_rows.fit(report)
    task = db.session.get(Task, row.task_id, with_for_update=True) if row.task_id else None
    if task is not None and task.status == "open" and row.state == State.ACCEPTED:
        tasks.mark_done([task], by, words)  # the hand-over follows its task
    else:
        hand_over_rows.move(row, case, Answer.FINISH, by, words)
    return row


@operation
def take_back(number: int, *, by: Actor, why: str = "") -> HandOver:
    """Take a question back, or end a help that is not needed any more. Raises NotFound, NotAllowed, IllegalMove."""
    row, case, _ = handing_over.at_hand(number, by)
    if row.from_id != by.person_id:
        handing_over.asking(case.number, by)
    if row.state == State.TAKEN_BACK:
        return row
    hand_over_rows.move(row, case, Answer.TAKE_BACK, by, why)
    task = db.session.get(Task, row.task_id, with_for_update=True) if row.task_id else None
    if task is not None and task.status == "open":
        task.status, task.done_at, task.note = "withdrawn", now(), "This help is not needed any more."
    return row


# -- what follows from an answer -----------------------------------------------------------------------------


def _whose(row: HandOver, by: Actor) -> int | None:
    """Whose answer it is: who stands in for the one who is asked answers for them, and it stays theirs."""
    return row.to_id if handing_over.stands_for(by, row.to_id) else by.person_id


def _check_addressed(row: HandOver, by: Actor) -> None:
    """Only whoever is asked answers. Who sees it for another reason is told so."""
    mine = select(HandOver.id).where(HandOver.id == row.id, handing_over.addressed_to(by))
    open_to = row.kind == Kind.SCHOOL_CHANGE and school_changes.may_receive(row, by)
    if not open_to and db.session.scalar(mine) is None:
        raise NotAllowed(NOT_YOURS)


def _check_waits(row: HandOver, case: Case, whose: int | None) -> None:
    """Somebody else may have answered in the meantime, or the case is closed."""
    if case.closed_on is not None:
        raise Refused("The case was closed in the meantime, so there is nothing to answer.")
    if row.state != State.SENT and row.to_id not in (None, whose):
        raise Conflict("Somebody else has answered this in the meantime. Nothing was changed.")


def _promised(row: HandOver, case: Case) -> Task:
    """The task of a help that was promised: who accepted it has it, and so reaches what it needs."""
    home = row.department or routing_table().tiers["2"].department
    task = Task(
        case_id=case.id, student_id=case.student_id, school_id=case.school_id, kind=hand_over_rows.HELP,
        period=f"hand-over {row.id}", title=row.asked, department=home, owner_role=row.to_role, owner_id=row.to_id,
        due=row.due, created_at=now(), status="open",
    )  # fmt: skip
    db.session.add(task)
    db.session.flush()
    return task


def _move_owner(case: Case, row: HandOver, to: int | None, place: Place, by: Actor) -> None:
    person = db.session.get(Person, to or 0)
    moves.hand_to(case, person, place, by, "case_assigned", asked_by=row.from_id)


def _give_back(case: Case, row: HandOver, place: Place, by: Actor) -> None:
    """To whoever gave it, if they can own it; else nobody has it, and somebody is looked for."""
    giver: Any = db.session.get(Person, row.from_id or 0)
    try:
        moves.hand_to(case, giver, place, by, "case_given_back")
    except (Refused, NotFound):
        moves.let_go(case, by)
        enqueue(Job.HAND_OUT, today().isoformat(), key="unowned")
