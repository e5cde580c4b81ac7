"""What a person said of a code, against a roster that says of it what it had said before: the person's word stands.

It goes when the row of the file changes: then the file says something new.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import text

from ew_app.services.rosters.roster_targets import Write
from models.base import db
from models.upsert import STANDS
from rules.counting import are, many

MEANS: Final = ("kind", "absent_fraction", "excused", "valid_to")  # a new title alone is no new meaning
NAMED: Final = 5  # codes in a remark
_STANDS: Final = """
    SELECT c.code FROM absence_code c CROSS JOIN LATERAL (
        SELECT w.* FROM row_history h CROSS JOIN LATERAL jsonb_populate_record(
            NULL::absence_code, CASE WHEN jsonb_typeof(h.before) = 'object' THEN h.before END) w
        WHERE h.table_name = 'absence_code' AND h.row_key = jsonb_build_object('id', c.id) AND w.batch_id IS NOT NULL
          AND {file_stands} ORDER BY h.id DESC LIMIT 1) said
    WHERE c.batch_id IS NULL AND c.code = r.code AND c.school_id IS NOT DISTINCT FROM r.school_id
      AND c.valid_from IS NOT DISTINCT FROM r.valid_from
      AND ROW({said}) IS NOT DISTINCT FROM ROW({now})
"""


def of_a_file(write: Write, present: frozenset[str]) -> str:
    """The rows of our own absence_codes.csv that say something new, or of which nobody has said otherwise."""
    return f"SELECT r.* FROM ({write.source()}) r WHERE NOT EXISTS ({_standing(write, present)})"


def told(write: Write, present: frozenset[str]) -> list[str]:
    """A remark on codes of the file of which what a person said stands."""
    differs = " OR ".join(f"c.{column} IS DISTINCT FROM r.{column}" for column in MEANS)
    asked: dict[str, Any] = {"undoing": 0}
    found = db.session.scalars(
        text(f"""
            SELECT DISTINCT r.code FROM ({write.source()}) r
            WHERE EXISTS ({_standing(write, present)} AND ({differs})) ORDER BY 1
        """),
        asked,
    ).all()
    if not found:
        return []
    names = ", ".join(code or "(empty)" for code in found[:NAMED]) + (" and others" if len(found) > NAMED else "")
    return [
        f"{many(len(found), 'code')} of the file {are(len(found), 'counts', 'count')} as somebody said here, and not "
        f"as the file says ({names}): its rows are as they were before that. Change the row where the file comes "
        "from, or say it once more under Fix data."
    ]


def _standing(write: Write, present: frozenset[str]) -> str:
    """SQL: the code of the row `r` whose meaning is a person's, and of which the file last said the same as now."""
    silent = write.absent(present)
    heard = [column for column in MEANS if column not in silent]
    now = (f"CASE WHEN '{column}' = ANY(r.unread) THEN said.{column} ELSE r.{column} END" for column in heard)
    said = ", ".join(f"said.{column}" for column in heard)
    return _STANDS.format(file_stands=STANDS.format(row="w"), said=said, now=", ".join(now))
