"""The rows that evaluation reads and replaces: who is marked, standings, findings, tier changes, counts by day.

Derived rows only. Each function works on many students at once, in the open transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from sqlalchemy import text

from models.base import db
from models.bulk import copy_in, read_ints


def take_touched(limit: int) -> dict[str, np.ndarray]:
    """Remove up to `limit` marked students from the list, ascending; a rollback puts them back."""
    taken = db.session.execute(
        text("""
            DELETE FROM touched_student WHERE student_id IN (
                SELECT student_id FROM touched_student ORDER BY student_id LIMIT :limit FOR UPDATE SKIP LOCKED)
            RETURNING student_id, since - DATE '1970-01-01'
        """),
        {"limit": limit},
    ).all()
    columns = np.array(sorted((int(student), int(since)) for student, since in taken), dtype=np.int64).reshape(-1, 2)
    return {"student": columns[:, 0], "since": columns[:, 1]}


def tiers_of(students: Sequence[int]) -> dict[int, int]:
    """The tier each student is stored with; those without a row are missing."""
    found = read_ints(
        "SELECT student_id, tier::int FROM student_status WHERE student_id = ANY(%(students)s)",
        ["student", "tier"],
        {"students": list(students)},
    )
    return dict(zip(found["student"].tolist(), found["tier"].tolist(), strict=True))


def replace_status(students: Sequence[int], columns: Mapping[str, Any]) -> None:
    """Store how these students stand now; those without a row in `columns` lose theirs."""
    db.session.execute(
        text("DELETE FROM student_status WHERE student_id = ANY(:students)"), {"students": list(students)}
    )
    copy_in("student_status", columns)


# A stored row may differ from what is computed now only if it begins on or after the student's first changed
# day, ended on or after the day before it, or is one that now ends there (`ending`).
_CHANGEABLE = """
    FROM {table} r JOIN unnest(CAST(:students AS int[]), CAST(:since AS date[])) AS t (student_id, since)
      USING (student_id)
    WHERE r.{start} >= :year AND (r.{start} >= t.since OR {until} >= t.since - 1
      OR (r.student_id, r.{start}) IN (
        SELECT * FROM unnest(CAST(:ending_students AS int[]), CAST(:ending_since AS date[]))))
"""
Key = tuple[int, date]


@dataclass(frozen=True, slots=True)
class Changed:
    """Whose rows may differ: students with their first changed day, and runs known to end after it."""

    students: Sequence[int]
    since: Sequence[date]
    year: date  # only rows of this school year

    def parameters(self, ending: Collection[Key] = ()) -> dict[str, Any]:
        """For the queries below."""
        return {
            "students": list(self.students),
            "since": list(self.since),
            "year": self.year,
            "ending_students": [student for student, _ in ending],
            "ending_since": [start for _, start in ending],
        }


def standings(changed: Changed, ending: Collection[Key]) -> dict[Key, tuple[Any, ...]]:
    """(student, since) -> (until, school, grade, tier, too_early), where a change can show."""
    found = db.session.execute(
        text(
            "SELECT r.student_id, r.since, r.until, r.school_id, r.grade, r.tier, r.too_early"
            + _CHANGEABLE.format(table="standing", start="since", until="r.until")
        ),
        changed.parameters(ending),
    )
    return {(student, start): tuple(rest) for student, start, *rest in found}


def replace_standings(gone: Sequence[tuple[int, date]], rows: Sequence[Sequence[Any]]) -> None:
    """Delete the standings of these keys, then add rows (student, since, until, school, grade, tier, too_early)."""
    db.session.execute(
        text("""
            DELETE FROM standing s
            USING unnest(CAST(:students AS int[]), CAST(:since AS date[])) AS g (student_id, since)
            WHERE s.student_id = g.student_id AND s.since = g.since
        """),
        {"students": [student for student, _ in gone], "since": [start for _, start in gone]},
    )
    names = ("student_id", "since", "until", "school_id", "grade", "tier", "too_early")
    copy_in("standing", dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else {})


def findings(changed: Changed, ending: Collection[Key]) -> dict[tuple[int, str, date], tuple[Any, ...]]:
    """(student, rule, since) -> (id, until, sentence, numbers) of live findings, where a change can show."""
    found = db.session.execute(
        text(
            "SELECT r.student_id, r.rule, r.since, r.id, r.until, r.sentence, r.numbers"
            + _CHANGEABLE.format(table="finding", start="since", until="r.until")
            + " AND r.withdrawn_at IS NULL"
        ),
        changed.parameters(ending),
    )
    return {(student, rule, start): tuple(rest) for student, rule, start, *rest in found}


def end_findings(ended: Sequence[tuple[int, date | None]]) -> None:
    """Set the day on which findings (id, until) were cleared; None opens one again."""
    db.session.execute(
        text("""
            UPDATE finding SET until = e.until
            FROM unnest(CAST(:ids AS bigint[]), CAST(:until AS date[])) AS e (id, until) WHERE finding.id = e.id
        """),
        {"ids": [number for number, _ in ended], "until": [day for _, day in ended]},
    )


def withdraw(table: str, ids: Sequence[int], at: datetime) -> None:
    """Withdraw findings or tier changes that rested on rows that have changed; they stay on record."""
    assert table in {"finding", "tier_change"}
    db.session.execute(
        text(f"UPDATE {table} SET withdrawn_at = :at WHERE id = ANY(:ids)"), {"at": at, "ids": list(ids)}
    )


def add(table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append findings or tier changes."""
    assert table in {"finding", "tier_change"}
    if rows:
        copy_in(table, {name: [row[name] for row in rows] for name in rows[0]})


