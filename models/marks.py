"""Attendance rows from staging to where they stand: compare with what stands, replace, keep what was replaced.

Every statement works on the staged rows of one batch at the schools `low`..`high` and belongs to the open
transaction. The parameters of all of them: batch, source, low, high, at (the moment that is written).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import TextClause, text

from models.base import db

Here = Mapping[str, Any]

_SAID = "code, fraction, minutes, section_key, reason, last_modified, modified_by, file, line"
_MARK = f"school_id, student_id, day, period, source_id, {_SAID}, batch_id, recorded_at"
_MINE = "batch_id = :batch AND school_id BETWEEN :low AND :high"

# What each incoming row does. `stored` is the mark it meets, `rolled` that the student was called present.
# refreshed: says the same with a newer last_modified; it takes the place and counts as unchanged.
_FATES = text(f"""
    WITH incoming AS (
        SELECT school_id, day, student_id, period, {_SAID}, false AS plain
        FROM staged_mark WHERE {_MINE}
        UNION ALL
        SELECT s.school_id, s.day, one.student, '', s.code, NULL, NULL, NULL, NULL,
               CASE WHEN one.modified > 0 THEN TIMESTAMPTZ 'epoch' + one.modified * INTERVAL '1 microsecond' END,
               NULL, s.file, one.line, true
        FROM staged_roll s, unnest(s.students, s.lines, s.modified) AS one (student, line, modified) WHERE {_MINE}
    ), rolled AS (
        SELECT r.school_id, r.day, one.student AS student_id,
               TIMESTAMPTZ 'epoch' + max(nullif(one.modified, 0)) * INTERVAL '1 microsecond' AS last_modified
        FROM (SELECT school_id, day FROM staged_day WHERE {_MINE}) d
        JOIN roll r USING (school_id, day), unnest(r.students, r.modified) AS one (student, modified)
        WHERE r.source_id = :source AND r.replaced_by IS NULL GROUP BY 1, 2, 3
    )
    INSERT INTO fate
    SELECT i.*, m.id, r.student_id IS NOT NULL, CASE
        WHEN m.id IS NOT NULL AND (i.code, i.fraction, i.minutes, i.section_key, i.reason)
             IS NOT DISTINCT FROM (m.code, m.fraction, m.minutes, m.section_key, m.reason)
            THEN CASE WHEN i.last_modified > coalesce(m.last_modified, '-infinity') THEN 'refreshed'
                      ELSE 'unchanged' END
        WHEN m.id IS NOT NULL
            THEN CASE WHEN i.last_modified < m.last_modified THEN 'unchanged' ELSE 'superseded' END
        WHEN r.student_id IS NULL THEN 'applied'
        WHEN i.plain
            THEN CASE WHEN i.last_modified > coalesce(r.last_modified, '-infinity') THEN 'refreshed'
                      ELSE 'unchanged' END
        WHEN i.last_modified < r.last_modified THEN 'unchanged'
        ELSE 'superseded' END
    FROM incoming i
    LEFT JOIN mark m ON m.school_id = i.school_id AND m.day = i.day AND m.student_id = i.student_id
        AND m.period = i.period AND m.source_id = :source
    LEFT JOIN rolled r ON i.period = '' AND r.school_id = i.school_id AND r.day = i.day
        AND r.student_id = i.student_id
""")
_FATE_TABLE = """
    CREATE TEMP TABLE IF NOT EXISTS fate (
        school_id int, day date, student_id int, period text, code text, fraction int, minutes int,
        section_key text, reason text, last_modified timestamptz, modified_by text, file smallint, line int,
        plain boolean, stored bigint, rolled boolean, fate text
    ) ON COMMIT DELETE ROWS
"""
_KEEP_REPLACED = text(f"""
    INSERT INTO mark_history ({_MARK}, ended, ended_by, ended_at)
    SELECT {", ".join(f"m.{name}" for name in _MARK.split(", "))}, 'superseded', :batch, :at
    FROM mark m JOIN fate f ON f.stored = m.id WHERE f.fate IN ('superseded', 'refreshed')
""")
_REPLACE = text(f"""
    UPDATE mark m SET {", ".join(f"{name} = f.{name}" for name in _SAID.split(", "))},
        batch_id = :batch, recorded_at = :at
    FROM fate f WHERE f.stored = m.id AND f.fate IN ('superseded', 'refreshed')
""")
_ADD = text(f"""
    INSERT INTO mark ({_MARK})
    SELECT school_id, student_id, day, period, :source, {_SAID}, :batch, :at
    FROM fate WHERE stored IS NULL AND NOT plain AND fate IN ('applied', 'superseded')
    ORDER BY school_id, day, student_id
