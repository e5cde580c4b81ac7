"""Class periods: the timetables, what people said of sources, and the days that neither of them explains."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import text

from models.base import db

_MEANS = """EXISTS (SELECT FROM absence_code c WHERE c.code = {row}.code
    AND (c.school_id IS NULL OR c.school_id = {row}.school_id) AND c.kind IN ({kinds}))"""
_ABSENT = _MEANS.format(row="m", kinds="'absence', 'suspension_out'")
_PRESENT = _MEANS.format(row="o", kinds="'present'")
_PART_OF_A_DAY = _MEANS.format(row="w", kinds="'present', 'tardy', 'early_leave'")
_SAME_DAY = "{row}.student_id = m.student_id AND {row}.school_id = m.school_id AND {row}.day = m.day"

# Rows `m` of {table} that miss a period of unknown length, where neither the other periods nor the whole day are told.
# The other rows of the day are looked for in {table} too; {also} holds for all of them. :said: the sources of which
# somebody has told.
UNCLEAR = f"""
    m.period <> '' AND coalesce(m.minutes, 999) = 999 AND m.fraction IS DISTINCT FROM 0 AND {_ABSENT}
    AND NOT EXISTS (
        SELECT FROM class_period t WHERE t.school_id = m.school_id AND t.period = m.period
          AND t.grade IN ('', (SELECT grade FROM student WHERE id = m.student_id)))
    AND NOT EXISTS (
        SELECT FROM {{table}} o WHERE {_SAME_DAY.format(row="o")} AND o.period <> '' AND {{also}} AND {_PRESENT})
    AND NOT EXISTS (
        SELECT FROM {{table}} w WHERE {_SAME_DAY.format(row="w")} AND w.period = '' AND w.code <> '' AND {{also}}
          AND (w.fraction IS NOT NULL OR w.minutes IS NOT NULL OR NOT {_PART_OF_A_DAY}))
"""
STORED = f"""
    {UNCLEAR.format(table="mark", also="true")}
    AND m.source_id <> ALL(:said)
    AND NOT EXISTS (
        SELECT FROM school_day d WHERE d.school_id = m.school_id AND d.day = m.day AND d.feed = 'full')
"""


def unclear_days(batch: int) -> int:
    """How many days of students in a staged delivery are told by missed periods alone, which nobody can add up."""
    staged = UNCLEAR.format(table="staged_mark", also="batch_id = :batch")
    found = db.session.scalar(
        text(f"""
            SELECT count(DISTINCT (m.student_id, m.school_id, m.day)) FROM staged_mark m
            WHERE m.batch_id = :batch AND {staged}
        """),
        {"batch": batch},
    )
    return int(found or 0)


def staged(batch: int) -> tuple[int, int]:
    """How many rows of a staged delivery are about a class period, and the most periods of one student and day."""
    found = db.session.execute(
        text("""
            SELECT coalesce(sum(d.periods), 0), coalesce(max(d.periods), 0) FROM (
                SELECT count(*) AS periods FROM staged_mark WHERE batch_id = :batch AND period <> ''
                GROUP BY student_id, school_id, day
            ) d
        """),
        {"batch": batch},
    ).one()
    return int(found[0]), int(found[1])


def said_before(source: int, besides: int) -> str | None:
    """How class periods add up, by the last delivery of a source that says so and stands, `besides` left aside."""
    said: str | None = db.session.scalar(
        text("""
            SELECT b.options->>'periods' FROM batch b
            WHERE b.source_id = :source AND b.id <> :besides AND b.options ? 'periods'
              AND EXISTS (SELECT FROM submission c WHERE c.batch_id = b.id AND c.ended_at IS NULL)
            ORDER BY b.id DESC LIMIT 1
        """),
        {"source": source, "besides": besides},
    )
    return said


def first_periods(source: int) -> dict[int, date]:
    """School -> the first day on which a row of this source is about a class period."""
    found = db.session.execute(
        text("SELECT school_id, min(day) FROM mark WHERE source_id = :source AND period <> '' GROUP BY 1 ORDER BY 1"),
        {"source": source},
    )
    return {school: day for school, day in found}


def timetable(schools: Sequence[int]) -> list[tuple[int, str, str, int]]:
    """(school, grade, period, minutes) of every period on a timetable; 0 minutes for one that does not count."""
    found = db.session.execute(
        text("""
            SELECT school_id, grade, period, CASE WHEN counts THEN minutes ELSE 0 END FROM class_period
            WHERE school_id = ANY(:schools) ORDER BY 1, 2, 3
        """),
        {"schools": list(schools)},
    )
    return [(school, grade, period, minutes) for school, grade, period, minutes in found]


def said_of_periods() -> dict[int, str]:
    """Source -> how its class periods add up (minutes of one, or `rows`), by its last delivery that says so."""
    found = db.session.execute(
        text("""
            SELECT DISTINCT ON (b.source_id) b.source_id, b.options->>'periods' FROM batch b
            WHERE b.options ? 'periods'
              AND EXISTS (SELECT FROM submission c WHERE c.batch_id = b.id AND c.ended_at IS NULL)
            ORDER BY b.source_id, b.id DESC
        """)
    )
    return {source: said for source, said in found}
