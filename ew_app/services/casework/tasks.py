"""Tasks: asked for by what people learn, done with one press, taken back within seconds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from ew_app.kernel import Actor, Refused, now, operation, record, today
from ew_app.services.casework import hand_over_rows, reaching, search_steps
from ew_app.services.people.telling import tell
from models.base import db
from models.cases import Case, Task
from models.queries import following
from rules.routing import PlannedTask, Via
from rules.school_days import add_school_days
from rules.vocabulary import vocabulary
from rules.words import check_words

UNDO_WITHIN = timedelta(seconds=15)  # people are shown ten; the rest is the way to us


def due_in(school_days: int, school_id: int) -> date:
    """The school day so many school days from today at a school."""
    days = following.school_days([school_id], today()).get(school_id, [])
    return add_school_days(today(), school_days, days)


def ask(
    planned: PlannedTask, *, student_id: int, school_id: int, case: Case | None, period: str, rule: str | None = None,
    beside: bool = False, same: Collection[str] = (),
) -> bool:  # fmt: skip
    """Ask for a planned task in the open transaction, unless the same is open already; True if asked.

    The same in its words, or by one of the rules `same`: of one kind are many things, and in a compartment all are of
    one. `beside`: in any case.
    """
    if not beside and _open_alike(planned, student_id, same):
        return False
    due = due_in(planned.due_days, school_id)
    return _add(planned, student_id=student_id, school_id=school_id, case=case, period=period, rule=rule, due=due)


def ask_beside(planned: PlannedTask, *, case: Case, period: str, due: date) -> bool:
    """Ask for one task more, whatever else of its kind is open; True if it was not asked before."""
    return _add(planned, student_id=case.student_id, school_id=case.school_id, case=case, period=period, due=due)


def ask_owner(case: Case, kind: str, title: str, *, due: date, period: str) -> None:
    """Ask whoever has the case for something by a day; what is asked for already in the same words has that day now."""
    same = open_plain(case).where(Task.kind == kind, Task.title == title).limit(1)
    if (task := db.session.scalars(same.with_for_update()).first()) is not None:
        task.due = due
        return
    planned = PlannedTask(
        kind=kind, title=title, compartment=None, department=case.department, role=case.owner_role,
        person_id=case.owner_id, via=Via.HOLDER, due_days=0,
    )  # fmt: skip
    ask_beside(planned, case=case, period=period, due=due)


def _add(
    planned: PlannedTask, *, student_id: int, school_id: int, case: Case | None, period: str, due: date,
    rule: str | None = None,
) -> bool:  # fmt: skip
    row = {
        "case_id": case.id if case else None, "student_id": student_id, "school_id": school_id,
        "kind": planned.kind, "period": period, "title": planned.title, "rule": rule,
        "compartment": planned.compartment, "department": planned.department, "owner_role": planned.role,
        "owner_id": planned.person_id, "due": due, "created_at": now(),
    }  # fmt: skip
    asked = insert(Task).values(row).on_conflict_do_nothing().returning(Task.id)
    return db.session.scalar(asked) is not None


@operation
def give(
    case: Case, title: str, *, owner_id: int, owner_role: str, due: date, period: str, by: Actor, kind: str = "agreed"
) -> Task:
    """Give one person something to do on a case in words of one's own, and tell them. `period` names the occasion."""
    check_words(title)
    task = Task(
        case_id=case.id, student_id=case.student_id, school_id=case.school_id, kind=kind, period=period, title=title,
        department=case.department, owner_role=owner_role, owner_id=owner_id, due=due, created_at=now(),
    )  # fmt: skip
    db.session.add(task)
    db.session.flush()
    _tell("task_given", task, by)
    tell("task_given", [owner_id], once=f"task/{task.id}/given", by=by, task_id=task.id)
    return task


@operation
def ask_of(planned: PlannedTask, *, student_id: int, school_id: int, period: str, by: Actor) -> Task | None:
    """Ask somebody for something about a student without a case, and tell them; None where one alike is open."""
    if not ask(planned, student_id=student_id, school_id=school_id, case=None, period=period):
        return None
    here = Task.student_id == student_id, Task.kind == planned.kind, Task.period == period
    task = db.session.scalars(select(Task).where(*here)).one()
    _tell("task_given", task, by)
    tell("task_given", [planned.person_id], once=f"task/{task.id}/given", by=by, task_id=task.id)
    return task


@operation
def withdraw(task: Task, why: str, by: Actor) -> None:
    """Ask for a task no longer; it stays on record with the reason."""
    task.status, task.done_at, task.note = "withdrawn", now(), why
    _tell("task_withdrawn", task, by)


