"""Files that were settled, moved out of the way where a source says so."""

from __future__ import annotations

import logging

from ew_app.outbox import Job, enqueue
from ew_app.services.sources.fetching import CannotFetch, ask_of, fetcher
from models.base import db
from models.org import Source
from models.queries import pulls as rows

log = logging.getLogger("ew.sources")

MOVE = "move"  # what a location says of files that were settled


def want(source_id: int) -> None:
    """Ask for the moving, in the open transaction, where there is something to move."""
    source = db.session.get_one(Source, source_id)
    if source.location.get("afterwards") == MOVE and rows.uncleared(source_id):
        enqueue(Job.CLEAR_AWAY, source_id)


def clear_away(source_id: int) -> None:
    """Move what was settled; what cannot be moved now is moved after the next look. May be called again."""
    source = db.session.get(Source, source_id)
    if source is None or source.location.get("afterwards") != MOVE:
        return
    try:
        fetcher(source.kind).clear(ask_of(source))
    except CannotFetch:
        log.warning("source %s could not be cleared", source_id)
