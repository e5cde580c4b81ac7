"""What the rows of a delivery name: students, schools, enrolments, calendars and codes, for many keys at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import text

from models.attendance import UNREAD
from models.base import db
from models.bulk import cursor, read_ints

FEW = 20_000  # up to here keys are looked up one by one; past it the whole list is read
OPEN_END = 2_932_896  # 9999-12-31 as days since 1970


def ids_of(table: str, keys: Collection[str]) -> dict[str, int]:
    """Key -> id for those of `keys` that `table` (student or school) has; many more may be in it.

    A student is found by what their system calls them inside as well, where that is one student's alone.
    """
    known = _by_key(table, keys)
    left = [key for key in keys if key not in known] if table == "student" else []
    return known | _by_system_id(left) if left else known


def _by_system_id(names: Sequence[str]) -> dict[str, int]:
    found = db.session.execute(
        text("""
            SELECT system_id, min(id) FROM student WHERE system_id = ANY(:names) AND system_id <> ''
            GROUP BY 1 HAVING count(*) = 1
        """),
        {"names": list(names)},
    )
    return {name: number for name, number in found}


def _by_key(table: str, keys: Collection[str]) -> dict[str, int]:
    wanted = "WHERE key = ANY(%(keys)s)" if len(keys) <= FEW else ""
    query = f"SELECT string_agg(key, E'\\n'), array_agg(id) FROM {table} {wanted}"
    with cursor() as at:
        row = at.execute(query, {"keys": list(keys)} if wanted else None, binary=True).fetchone()
    if row is None or row[0] is None:
        return {}
    known, ids = row
    return dict(zip(known.split("\n"), ids, strict=True))


def stints_at(schools: Sequence[int], start: date, until: date, no_show: Sequence[str]) -> dict[str, np.ndarray]:
    """Stints at these schools that meet start..until, as int32 columns; days since 1970.

    `calendar` is 0 for the school's own calendar, else a place (from 1) in `special_calendars(schools)`.
    Exit codes of stints that never were are left out.
    """
    return read_ints(
        f"""
        WITH special AS ({_SPECIAL})
        SELECT t.student_id, t.school_id, t.entry_date - DATE '1970-01-01',
               coalesce(t.exit_date - DATE '1970-01-01', {OPEN_END}), coalesce(c.place, 0)
        FROM stint t LEFT JOIN special c
          ON t.calendar_key <> '' AND c.school_id = t.school_id AND c.calendar_key = t.calendar_key
        WHERE t.school_id = ANY(%(schools)s) AND t.entry_date <= %(until)s
          AND (t.exit_date IS NULL OR t.exit_date >= %(start)s)
          AND NOT lower(trim(t.exit_code)) = ANY(%(no_show)s)
        """,
        ["student", "school", "entry", "last", "calendar"],
        {"schools": list(schools), "start": start, "until": until, "no_show": list(no_show)},
    )


_SPECIAL = """
    SELECT school_id, calendar_key, row_number() OVER (ORDER BY school_id, calendar_key)::int AS place FROM (
        SELECT DISTINCT school_id, calendar_key FROM stint WHERE calendar_key <> '' AND school_id = ANY(%(schools)s)
    ) own
    WHERE EXISTS (SELECT FROM calendar_day d WHERE d.school_id = own.school_id AND d.calendar_key = own.calendar_key)
