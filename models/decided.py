"""The rows that evaluation reads and replaces: standings, findings, tier changes.

Derived rows only. Each function works on many students at once, in the open transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import copy_in, copy_rows, read_ints

NEVER = -1
Key = tuple[int, date]


def stood(students: np.ndarray) -> dict[str, np.ndarray]:
    """The tier each student is stored with, by student; `worked` is 1 for whom there ever was a case or a task."""
    return read_ints(
        """
        SELECT s.student_id, s.tier::int,
               (EXISTS (SELECT FROM support_case c WHERE c.student_id = s.student_id)
                OR EXISTS (SELECT FROM task t WHERE t.student_id = s.student_id))::int
        FROM student_status s WHERE s.student_id = ANY(%(students)s) ORDER BY s.student_id
        """,
        ["student", "tier", "worked"],
        {"students": students},
    )


def shown(students: np.ndarray) -> dict[int, int]:
    """A number for all that lists show of each of these students: the same only where every column is."""
    found = read_ints(
        "SELECT s.student_id, hashtext(s::text) FROM student_status s WHERE s.student_id = ANY(%(students)s)",
        ["student", "shown"],
        {"students": students},
    )
    return dict(zip(found["student"].tolist(), found["shown"].tolist(), strict=True))


_STATUS_NOW = (
    text("CREATE TEMP TABLE IF NOT EXISTS status_now (LIKE student_status) ON COMMIT DELETE ROWS"),
    text("TRUNCATE status_now"),
)


def replace_status(students: np.ndarray, columns: Mapping[str, Any]) -> None:
    """Store how these students stand now; those without a row in `columns` lose theirs.

    A row is written over where it lies, in the room that its page keeps for that: many change every morning, and
    rows deleted and added would leave a copy of them, and of their places in the indexes, each time.
    """
    gone = np.setdiff1d(students, np.asarray(columns.get("student_id", ()), dtype=np.int64))
    db.session.execute(text("DELETE FROM student_status WHERE student_id = ANY(:students)"), {"students": gone})
    for statement in _STATUS_NOW:
        db.session.execute(statement)
    if copy_in("status_now", columns):
        names = ", ".join(columns)
        fresh = ", ".join(f"{name} = excluded.{name}" for name in columns)
        db.session.execute(
            text(f"""
                INSERT INTO student_status ({names}) SELECT {names} FROM status_now ORDER BY student_id
                ON CONFLICT (student_id) DO UPDATE SET {fresh}
            """)
        )


def standings(students: np.ndarray, year: date) -> dict[Key, tuple[Any, ...]]:
    """(student, since) -> (until, school, grade, tier, too_early) of this school year."""
    found = db.session.execute(
        text("""
            SELECT student_id, since, until, school_id, grade, tier, too_early FROM standing
            WHERE student_id = ANY(:students) AND since >= :year
        """),
        {"students": students, "year": year},
    )
    return {(student, start): tuple(rest) for student, start, *rest in found}


def end_standings(ended: Sequence[Key]) -> list[tuple[int, date]]:
    """Set the last day of the standings that last, (student, last day); returns (school, last day)."""
    found = db.session.execute(
        text("""
            UPDATE standing SET until = e.until
            FROM unnest(CAST(:students AS int[]), CAST(:until AS date[])) AS e (student_id, until)
            WHERE standing.student_id = e.student_id AND standing.until IS NULL
            RETURNING standing.school_id, standing.until
        """),
        _by_student(ended),
    )
    return [(school, day) for school, day in found]


def _by_student(rows: Sequence[Key]) -> dict[str, np.ndarray]:
    students, days = zip(*rows, strict=True) if rows else ((), ())
    return {"students": np.array(students, dtype=np.int64), "until": np.array(days, dtype="datetime64[D]")}


def replace_standings(gone: Sequence[Key], rows: Sequence[Sequence[Any]]) -> None:
    """Delete the standings of these keys, then add rows (student, since, until, school, grade, tier, too_early)."""
    keyed = _by_student(gone)
    db.session.execute(
        text("""
            DELETE FROM standing s
            USING unnest(CAST(:students AS int[]), CAST(:since AS date[])) AS g (student_id, since)
            WHERE s.student_id = g.student_id AND s.since = g.since
        """),
        {"students": keyed["students"], "since": keyed["until"]},
    )
    names = ("student_id", "since", "until", "school_id", "grade", "tier", "too_early")
    copy_in("standing", dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {})


def findings(students: np.ndarray, year: date) -> dict[tuple[int, str, date], tuple[Any, ...]]:
    """(student, rule, since) -> (id, until, sentence, numbers) of this school year's live findings."""
    found = db.session.execute(
        text("""
            SELECT student_id, rule, since, id, until, sentence, numbers FROM finding
            WHERE student_id = ANY(:students) AND since >= :year AND withdrawn_at IS NULL
        """),
        {"students": students, "year": year},
    )
    return {(student, rule, start): tuple(rest) for student, rule, start, *rest in found}


