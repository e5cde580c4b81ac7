"""Students whom a roster takes out of a school while the school year goes on, and what was asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db

_LEFT = text("""
    SELECT t.student_id, t.school_id, t.exit_date, s.homeroom
    FROM stint t JOIN student s ON s.id = t.student_id
    WHERE t.batch_id = :batch AND t.exit_date >= :since
      AND EXISTS (SELECT FROM support_flag f WHERE f.student_id = t.student_id AND f.compartment = :compartment)
      AND EXISTS (SELECT FROM calendar_day d WHERE d.school_id = t.school_id AND d.day > t.exit_date
                     AND d.day <= :until AND d.day_type IN ('instructional', 'make_up'))
      AND NOT EXISTS (SELECT FROM stint n WHERE n.student_id = t.student_id AND n.school_id = t.school_id
                        AND n.entry_date > t.entry_date)
    ORDER BY t.school_id, t.student_id
""")


# The period of such a task says what it rests on: its condition, the school and the last day there.
_NO_LONGER = text("""
    SELECT t.id, t.student_id, t.case_id, t.compartment, t.kind
    FROM task t
    WHERE t.status = 'open' AND t.compartment IS NOT NULL AND split_part(t.period, '/', 1) = :condition
      AND NOT EXISTS (
        SELECT FROM stint s WHERE s.student_id = t.student_id AND s.school_id = split_part(t.period, '/', 2)::int
          AND s.exit_date = split_part(t.period, '/', 3)::date)
    ORDER BY t.id FOR UPDATE OF t
""")
_AGAIN = text("""
    SELECT t.id FROM task t
    WHERE t.student_id = :student AND t.period = :period AND t.status = 'withdrawn' AND t.done_by IS NULL
    ORDER BY t.id DESC LIMIT 1
""")


def rests_on_nothing(condition: str) -> Sequence[Any]:
    """Open tasks (id, student_id, case_id, compartment, kind) of a condition whose enrolment ends otherwise now."""
    return db.session.execute(_NO_LONGER, {"condition": condition}).all()


def withdrawn(student: int, period: str) -> int | None:
    """The task of that period which the system took back, if any."""
    found: int | None = db.session.scalar(_AGAIN, {"student": student, "period": period})
    return found


def with_flag(batch: int, compartment: str, since: date, until: date) -> Sequence[Any]:
    """Rows (student_id, school_id, exit_date, homeroom) of enrolments that a delivery ended from `since` on.

    Only of students whom the roster names for the compartment, and while school days up to `until` lie ahead.
    """
    asked = {"batch": batch, "compartment": compartment, "since": since, "until": until}
    return db.session.execute(_LEFT, asked).all()
