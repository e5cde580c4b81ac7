"""Deliveries: what they name, what is usual for their source, and what became of them. SELECTs only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db


def same_delivery(batch_id: int) -> int | None:
    """An accepted batch with the very same bytes, feed and source that still has the last word; the earliest.

    It is another delivery where it comes with another answer to how class periods add up, or where whoever sent it may
    speak for schools for which the earlier one's sender may not.

    It has lost that once it was taken back, or another batch of the source was accepted for one of its school-days.
    One that stands still half-way, because the work on it was set aside, must not keep its file out either.
    """
    found: int | None = db.session.scalar(
        text("""
            SELECT o.id FROM batch o JOIN batch b ON b.id = :batch
            WHERE o.sha256 = b.sha256 AND o.kind = b.kind AND o.source_id = b.source_id AND o.feed = b.feed
              AND coalesce(b.options->>'periods', '') IN ('', o.options->>'periods')
              AND (NOT o.options ? 'schools' OR coalesce(o.options->'schools' @> (b.options->'schools'), false))
              AND o.id <> b.id AND o.status IN ('applying', 'applied') AND o.undone_at IS NULL
              AND (o.status = 'applied' OR NOT EXISTS (
                  SELECT FROM outbox w WHERE w.job = 'load_batch' AND w.key = o.id::text
                    AND w.quarantined_at IS NOT NULL))
              AND NOT EXISTS (
                  SELECT FROM submission mine JOIN submission later USING (school_id, day)
                  JOIN batch l ON l.id = later.batch_id AND l.source_id = o.source_id
                  WHERE mine.batch_id = o.id AND mine.ended_at IS NULL AND later.ended_at IS NULL
                    AND (later.recorded_at, later.batch_id) > (mine.recorded_at, mine.batch_id))
            ORDER BY o.id LIMIT 1
        """),
        {"batch": batch_id},
    )
    return found


def accepted_before(batch_id: int, source_id: int) -> bool:
    """Whether the source had an attendance file accepted before this one."""
    return bool(
        db.session.scalar(
            text("""
                SELECT EXISTS (SELECT FROM batch WHERE source_id = :source AND kind = 'attendance'
                               AND status = 'applied' AND id <> :batch)
            """),
            {"source": source_id, "batch": batch_id},
        )
    )


def usual_schools(batch_id: int, source_id: int, files: int) -> list[int]:
    """How many schools were in the source's last accepted files that brought new days, newest first."""
    rows = db.session.scalars(
        text("""
            SELECT (counts->>'schools')::int FROM batch
            WHERE source_id = :source AND kind = 'attendance' AND status = 'applied' AND id <> :batch
              AND coalesce((counts->>'new_days')::int, 0) > 0
            ORDER BY applied_at DESC LIMIT :files
        """),
        {"source": source_id, "batch": batch_id, "files": files},
    )
    return list(rows)


@dataclass(frozen=True, slots=True)
class NewSchoolDays:
    """The school-days that a staged delivery submits for the first time."""

    days: int
    schools: int


NEW_DAYS = """
    SELECT d.* FROM staged_day d LEFT JOIN school_day l
      ON l.school_id = d.school_id AND l.day = d.day AND l.status IN ('submitted', 'partial')
    WHERE d.batch_id = :batch AND d.teaches AND d.taken AND l.day IS NULL
"""


def new_school_days(batch_id: int) -> NewSchoolDays:
    """Counts of new school-days and their schools."""
    counted = text(f"SELECT count(*), count(DISTINCT school_id) FROM ({NEW_DAYS}) new")
    return NewSchoolDays(*map(int, db.session.execute(counted, {"batch": batch_id}).one()))


def claims_days(batch_id: int) -> bool:
    """Whether a staged delivery speaks for any school-day as a whole."""
    claimed = text("SELECT EXISTS (SELECT FROM staged_day WHERE batch_id = :batch AND whole AND teaches)")
    return bool(db.session.scalar(claimed, {"batch": batch_id}))


def thin_schools(batch_id: int, least_percent: int) -> tuple[int, int]:
    """(schools, thin ones) on the days that a full feed would make full; thin: rows for under that share.

    A day that is full already loses nobody by a few more rows: those are corrections.
    """
    row = db.session.execute(
        text("""
            SELECT count(*), count(*) FILTER (WHERE 100 * students < :least * expected) FROM (
                SELECT d.school_id, sum(d.students) AS students, sum(d.expected) AS expected
                FROM staged_day d LEFT JOIN school_day l ON l.school_id = d.school_id AND l.day = d.day
                  AND l.status IN ('submitted', 'partial') AND l.feed = 'full'
                WHERE d.batch_id = :batch AND d.teaches AND l.day IS NULL GROUP BY d.school_id) by_school
        """),
        {"batch": batch_id, "least": least_percent},
    ).one()
    return int(row[0]), int(row[1])


def new_days(batch_id: int) -> list[Any]:
    """Rows of (day, absences, expected, schools) over the schools that submit the day for the first time."""
    return list(
        db.session.execute(
            text(f"""
                SELECT day, sum(absences) AS absences, sum(expected) AS expected, array_agg(school_id) AS schools
                FROM ({NEW_DAYS}) new GROUP BY day ORDER BY day
            """),
            {"batch": batch_id},
        )
    )


def usual_absences(schools: Sequence[int], days: int) -> list[tuple[date, int, int]]:
    """(day, absences, students due) of these schools together on their last submitted days, newest first."""
    rows = db.session.execute(
        text("""
            SELECT day, sum(absences), sum(expected) FROM school_day
            WHERE school_id = ANY(:schools) AND status IN ('submitted', 'partial') AND expected > 0
            GROUP BY day ORDER BY day DESC LIMIT :days
        """),
        {"schools": list(schools), "days": days},
    )
    return [(day, int(absences), int(due)) for day, absences, due in rows]


