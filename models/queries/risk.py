"""Models, what they said, and how everybody stands: what scoring reads and what screens are told."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import read_columns


def standing_of(students: np.ndarray) -> dict[str, Any]:
    """School, grade and whether they are enrolled, of these students as the last evaluation left them."""
    return read_columns(
        """
        SELECT student_id, school_id, enrolled_now::int, grade FROM student_status
        WHERE student_id = ANY(%(students)s) ORDER BY student_id
        """,
        ["student", "school", "enrolled"],
        ["grade"],
        {"students": students},
    )


def schools_told(day: date) -> list[tuple[int, date | None]]:
    """(school, its last submitted day up to then) of each school that teaches that day."""
    return [(school, last) for school, last in db.session.execute(_SCHOOLS_TOLD, {"day": day})]


_SCHOOLS_TOLD = text("""
    SELECT DISTINCT c.school_id, (
        SELECT max(l.day) FROM school_day l WHERE l.school_id = c.school_id AND l.day <= :day
           AND l.status IN ('submitted', 'partial'))
    FROM calendar_day c WHERE c.day = :day AND c.day_type IN ('instructional', 'make_up') ORDER BY 1
""")