def _open_alike(planned: PlannedTask, student_id: int, rules: Collection[str]) -> bool:
    alike = select(Task.id).where(
        Task.student_id == student_id,
        Task.kind == planned.kind,
        or_(Task.title == planned.title, Task.rule.in_(rules)),
        Task.status == "open",
        Task.compartment.is_not_distinct_from(planned.compartment),
    )
    return db.session.scalar(alike.limit(1)) is not None


def times_asked(planned: PlannedTask, student_id: int, begins: str, ends: str) -> int:
    """How often the like was asked of a student in a period that begins and ends so, with or without words between."""
    alike = Task.student_id == student_id, Task.kind == planned.kind
    named = or_(Task.period == begins + ends, and_(Task.period.startswith(f"{begins} "), Task.period.endswith(ends)))
    return db.session.scalar(select(func.count()).select_from(Task).where(*alike, named)) or 0


@operation
def finish(task_id: int, *, by: Actor, note: str = "") -> Task:
    """Mark a task as done; done twice stays done once. Raises NotFound, NotAllowed, Refused."""
    check_words(note)
    task = reaching.task_at_hand(task_id, by)
    if task.status == "done":
        return task
    if task.status == "withdrawn":
        raise Refused("This task is not needed any more, so there is nothing to mark as done.")
    mark_done([task], by, note)
    return task


def can_undo(task: Task, by: Actor) -> bool:
    """Whether this person has just marked it as done."""
    just = task.done_at is not None and now() - task.done_at <= UNDO_WITHIN
    return just and task.status == "done" and task.done_by == by.login


@operation
def undo(task_id: int, *, by: Actor) -> Task:
    """Take back a task just marked as done. Raises NotFound, Refused once the time has passed."""
    task = reaching.task_at_hand(task_id, by)
    if task.status == "open":
        return task
    if task.done_by != by.login or task.done_at is None or now() - task.done_at > UNDO_WITHIN:
        raise Refused("This can be taken back for ten seconds only, by whoever did it. Write a note instead.")
    case = db.session.get_one(Case, task.case_id, with_for_update=True) if task.case_id is not None else None
    if case is not None and case.closed_on is not None and task.compartment is None:
        raise Refused("The case was closed in the meantime, so nothing on it can be open. Take it up again first.")
    task.status, task.done_at, task.done_by, task.note = "open", None, None, ""
    _tell("task_taken_back", task, by)
    hand_over_rows.follow_task(task, by)
    search_steps.not_done([task])
    if case is not None and task.compartment is None:
        look_ahead(case)
    return task


def mark_done(done: list[Task], by: Actor, note: str = "", *, entry: int | None = None) -> None:
    """Mark tasks as done in the open transaction; a case that waited for one looks ahead to the next.

    entry: the contact that did what they asked for, so that they are open again should it turn out to be none.
    """
    for task in done:
        task.status, task.done_at, task.done_by, task.note = "done", now(), by.login, note.strip()
        _tell("task_done", task, by, **({} if entry is None else {"entry": entry}))
        hand_over_rows.follow_task(task, by)
        if task.case_id is not None and task.compartment is None:
            case = db.session.get_one(Case, task.case_id)
            if case.next_step == task.title and case.closed_on is None:
                look_ahead(case)
    if ended := search_steps.follow_tasks(done, by):
        mark_done(list(ended), by)


def open_again(tasks: Sequence[Task], by: Actor) -> None:
    """What these tasks asked for was not done after all, in the open transaction; each goes before what is later."""
    for task in tasks:
        task.status, task.done_at, task.done_by, task.note = "open", None, None, ""
        _tell("task_taken_back", task, by)
        hand_over_rows.follow_task(task, by)
        case = db.session.get(Case, task.case_id) if task.case_id and task.compartment is None else None
        if case is not None and (case.due is None or (task.due is not None and task.due < case.due)):
            case.next_step, case.due = task.title, task.due
    search_steps.not_done(tasks)


def look_ahead(case: Case) -> None:
    """The open task due first is the next step of the case; without one, that step is to decide."""
    db.session.flush()
    upcoming = open_plain(case).order_by(Task.due.asc().nulls_last(), Task.id)
    task = db.session.scalars(upcoming.limit(1)).first()
    case.next_step = task.title if task else "Decide what comes next"
    case.due = task.due if task else due_in(5, case.school_id)


def open_plain(case: Case) -> Select[Task]:
    """The open tasks of a case outside compartments, as a SELECT."""
    return select(Task).where(Task.case_id == case.id, Task.status == "open", Task.compartment.is_(None))


def _tell(kind: str, task: Task, by: Actor, **more: Any) -> None:
    record(
        kind,
        by=by,
        subject=f"task:{task.id}",
        student_id=task.student_id,
        case_id=task.case_id,
        compartment=task.compartment,
        task=vocabulary().label("task_kind", task.kind),
        **more,
    )
