"""Rows of a roster delivery that is taken back: first as if it had never come, then what followed laid over again.

A row's earlier form stands in row_history; what other deliveries said since, also where they only repeated it, is
read again from their bytes (`ew_app.services.rosters.roster_undo`) for just these rows. In between, a row that the
delivery had made stays where it is as the delivery's own, which counts as not there, so that its id outlives this.
Runs inside the open transaction: `take_out`, then `upsert(..., undoing=...)` for each later delivery, then `take_away`
and `told`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from models.base import db
from models.upsert import TAKEN_BACK, Target, again_of

BY_HAND = 0  # stands in history for the batch of a change that a person made


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the rows of one table: back to another form, gone, or standing although the batch made them."""

    restored: int
    deleted: int
    kept: int


def take_out(target: Target, batch_id: int, *, at: datetime) -> bool:
    """Give the rows a batch set the form they had without it; True if there are any. What stood is kept in history.

    A row that a person has set since is left alone.
    """
    asked = {"batch": batch_id, "at": at}
    for statement in (_FORGET, _FIRST_FORMS, _LEAVE_TO_PEOPLE if target.by_hand else ""):
        if statement:
            _run(target, statement, batch=batch_id)
    _go_further_back(target, batch_id)
    for statement in (_NOTE_STANDING, _KEEP, _RESET, _BRING_BACK, _DISOWN, _AGAIN):
        db.session.execute(text(_of(target, statement)), {n: v for n, v in asked.items() if f":{n}" in statement})
    return bool(db.session.scalar(text(_of(target, "SELECT EXISTS (SELECT FROM {again})"))))


def take_away(target: Target, batch_id: int, *, used: str = "false", computed: Sequence[str] = ()) -> int:
    """Delete the rows that only this batch had said, unless `used` (SQL, the table is `t`) holds; returns how many.

    `computed`: tables with rows about them that go first.
    """
    leaving = _LEAVING.replace("{used}", used.replace("{", "{{").replace("}", "}}"))
    for name in computed:
        _run(
            target,
            f"DELETE FROM {name} c USING {{table}} t, {{undone}} u WHERE c.{{table}}_id = t.id AND {leaving}",
            batch=batch_id,
        )
    return _run(target, f"DELETE FROM {{table}} t USING {{undone}} u WHERE {leaving}", batch=batch_id)


def told(target: Target, deleted: int) -> Fate:
    """What became of the rows, once all is done."""
    restored, kept = db.session.execute(text(_of(target, _TOLD))).one()
    return Fate(restored, deleted, kept)


