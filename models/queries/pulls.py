"""Looks at sources and what they found: SELECTs only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, or_, select, text

from models.attendance import Batch
from models.base import db
from models.jobs import Outbox
from models.org import Source
from models.pulls import Arrival, Pull
from models.queries.lateness import FEEDER

UNDER_WAY = ("received", "staged", "checked", "applying")
STANDS_NO_MORE = ("refused", "cancelled", "undoing", "undone")


# -- sources -------------------------------------------------------------------------------------------------


def source(name: str) -> Source | None:
    return db.session.scalar(select(Source).where(Source.name == name))


def fetched_from() -> list[Source]:
    """Sources whose files are fetched, paused ones too, by name."""
    return list(db.session.scalars(select(Source).where(Source.kind != "by_hand").order_by(Source.name)))


def by_hand() -> list[Source]:
    """Sources whose files somebody brings, by name."""
    return list(db.session.scalars(select(Source).where(Source.kind == "by_hand").order_by(Source.name)))


def school_on(day: date, start: date, end: date) -> bool | None:
    """Whether any school has school on a day; None when no calendar is known from `start` to before `end`."""
    found = db.session.execute(
        text("""
            SELECT EXISTS (SELECT FROM calendar_day WHERE day = :day AND weight > 0
                             AND day_type IN ('instructional', 'make_up')) AS taught,
                   EXISTS (SELECT FROM calendar_day WHERE day >= :start AND day < :end) AS known
        """),
        {"day": day, "start": start, "end": end},
    ).one()
    return bool(found.taught) if found.known else None


# -- looks ---------------------------------------------------------------------------------------------------


def open_pull(source_id: int) -> Pull | None:
    """The look that is under way or waits to begin."""
    return db.session.scalar(select(Pull).where(Pull.source_id == source_id, Pull.ended_at.is_(None)))


def looked_at() -> list[Source]:
    """Sources that are being looked at, by name."""
    open_looks = select(Pull.source_id).where(Pull.ended_at.is_(None))
    return list(db.session.scalars(select(Source).where(Source.id.in_(open_looks)).order_by(Source.name)))


def last_pull(source_id: int) -> Pull | None:
    """The newest look that came to its end."""
    ended = select(Pull).where(Pull.source_id == source_id, Pull.ended_at.is_not(None))
    return db.session.scalars(ended.order_by(Pull.id.desc()).limit(1)).first()


def last_cursor(source_id: int) -> dict[str, Any] | None:
    """How far the last look that told so has read."""
    told = select(Pull.cursor).where(Pull.source_id == source_id, Pull.cursor.is_not(None))
    found: dict[str, Any] | None = db.session.scalar(told.order_by(Pull.id.desc()).limit(1))
    return found


def history(source_id: int, limit: int, offset: int = 0) -> list[Pull]:
    """Looks that found something, failed or are under way, and the newest of all; newest first."""
    found = select(Pull).where(*_worth_telling(source_id)).order_by(Pull.id.desc())
    return list(db.session.scalars(found.limit(limit).offset(offset)))


def history_count(source_id: int) -> int:
    """How many looks `history` tells of."""
    return db.session.scalar(select(func.count()).select_from(Pull).where(*_worth_telling(source_id))) or 0


def _worth_telling(source_id: int) -> tuple[ColumnElement[bool], ...]:
    newest = select(func.max(Pull.id)).where(Pull.source_id == source_id).scalar_subquery()
    return Pull.source_id == source_id, or_(Pull.ended != "nothing", Pull.id == newest)


def worthless(before: datetime) -> list[int]:
    """Looks that found nothing and ended before a moment; the last one of a source, and its last cursor, are kept."""
    asked = text("""
        SELECT p.id FROM pull p WHERE p.ended = 'nothing' AND p.ended_at < :before AND EXISTS (
            SELECT FROM pull n WHERE n.source_id = p.source_id AND n.id > p.id
              AND (p.cursor IS NULL OR n.cursor IS NOT NULL))
    """)
    return list(db.session.scalars(asked, {"before": before}))


def given_up() -> list[int]:
    """Open looks whose work was set aside after it had failed again and again."""
    aside = select(Outbox.args[0].as_integer()).where(Outbox.job == "pull", Outbox.quarantined_at.is_not(None))
    return list(db.session.scalars(select(Pull.id).where(Pull.ended_at.is_(None), Pull.id.in_(aside))))


# -- what was found ------------------------------------------------------------------------------------------


def newest_arrivals(source_id: int) -> dict[str, Arrival]:
    """Name -> the newest file of that name."""
    newest = select(func.max(Arrival.id)).where(Arrival.source_id == source_id).group_by(Arrival.name)
    return {row.name: row for row in db.session.scalars(select(Arrival).where(Arrival.id.in_(newest)))}


def arrivals_since(source_id: int, moment: datetime) -> list[Arrival]:
    """Files that were settled since a moment, oldest first."""
    found = select(Arrival).where(Arrival.source_id == source_id, Arrival.at >= moment)
    return list(db.session.scalars(found.order_by(Arrival.id)))


def waited(source_id: int, words: str, until: datetime) -> bool:
    """Whether a look at the source that ended before a moment waited with these words."""
    here = Pull.source_id == source_id, Pull.ended == "waits", Pull.ended_at <= until
    found = select(Pull.id).where(*here, Pull.sentence.contains(words, autoescape=True)).limit(1)
    return db.session.scalar(found) is not None


def uncleared(source_id: int) -> list[Arrival]:
    """Files that still lie where they were found, oldest first."""
    found = select(Arrival).where(Arrival.source_id == source_id, Arrival.cleared_at.is_(None))
    return list(db.session.scalars(found.order_by(Arrival.id)))


def statuses(batches: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Batch -> (status, sentence)."""
    found = db.session.execute(select(Batch.id, Batch.status, Batch.sentence).where(Batch.id.in_(batches)))
    return {number: (status, sentence) for number, status, sentence in found}