"""


def teaching_days(schools: Sequence[int], days: Sequence[date]) -> dict[str, np.ndarray]:
    """Which calendars teach on which of these days: columns school, calendar (as in `stints_at`), day.

    A calendar that no stint follows, other than the school's own, has calendar -1.
    """
    return read_ints(
        f"""
        WITH special AS ({_SPECIAL})
        SELECT d.school_id, CASE WHEN d.calendar_key = '' THEN 0 ELSE coalesce(c.place, -1) END,
               d.day - DATE '1970-01-01'
        FROM calendar_day d LEFT JOIN special c USING (school_id, calendar_key)
        WHERE d.school_id = ANY(%(schools)s) AND d.day = ANY(%(days)s)
          AND d.day_type IN ('instructional', 'make_up')
        """,
        ["school", "calendar", "day"],
        {"schools": list(schools), "days": list(days)},
    )


def without_calendar(schools: Sequence[int]) -> list[tuple[int, str]]:
    """(id, name) of these schools that have no calendar at all yet."""
    rows = db.session.execute(
        text("""
            SELECT s.id, s.name FROM school s WHERE s.id = ANY(:schools)
              AND NOT EXISTS (SELECT FROM calendar_day d WHERE d.school_id = s.id) ORDER BY s.name
        """),
        {"schools": list(schools)},
    )
    return [(row.id, row.name) for row in rows]


def code_meanings(schools: Sequence[int], codes: Sequence[str]) -> list[Any]:
    """Rows of (school_id or None, code, kind, excused, absent_fraction, valid_from, valid_to) for these codes."""
    return list(
        db.session.execute(
            text("""
                SELECT school_id, code, kind, excused, absent_fraction, valid_from, valid_to FROM absence_code
                WHERE code = ANY(:codes) AND (school_id IS NULL OR school_id = ANY(:schools))
            """),
            {"schools": list(schools), "codes": list(codes)},
        )
    )


def all_schools() -> list[int]:
    """Every school, ascending."""
    return list(db.session.scalars(text("SELECT id FROM school ORDER BY id")))


def school_names(schools: Collection[int]) -> dict[int, str]:
    """Id -> name."""
    rows = db.session.execute(text("SELECT id, name FROM school WHERE id = ANY(:ids)"), {"ids": list(schools)})
    return {row.id: row.name for row in rows}


def whom_it_may_be(schools: Sequence[str], days: Sequence[date]) -> list[Any]:
    """Rows of (student, school, day), keys and a date, of whom a row may speak that names its student only inside.

    All who are enrolled on these school-days, whose number inside their system nobody has told, and of whom nothing
    is known that day. A school-day stands in `schools` and `days` at the same place.
    """
    return list(
        db.session.execute(
            text(f"""
                SELECT DISTINCT p.key AS student, s.key AS school, a.day
                FROM unnest(CAST(:schools AS text[]), CAST(:days AS date[])) AS a (school, day)
                JOIN school s ON s.key = a.school
                JOIN stint t ON t.school_id = s.id AND t.entry_date <= a.day AND coalesce(t.exit_date, a.day) >= a.day
                JOIN student p ON p.id = t.student_id AND p.system_id = ''
                WHERE NOT EXISTS (
                    SELECT FROM mark m WHERE m.student_id = p.id AND m.day = a.day AND m.school_id = s.id
                      AND m.code <> '{UNREAD}')
            """),
            {"schools": list(schools), "days": list(days)},
        )
    )


def enrolled_but_for_zeros(
    names: Sequence[str], schools: Sequence[str], days: Sequence[date]
) -> dict[tuple[str, str, date], tuple[str, bool]]:
    """(id as it came, school, day) -> the student enrolled there that day whose id differs by zeros at its front alone,
    and whether nothing is known of their day. The three stand in `names`, `schools` and `days` at one place.
    """
    found = db.session.execute(
        text(f"""
            SELECT DISTINCT ON (a.name, a.school, a.day) a.name, a.school, a.day, p.key AS student, NOT EXISTS (
                SELECT FROM mark m WHERE m.student_id = p.id AND m.day = a.day AND m.school_id = s.id
                  AND m.code <> '{UNREAD}') AS nothing_known
            FROM unnest(CAST(:names AS text[]), CAST(:schools AS text[]), CAST(:days AS date[])) a (name, school, day)
            JOIN student p ON ltrim(p.key, '0') = ltrim(a.name, '0')
            JOIN school s ON s.key = a.school
            JOIN stint t ON t.student_id = p.id AND t.school_id = s.id AND t.entry_date <= a.day
              AND coalesce(t.exit_date, a.day) >= a.day
            ORDER BY a.name, a.school, a.day, p.key
        """),
        {"names": list(names), "schools": list(schools), "days": list(days)},
    )
    return {(row.name, row.school, row.day): (row.student, row.nothing_known) for row in found}
