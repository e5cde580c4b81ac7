"""What is counted about the work of schools. Compartments weigh nothing here, so no cut can tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, exists, func, or_, select

from models.base import db
from models.cases import Case, CaseEpisode, Outreach
from models.queries import scope
from models.queries.scope import AreaLike


@dataclass(frozen=True, slots=True)
class SchoolNumbers:
    """A school's cases in counts. `in_time` of `asked`: first contacts by their day, of those due or made."""

    school_id: int
    open: int
    tier_3: int
    overdue: int
    unowned: int
    asked: int
    in_time: int


def school_numbers(area: AreaLike, on: date, since: date) -> dict[int, SchoolNumbers]:
    """School -> its counts; first contacts are those of episodes begun on `since` or later."""
    here = Case.closed_on.is_(None)
    made = exists().where(
        Outreach.student_id == Case.student_id, Outreach.is_contact,
        Outreach.on_day >= CaseEpisode.opened, Outreach.on_day <= Case.contact_due,
    ).correlate(Case, CaseEpisode)  # fmt: skip
    recent = and_(CaseEpisode.opened >= since, Case.contact_due.is_not(None))
    wanted = (
        select(
            Case.school_id,
            func.count().filter(here),
            func.count().filter(here, Case.tier == 3),
            func.count().filter(here, Case.due < on, Case.status != "paused"),
            func.count().filter(here, Case.owner_id.is_(None)),
            func.count().filter(recent, or_(Case.contact_due < on, made)),
            func.count().filter(recent, made),
        )
        .join(CaseEpisode, and_(CaseEpisode.case_id == Case.id, CaseEpisode.episode == Case.episode))
        .where(Case.school_id.in_(scope.school_ids(area)))
        .group_by(Case.school_id)
    )
    return {row[0]: SchoolNumbers(*row) for row in db.session.execute(wanted)}
