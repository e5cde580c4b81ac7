"""Which school days have not come in: the one definition of a school that is late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from sqlalchemy import text

from models.base import db
from models.bulk import ints

# The source whose files tell of a school: its own, and of a school that nothing came for yet the first that is fetched.
FEEDER = (
    """coalesce(s.source_id, (SELECT min(f.id) FROM source f WHERE f.kind <> 'by_hand' AND f.brings <> 'roster'))"""
)
# Three tables: `waited` says of each school before which day everything is due, `unheard` which days up to today did
# not come, `missing` which of those are due. Parameters: schools, start, today, clock.
_MISSING = f"""
    waited AS MATERIALIZED (
        SELECT s.id AS school_id, CASE
            WHEN e.id IS NULL OR CAST(:clock AS time) IS NULL THEN CAST(:today AS date)
            WHEN e.expected_day = 'same' THEN CAST(:today AS date) + CAST(e.expected_by <= CAST(:clock AS time) AS int)
            ELSE (SELECT max(c.day) FROM calendar_day c WHERE c.school_id = s.id AND c.day >= :start
                    AND c.day + e.expected_by <= CAST(:today AS date) + CAST(:clock AS time)
                    AND c.weight > 0 AND c.day_type IN ('instructional', 'make_up')) END AS before
        FROM school s LEFT JOIN source e ON e.id = {FEEDER} AND e.expected_by IS NOT NULL
            AND NOT e.paused AND e.kind <> 'by_hand' AND e.brings <> 'roster'
        WHERE s.id = ANY(:schools)
    ), unheard AS MATERIALIZED (
        SELECT DISTINCT c.school_id, c.day FROM {{days}} AND c.day <= CAST(:today AS date)
          AND c.weight > 0 AND c.day_type IN ('instructional', 'make_up') AND NOT EXISTS (
              SELECT FROM school_day d WHERE d.school_id = c.school_id AND d.day = c.day
                AND d.status IN ('submitted', 'partial', 'closed')) {{end}}
    ), missing AS MATERIALIZED (
        SELECT school_id, day FROM unheard JOIN waited USING (school_id) WHERE day < before
    )
"""
MISSING = _MISSING.format(days="calendar_day c WHERE c.school_id = ANY(:schools) AND c.day >= :start", end="")
# The last day that came of each school. Parameters: schools, start, today.
_HEARD = """
    heard AS MATERIALIZED (
        SELECT s.id AS school_id, l.day FROM unnest(CAST(:schools AS int[])) AS s (id) CROSS JOIN LATERAL (
            SELECT max(day) AS day FROM school_day
            WHERE school_id = s.id AND day BETWEEN :start AND :today AND status IN ('submitted', 'partial')) l
    )
"""
# The same of the days after it alone, school by school: those are few, and a year's calendars need not be read.
_SINCE = _MISSING.format(
    days="""heard h CROSS JOIN LATERAL (
            SELECT c.school_id, c.day FROM calendar_day c
            WHERE c.school_id = h.school_id AND c.day > coalesce(h.day, CAST(:start AS date) - 1)""",
    end="OFFSET 0) c",
)
# Rows of (school_id, trailing, since, last) of the schools that are late: see Silence. Parameters: the same.
_SILENCES = f"""
    WITH {_HEARD}, {_SINCE}
    SELECT h.school_id, count(*) AS trailing, min(m.day) AS since, h.day AS last
    FROM heard h JOIN missing m USING (school_id) GROUP BY h.school_id, h.day
"""
# Rows of (school_id, trailing, since, last, days): see Gap. Parameters: the same.
GAPS = f"""
    WITH {_HEARD}, {MISSING}
    SELECT h.school_id, count(m.day) FILTER (WHERE m.day > coalesce(h.day, :start - 1)) AS trailing,
           min(m.day) FILTER (WHERE m.day > coalesce(h.day, :start - 1)) AS since, h.day AS last, count(m.day) AS days
    FROM heard h LEFT JOIN missing m USING (school_id) GROUP BY h.school_id, h.day
"""
# The schools of these that lack any day, also one between days that came; the most days first. Parameters: the same.
LACKING = f"""
    SELECT s.key AS school_id, s.name AS school, g.last AS data_through, g.trailing AS school_days_late,
           g.days - g.trailing AS days_between
    FROM ({GAPS}) g JOIN school s ON s.id = g.school_id
    WHERE g.days > 0 ORDER BY g.days DESC, school
"""
# Rows of (school_id, day), the days between. Parameters: the same.
BETWEEN = f"""
    WITH {MISSING}
    SELECT m.school_id, m.day FROM missing m WHERE EXISTS (
        SELECT FROM school_day d WHERE d.school_id = m.school_id AND d.day BETWEEN m.day AND :today
          AND d.status IN ('submitted', 'partial'))
"""
# The schools of these that are late, the longest wait first. Parameters: the same.
LATE = f"""
    SELECT s.key AS school_id, s.name AS school, g.last AS data_through, g.trailing AS school_days_late
    FROM ({_SILENCES}) g JOIN school s ON s.id = g.school_id
    ORDER BY school_days_late DESC, school
"""


@dataclass(frozen=True, slots=True)
class Silence:
    """School days after the last one that came of which nothing came: how many, and since when.

    A school is late when there are any. A day is late from the next midnight on; where the school's source
    says by when it is expected, from that hour on. A day that was closed after all is not.
    """

    trailing: int
    since: date | None
    last: date | None  # the last day that came


@dataclass(frozen=True, slots=True)
class Gap(Silence):
    """With all school days of which nothing came, also those between days that came."""

    days: int


def silences(schools: Sequence[int], start: date, today: date, clock: time | None = None) -> dict[int, Silence]:
    """Late school -> what it has not sent since the last day that came.

    Days before `start` are not looked at. clock: what the district's clock shows, for what sources are expected to
    bring; None leaves that aside.
    """
    return {school: Silence(*silence) for school, *silence in _asked(_SILENCES, schools, start, today, clock)}


def gaps(schools: Sequence[int], start: date, today: date, clock: time | None = None) -> dict[int, Gap]:
    """The same of every school, late or not, with the days between, for which the whole year is read."""
    return {school: Gap(*gap) for school, *gap in _asked(GAPS, schools, start, today, clock)}


def _asked(statement: str, schools: Sequence[int], start: date, today: date, clock: time | None) -> Iterable[Any]:
    return db.session.execute(
        text(statement), {"schools": ints(schools), "start": start, "today": today, "clock": clock}
    )
