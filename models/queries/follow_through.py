"""How far the cases of some schools have come since they were opened, grouped; no case and no person leaves here.

`places` sums schools up: each school with the word under which it is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db

IMPROVED = "R25"
# Of cases opened from `since` to `until`, as they stand now. A first contact is a person reached since the case began.
_COHORT = """
    WITH cohort AS MATERIALIZED (
        SELECT c.id, c.student_id, c.school_id, w.place, c.owner_role, c.owner_id, c.episode, c.contact_due,
               coalesce(e.opened, c.opened) AS begun, c.due, c.status, c.closed_on
        FROM unnest(CAST(:schools AS int[]), CAST(:places AS text[])) AS w (school_id, place)
        JOIN support_case c ON c.school_id = w.school_id
        LEFT JOIN case_episode e ON e.case_id = c.id AND e.episode = c.episode
        WHERE coalesce(e.opened, c.opened) BETWEEN :since AND :until
          AND (c.close_reason IS NULL OR c.closed_on IS NULL OR c.close_reason <> ALL(:cut_short))
    ), met AS MATERIALIZED (
        SELECT c.*, r.reached FROM cohort c CROSS JOIN LATERAL (
            SELECT min(on_day) AS reached FROM outreach o
            WHERE o.student_id = c.student_id AND o.is_contact AND o.on_day >= c.begun) r
    )
"""
_WALKED = f"""
    {_COHORT}, looked AS (
        SELECT m.*,
               EXISTS (SELECT FROM cause x WHERE x.case_id = m.id AND x.compartment IS NULL
                         AND (x.ended_at IS NULL OR x.written_at >= m.begun)) AS heard,
               p.agreed IS NOT NULL AS planned,
               EXISTS (SELECT FROM plan_review v WHERE v.case_id = m.id AND v.episode = m.episode) AS reviewed,
               CASE WHEN p.agreed IS NULL THEN 'no'
                    WHEN EXISTS (SELECT FROM finding f WHERE f.student_id = m.student_id AND f.rule = :improved
                                   AND f.since >= m.begun AND f.withdrawn_at IS NULL) THEN 'yes'
                    WHEN s.enrolled_now AND (SELECT count(DISTINCT d.day) FROM calendar_day d
                            WHERE d.school_id = m.school_id AND d.day > p.agreed AND d.day <= s.data_through
                              AND d.weight > 0 AND d.day_type IN ('instructional', 'make_up')) >= :enough THEN 'no'
                    ELSE 'cannot_tell' END AS better
        FROM met m
        LEFT JOIN student_status s ON s.student_id = m.student_id
        CROSS JOIN LATERAL (SELECT min(l.written_at)::date AS agreed FROM plan l
                            WHERE l.case_id = m.id AND l.episode = m.episode) p
    )
    SELECT place, owner_role, reached IS NOT NULL, heard, planned, reviewed, better,
           CASE WHEN closed_on IS NOT NULL THEN 'closed' WHEN status = 'paused' THEN 'paused'
                WHEN due < :on OR (contact_due < :on AND reached IS NULL) THEN 'late' ELSE 'on_time' END,
           closed_on IS NULL AND owner_id IS NULL,
           coalesce(contact_due < :on OR reached <= contact_due, false), coalesce(reached <= contact_due, false),
           count(*)::int
    FROM looked GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
"""
# Families nobody has reached stand at the end, so that a middle is no better for leaving them out.
_NEVER = 2**31 - 1
_TIMES = f"""
    {_COHORT}, waited AS (
        SELECT m.place, m.owner_role, m.owner_id, CASE WHEN m.reached IS NULL THEN {_NEVER} ELSE (
            SELECT count(DISTINCT d.day) FROM calendar_day d
            WHERE d.school_id = m.school_id AND d.day > m.begun AND d.day <= m.reached
              AND d.weight > 0 AND d.day_type IN ('instructional', 'make_up')) END AS days
        FROM met m WHERE m.contact_due < :on OR m.reached <= m.contact_due
    )
    SELECT place, owner_role, count(*)::int, count(DISTINCT owner_id)::int,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY days), percentile_disc(0.8) WITHIN GROUP (ORDER BY days)
    FROM waited GROUP BY GROUPING SETS ((place), (owner_role), ())
"""


@dataclass(frozen=True, slots=True)
class Waited:
    """School days from opening to the first contact, of cases whose day for it has come, by so many owners.

    median, most: within so many days half and four of five families were reached; None: not reached yet.
    """

    cases: int
    owners: int
    median: int | None
    most: int | None


def walked(
    places: Mapping[int, str], since: date, until: date, on: date, *, enough: int, cut_short: Collection[str]
) -> list[tuple[Any, ...]]:
    """Rows in the order of `rules.follow_through.Walked`, one for every combination there is."""
    more = {"improved": IMPROVED, "enough": enough}
    found = db.session.execute(text(_WALKED), _asked(places, since, until, on, cut_short) | more)
    return [tuple(row) for row in found]


def waited(
    places: Mapping[int, str], since: date, until: date, on: date, *, cut_short: Collection[str]
) -> dict[tuple[str | None, str | None], Waited]:
    """(place, None), (None, role) and (None, None) for all -> how long the first contact took."""
    found = db.session.execute(text(_TIMES), _asked(places, since, until, on, cut_short))
    return {(place, role): Waited(cases, owners, *map(_known, times)) for place, role, cases, owners, *times in found}


def _known(days: int | None) -> int | None:
    return None if days == _NEVER else days


def _asked(places: Mapping[int, str], since: date, until: date, on: date, cut_short: Collection[str]) -> dict[str, Any]:
    return {
        "schools": list(places), "places": list(places.values()), "since": since, "until": until, "on": on,
        "cut_short": list(cut_short),
    }  # fmt: skip
