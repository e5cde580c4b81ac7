"""The school of origin: before a student in a temporary living situation is gone from it, the liaison is asked.

The roster is taken in as it came, and nothing outside the compartment shows that anybody was asked.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from ew_app.kernel import WORKER, Told, now, operation, record_all, today
from ew_app.services.casework import tasks
from ew_app.services.casework.staffing import Staff
from models import casebook
from models.queries import leaving as rows
from rules.roles import FieldClass
from rules.routing import compartment_task
from rules.stints import school_year_start
from rules.vocabulary import vocabulary

LEAVES = "leaves_school_of_origin"
STAYS = "The roster says no longer that the student leaves."


@operation
def ask_first(batch_id: int) -> int:
    """Ask the liaison about everybody whom a roster takes out of a school this year; how many. Asked once for each.

    Whoever it no longer takes out is asked about no longer.
    """
    no_longer()
    starts = school_year_start(today())
    ends = date(starts.year + 1, starts.month, starts.day) - timedelta(days=1)
    left = rows.with_flag(batch_id, FieldClass.STLS, starts, ends)
    if not left:
        return 0
    staff, asked = Staff({row.school_id for row in left}), 0
    for row in left:
        near = staff.near(row.school_id, row.homeroom)
        planned = compartment_task(LEAVES, staff.place(row.school_id), near, on=staff.on, loads=staff.loads)
        period = f"{LEAVES}/{row.school_id}/{row.exit_date}"
        who = {"student_id": row.student_id, "school_id": row.school_id}
        if taken_back := rows.withdrawn(row.student_id, period):
            casebook.set_tasks([taken_back], "open", None, "")
            asked += 1
        else:
            asked += tasks.ask(planned, **who, case=None, period=period, beside=True)
    return asked


@operation
def no_longer() -> int:
    """Withdraw what was asked about a student whose enrolment does not end on that day any more; how many.

    A roster was taken back, or a later one says otherwise.
    """
    found = rows.rests_on_nothing(LEAVES)
    casebook.set_tasks([row.id for row in found], "withdrawn", now(), STAYS)
    record_all([_told(row) for row in found])
    return len(found)


def _told(row: Any) -> Told:
    said = {"task": vocabulary().label("task_kind", row.kind), "why": STAYS}
    return Told("task_withdrawn", WORKER, f"task:{row.id}", row.student_id, row.case_id, row.compartment, data=said)
