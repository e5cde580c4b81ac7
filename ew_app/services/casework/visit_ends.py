"""Planned visits on which nobody goes: called off by hand, with the case, or as the day passed; and who is told."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, or_, select

from ew_app.alone import alone
from ew_app.kernel import WORKER, Actor, day_text, operation, record, today
from ew_app.services.casework import reaching
from ew_app.services.casework.visit_people import who
from ew_app.services.people.telling import tell
from models.base import db
from models.cases import Case
from models.visits import Visit
from rules.access import Permission

CLOSED: Final = "The case was closed."
OTHER_SCHOOL: Final = "The student goes to another school now."
PASSED: Final = "Its day has passed and nobody went."
LONGEST_WHY: Final = 200


def may_call_off(visit: Visit, by: Actor) -> bool:
    """Those who go, and whoever works on the case: else a visit of people who left would stand in the way for ever."""
    if by.person_id is not None and by.person_id in (visit.visitor_id, visit.second_id):
        return True
    works = or_(*(reaching.cases_of(by, one) for one in (Permission.WORK_CASE, Permission.LOG_OUTREACH)))
    return db.session.scalar(select(Case.id).where(Case.id == visit.case_id, works)) is not None


def call_off(visit: Visit, why: str, by: Actor) -> None:
    """Nobody goes: everybody who has a part in it is told, in the open transaction. The address goes."""
    visit.status, visit.called_off_why, visit.address, visit.phone = "called_off", why.strip()[:LONGEST_WHY], "", ""
    record("visit_called_off", by=by, subject=f"visit:{visit.id}", student_id=visit.student_id, case_id=visit.case_id)
    tell_off(visit, by)


def tell_off(visit: Visit, by: Actor) -> None:
    """Tell everybody who has a part in a visit that nobody goes."""
    people = [visit.visitor_id, visit.second_id, visit.watcher_id]
    day = day_text(visit.day)
    tell("visit_off", people, once=f"visit/{visit.id}/off", by=by, visit_id=visit.id, who=who(visit), day=day)


def of_cases(cases: Collection[int], why: str, by: Actor) -> None:
    """Nobody goes any more for these cases; who is out already comes back as planned."""
    for visit in _planned(Visit.case_id.in_(cases)):
        call_off(visit, why, by)


@operation
def passed() -> int:
    """Call off what was planned for a day that has passed, so that another visit can be planned; how many."""
    found = _planned(Visit.day < today())
    for visit in found:
        with alone(f"visit {visit.id}"):
            call_off(visit, PASSED, WORKER)
    return len(found)


def _planned(which: ColumnElement[bool]) -> list[Visit]:
    wanted = select(Visit).where(Visit.status == "planned", which).order_by(Visit.id).with_for_update()
    return list(db.session.scalars(wanted.execution_options(populate_existing=True)))