def changes(changed: Changed) -> dict[Key, tuple[Any, ...]]:
    """(student, day) -> (id, before, after, rules, sentence) of live tier changes from each first changed day on."""
    found = db.session.execute(
        text(
            "SELECT r.student_id, r.day, r.id, r.before, r.after, r.rules, r.sentence"
            + _CHANGEABLE.format(table="tier_change", start="day", until="NULL::date")
            + " AND r.withdrawn_at IS NULL"
        ),
        changed.parameters(),
    )
    return {(student, day): tuple(rest) for student, day, *rest in found}


def drop_counts(moved: Mapping[int, date]) -> None:
    """Forget a school's counts from its first moved day on."""
    db.session.execute(
        text("""
            DELETE FROM tier_count c
            USING unnest(CAST(:schools AS int[]), CAST(:since AS date[])) AS m (school_id, since)
            WHERE c.school_id = m.school_id AND c.day >= m.since
        """),
        {"schools": list(moved), "since": list(moved.values())},
    )


def fill_counts(through: Mapping[int, date], year: date) -> None:
    """Count every school day of the year up to each school's data-through day that is not counted yet.

    Counts of days that are no longer school days, or are not submitted any more, go.
    """
    parameters = {"schools": list(through), "through": list(through.values()), "year": year}
    school_days = """
        SELECT DISTINCT d.school_id, d.day
        FROM calendar_day d JOIN unnest(CAST(:schools AS int[]), CAST(:through AS date[])) AS t (school_id, through)
          USING (school_id)
        WHERE d.day BETWEEN :year AND t.through AND d.day_type IN ('instructional', 'make_up')
    """
    db.session.execute(
        text(f"""
            DELETE FROM tier_count c WHERE c.school_id = ANY(:schools) AND c.day >= :year
              AND NOT EXISTS (SELECT FROM ({school_days}) s WHERE s.school_id = c.school_id AND s.day = c.day)
        """),
        parameters,
    )
    db.session.execute(
        text(f"""
            INSERT INTO tier_count (school_id, day, grade, tier_1, watch, tier_2, tier_3, "none", too_early)
            SELECT w.school_id, w.day, s.grade,
                   count(*) FILTER (WHERE s.tier = 0), count(*) FILTER (WHERE s.tier = 1),
                   count(*) FILTER (WHERE s.tier = 2), count(*) FILTER (WHERE s.tier = 3),
                   count(*) FILTER (WHERE s.tier = -1), count(*) FILTER (WHERE s.too_early)
            FROM ({school_days}) w
            JOIN standing s ON s.school_id = w.school_id AND s.since <= w.day AND coalesce(s.until, w.day) >= w.day
            WHERE NOT EXISTS (SELECT FROM tier_count c WHERE c.school_id = w.school_id AND c.day = w.day)
            GROUP BY w.school_id, w.day, s.grade
        """),
        parameters,
    )


def add_effect(batch_id: int, effect: Mapping[str, int]) -> None:
    """Add what a chunk changed to the batch that caused it."""
    for name, number in effect.items():
        db.session.execute(
            text("""
                UPDATE batch SET effect = jsonb_set(effect, ARRAY[:name],
                    to_jsonb(coalesce((effect->>:name)::int, 0) + :number)) WHERE id = :batch
            """),
            {"name": name, "number": number, "batch": batch_id},
        )
