"""What was decided about one student as it is stored: findings, and the cases that rested on them.

Asked inside a look back, every row is as it stood then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db

_FINDINGS = text("""
    SELECT rule, since, CASE WHEN until <= :day THEN until END AS until, sentence, policy_version, compartment
    FROM finding
    WHERE student_id = :student AND since BETWEEN :start AND :day AND withdrawn_at IS NULL ORDER BY since, rule
""")
# A person who takes a case up again leaves its tier as it was.
_CASES = text("""
    SELECT c.id, c.number, e.episode, e.opened,
           (SELECT coalesce(v.data->>'after', v.data->>'tier')::int FROM event v
            WHERE v.case_id = c.id AND v.kind IN ('case_opened', 'case_reopened', 'tier_raised', 'tier_lowered')
              AND coalesce(v.data->>'after', v.data->>'tier') IS NOT NULL ORDER BY v.id DESC LIMIT 1) AS tier
    FROM case_episode e JOIN support_case c ON c.id = e.case_id
    WHERE c.student_id = :student AND e.opened <= :day AND coalesce(e.closed_on > :day, true) ORDER BY c.number
""")
_REASONS = text("""
    SELECT case_id, episode, rule, day, sentence FROM case_reason
    WHERE case_id = ANY(:cases) AND withdrawn_at IS NULL AND day <= :day ORDER BY day, rule
""")


def findings(student: int, start: date, day: date) -> Sequence[Any]:
    """(rule, since, until, sentence, policy_version, compartment) of the findings of a school year up to a day; `until`
    only where they were over by then."""
    return db.session.execute(_FINDINGS, {"student": student, "start": start, "day": day}).all()


def cases(student: int, day: date) -> Sequence[Any]:
    """(id, number, episode, opened, tier) of the cases that were open at the end of a day."""
    return db.session.execute(_CASES, {"student": student, "day": day}).all()


def reasons(cases: Sequence[int], day: date) -> Sequence[Any]:
    """(case_id, episode, rule, day, sentence) of what stood up to a day."""
    return db.session.execute(_REASONS, {"cases": list(cases), "day": day}).all()
