"""The calendar dates of schools with what is known of each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db


def ledger_rows(
    start: date | None,
    until: date | None,
    school: str | None,
    today: date,
    *,
    within: Collection[int] | None = None,
    after: tuple[str, date] | None = None,
    most: int | None = None,
) -> list[Any]:
    """Rows of (school_id: key, day, status, rows, expected): every calendar date and submitted day of each school.

    `until` defaults to the last day, up to today, that any school submitted; a school day without a submission up
    to then is not submitted. Days past it are listed when asked for. `within`: only these schools. `after`: only what
    comes after this school and day, and no more than `most` rows.
    """
    return list(
        db.session.execute(
            text("""
                WITH bounds AS (
                    SELECT coalesce(CAST(:until AS date), max(day) FILTER (WHERE day <= :today)) AS until
                    FROM school_day WHERE status IN ('submitted', 'partial')
                ), dates AS (
                    SELECT school_id, day, bool_or(day_type IN ('instructional', 'make_up')) AS teaches
                    FROM calendar_day, bounds
                    WHERE day <= bounds.until AND (CAST(:start AS date) IS NULL OR day >= :start) GROUP BY 1, 2
                ), stored AS (
                    SELECT l.* FROM school_day l, bounds
                    WHERE l.day <= bounds.until AND (CAST(:start AS date) IS NULL OR l.day >= :start)
                )
                SELECT s.key AS school_id, day AS date,
                       coalesce(stored.status,
                                CASE WHEN dates.teaches THEN 'not_submitted' ELSE 'closed' END) AS status,
                       coalesce(stored.rows, 0) AS rows, stored.expected, s.id AS school
                FROM dates FULL JOIN stored USING (school_id, day) JOIN school s ON s.id = school_id
                WHERE (CAST(:school AS text) IS NULL OR s.key = :school)
                  AND (CAST(:within AS int[]) IS NULL OR s.id = ANY(CAST(:within AS int[])))
                  AND (CAST(:after_school AS text) IS NULL
                       OR (s.key, day) > (CAST(:after_school AS text), CAST(:after_day AS date)))
                ORDER BY s.key, day LIMIT CAST(:most AS bigint)
            """),
            {
                "start": start,
                "until": until,
                "school": school,
                "today": today,
                "within": None if within is None else sorted(within),
                "after_school": after[0] if after else None,
                "after_day": after[1] if after else None,
                "most": most,
            },
        )
    )
