"""When schools teach: the school days of their calendars, and how long a day is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select, text

from models.base import db
from models.bulk import read_columns
from models.org import TEACHES, School

NOT_KNOWN = -(10**6)  # a day that nobody told


def calendar(schools: Sequence[int], start: date, until: date) -> list[Any]:
    """Instructional days: rows of (school_id, calendar_key, day, weight in mils, day_minutes or None)."""
    return list(
        db.session.execute(
            text("""
                SELECT school_id, calendar_key, day, weight, day_minutes FROM calendar_day
                WHERE school_id = ANY(:schools) AND day BETWEEN :start AND :until
                  AND day_type IN ('instructional', 'make_up')
            """),
            {"schools": list(schools), "start": start, "until": until},
        )
    )


def taught(schools: Sequence[int], start: date, until: date) -> dict[str, Any]:
    """The same as columns school, day (since 1970), weight, minutes (-1 for none), and the calendar's key."""
    return read_columns(
        """
        SELECT school_id, day - DATE '1970-01-01', weight, coalesce(day_minutes, -1), calendar_key
        FROM calendar_day
        WHERE school_id = ANY(%(schools)s) AND day BETWEEN %(start)s AND %(until)s
          AND day_type IN ('instructional', 'make_up')
        """,
        ["school", "day", "weight", "minutes"],
        ["calendar"],
        {"schools": list(schools), "start": start, "until": until},
    )


def first_school_days(schools: Sequence[int], start: date, until: date, year: date) -> dict[str, Any]:
    """The first school day before `year` and from then on, of every calendar of these schools; NOT_KNOWN for none.

    Columns school, before, from_then_on, and the calendar's key.
    """
    return read_columns(
        f"""
        SELECT school_id,
               coalesce(min(day) FILTER (WHERE day < %(year)s) - DATE '1970-01-01', {NOT_KNOWN}),
               coalesce(min(day) FILTER (WHERE day >= %(year)s) - DATE '1970-01-01', {NOT_KNOWN}), calendar_key
        FROM calendar_day
        WHERE school_id = ANY(%(schools)s) AND day BETWEEN %(start)s AND %(until)s
          AND day_type IN ('instructional', 'make_up')
        GROUP BY school_id, calendar_key ORDER BY school_id, calendar_key
        """,
        ["school", "before", "from_then_on"],
        ["calendar"],
        {"schools": list(schools), "start": start, "until": until, "year": year},
    )


def minutes(schools: Sequence[int]) -> list[Any]:
    """Rows of (id, day_minutes, min_full_minutes, min_half_minutes)."""
    columns = (School.id, School.day_minutes, School.min_full_minutes, School.min_half_minutes)
    return list(db.session.execute(select(*columns).where(School.id.in_(schools))))


def last_school_days(through: Mapping[int, date]) -> dict[int, date]:
    """School -> its last school day up to the day through which it has sent: as of that day it is counted."""
    found = db.session.execute(
        text(f"""
            SELECT t.school_id, d.day
            FROM unnest(CAST(:schools AS int[]), CAST(:through AS date[])) AS t (school_id, through)
            CROSS JOIN LATERAL (
                SELECT day FROM calendar_day WHERE school_id = t.school_id AND day <= t.through AND {TEACHES}
                ORDER BY day DESC LIMIT 1) d
        """),
        {"schools": list(through), "through": list(through.values())},
    )
    return {school: day for school, day in found}
