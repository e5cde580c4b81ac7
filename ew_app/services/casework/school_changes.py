"""A student changes school: the old owner writes what the new one should know, and the case goes when it is accepted.

What lies in compartments does not go along: at the new school it is asked of whoever may read it there, or it waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select, update

from ew_app.alone import alone
from ew_app.kernel import WORKER, Actor, Refused, operation, today
from ew_app.outbox import Job, enqueue
from ew_app.services.casework import hand_over_rows, handing_over, moves, reaching, visit_ends
from ew_app.services.casework.search_rows import COPY
from ew_app.services.casework.staffing import Staff
from ew_app.services.people.telling import tell
from models.base import db
from models.cases import Case, Task
from models.hand_overs import HandOver
from models.queries import hand_overs as rows
from models.staff import Person
from rules import access
from rules.access import NotAllowed, Permission, Place
from rules.handing_over import Answer, Kind, State, asks_for_consent
from rules.roles import role
from rules.routing import route
from rules.tiers import Tier

ELSEWHERE = "The student goes to another school now."


@operation
def notice() -> int:
    """Ask for a hand-over of every open case whose student goes to another school now; how many.

    Whoever owns it writes it; where nobody does, the new school is asked at once. What is not needed any more is taken
    back first. Twice asks once.
    """
    for back in rows.not_needed():
        with alone(f"hand-over {back.id}"):
            case = db.session.get_one(Case, back.case_id)
            hand_over_rows.move(
                back, case, Answer.TAKE_BACK, WORKER, hand_over_rows.CLOSED if case.closed_on else ELSEWHERE
            )
    db.session.flush()
    moved = rows.moved_away()
    staff = Staff({row.now for row in moved}) if moved else None
    for row in moved:
        assert staff is not None
        with alone(f"case {row.number}"):
            _ask(row, staff)
    return len(moved)


def _ask(row: Any, staff: Staff) -> None:
    """Whoever was asked to take the case over at the school that the student has left is asked no longer."""
    case = db.session.get_one(Case, row.id, execution_options={"populate_existing": True})
    if asked := rows.open_of(case.id, (Kind.TRANSFER,)):
        hand_over_rows.move(asked, case, Answer.TAKE_BACK, WORKER, ELSEWHERE)
        db.session.flush()
    near = staff.near(row.now, case.student.homeroom)
    there = route([], Tier(case.tier).text, (), staff.place(row.now), near, on=staff.on, loads=staff.loads)
    hand_over_rows.begin(
        case, Kind.SCHOOL_CHANGE, WORKER, state=State.TO_WRITE if row.owner_id else State.SENT,
        school_id=row.now, from_id=row.owner_id, to_role=there.role, department=there.department,
    )  # fmt: skip


@operation
def write(number: int, *, by: Actor, story: str) -> HandOver:
    """Write what the new school should know, or write it anew until it is accepted.

    Raises NotFound, NotAllowed, Refused, IllegalMove, UnfitWords.
    """
    row, case, _ = handing_over.at_hand(number, by)
    if row.from_id != by.person_id:
        reaching.case_at_hand(case.number, by, Permission.WORK_CASE)
    if not story.strip():
        raise Refused("Write what helps this student come, what was promised, and whom the family trusts.")
    words = hand_over_rows.fit(story, hand_over_rows.LONGEST_STORY)
    if row.asked != words:
        hand_over_rows.move(row, case, Answer.WRITE, by)
        row.asked = words
    return row


def may_receive(row: HandOver, by: Actor) -> bool:
    """Whether somebody works on cases at the school to which the student goes now."""
    place = reaching.place_of_school(row.school_id)
    return access.can(by.grants, Permission.WORK_CASE, place)


def _goes_on(case: Case, tasks: Sequence[Task], school: int) -> dict[int, int]:
    """Task -> who goes on with it at the new school, for tasks that somebody else than the owner of the case has.

    Whoever has it, while they hold that role for the new school too; else somebody in the role there. What nobody there
    can do goes to whoever takes the case.
    """
    staff = Staff({school}) if tasks else None
    goes_on: dict[int, int] = {}
    for task in tasks:
        assert staff is not None
        able = {
            one.person_id: one.active(staff.on)
            for one in staff.near(school, case.student.homeroom)
            if one.role == task.owner_role and one.holds(staff.on) and one.department in (None, task.department)
        }
        if task.owner_id not in able and asks_for_consent(role(task.owner_role)):
            continue  # the family agreed to one organisation
        if keep := [one for one in able if one == task.owner_id] or list(able):
            goes_on[task.id] = min(keep, key=lambda person: (not able[person], staff.loads[person], person))
    return goes_on


def _give(task: Task, person: int | None, by: Actor) -> None:
    """Somebody has the task at the new school, and with it the help that was promised; who is new to it is told."""
    if task.owner_id == person:
        return
    task.owner_id = person
    promised = HandOver.task_id == task.id, HandOver.state == State.ACCEPTED
    db.session.execute(update(HandOver).where(*promised).values(to_id=person))
    tell("task_given", [person], once=f"task/{task.id}/given/{task.school_id}", by=by, task_id=task.id)


def arrive(row: HandOver, case: Case, place: Place, by: Actor) -> None:
    """The case belongs to the new school and to whoever said yes, with its plan, contacts and open tasks.

    What others were asked stays with them as far as they work for the new school too, or goes to whoever holds their
    role there. Tasks in compartments wait at the new school for somebody who may read them there, and the network's
    copy of a search for the contact of the new school's network.
    """
    if not may_receive(row, by):
        raise NotAllowed("Your role does not take cases over at the new school.")
    open_tasks = Task.case_id == case.id, Task.status == "open"
    others = or_(Task.compartment.is_not(None), Task.kind == COPY)
    go_along = db.session.scalars(select(Task).where(*open_tasks, ~others).order_by(Task.id)).all()
    theirs = [task for task in go_along if task.owner_id is None or task.owner_id != case.owner_id]
    goes_on = _goes_on(case, theirs, row.school_id)
    for task in go_along:
        task.school_id = row.school_id
    for task in theirs:
        _give(task, goes_on.get(task.id, by.person_id), by)
    db.session.flush()
    late = Task.school_id != row.school_id  # what lies in a compartment may have gone ahead
    db.session.execute(update(Task).where(*open_tasks, others, late).values(school_id=row.school_id, owner_id=None))
    visit_ends.of_cases([case.id], visit_ends.OTHER_SCHOOL, by)
    case.school_id = row.school_id
    db.session.flush()
    person = db.session.get(Person, by.person_id or 0)
    moves.hand_to(case, person, place, by, "case_moved_school", asked_by=row.from_id)
    enqueue(Job.HAND_OUT, today().isoformat(), key="unowned")
