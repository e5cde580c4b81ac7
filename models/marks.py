"""Attendance rows from staging to where they stand: compare with what stands, replace, keep what was replaced.

Every statement works on the staged rows of one batch at the schools `low`..`high` and belongs to the open
transaction. The parameters of all of them: batch, source, low, high, at (the moment that is written).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any, cast

from sqlalchemy import CursorResult, TextClause, text

from models import marks_deleted
from models.attendance import UNREAD
from models.base import db

Here = Mapping[str, Any]

SCHOOL_LOCK = 7304  # with a school's id: one writer of attendance at a time
SAID = "code, fraction, minutes, section_key, reason, last_modified, modified_by, file, line"
MARK = f"school_id, student_id, day, period, source_id, {SAID}, batch_id, recorded_at"
MINE = "batch_id = :batch AND school_id BETWEEN :low AND :high"
_SPOKEN_OF = f"SELECT school_id, day, whole FROM staged_day WHERE {MINE} AND NOT fresh"  # before this delivery

# Tables of this transaction alone: what stands on the school-days (`stands`), who is called present there (`called`),
# what the delivery says of them (`incoming`), and what comes of each row (`fate`).
_TEMPORARY = (
    """
    CREATE TEMP TABLE IF NOT EXISTS stands (
        id bigint, school_id int, day date, student_id int, period text, code text, fraction int, minutes int,
        section_key text, reason text, last_modified timestamptz
    ) ON COMMIT DELETE ROWS
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS called (
        roll bigint, school_id int, day date, student_id int, line int, modified bigint, kept boolean
    ) ON COMMIT DELETE ROWS
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS fate (
        school_id int, day date, student_id int, period text, code text, fraction int, minutes int,
        section_key text, reason text, last_modified timestamptz, modified_by text, file smallint, line int,
        plain boolean, stored bigint, rolled boolean, fate text
    ) ON COMMIT DELETE ROWS
    """,
    """
    CREATE TEMP TABLE IF NOT EXISTS incoming (
        school_id int, day date, student_id int, period text, code text, fraction int, minutes int,
        section_key text, reason text, last_modified timestamptz, modified_by text, file smallint, line int,
        plain boolean
    ) ON COMMIT DELETE ROWS
    """,
    "TRUNCATE stands, called, incoming, fate",
)
_READ_STANDS = text(f"""
    INSERT INTO stands
    SELECT m.id, m.school_id, m.day, m.student_id, m.period, m.code, m.fraction, m.minutes, m.section_key, m.reason,
           m.last_modified
    FROM ({_SPOKEN_OF}) d JOIN mark m USING (school_id, day)
    WHERE m.source_id = :source
""")
# What the delivery says of days spoken of before; plain presence has a row for each student of a roll.
_READ_INCOMING = text(f"""
    INSERT INTO incoming
    SELECT school_id, day, student_id, period, {SAID}, false
    FROM staged_mark JOIN ({_SPOKEN_OF}) d USING (school_id, day) WHERE {MINE}
    UNION ALL
    SELECT s.school_id, s.day, one.student, '', s.code, NULL, NULL, NULL, NULL,
           CASE WHEN one.modified > 0 THEN TIMESTAMPTZ 'epoch' + one.modified * INTERVAL '1 microsecond' END,
           NULL, s.file, one.line, true
    FROM (SELECT s.* FROM staged_roll s JOIN ({_SPOKEN_OF}) d USING (school_id, day) WHERE {MINE} OFFSET 0) s,
         unnest(s.students, s.lines, s.modified) AS one (student, line, modified)
""")
# Everybody where the delivery claims the whole day; else only whom it speaks of.
_READ_CALLED = text(f"""
    INSERT INTO called
    SELECT r.id, r.school_id, r.day, one.student, one.line, one.modified
    FROM ({_SPOKEN_OF}) d JOIN roll r USING (school_id, day),
         unnest(r.students, r.lines, r.modified) AS one (student, line, modified)
    WHERE r.source_id = :source AND r.replaced_by IS NULL
      AND (d.whole OR (r.school_id, r.day, one.student) IN (SELECT school_id, day, student_id FROM incoming))
