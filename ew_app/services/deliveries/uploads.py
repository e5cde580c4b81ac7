"""A file from the browser on its way in: kept, understood, and rehearsed by the worker before anyone applies it.

The bytes are committed before anything else happens. `Batch.step` says what an upload waits for that cannot be
read yet: columns to be matched, or the days on which nobody was absent. What comes after is in `releasing`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from sqlalchemy import select, text

from ew_app.feeds import ATTENDANCE, TABLES, Delivery, Part, RefusedFile, Said, delivery_from_bytes
from ew_app.kernel import Actor, Conflict, NotFound, Refused, now, operation, record, settings
from ew_app.outbox import Job, enqueue
from ew_app.services.deliveries import ingest
from ew_app.services.deliveries.remembering import matched_before, said_before
from ew_app.services.deliveries.upload_reading import columns_unknown, is_empty, is_silent
from models.attendance import Batch, BatchFile
from models.base import db
from models.org import School, Source
from models.queries import scope
from rules import access
from rules.access import Area, Permission

COLUMNS: Final = "columns"
DAYS: Final = "days"

NO_ROWS: Final = b"student_id,school_id,date,code\n"
MOST_UNPACKED: Final = 8  # times the largest upload

SchoolDay = tuple[int, date]
Mapped = Mapping[str, Mapping[str, str]]  # table -> our column -> theirs


@dataclass(frozen=True, slots=True)
class Upload:
    """What someone handed over in the browser, and what they said about it.

    once: the key of the form; the same key twice is the same upload. kind and feed: None finds out by itself.
    nobody_absent: school-days on which a file without rows is right.
    """

    files: Mapping[str, bytes]
    once: str
    kind: str | None = None
    feed: str | None = None
    source: str = "default"
    nobody_absent: Sequence[SchoolDay] = ()


@operation
def take(upload: Upload, *, by: Actor, area: Area) -> int:
    """Keep an upload and have it checked; returns the batch. Refused: nothing was kept, and why.

    Rows about schools outside `area` are turned away when the file is read.
    """
    if (earlier := _taken(upload.once)) is not None:
        return earlier
    delivery, kind = _sorted(upload, by)
    options = _options(upload, kind, area) | ingest.told_by(delivery)
    if columns_unknown(delivery.parts, options):
        return _keep_waiting(upload, delivery, kind, options, COLUMNS, by)
    if _says_nothing(upload, delivery.parts, options):
        return _keep_waiting(upload, delivery, kind, options, DAYS, by)
    return ingest.receive(
        kind=kind,
        name=delivery.name,
        files=delivery,
        by=by,
        source=upload.source,
        feed=upload.feed,
        preview=True,
        options=options,
    )


@operation
def match_columns(batch_id: int, mapping: Mapped, *, by: Actor, dates: str | None = None) -> None:
    """Say which column of the file is which and go on. Raises Refused, Conflict.

    dates: mdy or dmy, where they are not written year first; remembered for the source like the columns.
    """
    batch, parts = _waiting(batch_id, COLUMNS), kept(batch_id).parts
    options = dict(batch.options) | {"mapping": mapping}
    if columns_unknown(parts, options):
        raise Refused("Match every column that is needed with one of the file. Nothing was changed.")
    batch.options = {**options, **Said(dates=dates).options()}
    record("columns_matched", by=by, subject=f"batch:{batch_id}")
    if batch.kind == "attendance" and batch.feed == "exception" and is_silent(parts, options):
        batch.step = DAYS
    else:
        go_on(batch)


@operation
def nobody_absent(batch_id: int, days: Sequence[SchoolDay], *, by: Actor) -> None:
    """Say for which school-days a file without rows is right, and go on. Raises Refused, Conflict."""
    batch = _waiting(batch_id, DAYS)
    if not days:
        raise Refused("Tick the days on which nobody was absent. Until then nothing of the file counts.")
    covers = delivery_from_bytes({"covers.csv": _covers(days)}).parts[0]
    _keep(batch_id, [covers])
    batch.sha256 = kept(batch_id).attendance_hash
    record("nobody_absent", by=by, subject=f"batch:{batch_id}", days=len(days))
    go_on(batch)


def go_on(batch: Batch) -> None:
    """Hand a kept batch to the worker, from its first line."""
    batch.status, batch.step, batch.sentence, batch.percent = "received", "", "", 0
    batch.counts, batch.effect = {}, {}
    enqueue(Job.LOAD_BATCH, batch.id)


def waits_for(batch: Batch) -> str:
    """COLUMNS, DAYS, or nothing."""
    return batch.step if batch.status == "received" and batch.step in (COLUMNS, DAYS) else ""


def kept(batch_id: int) -> Delivery:
    """The files of an upload as they were handed over; each is the table it was found to be."""
    found = db.session.scalars(select(BatchFile).where(BatchFile.batch_id == batch_id).order_by(BatchFile.id))
    return Delivery("upload", tuple(map(_part, found)))


def _part(file: BatchFile) -> Part:
    return Part(file.table_name, file.name, file.size, lambda: io.BytesIO(file.content))


def locked(batch_id: int) -> Batch:
    """The batch, for this transaction alone. NotFound."""
    batch: Batch | None = db.session.get(Batch, batch_id, with_for_update=True, populate_existing=True)
    if batch is None:
        raise NotFound("There is no such delivery.")
    return batch


# -- what it is ----------------------------------------------------------------------------------------------


def _taken(once: str) -> int | None:
    """The batch of an earlier send of the same form; a second send waits for the first."""
    db.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:once, 0))"), {"once": once})
    return db.session.scalar(select(Batch.id).where(Batch.options["once"].astext == once))


def _sorted(upload: Upload, by: Actor) -> tuple[Delivery, str]:
    """The files that belong together and what they are: attendance or roster. Raises Refused, NotAllowed."""
    delivery = _opened(upload)
    kinds = {"attendance" if part.table in ATTENDANCE else "roster" for part in delivery.parts}
    if upload.kind is None and len(kinds) > 1:
        raise Refused(
            "These files hold a roster and attendance together. Send them once as roster, and when it is in, "
            "once more as attendance. Nothing was kept."
        )
    kind = upload.kind or kinds.pop()
    place = None if kind == "attendance" else access.Place.district()
    access.check(by.grants, Permission.IMPORT_ATTENDANCE if kind == "attendance" else Permission.IMPORT_ROSTER, place)
    parts = tuple(part for part in delivery.parts if (part.table in ATTENDANCE) == (kind == "attendance"))
    if not parts:
        raise Refused(f"There is no {kind} file among what you sent. Nothing was kept.")
    return replace(delivery, name=", ".join(part.name for part in parts)[:200], parts=parts), kind


def _opened(upload: Upload) -> Delivery:
    files = dict(upload.files)
    if upload.nobody_absent:
        if any(_is_claim(name) for name in files):
            raise Refused("covers.csv already names the days that are complete. Send it without the ticks.")
        files = (files or {"nobody absent.csv": NO_ROWS}) | {"covers.csv": _covers(upload.nobody_absent)}
    if not files:
        raise Refused("Choose a file first, or tick the days on which nobody was absent.")
    try:
        delivery = delivery_from_bytes(files, tables=_tables(upload), memory=said_before(upload.source))
    except RefusedFile as refused:
        raise Refused(f"{refused} Nothing was kept.") from refused
    if sum(part.size for part in delivery.parts) > MOST_UNPACKED * (settings().upload_mb << 20):
        raise Refused("These files are too large for the browser once unpacked. Send them in smaller parts.")
    return delivery


def _tables(upload: Upload) -> Sequence[str]:
    """The tables that are looked for in an export: those of the kind that was said, or all."""
    wanted = {None: (True, False), "attendance": (True,), "roster": (False,)}[upload.kind]
    return [table for table in TABLES if (table in ATTENDANCE) in wanted]


def _is_claim(name: str) -> bool:
    return name.lower().startswith("covers")


def _covers(days: Sequence[SchoolDay]) -> bytes:
    """covers.csv for these school-days."""
    found = db.session.execute(select(School.id, School.key).where(School.id.in_({school for school, _ in days})))
    keys: dict[int, str] = {number: key for number, key in found}
    lines = [f'"{keys[school]}",{day.isoformat()}' for school, day in sorted(days)]
    return ("school_id,date\n" + "\n".join(lines) + "\n").encode()


def _options(upload: Upload, kind: str, area: Area) -> dict[str, Any]:
    """What the worker has to know: how long a file may be, whose rows may go in, the columns matched last time."""
    options: dict[str, Any] = {"once": upload.once, "max_rows": settings().upload_rows}
    if kind == "attendance" and not area.district:
        options["schools"] = _school_keys(area)
    if mapping := matched_before(upload.source, kind):
        options["mapping"] = mapping
    return options


def _school_keys(area: Area) -> list[str]:
    return list(db.session.scalars(select(School.key).where(scope.schools(area)).order_by(School.key)))


def _says_nothing(upload: Upload, parts: Sequence[Part], options: Mapping[str, Any]) -> bool:
    """Whether only what differs from present is sent, and nothing differs. Refused: it contradicts the ticks."""
    if upload.nobody_absent and not all(is_empty(part, options) for part in parts if part.table == "attendance"):
        raise Refused('You ticked "nobody was absent" and sent a file with rows. Send the one or the other.')
    return _feed(upload) == "exception" and is_silent(parts, options)


def _feed(upload: Upload) -> str:
    usual = db.session.scalar(select(Source.feed).where(Source.name == upload.source))
    return upload.feed or usual or "exception"


# -- waiting for an answer -----------------------------------------------------------------------------------


def _keep_waiting(upload: Upload, delivery: Delivery, kind: str, options: dict[str, Any], step: str, by: Actor) -> int:
    """A batch that the worker does not touch before its sender has answered."""
    batch = Batch(
        kind=kind,
        source_id=_source_id(upload.source),
        feed=_feed(upload),
        status="received",
        step=step,
        name=delivery.name,
        sha256=delivery.hash_of({part.table for part in delivery.parts}),
        received_at=now(),
        received_by=by.login,
        preview=True,
        options=options,
    )
    db.session.add(batch)
    db.session.flush()
    _keep(batch.id, delivery.parts)
    record("batch_received", by=by, subject=f"batch:{batch.id}", name=batch.name, status=batch.status)
    return batch.id


def _source_id(name: str) -> int:
    """The source of that name; the first upload of a new one makes it."""
    source = db.session.scalar(select(Source).where(Source.name == name)) or Source(name=name)
    db.session.add(source)
    db.session.flush()
    return source.id


def _keep(batch_id: int, parts: Sequence[Part]) -> None:
    for number, part in enumerate(parts):
        with part.open() as stream:
            content = stream.read()
        twice = any(part.name == other.name for other in parts[:number])
        file = BatchFile(
            batch_id=batch_id,
            name=f"{part.name} ({number + 1})" if twice else part.name,
            table_name=part.table,
            size=part.size,
            sha256=part.sha256,
            content=content,
        )
        db.session.add(file)
    db.session.flush()


def _waiting(batch_id: int, step: str) -> Batch:
    batch = locked(batch_id)
    if waits_for(batch) != step:
        raise Conflict("This file went on in the meantime. Load the page again to see where it stands.")
    return batch
