"""Which school days have not come in: the one definition of a school that is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from models.base import db

# Rows of (school_id, days, trailing, since, last): see Gap. Parameters: schools, start, today.
GAPS = """
    WITH missing AS MATERIALIZED (
        SELECT DISTINCT c.school_id, c.day FROM calendar_day c
        WHERE c.school_id = ANY(:schools) AND c.day >= :start AND c.day < :today AND c.weight > 0
          AND c.day_type IN ('instructional', 'make_up') AND NOT EXISTS (
              SELECT FROM school_day d WHERE d.school_id = c.school_id AND d.day = c.day
                AND d.status IN ('submitted', 'partial', 'closed'))
    )
    SELECT s.id AS school_id, count(m.day) AS days,
           count(m.day) FILTER (WHERE m.day > coalesce(l.day, :start - 1)) AS trailing,
           min(m.day) FILTER (WHERE m.day > coalesce(l.day, :start - 1)) AS since, l.day AS last
    FROM unnest(CAST(:schools AS int[])) AS s (id)
    CROSS JOIN LATERAL (
        SELECT max(day) AS day FROM school_day
        WHERE school_id = s.id AND day BETWEEN :start AND :today AND status IN ('submitted', 'partial')) l
    LEFT JOIN missing m ON m.school_id = s.id
    GROUP BY s.id, l.day
"""


@dataclass(frozen=True, slots=True)
class Gap:
    """School days of which nothing came: in all, and those after the last that did, from `since` on.

    A school is late when `trailing` is more than 0. Today is not late yet, nor is a day that was closed after all.
    """

    days: int
    trailing: int
    since: date | None
    last: date | None  # the last day that came


def gaps(schools: Sequence[int], start: date, today: date) -> dict[int, Gap]:
    """School -> school days from `start` until yesterday of which nothing came; none where there is no calendar."""
    rows = db.session.execute(text(GAPS), {"schools": list(schools), "start": start, "today": today})
    return {school: Gap(*gap) for school, *gap in rows}
