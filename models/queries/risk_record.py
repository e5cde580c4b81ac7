"""What models keep of one child, under all of its ids: to be shown, handed out and deleted as part of the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from models.base import db


def record_of(ids: Sequence[int]) -> dict[str, Any]:
    """What is kept of a child under these ids: scores, answers, wishes to be left out, and how past years ended."""
    asked = {
        "scores": """
            SELECT s.model_id AS model, s.day, s.number AS school_day, s.range_key AS range, s.reasons, s.stale
            FROM risk_score s WHERE s.student_id = ANY(:ids) ORDER BY 1
        """,
        "told": """
            SELECT model_id AS model, since, until, range_key AS range FROM risk_told
            WHERE student_id = ANY(:ids) ORDER BY 1, 2
        """,
        "answers": """
            SELECT model_id AS model, day, range_key AS range, answer, reason, author, position, written_at
            FROM risk_answer WHERE student_id = ANY(:ids) ORDER BY id
        """,
        "left_out": """
            SELECT reason, author, position, written_at, ended_at, ended_by FROM risk_excluded
            WHERE student_id = ANY(:ids) ORDER BY id
        """,
        "past_years": """
            SELECT school_year, known_by, enrolled, absent FROM year_end WHERE student_id = ANY(:ids) ORDER BY 1
        """,
    }
    found = {name: db.session.execute(text(query), {"ids": list(ids)}).mappings() for name, query in asked.items()}
    return {name: [dict(row) for row in rows] for name, rows in found.items()}


def delete_record(ids: Sequence[int]) -> int:
    """Delete scores, ranges told and answers of these ids; how many."""
    gone = 0
    for table in ("risk_score", "risk_told", "risk_answer"):
        query = text(f"WITH d AS (DELETE FROM {table} WHERE student_id = ANY(:ids) RETURNING 1) SELECT count(*) FROM d")
        gone += db.session.scalar(query, {"ids": list(ids)}) or 0
    return gone
