"""Cases, reasons and tasks written many at a time, in the open transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from models.base import db
from models.bulk import copy_rows

Row = Mapping[str, Any]
CHANGEABLE = {
    "status": "text", "tier": "smallint", "kind": "text", "episode": "int", "school_id": "int",
    "department": "text", "owner_role": "text", "owner_id": "int", "owner_via": "text", "due": "date",
    "contact_due": "date", "paused_until": "date",
    "next_step": "text",
}  # fmt: skip


def new_numbers(count: int) -> list[tuple[int, int]]:
    """(id, case number) for so many new cases, both from their sequences."""
    found = db.session.execute(
        text("""
            SELECT nextval(pg_get_serial_sequence('support_case', 'id')),
                   nextval(pg_get_serial_sequence('support_case', 'number')) FROM generate_series(1, :count)
        """),
        {"count": count},
    )
    return [(int(case), int(number)) for case, number in found]


def add(table: str, rows: Sequence[Row]) -> None:
    """Append rows to one of these tables; all rows name the same columns."""
    assert table in {"support_case", "case_episode", "case_reason", "task", "letter", "search_done"}
    copy_rows(table, rows)


def change_cases(rows: Sequence[Row]) -> None:
    """Set the given columns of cases by `id`; every change counts the version up."""
    for columns, alike in _by_columns(rows).items():
        sets = ", ".join(f"{column} = n.{column}" for column in columns)
        arrays = ", ".join(f"CAST(:{column} AS {CHANGEABLE[column]}[])" for column in columns)
        db.session.execute(
            text(f"""
                UPDATE support_case c SET {sets}, version = version + 1
                FROM unnest(CAST(:id AS int[]), {arrays}) AS n (id, {", ".join(columns)}) WHERE c.id = n.id
            """),
            {name: [row[name] for row in alike] for name in ("id", *columns)},
        )


def reopen(cases: Sequence[int], opened_at: datetime, first_due: Mapping[int, Any]) -> None:
    """Take the mark of closing from these cases; contact_due starts again."""
    db.session.execute(
        text("""
            UPDATE support_case c SET closed_on = NULL, close_reason = NULL, goals_reviewed = false,
                family_told = false, paused_until = NULL, opened_at = :at, contact_due = n.due
            FROM unnest(CAST(:cases AS int[]), CAST(:due AS date[])) AS n (id, due) WHERE c.id = n.id
        """),
        {"cases": list(cases), "due": [first_due[case] for case in cases], "at": opened_at},
    )


def close(cases: Sequence[int], on: date, reason: str, at: datetime, by: str) -> None:
    """Close these open cases, end their episodes, withdraw their drafts and their open tasks outside compartments."""
    asked = {"cases": list(cases), "on": on, "reason": reason, "at": at, "by": by}
    for statement in _CLOSE:
        db.session.execute(text(statement), asked)


def end_work(cases: Sequence[int], at: datetime, by: str) -> None:
    """Withdraw what is open on closed cases outside compartments, and their drafts."""
    for statement in _WORK_ENDS:
        db.session.execute(text(statement), {"cases": list(cases), "at": at, "by": by})


_WORK_ENDS = (
    """
    UPDATE task SET status = 'withdrawn', done_at = :at, done_by = :by, note = 'The case was closed.'
    WHERE case_id = ANY(:cases) AND status = 'open' AND compartment IS NULL
    """,
    """
    UPDATE letter SET status = 'withdrawn', withdrawn_at = :at, note = 'The case was closed.'
    WHERE case_id = ANY(:cases) AND status = 'draft'
    """,
)
_CLOSE = (
    """
    UPDATE case_episode e SET closed_on = :on, close_reason = :reason, closed_at = :at
    FROM support_case c WHERE c.id = ANY(:cases) AND e.case_id = c.id AND e.episode = c.episode
    """,
    *_WORK_ENDS,
    """
    UPDATE support_case SET status = 'closed', closed_on = :on, close_reason = :reason, paused_until = NULL,
        due = NULL, next_step = '', version = version + 1
    WHERE id = ANY(:cases)
    """,
)


_REASONS_BEFORE = text("""
    INSERT INTO row_history (batch_id, table_name, row_key, before, at)
    SELECT 0, 'case_reason', jsonb_build_object('id', id), to_jsonb(r), :at FROM case_reason r WHERE id = ANY(:ids)
""")


def restate_reasons(rows: Sequence[Row], at: datetime) -> None:
    """Set day, known day and sentence of reasons by id, and whether they are withdrawn (a moment, or None).

    How they read before stays on record.
    """
    db.session.execute(_REASONS_BEFORE, {"ids": [row["id"] for row in rows], "at": at})
    db.session.execute(
        text("""
            UPDATE case_reason r
            SET day = n.day, through = n.through, sentence = n.sentence, withdrawn_at = n.withdrawn_at
            FROM unnest(CAST(:id AS int[]), CAST(:day AS date[]), CAST(:through AS date[]), CAST(:sentence AS text[]),
                        CAST(:withdrawn_at AS timestamptz[])) AS n (id, day, through, sentence, withdrawn_at)
            WHERE r.id = n.id
        """),
        {name: [row[name] for row in rows] for name in ("id", "day", "through", "sentence", "withdrawn_at")},
    )


def set_tasks(ids: Sequence[int], status: str, at: datetime | None, note: str) -> None:
    """Withdraw tasks, or open them again (no moment); nobody is named as the one who did it."""
    db.session.execute(
        text("""
            UPDATE task SET status = :status, done_at = :at, done_by = NULL, note = :note WHERE id = ANY(:ids)
        """),
        {"ids": list(ids), "status": status, "at": at, "note": note},
    )


def take_searches_back(cases: Sequence[int], at: datetime) -> None:
    """The searches of these cases are on record and nobody's work any more."""
    db.session.execute(
        text("UPDATE search_done SET taken_back_at = :at WHERE case_id = ANY(:cases) AND taken_back_at IS NULL"),
        {"cases": list(cases), "at": at},
    )


def give_tasks(owners: Mapping[int, tuple[int | None, str]]) -> None:
    """Give tasks by id to a person in a role, or to nobody yet."""
    people = [owner for owner, _ in owners.values()]
    db.session.execute(
        text("""
            UPDATE task t SET owner_id = n.owner, owner_role = n.role
            FROM unnest(CAST(:ids AS int[]), CAST(:owners AS int[]), CAST(:roles AS text[])) AS n (id, owner, role)
            WHERE t.id = n.id
        """),
        {"ids": list(owners), "owners": people, "roles": [role for _, role in owners.values()]},
    )


def put_on_cases(cases: Sequence[int]) -> None:
    """Put the open tasks of these cases' students on the case."""
    db.session.execute(
        text("""
            UPDATE task t SET case_id = c.id FROM support_case c
            WHERE c.id = ANY(:cases) AND t.student_id = c.student_id AND t.case_id IS NULL AND t.status = 'open'
        """),
        {"cases": list(cases)},
    )


def _by_columns(rows: Sequence[Row]) -> dict[tuple[str, ...], list[Row]]:
    """The rows that set the same columns, together."""
    alike: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        columns = tuple(sorted(row.keys() - {"id"}))
        if columns:
            alike.setdefault(columns, []).append(row)
    return alike
