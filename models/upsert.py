"""Rows that replace their earlier form: upsert by key with history, and the way back.

Every changed row leaves its earlier form in row_history; a created row leaves None. So a delivery can be taken
back and any past state can be told. Runs on the session's connection, inside the open transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from models.base import db


@dataclass(frozen=True, slots=True)
class Target:
    """A table that files may fill: its primary key, what makes two rows the same row, and what they may set."""

    table: str
    primary_key: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[str, ...]
    nullable_key: bool = False

    @property
    def stored(self) -> tuple[str, ...]:
        """All columns a row of ours has."""
        new = tuple(column for column in self.primary_key if column not in self.key)
        return (*new, *self.key, *self.columns, "batch_id", "line")


def upsert(
    target: Target,
    source: str,
    *,
    batch_id: int,
    at: datetime,
    absent: Collection[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> tuple[int, int]:
    """Insert or update the rows of the SELECT `source`; returns how many were (created, changed).

    source: columns of key and values, `line`, and `unread` (text[]): columns whose cell could not be read.
    absent: columns the file does not have. Both keep what is stored; a new row takes the source's value.
    """
    result = db.session.execute(
        text(_statement(target, source, frozenset(absent))),
        {**(parameters or {}), "batch": batch_id, "at": at},
    )
    created, changed = result.one()
    return created, changed


def _statement(target: Target, source: str, absent: frozenset[str]) -> str:
    """One statement: what differs, written by key, with its earlier form kept."""
    keys = ", ".join(target.key)
    values = ", ".join(target.columns)
    fresh = [_fresh(column, target, absent) for column in target.columns]
    merged = ", ".join(f"{value} AS {column}" for value, column in zip(fresh, target.columns, strict=True))
    old = ", ".join(f"t.{column}" for column in target.columns)
    set_all = ", ".join(f"{column} = excluded.{column}" for column in (*target.columns, "batch_id", "line"))
    returned = ", ".join(dict.fromkeys((*target.primary_key, *target.key)))
    row_key = ", ".join(f"'{column}', w.{column}" for column in target.primary_key)
    return f"""
        WITH different AS (
            SELECT r.line, {", ".join(f"r.{column}" for column in target.key)}, {merged}, to_jsonb(t) AS before
            FROM ({source}) r LEFT JOIN {target.table} t ON {_same(target, "t", "r")}
            WHERE t.{target.primary_key[0]} IS NULL OR ROW({old}) IS DISTINCT FROM ROW({", ".join(fresh)})
        ), written AS (
            INSERT INTO {target.table} ({keys}, {values}, batch_id, line)
            SELECT {keys}, {values}, :batch, line FROM different ORDER BY {keys}
            ON CONFLICT ({keys}) DO UPDATE SET {set_all} RETURNING {returned}
        ), kept AS (
            INSERT INTO row_history (batch_id, table_name, row_key, before, at)
            SELECT :batch, '{target.table}', jsonb_build_object({row_key}), d.before, :at
            FROM written w LEFT JOIN (SELECT * FROM different WHERE before IS NOT NULL) d ON {_same(target, "d", "w")}
            RETURNING before IS NULL AS created
        )
        SELECT count(*) FILTER (WHERE created), count(*) FILTER (WHERE NOT created) FROM kept
    """


def _fresh(column: str, target: Target, absent: frozenset[str]) -> str:
    """The value a row takes: the file's, or what is stored where the file says nothing readable."""
    stands = f"t.{target.primary_key[0]} IS NOT NULL"
    if column not in absent:
        stands += f" AND '{column}' = ANY(r.unread)"
    return f"CASE WHEN {stands} THEN t.{column} ELSE r.{column} END"


def _same(target: Target, left: str, right: str) -> str:
    """Two rows have the same key; only where a key may be empty does the slower comparison pay."""
    equal = "IS NOT DISTINCT FROM" if target.nullable_key else "="
    return " AND ".join(f"{left}.{column} {equal} {right}.{column}" for column in target.key)