""")
_ADD_ROLLS = text("""
    INSERT INTO roll (batch_id, source_id, school_id, day, code, file, students, lines, modified, recorded_at)
    SELECT :batch, :source, school_id, day, code, file, array_agg(student_id ORDER BY student_id),
           array_agg(line ORDER BY student_id), CASE WHEN count(last_modified) > 0 THEN
               array_agg(coalesce((extract(epoch FROM last_modified) * 1000000)::bigint, 0) ORDER BY student_id) END,
           :at
    FROM fate WHERE stored IS NULL AND plain AND fate IN ('applied', 'refreshed')
    GROUP BY school_id, day, code, file
""")
# A day claimed whole: who was called present and is not in the delivery is taken off the roll. What remains
# keeps its own delivery and line.
_SHORTEN_ROLLS = text(f"""
    WITH named AS (
        SELECT r.id, r.school_id, r.day, one.*, f.student_id IS NOT NULL AS kept,
               f.student_id IS NULL AND m.id IS NULL AS lost
        FROM (SELECT school_id, day FROM staged_day WHERE {_MINE} AND whole) d
        JOIN roll r USING (school_id, day)
        CROSS JOIN LATERAL unnest(r.students, r.lines, r.modified) AS one (student, line, modified)
        LEFT JOIN fate f ON f.school_id = r.school_id AND f.day = r.day AND f.student_id = one.student
            AND f.period = ''
        LEFT JOIN mark m ON m.school_id = r.school_id AND m.day = r.day AND m.student_id = one.student
            AND m.period = '' AND m.source_id = :source
        WHERE r.source_id = :source AND r.replaced_by IS NULL
    ), shortened AS (
        SELECT id, array_agg(student ORDER BY student) FILTER (WHERE kept) AS students,
               array_agg(line ORDER BY student) FILTER (WHERE kept) AS lines,
               array_agg(modified ORDER BY student) FILTER (WHERE kept) AS modified
        FROM named GROUP BY id HAVING NOT bool_and(kept)
    ), ended AS (
        UPDATE roll SET replaced_by = :batch, ended_at = :at FROM shortened s WHERE roll.id = s.id
        RETURNING roll.batch_id, roll.source_id, roll.school_id, roll.day, roll.code, roll.file, s.students, s.lines,
                  CASE WHEN roll.modified IS NOT NULL THEN s.modified END AS modified
    ), again AS (
        INSERT INTO roll (batch_id, source_id, school_id, day, code, file, students, lines, modified, recorded_at)
        SELECT ended.*, :at FROM ended WHERE students IS NOT NULL
    )
    INSERT INTO fate (school_id, day, student_id, period, plain, fate)
    SELECT DISTINCT school_id, day, student, '', true, 'removed' FROM named WHERE lost
""")
_REMOVE = text(f"""
    WITH gone AS (
        DELETE FROM mark m USING staged_day d
        WHERE d.batch_id = :batch AND d.school_id BETWEEN :low AND :high AND d.whole
          AND m.school_id = d.school_id AND m.day = d.day AND m.source_id = :source
          AND NOT EXISTS (SELECT FROM fate f WHERE f.school_id = m.school_id AND f.day = m.day
                          AND f.student_id = m.student_id AND f.period = m.period)
        RETURNING m.*
    ), kept AS (
        INSERT INTO mark_history ({_MARK}, ended, ended_by, ended_at)
        SELECT {_MARK}, 'removed', :batch, CAST(:at AS timestamptz) FROM gone
    )
    INSERT INTO fate (school_id, day, student_id, period, plain, fate)
    SELECT school_id, day, student_id, period, false, 'removed' FROM gone
""")
_CLAIM = text(f"""
    INSERT INTO submission AS s (school_id, day, batch_id, feed, rows, whole, recorded_at)
    SELECT school_id, day, :batch, :feed, rows, whole, :at FROM staged_day WHERE {_MINE}
    ON CONFLICT (school_id, day, batch_id)
        DO UPDATE SET rows = s.rows + excluded.rows, whole = s.whole OR excluded.whole
""")
_FIRST_SOURCE = text("""
    UPDATE school SET source_id = :source
    WHERE source_id IS NULL AND id IN (SELECT school_id FROM staged_day WHERE batch_id = :batch)
      AND id BETWEEN :low AND :high
""")
_TOUCHES_SOMETHING = text(f"""
    SELECT EXISTS (
        SELECT FROM (SELECT school_id, day FROM staged_day WHERE {_MINE}) d
        WHERE EXISTS (SELECT FROM submission s WHERE s.school_id = d.school_id AND s.day = d.day)
           OR EXISTS (SELECT FROM mark m WHERE m.school_id = d.school_id AND m.day = d.day)
           OR EXISTS (SELECT FROM roll r WHERE r.school_id = d.school_id AND r.day = d.day)
    )
