"""What the roster says, and what a roster delivery has changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db
from models.queries import coded


def _changed(table: str) -> str:
    """The history rows that the batch left for one table, as `h`."""
    return f"(SELECT * FROM row_history WHERE batch_id = :batch AND table_name = '{table}') h"


# A row that is gone again is known by its earlier form.
_STINTS = f"""
    SELECT coalesce((h.before->>'student_id')::int, t.student_id) AS student_id,
           coalesce((h.before->>'school_id')::int, t.school_id) AS school_id,
           coalesce((h.before->>'entry_date')::date, t.entry_date) AS since
    FROM {_changed("stint")} LEFT JOIN stint t ON t.id = (h.row_key->>'id')::int
"""
_CALENDARS = f"""
    SELECT (h.row_key->>'school_id')::int AS school_id, min((h.row_key->>'day')::date) AS since
    FROM {_changed("calendar_day")} GROUP BY 1
"""
_MINUTES = f"""
    SELECT t.id AS school_id, coalesce((SELECT min(day) FROM calendar_day c WHERE c.school_id = t.id), :year) AS since
    FROM {_changed("school")} JOIN school t ON t.id = (h.row_key->>'id')::int
    WHERE (h.before->>'day_minutes', h.before->>'min_full_minutes', h.before->>'min_half_minutes')
        IS DISTINCT FROM (t.day_minutes::text, t.min_full_minutes::text, t.min_half_minutes::text)
"""
_PERIODS = f"""
    SELECT t.id AS school_id, coalesce((SELECT min(day) FROM calendar_day c WHERE c.school_id = t.id), :year) AS since
    FROM school t
    WHERE t.id IN (SELECT (h.row_key->>'school_id')::int FROM {_changed("class_period")})
"""
_GRADES = f"""
    SELECT s.student_id, s.entry_date AS since
    FROM {_changed("student")} JOIN student t ON t.id = (h.row_key->>'id')::int
    JOIN stint s ON s.student_id = t.id
    WHERE (h.before->>'grade', h.before->>'birth_date') IS DISTINCT FROM (t.grade, t.birth_date::text)
"""
# The codes whose meaning the batch changed; for which school, or none where for the whole district.
CHANGED_CODES = f"""
    SELECT DISTINCT coalesce(h.before->>'code', t.code) AS code,
           coalesce((h.before->>'school_id')::int, t.school_id) AS school_id
    FROM {_changed("absence_code")} LEFT JOIN absence_code t ON t.id = (h.row_key->>'id')::int
"""
_CODES = coded.having(CHANGED_CODES)
_THIS_YEAR = "SELECT (h.row_key->>'student_id')::int AS student_id, :year AS since FROM {changed}"

# Changed table -> who has to be measured again, and since which day.
_SCHOOLS_BY_TABLE: Mapping[str, str] = {
    "calendar_day": _CALENDARS,
    "school": _MINUTES,
    "class_period": _PERIODS,
}
_STUDENTS_BY_TABLE: Mapping[str, str] = {
    "stint": f"SELECT student_id, since FROM ({_STINTS}) c",
    "student": _GRADES,
    "absence_code": f"SELECT student_id, day AS since FROM ({_CODES}) c",
    "support_flag": _THIS_YEAR.format(changed=_changed("support_flag")),
    "prior_year": _THIS_YEAR.format(changed=_changed("prior_year")),
}


def students_to_measure(batch: int, tables: Collection[str], year: date) -> dict[int, date]:
    """Student -> first day on which the batch's changes to these tables may matter. `year`: July 1.

    Who was never measured is not among them: such students are found by themselves (`models.touched`). A student who
    is gone is: what was decided has still to be forgotten.
    """
    asked = """
        SELECT b.student_id, min(c.since) FROM ({changes}) c LEFT JOIN student s ON s.id = c.student_id
        JOIN block_student b ON b.student_id = coalesce(s.same_as, c.student_id) GROUP BY 1 ORDER BY 1
    """
    return _first_days(asked, _STUDENTS_BY_TABLE, batch, tables, year)


def schools_to_measure(batch: int, tables: Collection[str], year: date) -> dict[int, date]:
    """School -> first day since which all its students may read differently, for the tables that concern schools."""
    asked = "SELECT c.school_id, min(c.since) FROM ({changes}) c GROUP BY 1 ORDER BY 1"
    return _first_days(asked, _SCHOOLS_BY_TABLE, batch, tables, year)


def _first_days(
    asked: str, changes: Mapping[str, str], batch: int, tables: Collection[str], year: date
) -> dict[int, date]:
    """Id -> day, from what `asked` makes of all `changes` to these tables."""
    parts = [f"({changes[table]})" for table in tables if table in changes]
    if not parts:
        return {}
    query = asked.format(changes=" UNION ALL ".join(parts)).replace(":year", "CAST(:year AS date)")
    rows = db.session.execute(text(query), {"batch": batch, "year": year} if ":year" in query else {"batch": batch})
    return {number: since for number, since in rows}


def schools_to_rebuild(batch: int) -> dict[int, date]:
    """School -> first day whose ledger may read differently after the batch: its calendar or stints changed."""
    rows = db.session.execute(
        text(f"""
            SELECT school_id, min(since) FROM (
                SELECT school_id, since FROM ({_STINTS}) s UNION ALL SELECT school_id, since FROM ({_CALENDARS}) c
            ) c JOIN school ON school.id = c.school_id GROUP BY 1 ORDER BY 1
        """),
        {"batch": batch},
    )
    return {school: since for school, since in rows}


def alike_but_for_zeros(table: str, keys: Collection[str]) -> dict[str, str]:
    """Key without its leading zeros -> a stored key of `table` (student or school) that reads the same then."""
    rows = db.session.execute(
        text(f"SELECT ltrim(key, '0'), min(key) FROM {table} WHERE ltrim(key, '0') = ANY(:bare) GROUP BY 1"),
        {"bare": sorted({key.lstrip("0") for key in keys})},
    )
    return {bare: key for bare, key in rows}


def enrolled_on(day: date, schools: Collection[int]) -> int:
    """How many students are enrolled at these schools on a day."""
    count: Any = db.session.scalar(
        text("""
            SELECT count(DISTINCT student_id) FROM stint
            WHERE school_id = ANY(:schools) AND entry_date <= :day AND (exit_date IS NULL OR exit_date >= :day)
        """),
        {"schools": list(schools), "day": day},
    )
    return int(count)


def twice_at_a_school() -> list[str]:
    """The ids of incoming students with two enrolments at one school that share more than a boundary day, in order."""
    found = text("""
        SELECT DISTINCT i.student_id FROM incoming i JOIN stint t ON t.student_id = i.student_pk
          AND t.school_id = i.school_pk AND t.entry_date = i.entry_date
        JOIN stint o ON o.student_id = t.student_id AND o.school_id = t.school_id AND o.id <> t.id
          AND t.entry_date < coalesce(o.exit_date, 'infinity') AND o.entry_date < coalesce(t.exit_date, 'infinity')
        WHERE t.entry_date <= coalesce(t.exit_date, 'infinity') AND o.entry_date <= coalesce(o.exit_date, 'infinity')
        ORDER BY 1
    """)
    return list(db.session.scalars(found))
