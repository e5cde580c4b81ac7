"""Files of a source that were refused and that nothing has answered yet: they stay in sight until something does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ew_app.kernel import Actor, NotFound, now, operation, record
from models.base import db
from models.org import Source
from models.pulls import Arrival
from models.queries import pulls as rows
from rules import access
from rules.access import Permission, Place
from rules.counting import many


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused file of which no later one of its name went in, and which nobody has set aside."""

    id: int
    name: str
    why: str
    at: datetime


def open_refusals(source_id: int) -> list[Refusal]:
    """The refused files of a source that still wait for an answer, newest first."""
    newest = rows.newest_arrivals(source_id).values()
    became = rows.statuses([number for row in newest for number in row.batches])
    found = [refusal for row in newest if (refusal := _refusal(row, became)) is not None]
    return sorted(found, key=lambda refusal: refusal.id, reverse=True)


def trouble_of(source: Source) -> str:
    """A sentence while any refused file waits for an answer; nothing when all is well."""
    found = open_refusals(source.id)
    if not found:
        return ""
    others = f" And {many(len(found) - 1, 'other file')} besides." if len(found) > 1 else ""
    return f"{found[0].name} was refused, and no later file of its name has gone in. {found[0].why}{others}"


def troubles() -> list[str]:
    """Sources, paused ones left out, with a refused file that waits for an answer; a sentence each."""
    told = ((source.name, trouble_of(source)) for source in rows.fetched_from() if not source.paused)
    return [f"{name}: {trouble}" for name, trouble in told if trouble]


@operation
def set_aside(name: str, refusal_id: int, *, by: Actor) -> None:
    """Nothing more is expected of a refused file: it leaves the list. Raises NotFound, NotAllowed."""
    access.check(by.grants, Permission.KEEP_SOURCES, Place.district())
    source = rows.source(name)
    if source is None or refusal_id not in {refusal.id for refusal in open_refusals(source.id)}:
        raise NotFound("That file does not wait for an answer any more.")
    old = db.session.get_one(Arrival, refusal_id)
    same = {column: getattr(old, column) for column in ("source_id", "pull_id", "name", "size", "modified", "sha256")}
    db.session.add(Arrival(**same, found_as="known", batches=[], sentence="Set aside.", at=now(), cleared_at=now()))
    record("refused_file_set_aside", by=by, subject=f"source:{name}", file=old.name)


def _refusal(row: Arrival, became: dict[int, tuple[str, str]]) -> Refusal | None:
    said = [became[number] for number in row.batches if number in became]
    refused = [sentence for status, sentence in said if status == "refused"]
    if row.found_as != "refused" and not refused:
        return None
    return Refusal(row.id, row.name, row.sentence or " ".join(refused), row.at)
