"""Writing down that the district caused a day away: a late bus, a ride not approved. Taken back, never deleted.

Rules about days without a cause pass such a day over, so the student is decided about again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import select

from ew_app.kernel import Actor, NotFound, Refused, now, operation, record
from ew_app.services.casework import reaching
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from ew_app.services.measuring.why_days import Day
from models.base import db
from models.duty import DistrictDay
from models.people import Student
from rules import access
from rules.access import FieldClass, NotAllowed, Permission, Right
from rules.places import Place
from rules.vocabulary import vocabulary

MAY = (Permission.LOG_OUTREACH, Permission.FIX_DATA)
MAY_INSIDE = (Permission.SEE_STUDENT,)  # and the right to write in the compartment


@operation
def tag(
    student_id: int, day: date, why: str, *, place: Place, missed: Collection[Day], by: Actor, own: bool = False
) -> DistrictDay:
    """Write down that the district caused a day away (`why`: a key of `district_cause`); twice the same is once.

    `missed`: the student's days as they are told. Raises NotFound, NotAllowed, Refused.
    """
    compartment = vocabulary().district_causes[reaching.known("district_cause", why)]
    student = reaching.student_at_hand(student_id, by, *(MAY_INSIDE if compartment else MAY))
    wanted = compartment or FieldClass.ROSTER
    needed = Right.WRITE if compartment else Right.READ
    if not access.right(by.grants, wanted, place, own=own).reaches(needed):
        raise NotAllowed("Your role does not let you write this down. Tell the school's office instead.")
    if day not in {one.day for one in missed if one.absent}:
        raise Refused("The student was not away on that day, as far as it is known. Choose a day that was missed.")
    kept = str(compartment) if compartment else None
    db.session.execute(
        select(Student.id).where(Student.id == student.id).with_for_update()
    )  # a double click is one day
    if (same := _standing(student.id, day, kept)) is not None:
        if same.why == why:
            return same
        same.taken_back_at = now()
    row = DistrictDay(
        student_id=student.id, day=day, why=why, compartment=kept, author_id=by.person_id, author=by.name,
        position=by.position, written_at=now(),
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    _tell(row, "district_day", by)
    return row


@operation
def take_back(row_id: int, *, student_id: int, by: Actor) -> DistrictDay:
    """The district did not cause it after all; it stays in the record as taken back. NotFound, NotAllowed."""
    row = db.session.get(DistrictDay, row_id)
    if row is None or row.student_id != student_id or row.compartment is not None:
        raise NotFound("There is no such day.")
    reaching.student_at_hand(row.student_id, by, *MAY)
    if row.taken_back_at is None:
        row.taken_back_at = now()
        _tell(row, "district_day_taken_back", by)
    return row


def _standing(student_id: int, day: date, compartment: str | None) -> DistrictDay | None:
    mine = select(DistrictDay).where(
        DistrictDay.student_id == student_id, DistrictDay.day == day, DistrictDay.taken_back_at.is_(None),
        DistrictDay.compartment.is_not_distinct_from(compartment),
    )  # fmt: skip
    same: DistrictDay | None = db.session.scalar(mine)
    return same


def _tell(row: DistrictDay, kind: str, by: Actor) -> None:
    record(
        kind, by=by, subject=f"student:{row.student_id}", student_id=row.student_id, compartment=row.compartment,
        day=row.day.isoformat(), district_cause=row.why,
    )  # fmt: skip
    if row.compartment is None:
        touch([row.student_id], row.day)
        ask_for_evaluation()
