"""The absences that the ledger tells of each school-day, counted again where a code means something else now."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from models.base import db
from models.marks import SCHOOL_LOCK
from models.org import ABSENT_KINDS
from models.queries import coded
from models.queries.roster import CHANGED_CODES

_DAYS = """
    SELECT DISTINCT m.school_id, m.day FROM mark m
    JOIN ({codes}) c ON c.code = m.code AND (c.school_id IS NULL OR c.school_id = m.school_id)
"""
_LOCK = f"""
    SELECT count(pg_advisory_xact_lock({SCHOOL_LOCK}, school_id))
    FROM (SELECT DISTINCT school_id FROM ({_DAYS}) d ORDER BY school_id) s
"""
# As the ledger counts when it derives a day: the students of each code that means absent there on that day.
_RECOUNT = f"""
    WITH words AS (
        SELECT m.school_id, m.day, m.code, count(DISTINCT m.student_id) AS students
        FROM ({_DAYS}) d JOIN mark m USING (school_id, day) GROUP BY 1, 2, 3
    ), counted AS (
        SELECT w.school_id, w.day, coalesce(sum(w.students) FILTER (WHERE best.kind IN {ABSENT_KINDS}), 0) AS absences
        FROM words w LEFT JOIN LATERAL {coded.meaning("w")} best ON true GROUP BY 1, 2
    )
    UPDATE school_day l SET absences = c.absences FROM counted c
    WHERE l.school_id = c.school_id AND l.day = c.day AND l.absences <> c.absences
"""


def recount_absences(code: str, school: int | None) -> None:
    """On the school-days with this code, at the school or anywhere."""
    named = "SELECT CAST(:code AS text) AS code, CAST(:school AS int) AS school_id"
    _recount(named, {"code": code, "school": school})


def recount_absences_since(batch: int) -> None:
    """On the school-days with codes whose meaning a roster has changed, or whose change was taken back."""
    _recount(CHANGED_CODES, {"batch": batch})


def _recount(codes: str, asked: dict[str, Any]) -> None:
    """Once nobody else writes at these schools."""
    for step in (_LOCK, _RECOUNT):
        db.session.execute(text(step.format(codes=codes)), asked)
