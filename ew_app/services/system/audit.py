"""Tamper evidence for the audit: rows are sealed one after the other, each seal resting on the one before.

Writers never wait: a seal is set later, in the order of sealing, by the schedule and before every check. Whoever
changes, removes or reorders rows below the application breaks the chain at that place. A row slipped in between
rows that were sealed before it was written is recognised by its transaction number when it is sealed, and stays
marked. Only a whole chain made anew would pass; the head, kept elsewhere, tells that too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any, Final

from sqlalchemy import func, select, text

from ew_app.kernel import now, operation
from models import bulk
from models.audit import AuditSeal
from models.base import db

LOCK: Final = 7306
AT_ONCE: Final = 5_000
RECENT: Final = 100_000  # the schedule looks this far back for rows that were committed late; a check looks everywhere
LONGEST_WRITE: Final = timedelta(minutes=10)  # between the moment a row tells and its commit
START: Final = ""

COLUMNS: Final = (
    "id", "at", "actor", "role", "action", "subject", "student_id", "compartment", "reason", "ip", "request_id",
)  # fmt: skip
_ROW = ", ".join(f"a.{name}" for name in COLUMNS)
# A row's transaction number with its epoch; the horizon is the first number not given out at this look.
_UNSEALED = text(f"""
    SELECT {_ROW}, pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS horizon,
           pg_current_xact_id()::text::bigint - age(a.xmin) AS written_by
    FROM audit_row a LEFT JOIN audit_seal s ON s.row_id = a.id
    WHERE s.row_id IS NULL AND a.id > :after ORDER BY a.id LIMIT :most
""")
_SEALED = text(f"""
    SELECT s.position, s.row_id, s.hash, s.sealed_at, s.late, {_ROW}
    FROM audit_seal s LEFT JOIN audit_row a ON a.id = s.row_id
    WHERE s.position > :after ORDER BY s.position LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where the audit is not what was sealed."""

    position: int
    row_id: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many rows were checked, the chain's head, and the first broken place, if any."""

    rows: int
    head: str
    broken: Broken | None


@dataclass(frozen=True, slots=True)
class _Last:
    """Where the chain ends: the next row rests on this."""

    position: int
    hash: str
    sealed_at: Any
    horizon: int
    highest: int  # the largest row number sealed so far


def seal(*, everywhere: bool = False) -> int:
    """Seal what was written since; how many rows. `everywhere`: also look at rows of long ago."""
    sealed = 0
    while done := _seal_some(everywhere):
        sealed += done
    return sealed


def verify(head: str | None = None) -> Verdict:
    """Seal the rest, then walk the whole chain. `head` (POSITION:HASH, noted earlier) must lie on it."""
    seal(everywhere=True)
    return _walk(head)


@operation
def head() -> str:
    """POSITION:HASH of the newest seal, to be noted elsewhere."""
    last = _last()
    return _head(last.position, last.hash) if last else _head(0, START)


@operation
def _walk(head: str | None) -> Verdict:
    position, previous, noted = 0, START, head is None
    for row in _chain():
        broken = _check(row, position + 1, previous)
        if broken:
            return Verdict(position, _head(position, previous), broken)
        position, previous = row["position"], row["hash"]
        noted = noted or head == _head(position, previous)
    broken = None if noted else Broken(position, 0, f"The head {head} is not on the chain: it was made anew, or cut.")
    return Verdict(position, _head(position, previous), broken)


@operation
def _seal_some(everywhere: bool) -> int:
    """Seal up to AT_ONCE rows in one transaction; sealers take turns."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    last = _last()
    after = -(2**62) if everywhere or last is None else last.highest - RECENT
    rows = [dict(row._mapping) for row in db.session.execute(_UNSEALED, {"after": after, "most": AT_ONCE})]
    bulk.copy_in("audit_seal", _seals(rows, last))
    return len(rows)


def _seals(rows: list[dict[str, Any]], last: _Last | None) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        name: [] for name in ("position", "row_id", "hash", "sealed_at", "late", "horizon")
    }
    position, previous = (last.position, last.hash) if last else (0, START)
    at = now()
    for row in rows:
        late = last is not None and _came_late(row, last)
        position, previous = position + 1, _hash(previous, position + 1, at, late, row)
        for name, value in zip(columns, (position, row["id"], previous, at, late, row["horizon"]), strict=True):
            columns[name].append(value)
    return columns


def _came_late(row: Mapping[str, Any], last: _Last) -> bool:
    """The row was written after the last seal, yet stands among the rows of before, or tells a moment long past."""
    written_since: bool = row["written_by"] >= last.horizon
    return written_since and (row["id"] < last.highest or row["at"] < last.sealed_at - LONGEST_WRITE)


def _last() -> _Last | None:
    newest = select(AuditSeal).order_by(AuditSeal.position.desc()).limit(1)
    found = db.session.scalars(newest.execution_options(populate_existing=True)).first()
    if found is None:
        return None
    highest = db.session.scalar(select(func.max(AuditSeal.row_id))) or 0
    return _Last(found.position, found.hash, found.sealed_at, found.horizon, highest)


def _chain() -> Iterator[Mapping[str, Any]]:
    """Every seal with its row, in order of position, some at a time."""
    after = -(2**62)
    while rows := [dict(row._mapping) for row in db.session.execute(_SEALED, {"after": after, "most": AT_ONCE})]:
        yield from rows
        after = rows[-1]["position"]


def _check(row: Mapping[str, Any], position: int, previous: str) -> Broken | None:
    if row["position"] != position:
        return Broken(position, row["row_id"], f"Seal {position} is missing.")
    what = f"Audit row {row['row_id']}, sealed {row['sealed_at'].astimezone(UTC):%Y-%m-%d %H:%M} UTC,"
    if row["id"] is None:
        return Broken(position, row["row_id"], f"{what} was removed.")
    if row["hash"] != _hash(previous, position, row["sealed_at"], row["late"], row):
        return Broken(position, row["row_id"], f"{what} or its seal was changed.")
    if row["late"]:
        return Broken(position, row["row_id"], f"{what} was inserted later than it claims, among older rows.")
    return None


def _hash(previous: str, position: int, sealed_at: Any, late: bool, row: Mapping[str, Any]) -> str:
    """SHA-256 over the seal before and this row as canonical JSON, with what the seal itself says."""
    told = {name: row[name] for name in COLUMNS} | {"position": position, "sealed_at": sealed_at, "late": late}
    canonical = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_moment)
    return hashlib.sha256(f"{previous}{canonical}".encode()).hexdigest()


def _moment(at: Any) -> str:
    return str(at.astimezone(UTC).isoformat(timespec="microseconds"))


def _head(position: int, last_hash: str) -> str:
    return f"{position}:{last_hash}"
