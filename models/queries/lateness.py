"""Which school days have not come in: the one definition of a school that is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from models.base import db

# Rows of (school_id, days, trailing, since, last): see Gap. Parameters: schools, start, today.
GAPS = """
    WITH taught AS (
        SELECT DISTINCT school_id, day FROM calendar_day
        WHERE school_id = ANY(:schools) AND day >= :start AND day < :today AND weight > 0
          AND day_type IN ('instructional', 'make_up')
    ), came AS (
        SELECT school_id, day, status FROM school_day
        WHERE school_id = ANY(:schools) AND day BETWEEN :start AND :today
          AND status IN ('submitted', 'partial', 'closed')
    ), last AS (SELECT school_id, max(day) AS day FROM came WHERE status <> 'closed' GROUP BY 1)
    SELECT t.school_id, count(*) FILTER (WHERE c.day IS NULL) AS days,
           count(*) FILTER (WHERE c.day IS NULL AND t.day > coalesce(l.day, :start - 1)) AS trailing,
           min(t.day) FILTER (WHERE c.day IS NULL AND t.day > coalesce(l.day, :start - 1)) AS since,
           max(l.day) AS last
    FROM taught t LEFT JOIN came c USING (school_id, day) LEFT JOIN last l USING (school_id)
    GROUP BY t.school_id
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
    """School -> school days from `start` until yesterday of which nothing came; no entry without a calendar."""
    rows = db.session.execute(text(GAPS), {"schools": list(schools), "start": start, "today": today})
    return {school: Gap(*gap) for school, *gap in rows}
