"""Rows that replace their earlier form: upsert by key with history.

Every changed row leaves its earlier form in row_history; a created row leaves None. So a delivery can be taken
back (`models.rows_undone`) and any past state can be told. A row that says nothing new leaves and writes nothing.
Runs on the session's connection, inside the open transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from models.base import db

TAKEN_BACK: Final = "taken back"  # the slice of a roster whose rows were taken back
# A row that only a delivery taken back had said counts as not there; records that name it may have kept it.
STANDS: Final = f"""coalesce({{row}}.batch_id, -1) <> ALL (ARRAY(
    SELECT batch_id FROM batch_slice WHERE key = '{TAKEN_BACK}' UNION ALL SELECT CAST(:undoing AS int)))"""

# After so many rows the planner is told of them at once. It learns of them by itself a minute after the commit, and
# what is asked before then of a table that was empty may be sought by the wrong index for as long as work may last.
MANY: Final = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """A table that files may fill: its primary key, what makes two rows the same row, and what they may set."""

    table: str
    primary_key: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[str, ...]
    nullable_key: bool = False
    by_hand: bool = False  # people set its rows as well, as wholes (batch 0 in history)

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
    undoing: int = 0,
) -> tuple[int, int]:
    """Insert or update the rows of the SELECT `source`; returns how many were (created, changed).

    source: columns of key and values, `line`, and `unread` (text[]): columns whose cell could not be read.
    absent: columns the file does not have. Both keep what is stored; a new row takes the source's value.
    undoing: the delivery being taken back, whose rows count as not there.
    """
    result = db.session.execute(
        text(_statement(target, source, frozenset(absent))),
        {**(parameters or {}), "batch": batch_id, "at": at, "undoing": undoing},
    )
    created, changed = result.one()
    if created + changed >= MANY:
        db.session.execute(text(f"ANALYZE {target.table}"))
    return created, changed


def again_of(target: Target) -> str:
    """The temporary table of the keys of rows that are laid over again (`models.rows_undone`)."""
    return f"again_{target.table}"


def only_again(target: Target, source: str) -> str:
    """Of the SELECT `source` the rows that are laid over again."""
    return f"SELECT r.* FROM ({source}) r JOIN {again_of(target)} g ON {_same(target, 'g', 'r')}"


def _statement(target: Target, source: str, absent: frozenset[str]) -> str:
    """One statement: what differs, written by key, with its earlier form kept."""
    keys = ", ".join(target.key)
    values = ", ".join(target.columns)
    stands = _stands(target)
    fresh = [_fresh(column, target, absent) for column in target.columns]
    merged = ", ".join(f"{value} AS {column}" for value, column in zip(fresh, target.columns, strict=True))
    old = ", ".join(f"t.{column}" for column in target.columns)
    set_all = ", ".join(f"{column} = excluded.{column}" for column in (*target.columns, "batch_id", "line"))
    returned = ", ".join(dict.fromkeys((*target.primary_key, *target.key)))
    row_key = ", ".join(f"'{column}', w.{column}" for column in target.primary_key)
    return f"""
        WITH different AS (
            SELECT r.line, {", ".join(f"r.{column}" for column in target.key)}, {merged},
                   to_jsonb(t) AS before, NOT ({stands}) AS is_new
            FROM ({source}) r LEFT JOIN {target.table} t ON {_same(target, "t", "r")}
            WHERE NOT ({stands}) OR ROW({old}) IS DISTINCT FROM ROW({", ".join(fresh)})
        ), written AS (
            INSERT INTO {target.table} ({keys}, {values}, batch_id, line)
            SELECT {keys}, {values}, :batch, line FROM different ORDER BY {keys}
            ON CONFLICT ({keys}) DO UPDATE SET {set_all} RETURNING {returned}
        ), kept AS (
            INSERT INTO row_history (batch_id, table_name, row_key, before, at)
            SELECT :batch, '{target.table}', jsonb_build_object({row_key}), d.before, :at
            FROM written w LEFT JOIN (SELECT * FROM different WHERE before IS NOT NULL) d ON {_same(target, "d", "w")}
        )
        SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM different
    """


def _stands(target: Target) -> str:
    """SQL: a row `t` is stored, and what it says was not taken back."""
    return f"t.{target.primary_key[0]} IS NOT NULL AND {STANDS.format(row='t')}"


def _fresh(column: str, target: Target, absent: frozenset[str]) -> str:
    """The value a row takes: the file's, or what is stored where the file says nothing readable."""
    stands = _stands(target)
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
