"""Who stood differently on two days, from where everybody stood: only rows that began or ended between them are read.

Each school is looked at on days of its own: the last counted one up to each day that is asked for; a school that began
later is compared from its first counted day. Both days lie in the school year that begins on `start`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from models.base import db
from models.queries.boards import Counts


@dataclass(frozen=True, slots=True)
class Pair:
    """The two counted days between which a school is compared."""

    before: date
    now: date


# Every school of the district that was counted by the second day; `unit` is empty outside the area.
_DAYS = """
    days AS MATERIALIZED (
        SELECT s.id AS school_id, u.unit, coalesce(a.day, f.day) AS a, b.day AS b
        FROM school s LEFT JOIN unnest(CAST(:schools AS int[]), CAST(:units AS int[])) AS u (id, unit) ON u.id = s.id
        CROSS JOIN LATERAL (SELECT day FROM tier_count WHERE school_id = s.id AND day BETWEEN :start AND :now
                            ORDER BY day DESC LIMIT 1) b
        LEFT JOIN LATERAL (SELECT day FROM tier_count WHERE school_id = s.id AND day BETWEEN :start AND :before
                           ORDER BY day DESC LIMIT 1) a ON true
        LEFT JOIN LATERAL (SELECT day FROM tier_count WHERE school_id = s.id AND day >= :start
                           ORDER BY day LIMIT 1) f ON a.day IS NULL
    )
"""
_UNTIL = "coalesce(s.until, 'infinity'::date)"
_ON_FIRST = f"(s.since <= d.a AND {_UNTIL} >= d.a)"
_ON_SECOND = f"(s.since <= d.b AND {_UNTIL} >= d.b)"
# `moved`: of each student and school of the area, the tier on the first and on the second day where a row covers only
# one of them. Who is on one side only came from or went to somewhere: `away` finds where, among the other schools.
_FLOWS = f"""
    WITH {_DAYS}, gone AS (
        SELECT s.student_id, s.school_id, s.tier FROM days d JOIN standing s ON s.school_id = d.school_id
        WHERE d.unit IS NOT NULL AND {_UNTIL} >= d.a AND {_UNTIL} < d.b AND s.since BETWEEN :start AND d.a
    ), come AS (
        SELECT s.student_id, s.school_id, s.tier FROM days d JOIN standing s ON s.school_id = d.school_id
        WHERE d.unit IS NOT NULL AND s.since > d.a AND s.since <= d.b AND {_UNTIL} >= d.b
    ), moved AS MATERIALIZED (
        SELECT student_id, school_id, g.tier AS was, c.tier AS now FROM gone g FULL JOIN come c
        USING (student_id, school_id)
    ), away AS (
        SELECT s.student_id, s.school_id, max(s.tier) FILTER (WHERE {_ON_FIRST}) AS was,
               max(s.tier) FILTER (WHERE {_ON_SECOND}) AS now
        FROM (SELECT DISTINCT student_id FROM moved WHERE was IS NULL OR now IS NULL) m
        JOIN standing s ON s.student_id = m.student_id AND s.since >= :start
        JOIN days d ON d.school_id = s.school_id AND d.unit IS NULL
        WHERE {_ON_FIRST} OR {_ON_SECOND}
        GROUP BY s.student_id, s.school_id
    ), sided AS MATERIALIZED (
        SELECT student_id, school_id, was, now,
               row_number() OVER (PARTITION BY student_id, now IS NULL ORDER BY school_id) AS n
        FROM (TABLE moved UNION ALL TABLE away) x WHERE (was IS NULL) <> (now IS NULL)
    ), flow AS (
        SELECT school_id AS source, was, school_id AS goal, now FROM moved WHERE was <> now
        UNION ALL
        SELECT l.school_id, l.was, a.school_id, a.now
        FROM (SELECT * FROM sided WHERE now IS NULL) l FULL JOIN (SELECT * FROM sided WHERE was IS NULL) a
        USING (student_id, n)
    )
    SELECT CASE WHEN source IS NOT NULL THEN coalesce(x.unit, -1) END, was,
           CASE WHEN goal IS NOT NULL THEN coalesce(y.unit, -1) END, now, source IS DISTINCT FROM goal, count(*)
    FROM flow LEFT JOIN days x ON x.school_id = source LEFT JOIN days y ON y.school_id = goal
    WHERE x.unit IS NOT NULL OR y.unit IS NOT NULL
    GROUP BY 1, 2, 3, 4, 5
"""


FlowRow = tuple[int | None, int | None, int | None, int | None, bool, int]


def flows(units: Mapping[int, int], start: date, before: date, now: date) -> list[FlowRow]:
    """(unit before, tier before, unit now, tier now, other school, students) of whoever stood differently.

    `units`: school of the area -> its unit. Unit -1: another school of the district; None: not in the district.
    Whoever stood in the same tier of the same school on both days is in no row.
    """
    return [tuple(row) for row in db.session.execute(text(_FLOWS), _asked(units, start, before, now))]


def pairs(units: Mapping[int, int], start: date, before: date, now: date) -> dict[int, Pair]:
    """School of the area -> the two days it is compared between; none that was not counted by the second."""
    found = db.session.execute(
        text(f"WITH {_DAYS} SELECT school_id, a, b FROM days WHERE unit IS NOT NULL"),
        _asked(units, start, before, now),
    )
    return {school: Pair(a, b) for school, a, b in found}


def _asked(units: Mapping[int, int], start: date, before: date, now: date) -> dict[str, object]:
    return {"schools": list(units), "units": list(units.values()), "start": start, "before": before, "now": now}


def counts_at(days: Mapping[int, date]) -> dict[int, Counts]:
    """School -> its counts on a counted day of its own."""
    rows = db.session.execute(
        text("""
            SELECT c.school_id, sum(tier_1), sum(watch), sum(tier_2), sum(tier_3), sum("none"), sum(too_early)
            FROM unnest(CAST(:schools AS int[]), CAST(:days AS date[])) AS w (school_id, day)
            JOIN tier_count c USING (school_id, day) GROUP BY 1
        """),
        {"schools": list(days), "days": list(days.values())},
    )
    return {school: Counts(*counts) for school, *counts in rows}


def counted_span(schools: Sequence[int], start: date, until: date) -> tuple[date, date] | None:
    """The first and the last counted day of any of these schools within the school year; None before the first."""
    row = db.session.execute(
        text("""
            SELECT min(f.day), max(l.day) FROM unnest(CAST(:schools AS int[])) AS s (id)
            CROSS JOIN LATERAL (SELECT day FROM tier_count WHERE school_id = s.id AND day >= :start
                                ORDER BY day LIMIT 1) f
            CROSS JOIN LATERAL (SELECT day FROM tier_count WHERE school_id = s.id AND day BETWEEN :start AND :until
                                ORDER BY day DESC LIMIT 1) l
        """),
        {"schools": list(schools), "start": start, "until": until},
    ).one()
    return (row[0], row[1]) if row[0] else None
