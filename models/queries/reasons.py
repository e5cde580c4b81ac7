"""Reasons that files gave for absences, for rules only: never for a screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import ints, read_ints
from models.queries.measuring import OPEN

__all__ = ["OPEN", "feeds_reasons", "plans", "school_days", "with_reason"]


def feeds_reasons() -> bool:
    """Whether any file gives reasons; if not, rules on them are "not fed" and never fire."""
    return bool(db.session.scalar(text("SELECT EXISTS (SELECT FROM mark WHERE reason IS NOT NULL)")))


def with_reason(
    students: Sequence[int] | np.ndarray, since: date, until: date, words: Sequence[str]
) -> dict[str, np.ndarray]:
    """Days on which a mark of these students gives one of these reasons; capitals in files make no difference.

    The words are in small letters; `word` is the place of the one that was given.
    """
    return read_ints(
        """
        SELECT DISTINCT student_id, day - DATE '1970-01-01', array_position(%(words)s::text[], lower(reason)) - 1
        FROM mark
        WHERE student_id = ANY(%(students)s) AND day BETWEEN %(since)s AND %(until)s
          AND reason IS NOT NULL AND lower(reason) = ANY(%(words)s)
        """,
        ["student", "day", "word"],
        {"students": ints(students), "since": since, "until": until, "words": list(words)},
    )


def school_days(schools: Sequence[int], since: date) -> dict[int, np.ndarray]:
    """School -> its school days from a day on, ascending, as days since 1970."""
    found = read_ints(
        """
        SELECT DISTINCT school_id, day - DATE '1970-01-01' FROM calendar_day
        WHERE school_id = ANY(%(schools)s) AND day >= %(since)s AND day_type IN ('instructional', 'make_up')
        ORDER BY 1, 2
        """,
        ["school", "day"],
        {"schools": list(schools), "since": since},
    )
    numbers, starts = np.unique(found["school"], return_index=True)
    days = np.split(found["day"].astype(np.int64), starts[1:]) if len(numbers) else []
    return dict(zip(numbers.tolist(), days, strict=True))


def plans(students: Sequence[int] | np.ndarray) -> dict[str, np.ndarray]:
    """Plans agreed for these students, by day: the day, and the day from which the case was closed."""
    return read_ints(
        f"""
        SELECT e.student_id, coalesce((e.data ->> 'day')::date, e.at::date) - DATE '1970-01-01' AS agreed,
               coalesce(p.closed_on - DATE '1970-01-01', {OPEN})
        FROM event e JOIN case_episode p ON p.case_id = e.case_id AND e.at >= p.opened_at
                                        AND e.at <= coalesce(p.closed_at, 'infinity')
        WHERE e.student_id = ANY(%(students)s) AND e.kind = 'case_planned' ORDER BY agreed, e.id
        """,
        ["student", "agreed", "closed"],
        {"students": ints(students)},
    )