def clear_findings(cleared: Sequence[tuple[int, str, date]], at: datetime) -> None:
    """Set the day on which the active findings (student, rule, day) were cleared, and when that was learned."""
    students, rules, days = zip(*cleared, strict=True) if cleared else ((), (), ())
    db.session.execute(
        text("""
            UPDATE finding SET until = c.day, until_at = :at
            FROM unnest(CAST(:students AS int[]), CAST(:rules AS text[]), CAST(:days AS date[]))
              AS c (student, rule, day)
            WHERE finding.student_id = c.student AND finding.rule = c.rule
              AND finding.until IS NULL AND finding.withdrawn_at IS NULL
        """),
        {"students": list(students), "rules": list(rules), "days": list(days), "at": at},
    )


_ENDED = "unnest(CAST(:ids AS bigint[]), CAST(:until AS date[])) AS e (id, until)"
_TOLD_BEFORE = f"""
    UPDATE finding SET withdrawn_at = :at FROM {_ENDED}
    WHERE finding.id = e.id AND finding.until IS NOT NULL
    RETURNING student_id, rule, since, e.until, compartment, numbers, sentence, policy_version,
              CAST(:at AS timestamptz) AS recorded_at,
              CASE WHEN e.until IS NOT NULL THEN CAST(:at AS timestamptz) END AS until_at
"""
_ENDS_NOW = f"""
    UPDATE finding SET until = e.until, until_at = :at FROM {_ENDED}
    WHERE finding.id = e.id AND finding.withdrawn_at IS NULL
"""


def end_findings(ended: Sequence[tuple[int, date | None]], at: datetime) -> None:
    """Set the day on which findings (id, until) were cleared, learned now; None opens one again.

    A finding of which another end was told before is withdrawn with it, and stands anew with this one.
    """
    asked = {"ids": [number for number, _ in ended], "until": [day for _, day in ended], "at": at}
    told = db.session.execute(text(_TOLD_BEFORE), asked).mappings().all()
    db.session.execute(text(_ENDS_NOW), asked)
    add("finding", [dict(row) for row in told])


def withdraw(table: str, ids: Sequence[int], at: datetime) -> None:
    """Withdraw findings or tier changes that rested on rows that have changed; they stay on record."""
    assert table in {"finding", "tier_change"}
    db.session.execute(
        text(f"UPDATE {table} SET withdrawn_at = :at WHERE id = ANY(:ids)"), {"at": at, "ids": list(ids)}
    )


def add(table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append findings or tier changes."""
    assert table in {"finding", "tier_change"}
    copy_rows(table, rows)


def changes(students: np.ndarray, year: date) -> dict[Key, tuple[Any, ...]]:
    """(student, day) -> (id, before, after, rules, sentence) of this school year's live tier changes."""
    found = db.session.execute(
        text("""
            SELECT student_id, day, id, before, after, rules, sentence FROM tier_change
            WHERE student_id = ANY(:students) AND day >= :year AND withdrawn_at IS NULL
        """),
        {"students": students, "year": year},
    )
    return {(student, day): tuple(rest) for student, day, *rest in found}


def add_effect(batch_id: int, effect: Mapping[str, int]) -> None:
    """Add what a chunk changed to the batch that caused it."""
    db.session.execute(
        text("""
            UPDATE batch SET effect = (
                SELECT coalesce(jsonb_object_agg(name, number), '{}') FROM (
                    SELECT name, sum(number) AS number FROM (
                        SELECT key AS name, value::int AS number FROM jsonb_each_text(batch.effect)
                        UNION ALL SELECT key, value::int FROM jsonb_each_text(CAST(:effect AS jsonb))
                    ) AS parts GROUP BY name
                ) added
            ) WHERE id = :batch
        """),
        {"effect": json.dumps(dict(effect)), "batch": batch_id},
    )
