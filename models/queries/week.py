"""The week of schools in counts by school and role: what nobody has, what is late, what came, what was asked.

No person and no student stands in the counts; the two lists they lead to are for those who may open the cases.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy import case as choose

from models.base import db
from models.cases import Case, Task
from models.hand_overs import HandOver
from models.meetings import Meeting
from models.queries.hand_overs import Line, lines_of
from models.queries.worklists import waits_for_first_contact


@dataclass(frozen=True, slots=True)
class Work:
    """Open work of a role at a school. late_first: cases whose family was not reached by the day for it."""

    open: int = 0
    new: int = 0
    unowned: int = 0
    late_first: int = 0
    late: int = 0
    late_tasks: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def work(schools: Sequence[int], on: date, since: date) -> dict[int, dict[str, Work]]:
    """School -> role -> open work, but for tasks inside compartments. new: cases opened on `since` or later."""
    cases = (
        select(
            Case.school_id, Case.owner_role, func.count(), func.count().filter(Case.opened >= since),
            func.count().filter(Case.owner_id.is_(None)), func.count().filter(waits_for_first_contact(on)),
            func.count().filter(and_(Case.due < on, Case.status != "paused")),
        )
        .where(Case.school_id.in_(schools), Case.closed_on.is_(None))
        .group_by(Case.school_id, Case.owner_role)
    )  # fmt: skip
    found: dict[int, dict[str, Work]] = defaultdict(lambda: defaultdict(Work))
    for school, role, *counts in db.session.execute(cases):
        found[school][role] += Work(*counts)
    for school, role, late in db.session.execute(_late_tasks(schools, on)):
        found[school][role] += Work(late_tasks=late)
    return found


def _late_tasks(schools: Sequence[int], on: date) -> Select[int, str, int]:
    here = Task.school_id.in_(schools), Task.status == "open", Task.student_id.is_not(None)
    plain = select(Task.school_id, Task.owner_role, func.count()).where(*here, Task.compartment.is_(None))
    return plain.where(Task.due < on).group_by(Task.school_id, Task.owner_role)


# -- hand-overs ----------------------------------------------------------------------------------------------

_WAITING = and_(HandOver.state.in_(("to_write", "sent")), HandOver.kind != "assign")
_SCHOOL = choose((HandOver.state == "to_write", Case.school_id), else_=HandOver.school_id)  # who has to go on with it


def _asked(since: datetime) -> dict[str, ColumnElement[bool]]:
    declined = and_(HandOver.state == "declined", HandOver.answered_at >= since)
    return {"waiting": and_(_WAITING, Case.closed_on.is_(None)), "declined": declined}


def asked(schools: Sequence[int], since: datetime) -> dict[int, tuple[int, int]]:
    """School -> hand-overs that wait for somebody there, and those that were declined since a moment."""
    ways = _asked(since).values()
    found = db.session.execute(
        select(_SCHOOL, *(func.count().filter(way) for way in ways))
        .join_from(HandOver, Case, Case.id == HandOver.case_id)
        .where(_SCHOOL.in_(schools), or_(*ways))
        .group_by(_SCHOOL)
    )
    return {school: (waiting, declined) for school, waiting, declined in found}


def asked_at(school: int, way: str, since: datetime, reach: ColumnElement[bool]) -> list[Line]:
    """The hand-overs within reach that `asked` counts for a school; way: waiting or declined."""
    here = HandOver.id.in_(
        select(HandOver.id)
        .join_from(HandOver, Case, Case.id == HandOver.case_id)
        .where(_SCHOOL.in_([school]), _asked(since)[way])
    )
    return lines_of(and_(here, reach))


def without_meeting(schools: Sequence[int], since: date) -> set[int]:
    """Of these schools those with open cases whose team has not met since a day."""
    met = exists().where(Meeting.school_id == Case.school_id, Meeting.day > since)
    wanted = select(Case.school_id).where(Case.school_id.in_(schools), Case.closed_on.is_(None), ~met.correlate(Case))
    return set(db.session.scalars(wanted.distinct()))