# -- the line in which deliveries of a source wait for each other ---------------------------------------------


def line_of(source_id: int) -> list[Batch]:
    """Deliveries of a source that are on their way and not set aside, in the order in which they came."""
    aside = select(Outbox.key).where(Outbox.job == "load_batch", Outbox.quarantined_at.is_not(None))
    on_its_way = Batch.status.in_(UNDER_WAY), Batch.preview.is_(False)
    asked = select(Batch).where(Batch.source_id == source_id, *on_its_way, cast(Batch.id, Text).not_in(aside))
    return list(db.session.scalars(asked.order_by(Batch.id)))


def in_line(step: str) -> list[int]:
    """Sources of which a delivery waits for its turn."""
    waits = select(Batch.source_id).where(Batch.status == "received", Batch.step == step)
    return sorted(set(db.session.scalars(waits)))


# -- what is expected ----------------------------------------------------------------------------------------


def expecting() -> list[Source]:
    """Sources of which something is expected, unless they are paused."""
    found = select(Source).where(Source.kind != "by_hand", Source.expected_by.is_not(None), Source.paused.is_(False))
    return list(db.session.scalars(found.order_by(Source.name)))


def fed_by(source_id: int) -> dict[int, str]:
    """School -> its name, for the schools whose attendance comes from the source."""
    asked = text(f"SELECT s.id, s.name FROM school s WHERE {FEEDER} = :source ORDER BY s.name")
    return {number: name for number, name in db.session.execute(asked, {"source": source_id})}


def school_days_before(day: date, start: date, limit: int = 2) -> list[date]:
    """The last days up to and including `day` on which any school has school, newest first."""
    asked = text("""
        SELECT DISTINCT day FROM calendar_day WHERE day BETWEEN :start AND :day AND weight > 0
          AND day_type IN ('instructional', 'make_up') ORDER BY day DESC LIMIT :limit
    """)
    return list(db.session.scalars(asked, {"day": day, "start": start, "limit": limit}))


def came_since(source_id: int, kind: str, moment: datetime) -> bool:
    """Whether a delivery of the kind was received since, and was not refused or put away."""
    here = Batch.source_id == source_id, Batch.kind == kind, Batch.received_at > moment, Batch.preview.is_(False)
    found = select(Batch.id).where(*here, Batch.status.not_in(STANDS_NO_MORE)).limit(1)
    return db.session.scalar(found) is not None


def last_came(source_id: int) -> Batch | None:
    """The newest delivery of a source."""
    found = select(Batch).where(Batch.source_id == source_id, Batch.preview.is_(False))
    return db.session.scalars(found.order_by(Batch.id.desc()).limit(1)).first()
