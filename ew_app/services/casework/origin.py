"""The school of origin: before a student in a temporary living situation is gone from it, the liaison is asked.

The roster is taken in as it came, and nothing outside the compartment shows that anybody was asked.
"""

from __future__ import annotations

from datetime import date, timedelta

from ew_app.kernel import operation, today
from ew_app.services.casework import tasks
from ew_app.services.casework.staffing import Staff
from models.queries import leaving as rows
from rules.roles import FieldClass
from rules.routing import compartment_task
from rules.stints import school_year_start

LEAVES = "leaves_school_of_origin"


@operation
def ask_first(batch_id: int) -> int:
    """Ask the liaison about everybody whom a roster takes out of a school this year; how many. Asked once for each."""
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
        asked += tasks.ask(planned, **who, case=None, period=period, beside=True)
    return asked
