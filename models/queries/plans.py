"""Plans as they stand: the version that holds, the supports of a case, what was given of each, the looks at it.

The case was found within reach before any of this. A support in a compartment is read only where it is named.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlalchemy import func, select

from models.base import db
from models.cases import Case
from models.plans import Plan, PlanReview, PlanSupport, SupportGiven


def newest(case: Case) -> Plan | None:
    """The plan of the case's episode as it holds."""
    return next(iter(versions(case)), None)


def versions(case: Case) -> Sequence[Plan]:
    """Every version of the plan of the case's episode, newest first."""
    mine = select(Plan).where(Plan.case_id == case.id, Plan.episode == case.episode)
    return db.session.scalars(mine.order_by(Plan.version.desc())).all()


def earlier_plans(case: Case) -> Sequence[Plan]:
    """The plans of earlier episodes as they last held, newest first."""
    last = (
        select(func.max(Plan.id))
        .where(Plan.case_id == case.id, Plan.episode < case.episode)
        .group_by(Plan.episode)
        .scalar_subquery()
    )
    return db.session.scalars(select(Plan).where(Plan.id.in_(last)).order_by(Plan.id.desc())).all()


def reviews(case: Case) -> Sequence[PlanReview]:
    """The looks at the plan in the case's episode, newest first."""
    mine = select(PlanReview).where(PlanReview.case_id == case.id, PlanReview.episode == case.episode)
    return db.session.scalars(mine.order_by(PlanReview.id.desc())).all()


def supports(case: Case) -> list[PlanSupport]:
    """The supports of a case outside compartments: running ones by start, then ended ones, newest first."""
    mine = select(PlanSupport).where(PlanSupport.case_id == case.id, PlanSupport.compartment.is_(None))
    found = db.session.scalars(mine.order_by(PlanSupport.starts, PlanSupport.id)).all()
    return [one for one in found if one.result is None] + [one for one in reversed(found) if one.result is not None]


def given(supports: Collection[PlanSupport]) -> dict[int, list[SupportGiven]]:
    """Support -> each time it was given, newest first; what was taken back is left out."""
    wanted = select(SupportGiven).where(
        SupportGiven.support_id.in_([one.id for one in supports]), SupportGiven.taken_back_at.is_(None)
    )
    found: dict[int, list[SupportGiven]] = defaultdict(list)
    for row in db.session.scalars(wanted.order_by(SupportGiven.on_day.desc(), SupportGiven.id.desc())):
        found[row.support_id].append(row)
    return found