""")
_ADD_ALL = text(f"""
    INSERT INTO mark ({_MARK})
    SELECT school_id, student_id, day, period, :source, {_SAID}, :batch, :at
    FROM staged_mark WHERE {_MINE} ORDER BY school_id, day, student_id
""")
_ADD_ALL_ROLLS = text(f"""
    INSERT INTO roll (batch_id, source_id, school_id, day, code, file, students, lines, modified, recorded_at)
    SELECT :batch, :source, school_id, day, code, file, students, lines, modified, :at
    FROM staged_roll WHERE {_MINE} ORDER BY school_id, day
""")
_ROLL_ROWS = text(f"SELECT coalesce(sum(cardinality(students)), 0) FROM staged_roll WHERE {_MINE}")


def lock_schools(space: int, here: Here) -> None:
    """Wait for whoever writes at these schools, one after the other in the order of their ids."""
    _do(
        text(f"""
            SELECT count(pg_advisory_xact_lock({int(space)}, school_id))
            FROM (SELECT DISTINCT school_id FROM staged_day WHERE {_MINE} ORDER BY school_id) s
        """),
        here,
    )


def all_new(here: Here) -> bool:
    """Whether nothing stands yet on any school-day that the staged rows speak of."""
    return not db.session.scalar(_TOUCHES_SOMETHING, _only(_TOUCHES_SOMETHING, here))


def add_all(here: Here) -> int:
    """Store every staged row, where `all_new`; returns how many rows."""
    added = _do(_ADD_ALL, here)
    if _do(_ADD_ALL_ROLLS, here):
        added += int(db.session.scalar(_ROLL_ROWS, _only(_ROLL_ROWS, here)))
    return added


def merge(here: Here) -> dict[str, int]:
    """Store what differs and end what the delivery replaces or no longer has; counts by fate."""
    db.session.execute(text(_FATE_TABLE))
    db.session.execute(text("TRUNCATE fate"))
    _do(_FATES, here)
    db.session.execute(text("ANALYZE fate"))
    for statement in (_KEEP_REPLACED, _REPLACE, _ADD, _ADD_ROLLS, _SHORTEN_ROLLS, _REMOVE):
        _do(statement, here)
    rows = db.session.execute(text("SELECT fate, count(*) FROM fate GROUP BY fate"))
    return {fate: count for fate, count in rows}


def changed_students() -> dict[int, Any]:
    """After `merge`: student -> first day on which something else stands now."""
    rows = db.session.execute(
        text("""
            SELECT student_id, min(day) FROM fate WHERE fate IN ('applied', 'superseded', 'removed') GROUP BY 1
        """)
    )
    return {student: day for student, day in rows}


def claim(here: Here) -> None:
    """Write down that these school-days were delivered; a school's first source becomes its own."""
    _do(_CLAIM, here)
    _do(_FIRST_SOURCE, here)


def drop_staged(batch_id: int) -> None:
    """Empty the staging tables of a batch."""
    for table in ("staged_mark", "staged_roll", "staged_day"):
        db.session.execute(text(f"DELETE FROM {table} WHERE batch_id = :batch"), {"batch": batch_id})


def _do(statement: TextClause, here: Here) -> int:
    """Run a statement with those of the parameters that it names; returns the rows it wrote."""
    return db.session.execute(statement, _only(statement, here)).rowcount


def _only(statement: TextClause, here: Here) -> dict[str, Any]:
    return {name: here[name] for name in statement._bindparams}


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
    INSERT INTO mark_history ({_MARK}, ended, ended_by, ended_at)
    SELECT {_MARK}, 'undone', :batch, :at FROM stood s
    WHERE NOT EXISTS (SELECT FROM mark m WHERE {_SAME_AS_STOOD})
""")
_END_CLAIMS = text("""
    UPDATE submission SET ended_at = :at
    WHERE batch_id = :batch AND school_id BETWEEN :low AND :high AND ended_at IS NULL
""")


def lock_claimed(space: int, here: Here) -> None:
    """Like `lock_schools`, for the schools of a batch that was accepted."""
    _do(
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
    _do(_TAKE_OUT, here)
    _do(_END_ROLLS, here)


def settle(here: Here, others: list[int]) -> None:
    """After the other batches were laid again: history tells only what is different from what stood."""
    _do(_FORGET_REPLAY, {**here, "others": others})
    _do(_FORGET_PASSING_ROLLS, here)
    _do(_STAYED, here)
    _do(_ENDED_BY_UNDO, here)
    _do(_END_CLAIMS, here)