def end_rows(target: Target, condition: str, *, batch_id: int, at: datetime) -> int:
    """Delete rows for which `condition` holds (the table is `t`) and keep their form; returns how many."""
    row_key = ", ".join(f"'{column}', t.{column}" for column in target.primary_key)
    ended = db.session.execute(
        text(f"""
            WITH gone AS (
                DELETE FROM {target.table} t WHERE {condition}
                RETURNING jsonb_build_object({row_key}) AS row_key, to_jsonb(t) AS before
            )
            INSERT INTO row_history (batch_id, table_name, row_key, before, at)
            SELECT :batch, '{target.table}', row_key, before, :at FROM gone
        """),
        {"batch": batch_id, "at": at},
    )
    return int(ended.rowcount)  # type: ignore[attr-defined]


def take_back(
    target: Target, batch_id: int, *, by_batch: int, at: datetime, used: str = "false"
) -> tuple[int, int, int]:
    """Give the rows a batch set their earlier form again; returns (restored, deleted, kept).

    Only rows on which no other delivery has worked since. A created row goes, unless the condition `used`
    (the table is `t`) holds. The forms taken back are kept in history under `by_batch`, so that what stood
    at any moment can still be told.
    """
    parameters = {"batch": batch_id, "by": by_batch, "at": at}
    gone = db.session.execute(text(_delete_created(target, used)), parameters).scalar_one()
    left = db.session.execute(text(_count_created(target)), parameters).scalar_one()
    restored = db.session.execute(text(_restore(target)), parameters).scalar_one()
    return restored, gone, left


def _first_forms(target: Target) -> str:
    """What stood before the batch: its first history row of each row of the table."""
    return f"""
        SELECT DISTINCT ON (row_key) row_key, before FROM row_history
        WHERE batch_id = :batch AND table_name = '{target.table}' ORDER BY row_key, id
    """


def _found(target: Target) -> str:
    """`t` is the row that history row `f` speaks of."""
    return " AND ".join(
        f"t.{column} = (jsonb_populate_record(NULL::{target.table}, f.row_key)).{column}"
        for column in target.primary_key
    )


def _count_created(target: Target) -> str:
    """Rows the batch created that stand all the same: another delivery has set them, or records use them."""
    return f"""
        SELECT count(*) FROM ({_first_forms(target)}) f JOIN {target.table} t ON {_found(target)}
        WHERE f.before IS NULL
    """


def _delete_created(target: Target, used: str) -> str:
    row_key = ", ".join(f"'{column}', t.{column}" for column in target.primary_key)
    return f"""
        WITH gone AS (
            DELETE FROM {target.table} t USING ({_first_forms(target)}) f
            WHERE {_found(target)} AND t.batch_id = :batch AND f.before IS NULL AND NOT ({used})
            RETURNING jsonb_build_object({row_key}) AS row_key, to_jsonb(t) AS before
        ), kept AS (
            INSERT INTO row_history (batch_id, table_name, row_key, before, at)
            SELECT :by, '{target.table}', row_key, before, :at FROM gone RETURNING id
        )
        SELECT count(*) FROM kept
    """


def _restore(target: Target) -> str:
    """Write the earlier forms over rows that still are the batch's, and bring back rows it had ended."""
    stored = ", ".join(target.stored)
    set_all = ", ".join(f"{column} = excluded.{column}" for column in target.stored if column not in target.primary_key)
    missing = " AND ".join(f"t.{column} = p.{column}" for column in target.primary_key)
    return f"""
        WITH first_form AS ({_first_forms(target)}), form AS (
            SELECT f.row_key, p.*, (SELECT to_jsonb(t) FROM {target.table} t WHERE {missing}) AS standing
            FROM first_form f, jsonb_populate_record(NULL::{target.table}, f.before) p
            WHERE f.before IS NOT NULL AND NOT EXISTS (
                SELECT FROM {target.table} t WHERE {missing} AND t.batch_id IS DISTINCT FROM :batch)
            AND NOT EXISTS (
                SELECT FROM row_history later WHERE later.table_name = '{target.table}'
                AND later.row_key = f.row_key AND later.batch_id > :batch
                AND NOT EXISTS (SELECT FROM {target.table} t WHERE {missing}))
        ), kept AS (
            INSERT INTO row_history (batch_id, table_name, row_key, before, at)
            SELECT :by, '{target.table}', row_key, standing, :at FROM form RETURNING id
        ), written AS (
            INSERT INTO {target.table} ({stored}) OVERRIDING SYSTEM VALUE SELECT {stored} FROM form
            ON CONFLICT ({", ".join(target.primary_key)}) DO UPDATE SET {set_all} RETURNING 1
        )
        SELECT count(*) FROM written
    """
