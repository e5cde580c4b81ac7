"""A delivery out of the tables again: its days are cleared, laid anew by the others, and only the difference is kept.

Parameters as in `models.marks`; the statements work on the school-days for which the batch counts.
"""

from __future__ import annotations

from sqlalchemy import text

from models.base import db
from models.marks import MARK, Here, do, one_by_one

_SNAPSHOT = """
    CREATE TEMP TABLE IF NOT EXISTS stood (LIKE mark) ON COMMIT DELETE ROWS
"""
_TAKE_OUT = text("""
    WITH out AS (
        DELETE FROM mark m USING submission s
        WHERE s.batch_id = :batch AND s.school_id BETWEEN :low AND :high AND s.ended_at IS NULL
          AND m.school_id = s.school_id AND m.day = s.day AND m.source_id = :source
        RETURNING m.*
    )
    INSERT INTO stood SELECT * FROM out
""")
_END_ROLLS = text("""
    UPDATE roll r SET replaced_by = :batch, ended_at = :at FROM submission s
    WHERE s.batch_id = :batch AND s.school_id BETWEEN :low AND :high AND s.ended_at IS NULL
      AND r.school_id = s.school_id AND r.day = s.day AND r.source_id = :source AND r.replaced_by IS NULL
""")
_FORGET_REPLAY = text("""
    DELETE FROM mark_history h WHERE h.ended_at = :at AND h.ended_by = ANY(:others)
      AND h.school_id BETWEEN :low AND :high
""")
_FORGET_PASSING_ROLLS = text("""
    DELETE FROM roll WHERE recorded_at = :at AND ended_at = :at AND school_id BETWEEN :low AND :high
""")
_SAME_AS_STOOD = """
    m.school_id = s.school_id AND m.day = s.day AND m.student_id = s.student_id AND m.period = s.period
    AND m.source_id = s.source_id AND (m.batch_id, m.file, m.line) = (s.batch_id, s.file, s.line)
"""
_STAYED = text(f"UPDATE mark m SET recorded_at = s.recorded_at FROM stood s WHERE {_SAME_AS_STOOD}")
_ENDED_BY_UNDO = text(f"""
    INSERT INTO mark_history ({MARK}, ended, ended_by, ended_at)
    SELECT {MARK}, 'undone', :batch, :at FROM stood s
    WHERE NOT EXISTS (SELECT FROM mark m WHERE {_SAME_AS_STOOD})
""")
_END_CLAIMS = text("""
    UPDATE submission SET ended_at = :at
    WHERE batch_id = :batch AND school_id BETWEEN :low AND :high AND ended_at IS NULL
""")


def lock_claimed(space: int, here: Here) -> None:
    """Like `lock_schools`, for the schools of a batch that was accepted."""
    do(
        text(f"""
            SELECT count(pg_advisory_xact_lock({int(space)}, school_id)) FROM (
                SELECT DISTINCT school_id FROM submission
                WHERE batch_id = :batch AND school_id BETWEEN :low AND :high ORDER BY school_id) s
        """),
        here,
    )


def take_out(here: Here) -> None:
    """Clear the batch's school-days: marks are remembered in `stood`, rolls end."""
    db.session.execute(text(_SNAPSHOT))
    db.session.execute(text("TRUNCATE stood"))
    with one_by_one():
        do(_TAKE_OUT, here)
        do(_END_ROLLS, here)


def settle(here: Here, others: list[int]) -> None:
    """After the other batches were laid again: history tells only what is different from what stood."""
    with one_by_one():
        do(_FORGET_REPLAY, {**here, "others": others})
        for step in (_FORGET_PASSING_ROLLS, _STAYED, _ENDED_BY_UNDO, _END_CLAIMS):
            do(step, here)
