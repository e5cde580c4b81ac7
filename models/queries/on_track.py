"""The last conference about each student of a list."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from models.base import db
from models.cases import Outreach


@dataclass(frozen=True, slots=True)
class Conference:
    """When it was held, and the day agreed for what comes next."""

    on_day: date
    next_date: date | None


def conferences(students: Collection[int], method: str) -> dict[int, Conference]:
    """Student -> the newest contact by this method in which somebody was reached."""
    wanted = (
        select(Outreach.student_id, Outreach.on_day, Outreach.next_date)
        .ext(distinct_on(Outreach.student_id))
        .where(Outreach.student_id.in_(students), Outreach.method == method, Outreach.is_contact)
        .order_by(Outreach.student_id, Outreach.on_day.desc(), Outreach.id.desc())
    )
    return {student: Conference(day, after) for student, day, after in db.session.execute(wanted)}
