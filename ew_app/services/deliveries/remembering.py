"""What was said of the last delivery of a source, so that it need not be said again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from ew_app.feeds import OURS, Said
from models.attendance import Batch
from models.base import db
from models.org import Source
from models.queries import periods


def matched_before(source: str, kind: str) -> Any:
    """The columns matched for the last file of this source that went in: table -> our column -> theirs."""
    matched = _applied(source).where(Batch.kind == kind, Batch.options.has_key("mapping"))
    return db.session.scalar(matched.with_only_columns(Batch.options["mapping"]).limit(1))


def said_before(source: str) -> dict[str, dict[str, str]]:
    """Format -> order of dates and kind of ids of the last delivery of it that went in, and the rule for periods of
    the delivery whose answer holds for the source."""
    found: dict[str, dict[str, str]] = {}
    for name in ("dates", "ids"):
        for options in db.session.scalars(_applied(source).where(Batch.options.has_key(name))):
            said = found.setdefault(options.get("format", OURS), {})
            said.setdefault(name, Said.of(options).options()[name])
    for options in db.session.scalars(_applied(source).where(Batch.id.in_(periods.heard()))):
        found.setdefault(options.get("format", OURS), {})["periods"] = options["periods"]
    return found


def _applied(source: str) -> Any:
    """Options of the deliveries of a source that went in, the newest first."""
    return (
        select(Batch.options)
        .join(Source, Source.id == Batch.source_id)
        .where(Source.name == source, Batch.status == "applied")
        .order_by(Batch.id.desc())
    )
