"""What waits on departments, in counts: tasks, questions, causes, days that the district cost. Never a name.

`schools` are the ids that an area gave. What lies in compartments has functions of its own (`shut_`), for those who
see the whole district alone, and there too only counts come out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, text

from models.base import db
from models.org import TEACHES, School
from models.queries import scope
from models.queries.local_days import local_day
from models.queries.scope import AreaLike


@dataclass(frozen=True, slots=True)
class Work:
    """Tasks of one kind that a department has or had this year: still open, of these past their day, the first day of
    those open, and the school days between asking and doing of all of them added up."""

    department: str
    kind: str
    open: int
    late: int
    since: date | None
    days: int
    done: int


# The one place that says how long something waited: the school days after the day it was asked, up to the day it was
# done or issued, or today. Like ones are counted once and multiplied.
_WAITED = f"""
    SELECT a.department, a.kind, coalesce(sum(n) FILTER (WHERE is_open), 0)::int,
           coalesce(sum(n) FILTER (WHERE late), 0)::int, min(since) FILTER (WHERE is_open), coalesce(sum(n * (
               SELECT count(DISTINCT c.day) FROM calendar_day c
               WHERE c.school_id = a.school_id AND c.day > a.since AND c.day <= a.until AND {TEACHES})), 0)::int,
           coalesce(sum(n) FILTER (WHERE NOT is_open), 0)::int
    FROM ({{asked}}) a GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
"""
_TASKS = f"""
    SELECT department, kind, school_id, {local_day("created_at")} AS since, status = 'open' AS is_open,
           CASE WHEN status = 'open' THEN CAST(:on AS date) ELSE {local_day("done_at")} END AS until,
           status = 'open' AND due < :on AS late, count(*) AS n
    FROM task
    WHERE school_id = ANY(:schools) AND status <> 'withdrawn' AND (compartment IS NOT NULL) = :shut
      AND created_at >= CAST(:year AS date)
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
_PROMISES = """
    SELECT p.compartment AS department, p.kind, p.school_id, p.asked_on AS since, i.on_day IS NULL AS is_open,
           coalesce(i.on_day, CAST(:on AS date)) AS until, i.on_day IS NULL AND p.due < :on AS late, count(*) AS n
    FROM promise p LEFT JOIN LATERAL (
        SELECT min(on_day) AS on_day FROM promise_step
        WHERE promise_id = p.id AND state IN ('issued', 'in_hand')) i ON true
    WHERE p.school_id = ANY(:schools) AND p.state NOT IN ('not_wanted', 'refused') AND p.asked_on >= :year
    GROUP BY 1, 2, 3, 4, 5, 6, 7
"""


def school_ids(area: AreaLike) -> list[int]:
    """The schools within an area."""
    return list(db.session.scalars(select(School.id).where(scope.schools(area))))


def tasks(schools: Sequence[int], year: date, on: date) -> list[Work]:
    """The tasks of this school year outside compartments, by department and kind."""
    return _waited(_TASKS, schools, year, on, shut=False)


def shut_tasks(schools: Sequence[int], year: date, on: date) -> list[Work]:
    """The same of those inside compartments."""
    return _waited(_TASKS, schools, year, on, shut=True)


def shut_promises(schools: Sequence[int], year: date, on: date) -> list[Work]:
    """What was asked for inside compartments, until it is issued; `department` is the compartment."""
    return _waited(_PROMISES, schools, year, on)


def _waited(asked: str, schools: Sequence[int], year: date, on: date, **more: Any) -> list[Work]:
    query = text(_WAITED.format(asked=asked))
    found: Any = db.session.execute(query, {"schools": list(schools), "year": year, "on": on, **more})
    return [Work(*row) for row in found]


def questions(schools: Sequence[int]) -> dict[str, tuple[int, date]]:
    """Department -> how many questions wait for its answer, and since when the first does."""
    found = db.session.execute(
        text("""
            SELECT department, count(*), min(asked_on) FROM hand_over
            WHERE school_id = ANY(:schools) AND state = 'sent' AND department <> '' GROUP BY 1
        """),
        {"schools": list(schools)},
    )
    return {department: (number, since) for department, number, since in found}


def causes(schools: Sequence[int], codes: Collection[str]) -> dict[str, int]:
    """Cause -> open cases that have it now; of causes that are kept in no compartment."""
    found = db.session.execute(
        text("""
            SELECT u.code, count(DISTINCT u.case_id) FROM cause u
            JOIN support_case c ON c.id = u.case_id AND c.closed_on IS NULL
            WHERE c.school_id = ANY(:schools) AND u.ended_at IS NULL AND u.compartment IS NULL AND u.code = ANY(:codes)
            GROUP BY 1
        """),
        {"schools": list(schools), "codes": sorted(codes)},
    )
    return {code: number for code, number in found}


def caused(schools: Sequence[int], year: date) -> dict[str, tuple[int, int]]:
    """Why -> (days, students) that the district cost this school year, as somebody wrote down outside compartments."""
    found = db.session.execute(
        text("""
            SELECT d.why, count(*), count(DISTINCT coalesce(p.same_as, p.id)) FROM district_day d
            JOIN student p ON p.id = d.student_id
            WHERE d.taken_back_at IS NULL AND d.compartment IS NULL AND d.day >= :year AND EXISTS (
                SELECT FROM stint t WHERE t.student_id = coalesce(p.same_as, p.id) AND t.school_id = ANY(:schools)
                  AND t.entry_date <= d.day AND coalesce(t.exit_date, d.day) >= d.day)
            GROUP BY 1
        """),
        {"schools": list(schools), "year": year},
    )
    return {why: (days, students) for why, days, students in found}
