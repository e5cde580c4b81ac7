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
from models.bulk import ints
from models.queries.boards import COUNTED, LAST, Counts


@dataclass(frozen=True, slots=True)
class Pair:
    """The two counted days between which a school is compared, and its counts on the first."""

    before: date
    now: date
    then: Counts


_PAIRS = f"""
    WITH {LAST}, first AS (
        SELECT f.* FROM last b CROSS JOIN LATERAL (
            SELECT * FROM school_count WHERE school_id = b.school_id AND day >= :start ORDER BY day LIMIT 1) f
        WHERE b.asked = :now AND NOT EXISTS (
            SELECT FROM last a WHERE a.asked = :before AND a.school_id = b.school_id)
    ), before AS (
        SELECT school_id, day, {COUNTED} FROM last WHERE asked = :before
        UNION ALL SELECT school_id, day, {COUNTED} FROM first
    )
    SELECT school_id, a.day, b.day, {", ".join(f"a.{name}" for name in COUNTED.split(", "))}
    FROM before a JOIN last b USING (school_id) WHERE b.asked = :now
"""
_UNTIL = "coalesce(s.until, 'infinity'::date)"
_ON_FIRST = f"(s.since <= d.a AND {_UNTIL} >= d.a)"
_ON_SECOND = f"(s.since <= d.b AND {_UNTIL} >= d.b)"
# `moved`: of each student and school of the area, the tier on the first and on the second day where a row covers only
# one of them. Who is on one side only came from or went to somewhere: `away` finds where, among the other schools,
# of which only those are asked for their days.
_FLOWS = f"""
    WITH days AS MATERIALIZED (
        SELECT * FROM unnest(CAST(:schools AS int[]), CAST(:units AS int[]), CAST(:firsts AS date[]),
                             CAST(:seconds AS date[])) AS d (school_id, unit, a, b)
    ), gone AS (
        SELECT s.student_id, s.school_id, s.tier FROM days d JOIN standing s ON s.school_id = d.school_id
        WHERE {_UNTIL} >= d.a AND {_UNTIL} < d.b AND s.since BETWEEN :start AND d.a
    ), come AS (
        SELECT s.student_id, s.school_id, s.tier FROM days d JOIN standing s ON s.school_id = d.school_id
        WHERE s.since > d.a AND s.since <= d.b AND {_UNTIL} >= d.b
    ), moved AS MATERIALIZED (
        SELECT student_id, school_id, g.tier AS was, c.tier AS now FROM gone g FULL JOIN come c
        USING (student_id, school_id)
    ), elsewhere AS MATERIALIZED (
        SELECT s.student_id, s.school_id, s.tier, s.since, s.until
        FROM (SELECT DISTINCT student_id FROM moved WHERE was IS NULL OR now IS NULL) m
        JOIN standing s ON s.student_id = m.student_id AND s.since >= :start
        WHERE s.school_id <> ALL(:area)
    ), others AS MATERIALIZED (
        SELECT s.school_id, coalesce(a.day, f.day) AS a, b.day AS b
        FROM (SELECT DISTINCT school_id FROM elsewhere) s
        CROSS JOIN LATERAL (SELECT day FROM school_count WHERE school_id = s.school_id AND day BETWEEN :start AND :now
                            ORDER BY day DESC LIMIT 1) b
        LEFT JOIN LATERAL (SELECT day FROM school_count WHERE school_id = s.school_id
                             AND day BETWEEN :start AND :before ORDER BY day DESC LIMIT 1) a ON true
        LEFT JOIN LATERAL (SELECT day FROM school_count WHERE school_id = s.school_id AND day >= :start
                           ORDER BY day LIMIT 1) f ON a.day IS NULL
    ), away AS (
        SELECT s.student_id, s.school_id, max(s.tier) FILTER (WHERE {_ON_FIRST}) AS was,
               max(s.tier) FILTER (WHERE {_ON_SECOND}) AS now
        FROM elsewhere s JOIN others d USING (school_id)
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


def pairs(schools: Sequence[int], start: date, before: date, now: date) -> dict[int, Pair]:
    """School -> the two days it is compared between; none that was not counted by the second."""
    asked = {"schools": ints(schools), "days": sorted({before, now}), "start": start, "before": before, "now": now}
    found = db.session.execute(text(_PAIRS), asked)
    return {school: Pair(a, b, Counts(*counts)) for school, a, b, *counts in found}


def flows(units: Mapping[int, int], days: Mapping[int, Pair], start: date, before: date, now: date) -> list[FlowRow]:
    """(unit before, tier before, unit now, tier now, other school, students) of whoever stood differently.

    `units`: school of the area -> its unit; `days`: as `pairs` told of them. Unit -1: another school of the district;
    None: not in the district. Whoever stood in the same tier of the same school on both days is in no row.
    """
    asked = {
        "schools": ints(days), "units": ints(units[school] for school in days), "area": ints(units), "start": start,
        "firsts": [pair.before for pair in days.values()], "seconds": [pair.now for pair in days.values()],
        "before": before, "now": now,
    }  # fmt: skip
    return [tuple(row) for row in db.session.execute(text(_FLOWS), asked)]


def counted_span(schools: Sequence[int], start: date, until: date) -> tuple[date, date] | None:
    """The first and the last counted day of any of these schools within the school year; None before the first."""
    row = db.session.execute(
        text("""
            SELECT min(day), max(day) FROM school_count
            WHERE school_id = ANY(:schools) AND day BETWEEN :start AND :until
        """),
        {"schools": ints(schools), "start": start, "until": until},
    ).one()
    return (row[0], row[1]) if row[0] else None
