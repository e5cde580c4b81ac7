"""Students whom a roster takes out of a school while the school year goes on."""

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


def with_flag(batch: int, compartment: str, since: date, until: date) -> Sequence[Any]:
    """Rows (student_id, school_id, exit_date, homeroom) of enrolments that a delivery ended from `since` on.

    Only of students whom the roster names for the compartment, and while school days up to `until` lie ahead.
    """
    asked = {"batch": batch, "compartment": compartment, "since": since, "until": until}
    return db.session.execute(_LEFT, asked).all()
