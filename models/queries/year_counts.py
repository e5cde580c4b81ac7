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
from models.queries.boards import Counts


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


# The counts of a school's last counted day `d` within a span, as one row `c`.
_LAST = """
    CROSS JOIN LATERAL (SELECT day FROM tier_count WHERE school_id = {school} AND day BETWEEN {since} AND {until}
                        ORDER BY day DESC LIMIT 1) d
    CROSS JOIN LATERAL (
        SELECT sum(tier_1) AS tier_1, sum(watch) AS watch, sum(tier_2) AS tier_2, sum(tier_3) AS tier_3,
               sum("none") AS "none", sum(too_early) AS too_early
        FROM tier_count WHERE school_id = {school} AND day = d.day) c
"""
_SUMS = ", ".join(f'sum(c."{name}")::int' for name in ("tier_1", "watch", "tier_2", "tier_3", "none", "too_early"))
_TAUGHT = "weight > 0 AND day_type IN ('instructional', 'make_up')"


def by_week(units: Mapping[int, int], ends: Sequence[date], start: date) -> dict[tuple[int, date], Sum]:
    """(unit, end of a week) -> what its schools counted by then; `units`: school -> unit."""
    rows = db.session.execute(
        text(f"""
            SELECT u.unit, w.day, count(*), count(*) FILTER (WHERE d.day > w.day - 7), {_SUMS}
            FROM unnest(CAST(:schools AS int[]), CAST(:units AS int[])) AS u (id, unit)
            CROSS JOIN unnest(CAST(:ends AS date[])) AS w (day)
            {_LAST.format(school="u.id", since=":start", until="w.day")}
            GROUP BY 1, 2
        """),
        {"schools": list(units), "units": list(units.values()), "ends": list(ends), "start": start},
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
            ), asked AS (
                SELECT id, w.day AS ends, width_bucket(w.day, mine) AS number, theirs
                FROM calendars CROSS JOIN unnest(CAST(:ends AS date[])) AS w (day)
                WHERE cardinality(mine) > 0 AND cardinality(theirs) > 0
            )
            SELECT a.ends, mode() WITHIN GROUP (ORDER BY a.number), count(*), {_SUMS}
            FROM asked a {_LAST.format(school="a.id", since=":before", until="a.theirs[a.number]")}
            GROUP BY 1
        """),
        {"schools": list(schools), "ends": list(ends), "last": max(ends), "start": start, "before": before},
    )
    return {day: Then(number, Counts(*counts), schools) for day, number, schools, *counts in rows}
