"""Rows that went in late, after their student became known: a later delivery may have said that they are not so.

Parameters as in `models.marks`.
"""

from __future__ import annotations

from sqlalchemy import text

from models.marks import MARK, Here, do

# The first of the source's later deliveries that spoke for the whole school-day. It had no row of the student, or
# one that waits as well and goes in after this.
_CLAIMED_LATER = """
    SELECT DISTINCT ON (s.school_id, s.day) s.school_id, s.day, s.batch_id AS claimed_by
    FROM submission s JOIN batch b ON b.id = s.batch_id JOIN batch mine ON mine.id = :batch
    WHERE s.school_id BETWEEN :low AND :high AND s.whole AND s.ended_at IS NULL AND b.source_id = :source
      AND (b.applied_at, b.id) > (mine.applied_at, mine.id)
    ORDER BY s.school_id, s.day, b.applied_at, b.id
"""
_END_MARKS = text(f"""
    WITH claimed AS ({_CLAIMED_LATER}), gone AS (
        DELETE FROM mark m USING claimed c
        WHERE m.batch_id = :batch AND m.recorded_at = :at AND m.school_id = c.school_id AND m.day = c.day
        RETURNING m.*, c.claimed_by
    )
    INSERT INTO mark_history ({MARK}, ended, ended_by, ended_at) SELECT {MARK}, 'removed', claimed_by, :at FROM gone
""")
_END_ROLLS = text(f"""
    WITH claimed AS ({_CLAIMED_LATER})
    UPDATE roll r SET replaced_by = c.claimed_by, ended_at = :at FROM claimed c
    WHERE r.batch_id = :batch AND r.recorded_at = :at AND r.school_id = c.school_id AND r.day = c.day
      AND r.replaced_by IS NULL
""")


def end_what_was_claimed_since(here: Here) -> None:
    """End those of the rows just stored that a later delivery, speaking for their whole school-day, took away."""
    do(_END_MARKS, here)
    do(_END_ROLLS, here)
