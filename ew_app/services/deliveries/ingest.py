"""Deliveries: received, read, checked, applied, and taken back as a unit.

`receive` keeps the bytes and asks for the work; a worker calls `load`. Every step may be interrupted and done
again: what is finished is known from the database, never from memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from ew_app.feeds import (
    ATTENDANCE,
    OURS,
    TABLES,
    Delivery,
    Part,
    RefusedFile,
    Said,
    delivery_from_bytes,
    known_formats,
    layout,
    open_delivery,
    read,
)
from ew_app.kernel import Actor, NotFound, Refused, local, now, operation, record
from ew_app.outbox import Job, enqueue
from ew_app.services.deliveries import came_twice
from ew_app.services.deliveries.attendance import retry_rejected
from ew_app.services.deliveries.batch_report import describe, history
from ew_app.services.deliveries.loading import load, load_now
from ew_app.services.deliveries.named_in import refused_as
from ew_app.services.deliveries.remembering import said_before
from ew_app.services.deliveries.undoing import note_undo, undo
from models import marks
from models.attendance import Batch, BatchFile
from models.base import db
from models.org import Source
from models.queries import deliveries
from rules.access import Permission

__all__ = [
    "accept",
    "cancel",
    "describe",
    "history",
    "load",
    "load_now",
    "receive",
    "retry_rejected",
    "take_back",
    "undo",
    "undo_needs",
]

PART_BYTES: Final = 200 << 20
IN_LINE: Final = "in line"

Files = Mapping[str, bytes] | Sequence[Path] | Delivery


@operation
def receive(
    *,
    kind: str,
    name: str,
    files: Files,
    by: Actor,
    source: str = "default",
    feed: str | None = None,
    preview: bool = False,
    accept_held: bool = False,
    options: Mapping[str, Any] | None = None,
    in_line: bool = False,
    more_follow: bool = False,
) -> int:
    """Keep a delivery and queue its loading; returns the batch. Refused: there is nothing in it we can read.

    kind: attendance or roster. feed: exception or full, by default the source's setting. options: format, dates,
    ids and periods (`feeds.Said`), mapping {table: {our column: their header}}, max_rows, limits {name of a
    feed_checks.Limits field: value}, schools: the keys of those whose rows may go in. in_line: it waits until
    whoever sent it says that its turn has come (`go_on`). more_follow: as `load` says.
    A file that may never be kept is noted as refused without its bytes; the same delivery again as duplicate.
    """
    delivery = _opened(kind, files, source, options or {})
    parts = _parts(kind, delivery)
    sender = _source(source)
    batch = Batch(
        kind=kind,
        source_id=sender.id,
        feed=feed or sender.feed,
        name=name,
        sha256=delivery.hash_of({part.table for part in parts}),
        received_at=now(),
        received_by=by.login,
        accept_held=accept_held,
        preview=preview,
        options=dict(options or {}) | told_by(delivery),
    )
    db.session.add(batch)
    db.session.flush()
    _take_in(batch, parts, in_line, more_follow)
    record("batch_received", by=by, subject=f"batch:{batch.id}", name=name, status=batch.status)
    return batch.id


def go_on(batch: Batch) -> None:
    """Queue the loading of a delivery that waited in line, in the open transaction."""
    batch.step = ""
    enqueue(Job.LOAD_BATCH, batch.id)


@operation
def accept(batch_id: int, *, by: Actor) -> None:
    """Let a held delivery in; it is read again, so that the roster of today counts. Refused if it is not held."""
    batch = _held(batch_id, "let in")
    batch.status, batch.accept_held, batch.sentence = "received", True, ""
    record("batch_accepted", by=by, subject=f"batch:{batch_id}")
    enqueue(Job.LOAD_BATCH, batch_id)


@operation
def cancel(batch_id: int, *, by: Actor) -> None:
    """Put a held delivery away for good; nothing of it was ever merged."""
    _held(batch_id, "put away").status = "cancelled"
    marks.drop_staged(batch_id)
    record("batch_cancelled", by=by, subject=f"batch:{batch_id}")


@operation
def take_back(batch_id: int, *, by: Actor) -> None:
    """Ask for a batch to be undone as a unit. Refused if it is not applied."""
    batch = _locked(batch_id)
    if batch.status != "applied":
        raise Refused(f"Batch {batch_id} is {batch.status}; only an applied batch can be taken back.")
    batch.status, batch.percent, batch.step = "undoing", 0, "taking back"
    note_undo(batch, by)
    enqueue(Job.UNDO_BATCH, batch_id)


def undo_needs(batch: Batch, today: date) -> Permission:
    """Which permission undoing takes: on the local day the batch went in the clerk's, later the data steward's."""
    same_day = batch.applied_at is not None and local(batch.applied_at).date() == today
    return Permission.UNDO_SAME_DAY if same_day else Permission.UNDO_ANY


def told_by(delivery: Delivery) -> dict[str, Any]:
    """What the options of a batch keep of how its delivery was opened."""
    if delivery.format == OURS:
        return {**delivery.said, **({"told": list(delivery.told)} if delivery.told else {})}
    return {**delivery.said, "format": delivery.format, "told": list(delivery.told), "left_out": delivery.left_out}


def _opened(kind: str, files: Files, source: str, options: Mapping[str, Any]) -> Delivery:
    if options.get("format", OURS) not in known_formats():
        raise Refused(f"There is no format {options['format']}. There are: {', '.join(known_formats())}.")
    tables = ATTENDANCE if kind == "attendance" else [table for table in TABLES if table not in ATTENDANCE]
    how = Said.of(options), tables, said_before(source)
    try:
        if isinstance(files, Delivery):
            return files
        return delivery_from_bytes(files, *how) if isinstance(files, Mapping) else open_delivery(files, *how)
    except RefusedFile as refused:
        raise Refused(str(refused)) from refused


def _parts(kind: str, delivery: Delivery) -> list[Part]:
    """The files of this kind. Refused where there is none, or a covers.csv that covers nothing."""
    parts = [part for part in delivery.parts if (part.table in ATTENDANCE) == (kind == "attendance")]
    if not parts:
        raise Refused(f"There is no {kind} file in {delivery.name}.")
    tables = {part.table for part in parts}
    if "covers" in tables and "attendance" not in tables:
        raise Refused(
            "covers.csv came without an attendance file. It says which days the rows of that file are complete for; "
            "if nobody was absent, send an attendance file with the header alone."
        )
    return parts


def _source(name: str) -> Source:
    db.session.execute(insert(Source).values(name=name, feed="exception", exit_inclusive=True).on_conflict_do_nothing())
    return db.session.scalars(select(Source).where(Source.name == name)).one()


def _take_in(batch: Batch, parts: Sequence[Part], in_line: bool, more_follow: bool) -> None:
    """Refuse, recognise, or keep the bytes and queue the work."""
    try:
        _look_at_headers(batch, parts)
    except RefusedFile as refused:
        batch.status, batch.sentence, batch.counts = "refused", str(refused), refused_as(batch, refused)
        return
    earlier = deliveries.same_delivery(batch.id) if batch.kind == "attendance" else None
    if earlier and (rows := came_twice.rows_before(earlier)) is not None:
        came_twice.note(batch, earlier, rows)
        return
    for part in parts:
        _keep(batch, part)
    if in_line:
        batch.step = IN_LINE
    else:
        enqueue(Job.LOAD_BATCH, batch.id, *([True] if more_follow else []), key=str(batch.id))


def _look_at_headers(batch: Batch, parts: Sequence[Part]) -> None:
    """RefusedFile before any byte is kept: a column that must never be here, or one that is missing."""
    readings = []  # each is kept until its file is closed in order
    for part in parts:
        mapping = batch.options.get("mapping", {}).get(part.table)
        try:
            with part.open() as stream:
                readings.append(read(stream, layout(batch.options, part.table), mapping=mapping, may_be_empty=True))
        except RefusedFile as refused:
            raise refused.of(part.name) from refused


def _keep(batch: Batch, part: Part) -> None:
    """The bytes of one file, in parts of 200 MB."""
    taken = set(db.session.scalars(select(BatchFile.name).where(BatchFile.batch_id == batch.id)))
    name, number = part.name, 2
    while name in taken:
        name, number = f"{part.name} ({number})", number + 1
    with part.open() as stream:
        for place, content in enumerate(iter(lambda: stream.read(PART_BYTES), b"")):
            db.session.add(
                BatchFile(
                    batch_id=batch.id,
                    name=name,
                    part=place,
                    table_name=part.table,
                    size=len(content),
                    sha256=part.sha256,
                    content=content,
                )
            )
            db.session.flush()


def _held(batch_id: int, what: str) -> Batch:
    batch = _locked(batch_id)
    if batch.status != "held":
        raise Refused(f"Batch {batch_id} is {batch.status}; only a held batch can be {what}.")
    return batch


def _locked(batch_id: int) -> Batch:
    batch = db.session.get(Batch, batch_id, with_for_update=True)
    if batch is None:
        raise NotFound(f"There is no batch {batch_id}.")
    return batch
