"""Rows that went in late, after their student became known: a later delivery may have said that they are not so.

Parameters as in `models.marks`.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import text

from models.attendance import UNREAD
from models.base import db
from models.marks import MARK, MINE, Here, do, only

# The first of the source's later deliveries that spoke for the whole school-day. It had no row of the student, or
# one that waits as well and goes in after this.
_CLAIMED_LATER = """
    SELECT DISTINCT ON (s.school_id, s.day) s.school_id, s.day, s.batch_id AS claimed_by
    FROM submission s JOIN batch b ON b.id = s.batch_id JOIN batch mine ON mine.id = :batch
    WHERE s.school_id BETWEEN :low AND :high AND s.whole AND s.ended_at IS NULL AND b.source_id = :source
      AND (b.applied_at, b.id) > (mine.applied_at, mine.id)
    ORDER BY s.school_id, s.day, b.applied_at, b.id
"""
# Of what the rows about to be stored meet: rows that went in late as well and came before them, and were taken away
# in the same moment by a delivery that is not before these.
_COME_BACK = text(f"""
    WITH said AS (
        SELECT school_id, day, student_id, period FROM staged_mark WHERE {MINE}
        UNION SELECT school_id, day, unnest(students), '' FROM staged_roll WHERE {MINE}
    ), back AS (
        DELETE FROM mark_history h USING said s, batch mine, batch theirs, batch claimer
        WHERE mine.id = :batch AND theirs.id = h.batch_id AND claimer.id = h.ended_by AND h.source_id = :source
          AND (h.school_id, h.day, h.student_id, h.period) = (s.school_id, s.day, s.student_id, s.period)
          AND h.ended = 'removed' AND h.recorded_at = h.ended_at
          AND (theirs.applied_at, theirs.id) < (mine.applied_at, mine.id)
          AND (claimer.applied_at, claimer.id) >= (mine.applied_at, mine.id)
        RETURNING h.*
    )
    INSERT INTO mark ({MARK}) SELECT {MARK.replace("recorded_at", "CAST(:at AS timestamptz)")} FROM back
    ON CONFLICT DO NOTHING
""")
_END_MARKS = text(f"""
    WITH claimed AS ({_CLAIMED_LATER}), gone AS (
        DELETE FROM mark m USING claimed c
        WHERE m.source_id = :source AND m.recorded_at = :at AND m.school_id = c.school_id AND m.day = c.day
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


_MAY_BE = f"m.batch_id = :batch AND m.code = '{UNREAD}' AND m.reason IS NOT NULL"
# Not where an id that came differs from the student's own by zeros at the front alone.
_ANYBODY = "ltrim(p.key, '0') <> ltrim(m.reason, '0')"
_LOCK_OPEN = text(f"""
    SELECT count(pg_advisory_xact_lock(:space, school_id))
    FROM (
        SELECT school_id FROM mark m WHERE {_MAY_BE}
        UNION SELECT school_id FROM staged_day WHERE batch_id = :batch ORDER BY school_id) s
""")
_CLOSE_DAYS = text(f"""
    WITH closed AS (
        DELETE FROM mark m USING student p
        WHERE {_MAY_BE} AND p.id = m.student_id AND (p.system_id <> '' AND {_ANYBODY} OR NOT EXISTS (
            SELECT FROM problem w WHERE w.batch_id = :batch AND w.value = m.reason AND w.cause <> ''
              AND w.settled_at IS NULL))
        RETURNING m.*
    ), kept AS (
        INSERT INTO mark_history ({MARK}, ended, ended_by, ended_at) SELECT {MARK}, 'removed', :batch, :at FROM closed
    )
    SELECT school_id, day, student_id FROM closed
""")


def lock_open(space: int, here: Here) -> None:
    """Wait for whoever writes at the schools of the staged rows and of the days that are open for a student number."""
    db.session.execute(_LOCK_OPEN, {"space": space, "batch": here["batch"]})


def close_days(here: Here) -> list[tuple[int, date, int]]:
    """End the marks that held a day open for a student number, where the number, or the student's own, is known now.

    Returns (school, day, student) of each.
    """
    return [tuple(row) for row in db.session.execute(_CLOSE_DAYS, only(_CLOSE_DAYS, here))]


def bring_back_what_is_met(here: Here) -> None:
    """Before rows that waited are stored: let stand again what they meet, for the newer of both to stand."""
    do(_COME_BACK, here)


def end_what_was_claimed_since(here: Here) -> None:
    """End those of the rows just stored that a later delivery, speaking for their whole school-day, took away."""
    do(_END_MARKS, here)
    do(_END_ROLLS, here)
