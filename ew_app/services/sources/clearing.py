"""Files that were settled, moved out of the way where a source says so."""

from __future__ import annotations

import logging
from datetime import datetime

from ew_app.kernel import WORKER, day_text, local, now, operation, record
from ew_app.outbox import Job, enqueue
from ew_app.services.sources.fetching import CannotFetch, ask_of, fetcher
from models.base import db
from models.org import Source
from models.queries import pulls as rows
from rules.counting import many

log = logging.getLogger("ew.sources")

MOVE = "move"  # what a location says of files that were settled
TAKEN, REFUSED = "taken", "refused"  # folders for them
MEND = (
    "They are in and are not taken twice. Mend the rights and fetch once more, or say that files stay where they are."
)


def put_away(where: str, at: datetime) -> str:
    """The folder below the place in which a file of a look of that moment is put away."""
    return f"{where}/{local(at):%Y-%m-%d}"


def want(source_id: int) -> None:
    """Ask for the moving, in the open transaction, where there is something to move."""
    source = db.session.get_one(Source, source_id)
    if source.location.get("afterwards") == MOVE and rows.uncleared(source_id):
        enqueue(Job.CLEAR_AWAY, source_id)


def clear_away(source_id: int) -> None:
    """Move what was settled; what cannot be moved now is moved after the next look. May be called again.

    Why it could not stands with the source until it could: nothing is lost or taken twice, but the place fills up.
    """
    source = db.session.get(Source, source_id)
    if source is None or source.location.get("afterwards") != MOVE:
        return
    try:
        fetcher(source.kind).clear(ask_of(source))
    except CannotFetch as why:
        log.warning("source %s could not be cleared", source_id)
        _note(source_id, str(why))
    else:
        _note(source_id, "")


def trouble_of(source: Source) -> str:
    """What could not be moved, why, since when, and what to do; nothing when all was moved."""
    if not source.not_cleared or source.not_cleared_since is None:
        return ""
    lying, since = many(len(rows.uncleared(source.id)), "file"), local(source.not_cleared_since)
    return (
        f"{lying} could not be moved out of the way since {day_text(since.date())}, {since:%H:%M}. "
        f"{source.not_cleared} {MEND}"
    )


def troubles() -> list[str]:
    """The same of every source that is not paused; a sentence or more each."""
    told = ((source.name, trouble_of(source)) for source in rows.fetched_from() if not source.paused)
    return [f"{name}: {trouble}" for name, trouble in told if trouble]


@operation
def _note(source_id: int, why: str) -> None:
    source = db.session.get_one(Source, source_id, with_for_update={"key_share": True}, populate_existing=True)
    if bool(why) != bool(source.not_cleared):
        source.not_cleared_since = now() if why else None
        what = "source_not_cleared" if why else "source_cleared_again"
        record(what, by=WORKER, subject=f"source:{source.name}")
    source.not_cleared = why
