"""Work that nobody has, asked of somebody again: when a role is given or ended, and every hour.

A case stays unowned when it opens before anybody holds its role, or while everybody who does is away. Work of somebody
whose role has ended is taken from them first; what still waits afterwards is shown above.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text

from ew_app.alone import all_told, alone, in_parts
from ew_app.kernel import WORKER, operation
from ew_app.services.casework import cases, crisis_answers, resting, rising, school_changes, visit_ends
from ew_app.services.casework.search_rows import COPY, copy_for_network
from ew_app.services.casework.staffing import Staff, readers_of
from ew_app.services.people import standing_in
from models import casebook
from models.base import db
from models.queries import unowned as rows
from rules.roles import FieldClass
from rules.routing import tasks_for
from rules.routing_table import CASE_OWNER, routing_table

LOCK: Final = 7311


def hand_out(*_: object) -> int:
    """The queued job: look for somebody for every open case and task without an owner; how many found one.

    Each step stands alone, and in it each case and task: what cannot be done stops nothing else and is told at the end.
    Two at once do everything once.
    """
    found = 0
    with all_told():
        for what, step in STEPS.items():
            with alone(what):
                done = _in_turn(step)
                found += done if what in GIVES and done else 0
    return found


@operation
def _in_turn(step: Callable[[], Any]) -> Any:
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    return step()


def _cases() -> int:
    before = rows.cases()
    in_parts("case of student", sorted({row.student_id for row in before}), _follow)
    return len(before) - len(rows.cases())


def _follow(students: Sequence[int]) -> int:
    return cases.follow(students, by=WORKER)


def _tasks() -> int:
    return in_parts("task", rows.tasks(), _give_tasks, key="id")


def _give_tasks(waiting: Sequence[Any]) -> int:
    """Tasks of an owner's case go to that owner, all others to whoever holds their role now."""
    staff = Staff({row.school_id for row in waiting})
    given: dict[int, tuple[int, str]] = {}
    for row in waiting:
        person, role = _doer(row, staff)
        if person is not None:
            given[row.id] = person, role
            if row.compartment is None:
                staff.loads[person] += 1
    casebook.give_tasks(given)
    return len(given)


def _promises() -> int:
    return in_parts("promise", rows.promises(), _give_promises, key="id")


def _give_promises(waiting: Sequence[Any]) -> int:
    """What waits inside a compartment is seen to by the nearest of those who look after it, the least busy first."""
    staff = Staff({row.school_id for row in waiting})
    given: dict[int, int] = {}
    for row in waiting:
        keep = readers_of(FieldClass(row.compartment), own=False)
        able = [one for one in staff.near(row.school_id, row.homeroom) if one.role in keep and one.active(staff.on)]
        nearest = min(
            able, key=lambda one: (one.place.breadth, staff.loads[one.person_id], one.person_id), default=None
        )
        if nearest is not None:
            given[row.id] = nearest.person_id
    if given:
        rows.give_promises(given)
    return len(given)


def _doer(row: Any, staff: Staff) -> tuple[int | None, str]:
    """As when the task was asked for: the case's owner where the role is theirs, else whom routing finds.

    What no entry of the table asks for goes to the case's owner, unless it lies in a compartment. The network's copy of
    a search is the network's alone.
    """
    planned, trigger = None, _trigger(row)
    if row.kind == COPY:
        planned = copy_for_network(staff, row.school_id)
    elif trigger:
        near = staff.near(row.school_id, row.homeroom)
        asked = tasks_for(trigger, staff.place(row.school_id), near, on=staff.on, loads=staff.loads)
        planned = next((task for task in asked if task.kind == row.kind), None)
    role = planned.role if planned else row.owner_role
    theirs = planned is None or role in (CASE_OWNER, row.case_role)
    if row.compartment is None and row.case_owner is not None and theirs:
        return row.case_owner, row.case_role
    return (planned.person_id if planned else None), role


def _trigger(row: Any) -> str:
    """The rule or root cause that asked for a task; a cause stands at the end of its period. '' for neither."""
    known = routing_table().triggers
    return next((key for key in (row.rule, row.period.rpartition("/")[2]) if key in known), "")


STEPS: Final[Mapping[str, Callable[[], Any]]] = {
    "cases that rest": resting.wake,
    "work of people who left": rising.release,
    "students who changed school": school_changes.notice,
    "cases without an owner": _cases,
    "tasks without an owner": _tasks,
    "promises without anybody": _promises,
    "visits whose day has passed": visit_ends.passed,
    "what waits too long": rising.rise,
    "deputies": standing_in.tell_deputies,
    "openings in a crisis": crisis_answers.tell_again,
}
GIVES: Final = ("cases without an owner", "tasks without an owner", "promises without anybody")
