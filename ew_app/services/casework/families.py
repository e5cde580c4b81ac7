"""One family, several children: who shares a contact within someone's reach, and one talk written down for each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from ew_app.kernel import Actor, Refused, now, operation, wall_clock
from ew_app.services.casework import outreach, reaching
from ew_app.services.casework.outreach import Attempt
from models.base import db
from models.cases import Outreach
from models.people import Student
from models.queries import household
from rules.access import Permission
from rules.ladder import manners
from rules.vocabulary import vocabulary

MAY = (Permission.LOG_OUTREACH, Permission.CALL_ABSENT)
JUST_CALLED = timedelta(hours=2)
A_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Family:
    """A student's household. `siblings`: only those within the reader's reach. What the others are the reader never
    learns: `called_at` and `stopped` are said of the family, without a child, a school or a caller."""

    siblings: tuple[Student, ...]
    called_at: datetime | None
    stopped: frozenset[str]


def of_student(student_id: int, *, by: Actor) -> Family:
    """The household of a student whom this person reaches."""
    together = household.children([student_id])[student_id]
    return Family(
        tuple(_within_reach(set(together) - {student_id}, by)),
        household.last_called(together, now() - JUST_CALLED),
        frozenset(household.stopped(together)),
    )


def _within_reach(students: Collection[int], by: Actor) -> Sequence[Student]:
    if not students:
        return []
    reached = reaching.students_of(by, *MAY)
    wanted = select(Student).where(Student.id.in_(students), Student.same_as.is_(None), reached)
    return db.session.scalars(wanted.order_by(Student.first_name, Student.id)).all()


@operation
def log_talk(
    attempt: Attempt,
    *,
    by: Actor,
    student_id: int,
    case_number: int | None = None,
    others: Collection[int] = (),
    told_too: bool = False,
    task_id: int | None = None,
    once: str | None = None,
) -> Outreach:
    """One conversation as an entry of the student and one of each other child it was about.

    Words and minutes stay with the student: what was said of one child is not told to the readers of another. So does
    the reason why the child was away, unless it was given for the others too (`told_too`).
    Raises what `log_outreach` raises; Refused for a child who is not of the household or out of reach.
    """
    if not others:
        return outreach.log_outreach(
            attempt, by=by, student_id=student_id, case_number=case_number, task_id=task_id, once=once
        )
    known = {one.id for one in of_student(student_id, by=by).siblings}
    if not known.issuperset(others):
        raise Refused("Choose children of the same family from the list.")
    talk = once or f"{student_id}/{now().isoformat()}"
    first = outreach.log_outreach(
        attempt, by=by, student_id=student_id, case_number=case_number, task_id=task_id, once=once, talk=talk
    )
    told = attempt.told if told_too else ""
    shared = replace(attempt, note="", promise="", minutes=None, next_date=None, told=told)
    for other in sorted(set(others)):
        key = f"{once}/{other}" if once else None
        used = attempt.used if outreach.has_way(other, attempt.used) else ""
        outreach.log_outreach(replace(shared, used=used), by=by, student_id=other, once=key, talk=talk)
    return first


def bar_to_automatic(student_id: int, method: str) -> str:
    """Why nothing may go to this student's family by itself now, as a sentence; '' where it may."""
    together = household.children([student_id])[student_id]
    by_itself = [key for key, way in vocabulary().methods.items() if way.automatic]
    sent = household.automatic_since(together, by_itself, now() - A_WEEK)
    stopped = method in household.stopped(together)
    return manners().bar(wall_clock(), sent, stopped=stopped)
