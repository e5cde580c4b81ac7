"""Deliveries of one source go in one after the other, in the order in which they were found.

A roster has to be in before the attendance that came with it, and of two files about a day the later one counts.
Which one is next is asked of the database each time, so a worker that dies in between leaves nothing standing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import select

from ew_app.alone import alone
from ew_app.kernel import clock, operation
from ew_app.outbox import Job, enqueue
from ew_app.services.deliveries import ingest, late_days
from ew_app.services.sources import clearing
from models.attendance import Batch
from models.base import db
from models.org import Source
from models.queries import pulls as rows

A_PIECE: Final = timedelta(seconds=120)  # of deciding; with the chunk that is under way then, below the limit of work


def load(batch_id: int, more_follow: bool = False) -> None:
    """Bring a delivery to its end, whoever sent it, and give its place to the next of its source.

    A piece of it: what is left to be decided then is asked for again, so that no piece of work outlasts its limit.
    """
    if not ingest.load(batch_id, more_follow, clock() + A_PIECE):
        _go_on_later(batch_id, more_follow)
        return
    late_days.came_with(batch_id)
    _settled(batch_id)


@operation
def _go_on_later(batch_id: int, more_follow: bool) -> None:
    enqueue(Job.LOAD_BATCH, batch_id, *([True] if more_follow else []), key=str(batch_id))


@operation
def _settled(batch_id: int) -> None:
    source_id = db.session.scalars(select(Batch.source_id).where(Batch.id == batch_id)).one()
    move_up(source_id)
    clearing.want(source_id)


@operation
def move_up(source_id: int) -> None:
    """Let the first in line go on, unless one before it is under way.

    The lock leaves room for deliveries that are being written: they only need their source to stay.
    """
    if db.session.get_one(Source, source_id).kind == "by_hand":
        return  # whose deliveries wait for nobody
    db.session.get_one(Source, source_id, with_for_update={"key_share": True})
    line = rows.line_of(source_id)
    if line and line[0].step == ingest.IN_LINE:
        ingest.go_on(line[0])


def move_all_up() -> None:
    """The same for every source that has a line: for what was set aside, or lost its worker at the wrong moment."""
    for source_id in rows.in_line(ingest.IN_LINE):
        with alone(f"line of source {source_id}"):
            move_up(source_id)