def claimed_rows(batch_id: int, source_id: int) -> tuple[int, int]:
    """(rows that stand on the school-days claimed whole, how many of them the delivery does not have)."""
    row = db.session.execute(
        text("""
            WITH claimed AS (SELECT school_id, day FROM staged_day WHERE batch_id = :batch AND whole),
            sent AS (
                SELECT school_id, day, student_id, period FROM staged_mark WHERE batch_id = :batch
                UNION ALL
                SELECT school_id, day, unnest(students), '' FROM staged_roll WHERE batch_id = :batch
            ), stored AS (
                SELECT school_id, day, student_id, period FROM mark JOIN claimed USING (school_id, day)
                WHERE source_id = :source
                UNION
                SELECT school_id, day, unnest(students), '' FROM roll JOIN claimed USING (school_id, day)
                WHERE source_id = :source AND replaced_by IS NULL
            )
            SELECT count(*), count(*) FILTER (WHERE sent.student_id IS NULL)
            FROM stored LEFT JOIN sent USING (school_id, day, student_id, period)
        """),
        {"batch": batch_id, "source": source_id},
    ).one()
    return int(row[0]), int(row[1])


def slice_totals(batch_id: int) -> dict[str, int]:
    """Counts of all finished slices of a batch, added up."""
    rows = db.session.execute(
        text("""
            SELECT c.key, sum(c.value::int) FROM batch_slice s, jsonb_each_text(s.counts) c
            WHERE s.batch_id = :batch GROUP BY c.key
        """),
        {"batch": batch_id},
    )
    return {key: int(total) for key, total in rows}


def staged_rows(batch_id: int) -> int:
    """How many rows of the batch wait in the staging tables; a crash of the server empties them."""
    found = db.session.scalar(
        text("""
            SELECT (SELECT count(*) FROM staged_mark WHERE batch_id = :batch)
                 + (SELECT count(*) FROM staged_roll WHERE batch_id = :batch)
                 + (SELECT count(*) FROM staged_day WHERE batch_id = :batch)
        """),
        {"batch": batch_id},
    )
    return int(found or 0)


def staged_schools(batch_id: int) -> list[int]:
    """The schools a staged delivery speaks of, ascending."""
    rows = db.session.scalars(
        text("SELECT DISTINCT school_id FROM staged_day WHERE batch_id = :batch ORDER BY 1"), {"batch": batch_id}
    )
    return list(rows)


def spoken_of(batch_id: int) -> list[tuple[int, date]]:
    """The school-days for which a batch counts, ascending."""
    rows = db.session.execute(
        text("""
            SELECT school_id, day FROM submission WHERE batch_id = :batch AND ended_at IS NULL
            ORDER BY school_id, day
        """),
        {"batch": batch_id},
    )
    return [(row.school_id, row.day) for row in rows]


def met_since(batch_id: int) -> bool:
    """Whether the source delivered or took back anything about a school-day of this batch since it was stored."""
    return bool(
        db.session.scalar(
            text("""
                SELECT EXISTS (
                    SELECT FROM submission mine JOIN submission o USING (school_id, day)
                    JOIN batch m ON m.id = mine.batch_id JOIN batch b ON b.id = o.batch_id
                    WHERE mine.batch_id = :batch AND mine.ended_at IS NULL AND o.batch_id <> :batch
                      AND b.source_id = m.source_id AND greatest(o.recorded_at, o.ended_at) >= mine.recorded_at)
            """),
            {"batch": batch_id},
        )
    )


def waiting_for_roster() -> list[int]:
    """Accepted batches with rows that failed only because a student or school was unknown, oldest first."""
    rows = db.session.scalars(
        text("""
            SELECT b.id FROM batch b WHERE b.kind = 'attendance' AND b.status = 'applied' AND EXISTS (
                SELECT FROM problem p WHERE p.batch_id = b.id AND p.cause <> '' AND p.settled_at IS NULL)
            ORDER BY b.applied_at, b.id
        """)
    )
    return list(rows)


def waiting_rows(batch_id: int) -> list[Any]:
    """Rows of (file, line) of one batch that wait for a student or school to become known."""
    return list(
        db.session.execute(
            text("""
                SELECT DISTINCT file, line FROM problem
                WHERE batch_id = :batch AND cause <> '' AND settled_at IS NULL
            """),
            {"batch": batch_id},
        )
    )


def problems_of(batch_id: int, limit: int) -> list[Any]:
    """What is wrong with rows of a batch and still stands: rejected rows first, then by file and line."""
    return list(
        db.session.execute(
            text("""
                SELECT file, line, reason, "column", value, rejected FROM problem
                WHERE batch_id = :batch AND settled_at IS NULL
                ORDER BY rejected DESC, file, line, id LIMIT :limit
            """),
            {"batch": batch_id, "limit": limit},
        )
    )


def newest(limit: int) -> list[int]:
    """The newest batches, newest first."""
    return list(db.session.scalars(text("SELECT id FROM batch ORDER BY id DESC LIMIT :limit"), {"limit": limit}))


def turned_away(batch_id: int) -> list[Any]:
    """Rows of (file, line) that did not go in."""
    return list(
        db.session.execute(
            text("SELECT file, line FROM problem WHERE batch_id = :batch AND rejected AND settled_at IS NULL"),
            {"batch": batch_id},
        )
    )


def all_problems(batch_id: int) -> list[Any]:
    """Every problem of a batch with all its columns but the id."""
    return list(
        db.session.execute(
            text("""
                SELECT batch_id, file, line, reason, "column", value, rejected, cause FROM problem
                WHERE batch_id = :batch ORDER BY id
            """),
            {"batch": batch_id},
        )
    )