""")
# `stored` is the mark that a row meets, `rolled` that the student was called present. refreshed: the row says the
# same with a newer last_modified; it takes the place and counts as unchanged.
_FATES = text("""
    WITH rolled AS (
        SELECT school_id, day, student_id,
               TIMESTAMPTZ 'epoch' + max(nullif(modified, 0)) * INTERVAL '1 microsecond' AS last_modified
        FROM called GROUP BY 1, 2, 3
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
    LEFT JOIN stands m USING (school_id, day, student_id, period)
    LEFT JOIN rolled r ON i.period = '' AND r.school_id = i.school_id AND r.day = i.day
        AND r.student_id = i.student_id
""")
_KEEP_ENDED = text(f"""
    INSERT INTO mark_history ({MARK}, ended, ended_by, ended_at)
    SELECT {", ".join(f"m.{name}" for name in MARK.split(", "))},
           CASE f.fate WHEN 'removed' THEN 'removed' ELSE 'superseded' END, :batch, :at
    FROM fate f JOIN mark m ON m.id = f.stored WHERE f.fate IN ('superseded', 'refreshed', 'removed')
""")
_REPLACE = text(f"""
    UPDATE mark m SET {", ".join(f"{name} = f.{name}" for name in SAID.split(", "))},
        batch_id = :batch, recorded_at = :at
    FROM fate f WHERE f.stored = m.id AND f.fate IN ('superseded', 'refreshed')
""")
_TAKE_AWAY = text("DELETE FROM mark m USING fate f WHERE f.stored = m.id AND f.fate = 'removed'")
_ADD = text(f"""
    INSERT INTO mark ({MARK})
    SELECT school_id, student_id, day, period, :source, {SAID}, :batch, :at
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
# On days claimed whole, what stands and is not in the delivery goes: marks, and students on a roll. A student on a
# roll with a mark on top is one row, not two.
_MISSED_MARKS = text(f"""
    INSERT INTO fate (school_id, day, student_id, period, plain, stored, fate)
    SELECT m.school_id, m.day, m.student_id, m.period, false, m.id, 'removed'
    FROM ({_SPOKEN_OF} AND whole) d JOIN stands m USING (school_id, day)
    WHERE NOT EXISTS (SELECT FROM fate f WHERE f.school_id = m.school_id AND f.day = m.day
                      AND f.student_id = m.student_id AND f.period = m.period)
""")
_MISSED_CALLS = text(f"""
    WITH missed AS (
        UPDATE called c SET kept = false
        FROM ({_SPOKEN_OF} AND whole) d
        WHERE c.school_id = d.school_id AND c.day = d.day AND NOT EXISTS (
            SELECT FROM fate f WHERE f.school_id = c.school_id AND f.day = c.day AND f.student_id = c.student_id
              AND f.period = '' AND f.fate <> 'removed')
        RETURNING c.*
    )
    INSERT INTO fate (school_id, day, student_id, period, plain, fate)
    SELECT DISTINCT school_id, day, student_id, '', true, 'removed' FROM missed c
    WHERE NOT EXISTS (SELECT FROM stands m WHERE m.school_id = c.school_id AND m.day = c.day
                      AND m.student_id = c.student_id AND m.period = '')
""")
# A row that could not be read counts as rejected, whatever it replaces.
_COUNT_FATES = text(f"SELECT fate, count(*) FROM fate WHERE code IS DISTINCT FROM '{UNREAD}' GROUP BY fate")
_CLAIMS_A_DAY = text(f"SELECT EXISTS ({_SPOKEN_OF} AND whole)")
# What remains of a shortened roll keeps its own delivery and lines.
_SHORTEN_ROLLS = text("""
    WITH shortened AS (
        SELECT roll AS id, array_agg(student_id ORDER BY student_id) FILTER (WHERE kept IS NULL) AS students,
               array_agg(line ORDER BY student_id) FILTER (WHERE kept IS NULL) AS lines,
               array_agg(modified ORDER BY student_id) FILTER (WHERE kept IS NULL) AS modified
        FROM called GROUP BY roll HAVING count(kept) > 0
    ), ended AS (
        UPDATE roll SET replaced_by = :batch, ended_at = :at FROM shortened s WHERE roll.id = s.id
        RETURNING roll.batch_id, roll.source_id, roll.school_id, roll.day, roll.code, roll.file, s.students, s.lines,
                  CASE WHEN roll.modified IS NOT NULL THEN s.modified END AS modified
    )
    INSERT INTO roll (batch_id, source_id, school_id, day, code, file, students, lines, modified, recorded_at)
    SELECT ended.*, CAST(:at AS timestamptz) FROM ended WHERE students IS NOT NULL
""")
# Rows that were put in a second ago have no statistics, and a guessed plan may compare every row with every other.
# So we say it: few rows that look up many others go one by one through the index; rows of this slice are hashed.
_PLAN = text("""
    SELECT set_config('enable_hashjoin', :hash, true), set_config('enable_mergejoin', :hash, true),
           set_config('enable_nestloop', :loop, true)
""")
_CLAIM = text(f"""
    INSERT INTO submission AS s (school_id, day, batch_id, feed, rows, whole, taken, recorded_at)
    SELECT school_id, day, :batch, :feed, rows, whole, taken, :at FROM staged_day WHERE {MINE}
    ON CONFLICT (school_id, day, batch_id)
        DO UPDATE SET rows = s.rows + excluded.rows, whole = s.whole OR excluded.whole,
            taken = s.taken OR excluded.taken
""")
_FIRST_SOURCE = text("""
    UPDATE school SET source_id = :source
    WHERE source_id IS NULL AND id IN (SELECT school_id FROM staged_day WHERE batch_id = :batch)
      AND id BETWEEN :low AND :high
""")


def lock_schools(space: int, here: Here) -> None:
    """Wait for whoever writes at these schools, one after the other in the order of their ids."""
    do(
        text(f"""
            SELECT count(pg_advisory_xact_lock({int(space)}, school_id))
            FROM (SELECT DISTINCT school_id FROM staged_day WHERE {MINE} ORDER BY school_id) s
        """),
        here,
    )


def merge(here: Here) -> dict[str, int]:
    """On days spoken of before store what differs and end what the delivery replaces or no longer has; by fate."""
    whole = bool(db.session.scalar(_CLAIMS_A_DAY, only(_CLAIMS_A_DAY, here)))
    for statement in _TEMPORARY:
        db.session.execute(text(statement))
    with hashed():
        do(_READ_INCOMING, here)
    with one_by_one():
        do(_READ_STANDS, here)
        do(_READ_CALLED, here)
        marks_deleted.let_stand_what_is_left(here)
        marks_deleted.leave_what_is_known(here)
    with hashed():
        for step in (_FATES, *((_MISSED_MARKS, _MISSED_CALLS) if whole else ())):
            do(step, here)
    with one_by_one():
        for step in (_KEEP_ENDED, _REPLACE, _TAKE_AWAY, _ADD, _ADD_ROLLS):
            do(step, here)
        if whole:
            do(_SHORTEN_ROLLS, here)
        marks_deleted.keep_others(here)
    rows = db.session.execute(_COUNT_FATES)
    return {fate: count for fate, count in rows}


@contextmanager
def one_by_one() -> Iterator[None]:
    """Inside, few rows look up many others through an index."""
    db.session.execute(_PLAN, {"hash": "off", "loop": "on"})
    yield
    db.session.execute(_PLAN, {"hash": "on", "loop": "on"})


@contextmanager
def hashed() -> Iterator[None]:
    """Inside, rows of this transaction are compared with each other all at once."""
    db.session.execute(_PLAN, {"hash": "on", "loop": "off"})
    yield
    db.session.execute(_PLAN, {"hash": "on", "loop": "on"})


def changed_students(schools: Mapping[int, date]) -> dict[int, date]:
    """After `merge`: student -> first day on which something else stands now; see `first_changed_days`."""
    return first_changed_days("SELECT * FROM fate WHERE fate IN ('applied', 'superseded', 'removed')", schools)


def first_changed_days(changed: str, schools: Mapping[int, date]) -> dict[int, date]:
    """Student -> first day, of a query for what changed, with columns school_id, day and student_id.

    Without those days from which on everybody at the school is evaluated anyway.
    """
    rows = db.session.execute(
        text(f"""
            SELECT f.student_id, min(f.day) FROM ({changed}) f
            LEFT JOIN unnest(CAST(:schools AS int[]), CAST(:since AS date[])) AS t (school_id, since)
              ON t.school_id = f.school_id AND t.since <= f.day
            WHERE t.since IS NULL OR NOT EXISTS (
                SELECT FROM stint s WHERE s.student_id = f.student_id AND s.school_id = f.school_id)
            GROUP BY 1
        """),
        {"schools": list(schools), "since": list(schools.values())},
    )
    return {student: day for student, day in rows}


def claim(here: Here) -> None:
    """Write down that these school-days were delivered; a school's first source becomes its own."""
    do(_CLAIM, here)
    do(_FIRST_SOURCE, here)


def drop_staged(batch_id: int) -> None:
    """Empty the staging tables of a batch."""
    for table in ("staged_mark", "staged_other", "staged_roll", "staged_day"):
        db.session.execute(text(f"DELETE FROM {table} WHERE batch_id = :batch"), {"batch": batch_id})


def do(statement: TextClause, here: Here) -> int:
    """Run a statement with those of the parameters that it names; returns the rows it wrote."""
    done = cast(CursorResult[Any], db.session.execute(statement, only(statement, here)))
    return done.rowcount


def only(statement: TextClause, here: Here) -> dict[str, Any]:
    """Those of the parameters that a statement names."""
    return {name: here[name] for name in statement._bindparams}
