"""What a code means on a day, and who has it on which days, in marks and on the rolls of full feeds."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db

_NAMED = "c.code = {row}.code AND (c.school_id IS NULL OR c.school_id = {row}.school_id)"


def meaning(row: str) -> str:
    """SQL, for LATERAL: the code's row that stands for the code, school and day of `row`, as `rules.codes.meaning`."""
    return f"""(
        SELECT c.* FROM absence_code c WHERE {_NAMED.format(row=row)}
          AND (c.valid_from IS NULL OR c.valid_from <= {row}.day) AND (c.valid_to IS NULL OR c.valid_to >= {row}.day)
        ORDER BY c.school_id IS NULL, c.valid_from DESC NULLS LAST LIMIT 1)"""


def having(codes: str) -> str:
    """SQL: (student_id, school_id, day, source_id, on_roll) of all that says one of the codes.

    codes: a SELECT of (code, school_id); without a school the whole district.
    """
    return f"""
        SELECT m.student_id, m.school_id, m.day, m.source_id, false AS on_roll
        FROM mark m JOIN ({codes}) c ON {_NAMED.format(row="m")}
        UNION ALL
        SELECT unnest(r.students), r.school_id, r.day, r.source_id, true
        FROM roll r JOIN ({codes}) c ON {_NAMED.format(row="r")} WHERE r.replaced_by IS NULL
    """


_ONE = having("SELECT CAST(:code AS text) AS code, CAST(:school AS int) AS school_id")


def first_days(code: str, school: int | None) -> dict[int, date]:
    """Student -> the first day with this code at the school, or anywhere."""
    query = text(f"SELECT student_id, min(day) FROM ({_ONE}) h GROUP BY 1 ORDER BY 1")
    return {number: day for number, day in db.session.execute(query, {"code": code, "school": school})}


def counted(code: str, school: int | None, start: date | None, until: date | None) -> tuple[int, int]:
    """(marks, students) that stand with this code from start to until, both inclusive and open when None.

    Presence on a roll is a mark too, unless a mark of the same source says something else of that student.
    """
    found: Any = db.session.execute(
        text(f"""
            SELECT count(*), count(DISTINCT student_id) FROM ({_ONE}) h
            WHERE day BETWEEN coalesce(CAST(:start AS date), '-infinity') AND coalesce(CAST(:until AS date), 'infinity')
              AND NOT (on_roll AND EXISTS (
                SELECT FROM mark m WHERE m.school_id = h.school_id AND m.day = h.day AND m.student_id = h.student_id
                  AND m.source_id = h.source_id))
        """),
        {"code": code, "school": school, "start": start, "until": until},
    ).one()
    return int(found[0]), int(found[1])
