"""Days that no delivery has spoken of yet: everything staged of them is stored as it is, with nothing to compare.

Parameters as in `models.marks`, and `unread`: whether any staged row could not be read.
"""

from __future__ import annotations

from sqlalchemy import text

from models import marks_deleted
from models.attendance import UNREAD
from models.base import db
from models.marks import MARK, MINE, SAID, Here, do, hashed, only

_NEW_DAYS = f"SELECT school_id, day FROM staged_day WHERE {MINE} AND fresh"
_FIND_NEW_DAYS = text(f"""
    UPDATE staged_day d SET fresh = NOT (
        EXISTS (SELECT FROM submission s WHERE s.school_id = d.school_id AND s.day = d.day)
        OR EXISTS (SELECT FROM mark m WHERE m.school_id = d.school_id AND m.day = d.day)
        OR EXISTS (SELECT FROM roll r WHERE r.school_id = d.school_id AND r.day = d.day))
    WHERE {MINE}
""")
_DAYS = text(f"""
    SELECT count(*) FILTER (WHERE fresh), count(*) FILTER (WHERE NOT fresh) FROM staged_day WHERE {MINE}
""")
_ADD_ALL = text(f"""
    INSERT INTO mark ({MARK})
    SELECT school_id, student_id, day, period, :source, {SAID}, :batch, :at
    FROM staged_mark JOIN ({_NEW_DAYS}) d USING (school_id, day) WHERE {MINE} ORDER BY school_id, day, student_id
""")
_ADD_ALL_ROLLS = text(f"""
    INSERT INTO roll (batch_id, source_id, school_id, day, code, file, students, lines, modified, recorded_at)
    SELECT :batch, :source, school_id, day, code, file, students, lines, modified, :at
    FROM staged_roll JOIN ({_NEW_DAYS}) d USING (school_id, day) WHERE {MINE} ORDER BY school_id, day
""")
_ROLL_ROWS = text(f"""
    SELECT coalesce(sum(cardinality(students)), 0) FROM staged_roll JOIN ({_NEW_DAYS}) d USING (school_id, day)
    WHERE {MINE}
""")
_UNREAD_ROWS = text(f"""
    SELECT count(*) FROM staged_mark JOIN ({_NEW_DAYS}) d USING (school_id, day) WHERE {MINE} AND code = '{UNREAD}'
""")


def find_new_days(here: Here) -> tuple[int, int]:
    """How many of the school-days that the staged rows speak of nobody spoke of before, and how many somebody did."""
    do(_FIND_NEW_DAYS, here)
    new, known = db.session.execute(_DAYS, only(_DAYS, here)).one()
    return new, known


def add_all(here: Here) -> int:
    """Store every staged row of the new days; returns how many rows, without those that could not be read."""
    marks_deleted.keep_others(here)
    with hashed():
        added = do(_ADD_ALL, here)
        if here["unread"]:
            added -= int(db.session.scalar(_UNREAD_ROWS, only(_UNREAD_ROWS, here)))
        if do(_ADD_ALL_ROLLS, here):
            added += int(db.session.scalar(_ROLL_ROWS, only(_ROLL_ROWS, here)))
    return added