# Rows of an undone delivery before this one mark where a row's history begins anew: what it had led to is void.
_FORMS = """
    SELECT DISTINCT ON (h.row_key) h.row_key, h.before, h.id FROM row_history h LEFT JOIN (
        SELECT row_key, max(id) AS id FROM row_history
        WHERE table_name = '{table}' AND batch_id < :batch
          AND batch_id = ANY (ARRAY(SELECT batch_id FROM batch_slice WHERE key = '{taken_back}'))
        GROUP BY row_key
    ) void USING (row_key)
    WHERE h.batch_id = :batch AND h.table_name = '{table}' AND h.id > coalesce(void.id, 0)
    ORDER BY h.row_key, h.id
"""
_FORGET = "DROP TABLE IF EXISTS {undone}, {again}"
_FIRST_FORMS = (
    "CREATE TEMP TABLE {undone} ON COMMIT DROP AS SELECT f.*, CAST(NULL AS jsonb) AS standing, false AS by_hand "
    f"FROM ({_FORMS}) f"
)
_LEAVE_TO_PEOPLE = """
    UPDATE {undone} u SET by_hand = true FROM row_history h
    WHERE h.table_name = '{table}' AND h.batch_id = {hand} AND h.row_key = u.row_key AND h.id > u.id AND :batch > 0
"""
_FURTHER_BACK = f"""
    UPDATE {{undone}} u SET before = f.before
    FROM {{undone}} o LEFT JOIN ({_FORMS}) f USING (row_key)
    WHERE o.row_key = u.row_key AND (u.before->>'batch_id')::int = :batch
"""
_UNDONE_FORMS = """
    SELECT DISTINCT s.batch_id FROM {undone} u JOIN batch_slice s
      ON s.batch_id = (u.before->>'batch_id')::int AND s.key = '{taken_back}'
"""
_NOTE_STANDING = "UPDATE {undone} u SET standing = to_jsonb(t) FROM {table} t WHERE {found}"
_KEEP = """
    INSERT INTO row_history (batch_id, table_name, row_key, before, at)
    SELECT :batch, '{table}', row_key, standing, :at FROM {undone} WHERE NOT by_hand
"""
_RESET = """
    UPDATE {table} t SET {set_all} FROM {undone} u, jsonb_populate_record(NULL::{table}, u.before) p
    WHERE {found} AND u.before IS NOT NULL AND NOT u.by_hand
"""
_BRING_BACK = """
    INSERT INTO {table} ({stored}) OVERRIDING SYSTEM VALUE
    SELECT {stored_forms} FROM {undone} u, jsonb_populate_record(NULL::{table}, u.before) p
    WHERE u.before IS NOT NULL AND u.standing IS NULL AND NOT u.by_hand ON CONFLICT DO NOTHING
"""
_DISOWN = """
    UPDATE {table} t SET batch_id = :batch FROM {undone} u
    WHERE {found} AND u.before IS NULL AND NOT u.by_hand AND t.batch_id IS DISTINCT FROM :batch
"""
_AGAIN = """
    CREATE TEMP TABLE {again} ON COMMIT DROP AS
    SELECT {keys} FROM {table} t JOIN {undone} u ON {found} WHERE NOT u.by_hand
"""
_LEAVING = "{found} AND t.batch_id = :batch AND u.before IS NULL AND NOT u.by_hand AND NOT ({used})"
_TOLD = """
    SELECT count(*) FILTER (WHERE u.before IS NOT NULL AND NOT u.by_hand
               AND to_jsonb(t) - '{{batch_id,line}}'::text[]
                   IS DISTINCT FROM u.standing - '{{batch_id,line}}'::text[]),
           count(*) FILTER (WHERE u.before IS NULL)
    FROM {undone} u JOIN {table} t ON {found}
"""


def _go_further_back(target: Target, batch_id: int) -> None:
    """A form that comes from a delivery taken back itself is no form: what stood before that one is."""
    asked: set[int] = set()
    while further := [number for number in _undone_forms(target) if number not in asked]:
        asked.update(further)
        for number in further:
            _run(target, _FURTHER_BACK, batch=number)


def _undone_forms(target: Target) -> list[int]:
    return list(db.session.scalars(text(_of(target, _UNDONE_FORMS))))


def _run(target: Target, statement: str, batch: int) -> int:
    query = _of(target, statement)
    result = db.session.execute(text(query), {"batch": batch} if ":batch" in query else {})
    return int(result.rowcount)  # type: ignore[attr-defined]


def _of(target: Target, statement: str) -> str:
    """The statement about this table: `t` is the row that `u`, a row of the temporary table, speaks of."""
    found = " AND ".join(
        f"t.{column} = (jsonb_populate_record(NULL::{target.table}, u.row_key)).{column}"
        for column in target.primary_key
    )
    stored = target.stored
    return statement.format(
        table=target.table,
        undone=f"undone_{target.table}",
        again=again_of(target),
        found=found,
        keys=", ".join(f"t.{column}" for column in target.key),
        stored=", ".join(stored),
        stored_forms=", ".join(f"p.{column}" for column in stored),
        set_all=", ".join(f"{column} = p.{column}" for column in (*target.columns, "batch_id", "line")),
        taken_back=TAKEN_BACK,
        hand=BY_HAND,
    )
