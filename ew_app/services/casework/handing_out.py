"""Work that nobody has, asked of somebody again: when a role is given or ended, and every hour.

A case stays unowned when it opens before anybody holds its role, or while everybody who does is away. Work of somebody
whose role has ended is taken from them first; what still waits afterwards is shown above.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import text

from ew_app.kernel import WORKER, operation
from ew_app.services.casework import cases, crisis_answers, resting, rising, school_changes
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


@operation
def hand_out(*_: object) -> int:
    """The queued job: look for somebody for every open case and task without an owner; how many found one.

    Two at once do everything once.
    """
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    resting.wake()
    rising.release()
    school_changes.notice()
    before = rows.cases()
    cases.follow(sorted({row.student_id for row in before}), by=WORKER)
    found = len(before) - len(rows.cases()) + _tasks() + _promises()
    rising.rise()
    standing_in.tell_deputies()
    crisis_answers.tell_again()
    return found


def _tasks() -> int:
    """Tasks of an owner's case go to that owner, all others to whoever holds their role now."""
    waiting = rows.tasks()
    if not waiting:
        return 0
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
    """What waits inside a compartment is seen to by the nearest of those who look after it, the least busy first."""
    waiting = rows.promises()
    staff = Staff({row.school_id for row in waiting}) if waiting else None
    given: dict[int, int] = {}
    for row in waiting:
        assert staff is not None
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
