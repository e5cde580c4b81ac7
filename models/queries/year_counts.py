"""Tier counts over a school year, week by week, and on the same school days of the year before.

Counts of a week are those of each school's last counted day up to the end of it. A school day is known by its number in
the school's own calendar, so that the 60th day of one year stands beside the 60th of another.
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
class Sum:
    """Counts of several schools: how many were counted by then, and how many of those on the week's own days."""

    counts: Counts
    schools: int
    fresh: int


@dataclass(frozen=True, slots=True)
class Then:
    """The same school day of the year before: its number at most schools, and the counts of those counted then."""

    number: int
    counts: Counts
    schools: int


_SUMS = ", ".join(f"sum(c.{name})::int" for name in COUNTED.split(", "))
_TAUGHT = "weight > 0 AND day_type IN ('instructional', 'make_up')"


def by_day(units: Mapping[int, int], days: Sequence[date], start: date) -> dict[tuple[int, date], Sum]:
    """(unit, asked day) -> what its schools had counted by then; `units`: school -> unit. fresh: within the week."""
    rows = db.session.execute(
        text(f"""
            WITH {LAST}
            SELECT u.unit, c.asked, count(*), count(*) FILTER (WHERE c.day > c.asked - 7), {_SUMS}
            FROM last c
            JOIN unnest(CAST(:schools AS int[]), CAST(:units AS int[])) AS u (id, unit) ON u.id = c.school_id
            GROUP BY 1, 2
        """),
        {"schools": ints(units), "units": ints(units.values()), "days": list(days), "start": start},
    )
    return {(unit, day): Sum(Counts(*counts), schools, fresh) for unit, day, schools, fresh, *counts in rows}


def a_year_before(schools: Sequence[int], ends: Sequence[date], start: date, before: date) -> dict[date, Then]:
    """End of a week -> what these schools counted on the same school day of the year that began on `before`."""
    rows = db.session.execute(
        text(f"""
            WITH calendars AS MATERIALIZED (
                SELECT s.id,
                       ARRAY(SELECT DISTINCT day FROM calendar_day WHERE school_id = s.id AND {_TAUGHT}
                               AND day BETWEEN :start AND :last ORDER BY day) AS mine,
                       ARRAY(SELECT DISTINCT day FROM calendar_day WHERE school_id = s.id AND {_TAUGHT}
                               AND day BETWEEN :before AND CAST(:start AS date) - 1 ORDER BY day) AS theirs
                FROM unnest(CAST(:schools AS int[])) AS s (id)
            ), asked AS MATERIALIZED (
                SELECT id, w.day AS ends, number, theirs[number] AS day
                FROM calendars CROSS JOIN unnest(CAST(:ends AS date[])) AS w (day)
                CROSS JOIN LATERAL (SELECT width_bucket(w.day, mine) AS number) n
                WHERE cardinality(mine) > 0 AND cardinality(theirs) > 0
            ), there AS MATERIALIZED (
                SELECT a.id, a.ends, a.number, c.* FROM asked a
                JOIN school_count c ON c.school_id = a.id AND c.day = a.day
            ), last AS (
                TABLE there UNION ALL
                SELECT a.id, a.ends, a.number, c.* FROM asked a CROSS JOIN LATERAL (
                    SELECT * FROM school_count WHERE school_id = a.id AND day BETWEEN :before AND a.day
                    ORDER BY day DESC LIMIT 1) c
                WHERE NOT EXISTS (SELECT FROM there t WHERE t.id = a.id AND t.ends = a.ends)
            )
            SELECT c.ends, mode() WITHIN GROUP (ORDER BY c.number), count(*), {_SUMS} FROM last c GROUP BY 1
        """),
        {"schools": ints(schools), "ends": list(ends), "last": max(ends), "start": start, "before": before},
    )
    return {day: Then(number, Counts(*counts), schools) for day, number, schools, *counts in rows}
