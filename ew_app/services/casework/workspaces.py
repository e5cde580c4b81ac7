"""The workspace of a compartment: whose it is, and that whoever reads it there is written down."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from ew_app.kernel import Actor, NotFound, audit, clock, operation
from ew_app.services.casework.looking_in import CLOSED
from models.queries import compartment_reads as reads
from rules import access
from rules.access import FieldClass, Right, Scope
from rules.roles import OPENS

ONCE_IN = timedelta(hours=12)  # a list that is looked at again on the same day is one reading


def of(by: Actor) -> tuple[FieldClass, ...]:
    """The compartments this person works in."""
    return tuple(one for one, permission in OPENS.items() if access.can(by.grants, permission))


def enter(key: str, by: Actor) -> tuple[FieldClass, Scope]:
    """A compartment by its key, and whose records of it are open. NotFound for whoever works in another."""
    compartment = next((one for one in of(by) if one == key), None)
    if compartment is None:
        raise NotFound(CLOSED)
    return compartment, access.scope_of(by.grants, OPENS[compartment])


def writes_for_all(compartment: FieldClass, by: Actor) -> bool:
    """Whether this person writes into the compartment of students who are not their own."""
    return any(held.right(compartment).reaches(Right.WRITE) for _, held in by.grants)


def reads_for_all(compartment: FieldClass, by: Actor) -> bool:
    """Whether this person reads the compartment of students who are not their own, and so opens it from their page."""
    return any(held.right(compartment).reaches(Right.READ) for _, held in by.grants)


@operation
def shown(compartment: FieldClass, students: Iterable[int], *, by: Actor) -> None:
    """A list named these students: written down, once a day for each."""
    named: Collection[int] = set(students)
    if not named:
        return
    known = reads.listed_since(compartment, by.login, clock() - ONCE_IN, named)
    for student in sorted(set(named) - known):
        audit("compartment_listed", by=by, subject=f"student:{student}", student_id=student, compartment=compartment)
