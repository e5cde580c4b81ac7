"""The numbers at the head of a working day, and what was last tried for the students of a list."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from models.base import db
from models.cases import Case, CaseReason, Outreach
from models.org import School
from models.queries import scope
from models.queries.scope import Reach
from models.queries.worklists import StandInUntil, cases_on_list_of, waits_for_first_contact


@dataclass(frozen=True, slots=True)
class Counts:
    """Open cases by what they wait for. `first_due`: nobody was reached yet and the day for it has come."""

    open: int
    overdue: int
    due: int
    first_due: int
    unowned: int
    opened: int  # on the day asked for or later
    tier_3: int
    soon: int  # due by the end of the week, late ones and those of today among them


def counts(
    reach: Reach,
    person_id: int | None,
    on: date,
    *,
    since: date,
    owner: int | None = None,
    stand_ins: Sequence[StandInUntil] = (),
) -> Counts:
    """Open cases within reach; with an owner those on their list. A paused case waits for nothing."""
    friday = on + timedelta(days=(4 - on.weekday()) % 7)
    waits = Case.status != "paused"
    wanted = select(
        func.count(),
        func.count().filter(waits, Case.due < on),
        func.count().filter(waits, Case.due == on),
        func.count().filter(waits_for_first_contact(on)),
        func.count().filter(Case.owner_id.is_(None)),
        func.count().filter(Case.opened >= since),
        func.count().filter(Case.tier == 3),
        func.count().filter(waits, Case.due <= friday),
    ).where(Case.closed_on.is_(None), scope.cases(reach, person_id, on))
    if owner is not None:
        wanted = wanted.where(cases_on_list_of(owner, stand_ins))
    return Counts(*db.session.execute(wanted).one())


def last_tries(students: Collection[int]) -> dict[int, tuple[date, str]]:
    """Student -> day and outcome of the newest contact or attempt."""
    wanted = (
        select(Outreach.student_id, Outreach.on_day, Outreach.outcome)
        .ext(distinct_on(Outreach.student_id))
        .where(Outreach.student_id.in_(students))
        .order_by(Outreach.student_id, Outreach.at.desc(), Outreach.id.desc())
    )
    return {student: (day, outcome) for student, day, outcome in db.session.execute(wanted)}


def schools_of(reach: Reach, person_id: int | None, on: date) -> list[tuple[int, str]]:
    """(number, name) of the schools at which open cases lie within reach, by name."""
    there = Case.school_id == School.id, Case.closed_on.is_(None)
    here = and_(scope.schools(reach.whole), exists().where(*there))  # one case is enough, whoever has it
    if reach.caseload or reach.own or reach.homerooms:
        here = or_(here, exists().where(*there, scope.cases(reach, person_id, on)))
    found = db.session.execute(select(School.id, School.name).where(here).order_by(School.name))
    return [(number, name) for number, name in found]


def sentences(numbers: Collection[int]) -> dict[int, str]:
    """Case number -> the sentence of the reason that came last."""
    wanted = (
        select(Case.number, CaseReason.sentence)
        .ext(distinct_on(Case.number))
        .join(CaseReason, and_(CaseReason.case_id == Case.id, CaseReason.episode == Case.episode))
        .where(Case.number.in_(numbers), CaseReason.withdrawn_at.is_(None))
        .order_by(Case.number, CaseReason.day.desc(), CaseReason.id)
    )
    return {number: sentence for number, sentence in db.session.execute(wanted)}
