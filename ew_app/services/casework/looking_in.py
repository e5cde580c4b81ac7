"""A compartment of a student opened from the student's own page, by those whose role reads it for a whole school."""

from __future__ import annotations

from ew_app.kernel import Actor, NotFound, Refused, audit, operation, today
from ew_app.services.casework import reaching
from ew_app.services.casework.notes import Compartment, compartment_class, inside
from ew_app.services.casework.staffing import place_of
from models.cases import Cause, Note
from models.queries import student_page as rows
from rules import access
from rules.access import FieldClass, Permission
from rules.roles import OPENS

CLOSED = "There is nothing here for you to open."
WHY = "Say in a few words why you open this: no case or task of this student is yours. The reason is kept."


def open_to(student_id: int, by: Actor) -> tuple[FieldClass, ...]:
    """The compartments this person may read of every student of the school, whether or not they hold anything.

    What someone reads only of cases of their own is opened from the case.
    """
    places = [place_of(school) for school in rows.schools_of(student_id, today())]
    readable = {one for place in places for one in access.readable_classes(by.grants, place)}
    return tuple(one for one in OPENS if one in readable)


@operation
def look_in(student_id: int, compartment: str, *, by: Actor, reason: str = "") -> Compartment:
    """Read what a compartment holds of a student; every opening is logged, and without own work it needs a reason.

    Raises NotFound, NotAllowed, Refused. The answer is the same whether or not anything is inside.
    """
    student = reaching.student_at_hand(student_id, by, Permission.SEE_STUDENT)
    if compartment_class(compartment) not in open_to(student.id, by):
        raise NotFound(CLOSED)
    if not rows.looks_after(student.id, by.person_id) and not reason.strip():
        raise Refused(WHY)
    audit(
        "compartment_opened", by=by, subject=f"student:{student.id}", student_id=student.id,
        compartment=compartment, reason=reason.strip(),
    )  # fmt: skip
    return inside(
        compartment, notes=Note.student_id == student.id, causes=Cause.student_id == student.id, student_id=student.id
    )
