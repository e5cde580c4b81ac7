"""The counts of tiers by school, day and grade, as where everybody stands (`standing`) says.

Derived rows; each function works on many schools at once, in the open transaction. Their sums by school and day
(`school_count`) follow by themselves: the database writes them with every statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import text

from models.base import db


def drop_counts(moved: Mapping[int, date]) -> None:
    """Forget a school's counts from its first moved day on, and sums of no counts if there should be any."""
    for table in ("tier_count", "school_count"):
        db.session.execute(
            text(f"""
                DELETE FROM {table} c
                USING unnest(CAST(:schools AS int[]), CAST(:since AS date[])) AS m (school_id, since)
                WHERE c.school_id = m.school_id AND c.day >= m.since
            """),
            {"schools": list(moved), "since": list(moved.values())},
        )


_TAUGHT = "d.day_type IN ('instructional', 'make_up')"
# Of the school-days `w` as where everybody stood says. A standing of the year before may be open still: it is over.
_COUNTS = """
    SELECT w.school_id, w.day, s.grade,
           count(*) FILTER (WHERE s.tier = 0) AS tier_1, count(*) FILTER (WHERE s.tier = 1) AS watch,
           count(*) FILTER (WHERE s.tier = 2) AS tier_2, count(*) FILTER (WHERE s.tier = 3) AS tier_3,
           count(*) FILTER (WHERE s.tier = -1) AS "none", count(*) FILTER (WHERE s.too_early) AS too_early
    FROM ({school_days}) w
    JOIN standing s ON s.school_id = w.school_id AND s.since BETWEEN :year AND w.day
                   AND coalesce(s.until, 'infinity'::date) >= w.day
"""
_COUNTED = 'school_id, day, grade, tier_1, watch, tier_2, tier_3, "none", too_early'
_ADDED = 'school_id, day, sum(tier_1), sum(watch), sum(tier_2), sum(tier_3), sum("none"), sum(too_early)'
_OF_SCHOOLS = "WHERE school_id = ANY(:schools) AND day >= :year"
_MISCOUNTED = f"""
    WITH due AS (
        {_COUNTS} GROUP BY w.school_id, w.day, s.grade
    ), stored AS (
        SELECT {_COUNTED} FROM tier_count {_OF_SCHOOLS}
    ), added AS (
        SELECT {_ADDED} FROM tier_count {_OF_SCHOOLS} GROUP BY school_id, day
    ), sums AS (
        SELECT {_ADDED} FROM school_count {_OF_SCHOOLS} GROUP BY school_id, day
    )
    SELECT school_id, min(day) FROM (
        SELECT school_id, day FROM ((TABLE due EXCEPT TABLE stored) UNION ALL (TABLE stored EXCEPT TABLE due)) counted
        UNION ALL
        SELECT school_id, day FROM ((TABLE added EXCEPT TABLE sums) UNION ALL (TABLE sums EXCEPT TABLE added)) summed
    ) differs GROUP BY 1
"""


def miscounted(through: Mapping[int, date | None], year: date) -> dict[int, date]:
    """Of these schools, each with its data-through day, those whose counts differ from where everybody stands, or their
    sums from the counts; school -> the first such day of the year."""
    school_days = f"""
        SELECT DISTINCT d.school_id, d.day
        FROM calendar_day d JOIN unnest(CAST(:schools AS int[]), CAST(:through AS date[])) AS t (school_id, through)
          USING (school_id)
        WHERE d.day BETWEEN :year AND t.through AND {_TAUGHT}
    """
    asked = {"schools": list(through), "through": list(through.values()), "year": year}
    return {school: day for school, day in db.session.execute(text(_MISCOUNTED.format(school_days=school_days)), asked)}


def fill_counts(since: Mapping[int, date], through: Mapping[int, date | None], year: date) -> None:
    """Count the school days from each school's first changed day to its data-through day that are not counted yet.

    Days behind the last counted one are counted too. Counts of days that are no longer school days, or are not
    submitted any more, go.
    """
    before = year - timedelta(days=1)
    asked = {
        "schools": list(since),
        "since": [max(day, year) for day in since.values()],
        "through": [through[school] or before for school in since],
        "year": year,
    }
    columns = list(zip(*db.session.execute(_CHANGED, asked), strict=True)) or [(), (), ()]
    changed = {**dict(zip(("schools", "since", "through"), map(list, columns), strict=True)), "year": year}
    db.session.execute(_DROP_NO_SCHOOL_DAYS, changed)
    db.session.execute(_FILL, changed)


_CHANGED = text("""
    SELECT s.school_id, least(s.since, s.through + 1, coalesce(counted.until + 1, :year)), s.through
    FROM unnest(CAST(:schools AS int[]), CAST(:since AS date[]), CAST(:through AS date[]))
      AS s (school_id, since, through),
    LATERAL (SELECT max(day) AS until FROM tier_count WHERE school_id = s.school_id AND day >= :year) counted
""")
_SCHOOLS = "unnest(CAST(:schools AS int[]), CAST(:since AS date[]), CAST(:through AS date[])) AS s (at, since, through)"
_DROP_NO_SCHOOL_DAYS = text(f"""
    DELETE FROM tier_count c USING {_SCHOOLS} WHERE c.school_id = s.at AND c.day >= s.since
      AND NOT (c.day <= s.through AND EXISTS (
          SELECT FROM calendar_day d WHERE d.school_id = c.school_id AND d.day = c.day AND {_TAUGHT}))
""")
_DAYS_FROM = f"""
    SELECT DISTINCT d.school_id, d.day FROM calendar_day d JOIN {_SCHOOLS} ON d.school_id = s.at
    WHERE d.day BETWEEN s.since AND s.through AND {_TAUGHT}
"""
_FILL = text(f"""
    INSERT INTO tier_count ({_COUNTED}) {_COUNTS.format(school_days=_DAYS_FROM)}
    WHERE NOT EXISTS (SELECT FROM tier_count c WHERE c.school_id = w.school_id AND c.day = w.day)
    GROUP BY w.school_id, w.day, s.grade
""")
