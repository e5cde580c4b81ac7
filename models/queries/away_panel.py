"""Who was away on the last school days, with the groups of each: three reads of integer columns, no name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import read_columns, read_ints
from models.queries import coded

LEAST_MINUTES = 210  # half of the usual day
LEAST_PERIODS = 3  # class periods that stand for half a day
_EPOCH = "DATE '1970-01-01'"

# A student is away for half the day or more: by a mark about the day, or by so many class periods. Where two systems
# speak, the school's own is heard. Few ids are former ones: these are looked up, not every student of a mark.
_AWAY = f"""
    WITH word AS MATERIALIZED (
        SELECT w.school_id, w.day, w.code, best.absent_fraction, best.excused IN ('excused', 'exempt') AS excused
        FROM (SELECT DISTINCT school_id, day, code FROM mark WHERE day = ANY(%(days)s)) w,
             LATERAL {coded.meaning("w")} best
        WHERE best.kind = 'absence'
    )
    SELECT CASE WHEN m.student_id IN (SELECT id FROM student WHERE same_as IS NOT NULL)
                THEN (SELECT p.same_as FROM student p WHERE p.id = m.student_id) ELSE m.student_id END,
           m.school_id, m.day - {_EPOCH}, bool_or(w.excused)::int
    FROM mark m JOIN word w USING (school_id, day, code)
    JOIN school s ON s.id = m.school_id AND m.source_id = coalesce(s.source_id, m.source_id)
    WHERE m.day = ANY(%(days)s)
    GROUP BY 1, 2, 3
    HAVING bool_or(m.period = '' AND coalesce(m.fraction, CASE WHEN m.minutes < {LEAST_MINUTES} THEN 0
                                                          ELSE w.absent_fraction END) >= 500)
        OR count(DISTINCT m.period) FILTER (WHERE m.period <> '') >= {LEAST_PERIODS}
"""
_ENROLLED = f"""
    SELECT t.student_id, t.school_id, t.entry_date - {_EPOCH}, coalesce(t.exit_date, DATE '2199-12-31') - {_EPOCH},
           p.bus_route, p.homeroom, coalesce(nullif(t.grade, ''), p.grade)
    FROM stint t JOIN student p ON p.id = t.student_id
    WHERE t.entry_date <= %(last)s AND coalesce(t.exit_date, %(last)s) >= %(last)s
    ORDER BY t.student_id, t.school_id, t.entry_date
"""
_SENT = f"""
    SELECT school_id, day - {_EPOCH} FROM school_day WHERE day = ANY(%(days)s) AND status = 'submitted'
"""


@dataclass(frozen=True, slots=True)
class Read:
    """Columns as they were read. enrolled: a row for each student at a school on the last day; away: (student, school,
    day, excused); sent: (school, day). Days as days since 1970."""

    days: tuple[date, ...]
    enrolled: dict[str, Any]
    away: dict[str, np.ndarray]
    sent: dict[str, np.ndarray]


def days_before(last: date, count: int) -> list[date]:
    """The last days up to one on which any school took attendance, oldest first."""
    found = db.session.scalars(
        text("""
            SELECT day FROM (SELECT DISTINCT day FROM school_day WHERE day <= :last AND day > CAST(:last AS date) - 200
                             AND status = 'submitted') d ORDER BY day DESC LIMIT :count
        """),
        {"last": last, "count": count},
    )
    return sorted(found)


def read(days: Sequence[date]) -> Read:
    """Everything about these days, as it stands now."""
    asked = {"days": list(days), "last": days[-1]}
    texts = ("route", "class", "grade")
    return Read(
        days=tuple(days),
        enrolled=read_columns(_ENROLLED, ("student", "school", "entry", "exit"), texts, asked),
        away=read_ints(_AWAY, ("student", "school", "day", "excused"), asked),
        sent=read_ints(_SENT, ("school", "day"), asked),
    )
