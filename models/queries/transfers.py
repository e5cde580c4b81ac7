"""Who came to a school from another one this year, and when its team met last."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select, text

from models.base import db
from models.meetings import Meeting


def came_from_other_schools(school: int, start: date, on: date) -> list[int]:
    """Students who stand at the school on the day and stood at another one earlier in the school year."""
    rows = db.session.scalars(
        text("""
            SELECT s.student_id FROM standing s
            WHERE s.school_id = :school AND s.since BETWEEN :start AND :on
              AND coalesce(s.until, 'infinity'::date) >= :on AND EXISTS (
                  SELECT FROM standing o WHERE o.student_id = s.student_id AND o.since >= :start
                    AND o.since < s.since AND o.school_id <> s.school_id)
            ORDER BY 1
        """),
        {"school": school, "start": start, "on": on},
    )
    return list(rows)


def last_meeting(school: int, before: date) -> date | None:
    """The last day before another on which the school's team met and closed its meeting."""
    held = select(func.max(Meeting.day)).where(
        Meeting.school_id == school, Meeting.day < before, Meeting.ended_at.is_not(None)
    )
    day: date | None = db.session.scalar(held)
    return day
