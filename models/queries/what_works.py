"""Supports that began, how much of each was given, and who had none yet. Nothing restricted.

What is kept in a compartment is left out altogether, so that no count here can tell of it. A school's supports are
those of its cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from models.bulk import read_ints
from models.queries.measuring import Columns


def begun(schools: Sequence[int], since: date, until: date, keys: Sequence[str], on: date) -> Columns:
    """Every support that began from `since` to `until`, in the order of students and days.

    Columns student, support (its place in `keys`), began, tier on that day (-1 without one), over (1 where its time is
    over on day `on`), planned and given: how many times.
    """
    return read_ints(
        """
        SELECT p.student_id, array_position(%(keys)s::text[], p.intervention) - 1, p.starts - DATE '1970-01-01',
               coalesce((SELECT t.tier FROM standing t WHERE t.student_id = p.student_id AND t.since <= p.starts
                           AND coalesce(t.until, 'infinity'::date) >= p.starts
                         ORDER BY t.since DESC LIMIT 1), -1),
               (p.ended_on IS NOT NULL OR p.planned_end < %(on)s)::int, p.dose_planned,
               (SELECT count(*) FROM support_given g WHERE g.support_id = p.id AND g.taken_back_at IS NULL)
        FROM plan_support p JOIN support_case c ON c.id = p.case_id
        WHERE c.school_id = ANY(%(schools)s) AND p.compartment IS NULL AND p.intervention = ANY(%(keys)s)
          AND p.starts BETWEEN %(since)s AND %(until)s
        ORDER BY p.student_id, p.starts, p.id
        """,
        ["student", "support", "began", "tier", "over", "planned", "given"],
        {"schools": list(schools), "since": since, "until": until, "keys": list(keys), "on": on},
    )


def not_yet(
    schools: Sequence[int], mondays: Sequence[date], tiers: Sequence[int], *, year: date, after: int, most: int
) -> Columns:
    """Who stood in one of these tiers on one of these days and had no support since `year` by `after` days later.

    At most `most` students of each tier, always the same ones. Columns student, monday, tier.
    """
    return read_ints(
        """
        WITH pool AS MATERIALIZED (
            SELECT k.tier, s.student_id FROM unnest(%(tiers)s::int[]) AS k (tier) CROSS JOIN LATERAL (
                SELECT student_id FROM standing t
                WHERE t.school_id = ANY(%(schools)s) AND t.tier = k.tier AND t.since <= %(last)s
                  AND coalesce(t.until, 'infinity'::date) >= %(first)s
                GROUP BY student_id ORDER BY md5(student_id::text), student_id LIMIT %(most)s) s
        )
        SELECT DISTINCT t.student_id, w.monday - DATE '1970-01-01', t.tier
        FROM pool p JOIN standing t ON t.student_id = p.student_id AND t.tier = p.tier
        JOIN unnest(%(mondays)s::date[]) AS w (monday)
          ON t.since <= w.monday AND coalesce(t.until, 'infinity'::date) >= w.monday
        WHERE t.school_id = ANY(%(schools)s) AND NOT EXISTS (
            SELECT FROM plan_support b WHERE b.student_id = t.student_id AND b.compartment IS NULL
              AND b.starts BETWEEN %(year)s AND w.monday + CAST(%(after)s AS int))
        ORDER BY 1, 2
        """,
        ["student", "monday", "tier"],
        {
            **{"schools": list(schools), "mondays": list(mondays), "tiers": list(tiers), "after": after, "most": most},
            **{"first": min(mondays), "last": max(mondays), "year": year},
        },
    )
