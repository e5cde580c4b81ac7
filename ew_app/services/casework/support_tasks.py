"""What is asked of whoever gives a support: to begin, by the day it starts; done with the first time it was given."""

from __future__ import annotations

from sqlalchemy import Select, select

from ew_app.kernel import Actor, now, today
from ew_app.services.casework import tasks
from ew_app.services.casework.near import near
from ew_app.services.casework.reaching import CaseAtHand
from models.base import db
from models.cases import Case, Task
from models.plans import PlanSupport, SupportGiven
from rules.access import FieldClass
from rules.interventions import Intervention
from rules.routing import PlannedTask, Via


def ask_owner(held: CaseAtHand, support: PlanSupport, chosen: Intervention, by: Actor) -> None:
    """A task for whoever gives it, unless they wrote it down themselves or the family said no."""
    withdraw(support)
    if support.owner_id in (None, by.person_id) or support.family_agreed == "no":
        return
    held_roles = near(held.place)[support.owner_id or 0].roles
    compartment = FieldClass(support.compartment) if support.compartment else None
    planned = PlannedTask(
        kind="support", title=f"Begin: {chosen.label.lower()}", compartment=compartment,
        department=held.case.department,
        role=chosen.owner if chosen.owner in held_roles else held_roles[0], person_id=support.owner_id, via=Via.HOLDER,
        due_days=0,
    )  # fmt: skip
    period = f"support/{support.id}/{support.version}"
    tasks.ask_beside(planned, case=held.case, period=period, due=max(support.starts, today()))


def withdraw(support: PlanSupport) -> None:
    """Nobody is to begin any more."""
    for task in open_ones(support):
        task.status, task.done_at, task.note = "withdrawn", now(), "The support ended or went to somebody else."


def open_ones(support: PlanSupport) -> list[Task]:
    """What is asked of whoever gives it."""
    return list(db.session.scalars(_asked(support).where(Task.status == "open")))


def _asked(support: PlanSupport) -> Select[Task]:
    return select(Task).where(Task.student_id == support.student_id, Task.period.startswith(f"support/{support.id}/"))


def ask_again(support: PlanSupport, given: SupportGiven, by: Actor) -> None:
    """Whoever was to begin is asked again, where this was the one time that spoke for it and the case is open."""
    db.session.flush()
    others = SupportGiven.support_id == support.id, SupportGiven.taken_back_at.is_(None)
    open_case = db.session.scalars(select(Case.closed_on).where(Case.id == support.case_id)).one() is None
    goes_on = open_case or support.compartment is not None  # work in compartments goes on
    if not goes_on or support.result is not None or db.session.scalar(select(SupportGiven.id).where(*others).limit(1)):
        return
    last = _asked(support).order_by(Task.id.desc()).limit(1)
    task = db.session.scalars(last.with_for_update()).first()
    if task is not None and task.status == "done" and task.done_at is not None and task.done_at >= given.written_at:
        tasks.open_again([task], by)
