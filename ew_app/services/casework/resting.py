"""Cases that rest: each comes back by itself on the day that was said, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from ew_app.alone import in_parts
from ew_app.kernel import WORKER, Told, operation, record_all, today
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from ew_app.services.people.telling import tell
from models import casebook
from models.audit import Event
from models.base import db
from models.cases import Case
from rules.case_flow import Action, Status, move

LONGEST_REST = 20  # school days, for a rest of which nobody said how long


@operation
def wake() -> int:
    """Take up every case whose rest is over as it stood before, and tell its owner; how many. Twice does nothing more.

    A constant number of statements, but for the notices.
    """
    over = select(Case.id).where(Case.status == Status.PAUSED, Case.paused_until <= today()).order_by(Case.id)
    return in_parts("case that rests", db.session.scalars(over).all(), _wake)


def _wake(cases: Sequence[int]) -> int:
    over = select(Case).where(Case.id.in_(cases), Case.status == Status.PAUSED).order_by(Case.id)
    rested = db.session.scalars(over.with_for_update().execution_options(populate_existing=True)).all()
    before = _before([case.id for case in rested])
    back = [
        {
            "id": case.id, "status": str(move(Status.PAUSED, Action.RESUME, before=before.get(case.id))),
            "paused_until": None, "due": today(),
        }
        for case in rested
    ]  # fmt: skip
    casebook.change_cases(back)
    record_all([Told("case_resumed", WORKER, f"case:{case.number}", case.student_id, case.id) for case in rested])
    for case in rested:
        tell("case_rested", [case.owner_id], once=f"case/{case.id}/rested/{case.version}", case_id=case.id)
    touch([case.student_id for case in rested], today())
    ask_for_evaluation()
    return len(rested)


def before_pause(case: Case) -> Status | None:
    """How a case stood when its rest began."""
    return _before([case.id]).get(case.id)


def _before(cases: list[int]) -> dict[int, Status]:
    """Case -> its status before its newest pause."""
    paused = select(Event.case_id, func.coalesce(Event.data["before"].astext, "")).ext(distinct_on(Event.case_id))
    paused = paused.where(Event.case_id.in_(cases), Event.kind == "case_paused")
    found = db.session.execute(paused.order_by(Event.case_id, Event.id.desc()))
    return {case: Status(before) for case, before in found if case is not None and before}
