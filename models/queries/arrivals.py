"""What was loaded after a moment and speaks of the days of one student."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from models.base import db
from models.queries import same_child

_CHANGED = """
    SELECT h.batch_id, h.at, h.row_key, h.before FROM row_history h
    WHERE h.table_name = '{table}' AND h.at > :moment
"""
_BETWEEN = f"""
    WITH mine AS (SELECT DISTINCT school_id FROM stint WHERE student_id = ANY(:students)),
    found AS (
        SELECT batch_id, recorded_at AS at, 'marks' AS what FROM mark
        WHERE student_id = ANY(:students) AND day BETWEEN :start AND :until AND recorded_at > :moment
        UNION ALL
        SELECT ended_by, ended_at, 'ended' FROM mark_history
        WHERE student_id = ANY(:students) AND day BETWEEN :start AND :until AND ended_at > :moment
          AND recorded_at <= :moment AND ended <> 'superseded'
        UNION ALL
        SELECT batch_id, recorded_at, 'days' FROM submission JOIN mine USING (school_id)
        WHERE day BETWEEN :start AND :until AND recorded_at > :moment AND ended_at IS NULL
        UNION ALL
        SELECT batch_id, ended_at, 'days_ended' FROM submission JOIN mine USING (school_id)
        WHERE day BETWEEN :start AND :until AND recorded_at <= :moment AND ended_at > :moment
        UNION ALL
        SELECT c.batch_id, c.at, 'enrolments' FROM ({_CHANGED.format(table="stint")}) c
        LEFT JOIN stint t ON t.id = (c.row_key->>'id')::int
        WHERE coalesce((c.before->>'student_id')::int, t.student_id) = ANY(:students)
        UNION ALL
        SELECT batch_id, at, 'calendar' FROM ({_CHANGED.format(table="calendar_day")}) c
        WHERE (row_key->>'school_id')::int IN (SELECT school_id FROM mine)
          AND (row_key->>'day')::date BETWEEN :start AND :until
        UNION ALL
        SELECT batch_id, at, 'lengths' FROM ({_CHANGED.format(table="school")}) c
        WHERE (row_key->>'id')::int IN (SELECT school_id FROM mine)
        UNION ALL
        SELECT c.batch_id, c.at, 'codes' FROM ({_CHANGED.format(table="absence_code")}) c
        LEFT JOIN absence_code a ON a.id = (c.row_key->>'id')::int
        WHERE coalesce(c.before->>'code', a.code) IN (
            SELECT code FROM mark WHERE student_id = ANY(:students) AND day BETWEEN :start AND :until)
    )
    SELECT f.batch_id, coalesce(b.name, '') AS name, min(f.at) AS at, f.what, count(*)::int AS rows
    FROM found f LEFT JOIN batch b ON b.id = f.batch_id GROUP BY 1, 2, f.what ORDER BY 3, 4
"""


def since(moment: datetime, student: int, start: date, until: date) -> list[Any]:
    """Rows of (batch_id, name, at, what, rows) about days start..until; batch 0 is a change that a person made.

    what: marks, ended (marks taken away), days (of the school, sent), days_ended (taken back), enrolments,
    calendar, lengths (of the school's day), codes.
    """
    asked = {"moment": moment, "students": same_child.ids_of(student), "start": start, "until": until}
    return list(db.session.execute(text(_BETWEEN), asked))
