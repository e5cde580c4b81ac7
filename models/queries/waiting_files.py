"""Files with days that have not come in otherwise, and that count only once a person has decided about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import text

from models.base import db
from models.queries.deliveries import NEW_DAYS

HELD: Final = "(b.status = 'held' OR b.status = 'previewed' AND b.counts->>'would_be' = 'held')"
# Rows of (school_id, day, batch_id): the newest of these deliveries that would bring a school-day for the first time.
TOLD: Final = """
    SELECT DISTINCT ON (school_id, day) school_id, day, batch_id FROM (
        SELECT CAST(s.id AS int) AS school_id, CAST(d.key AS date) AS day, b.id AS batch_id
        FROM batch b CROSS JOIN LATERAL jsonb_each(b.counts->'brings_first') d
        CROSS JOIN LATERAL jsonb_array_elements_text(d.value) s (id)
        WHERE b.kind = 'attendance' AND b.status IN ('held', 'previewed') AND {which}) brought
    ORDER BY school_id, day, batch_id DESC
"""
_FILES = f"""
    WITH told AS ({TOLD.format(which="true")})
    SELECT t.school_id, t.day, b.id, {HELD} AS held, b.received_at, coalesce(p.name, b.received_by) AS sender
    FROM told t JOIN batch b ON b.id = t.batch_id LEFT JOIN person p ON p.login = b.received_by
    WHERE t.school_id = ANY(:schools) AND NOT EXISTS (
        SELECT FROM school_day l WHERE l.school_id = t.school_id AND l.day = t.day
          AND l.status IN ('submitted', 'partial'))
"""


@dataclass(frozen=True, slots=True)
class WaitingFile:
    """A delivery that waits: held, until somebody lets it in, or checked, until its sender applies it."""

    batch_id: int
    held: bool
    received_at: datetime
    sender: str


def waiting_files(schools: Sequence[int]) -> dict[tuple[int, date], WaitingFile]:
    """(school, day) of these schools that has not come in -> the file that would bring it."""
    found = db.session.execute(text(_FILES), {"schools": list(schools)})
    return {(row.school_id, row.day): WaitingFile(row.id, row.held, row.received_at, row.sender) for row in found}


def brings_first(batch_id: int, most: int = 20_000) -> dict[str, list[int]]:
    """Day -> schools for which a staged delivery would bring it for the first time; of more than `most` the newest."""
    found = text(f"""
        SELECT day::text, array_agg(school_id ORDER BY school_id) FROM (
            SELECT day, school_id FROM ({NEW_DAYS}) new ORDER BY day DESC LIMIT :most) newest
        GROUP BY day ORDER BY day
    """)
    return {day: schools for day, schools in db.session.execute(found, {"batch": batch_id, "most": most})}
