"""Looks at the sources that are fetched from, and the files that were found there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, Model, to
from models.org import Source, one_of

PULL_ENDS = ("", "nothing", "took", "waits", "failed")
FOUND_AS = ("taken", "known", "refused")


class Pull(Model):
    """One look at a source. `local_date` and `slot` name the time of the timetable it was started for: the row is the
    lock, so no clock starts it twice. At most one look at a source is open.

    `ended`: nothing new; took something; waits (a file is still being written, or there is more); failed. `retry_at`:
    when to look again without waiting for the timetable. `cursor`: how far a source that counts its changes was read;
    `afresh` begins at nothing.
    """

    __tablename__ = "pull"
    __table_args__ = (
        one_of("ended", PULL_ENDS),
        UniqueConstraint("source_id", "local_date", "slot"),
        Index("uq_pull_open", "source_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_pull_retry_at", "retry_at", postgresql_where=text("retry_at IS NOT NULL")),
    )
    id: Mapped[BigId]
    source_id: Mapped[int] = to("source.id")
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    local_date: Mapped[date | None]
    slot: Mapped[str | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended: Mapped[str] = mapped_column(default="")
    sentence: Mapped[str] = mapped_column(default="")
    told: Mapped[list[str]] = mapped_column(JSONB, default=list)
    batches: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)
    cursor: Mapped[dict[str, Any] | None]
    afresh: Mapped[bool] = mapped_column(default=False)
    tries: Mapped[int] = mapped_column(default=1)
    retry_at: Mapped[datetime | None]
    source: Mapped[Source] = relationship()


class Arrival(Model):
    """A file that a look found and settled: taken in, known by its content, or refused.

    `name`, `size` and `modified` (as the place tells it) are how it is known again without reading it. `cleared_at`:
    it was moved out of the way, where the source says so.
    """

    __tablename__ = "arrival"
    __table_args__ = (one_of("found_as", FOUND_AS), Index("ix_arrival_source_id_name", "source_id", "name"))
    id: Mapped[BigId]
    source_id: Mapped[int] = to("source.id", index=False)
    pull_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[str]
    sha256: Mapped[str] = mapped_column(default="")
    found_as: Mapped[str]
    sentence: Mapped[str] = mapped_column(default="")
    batches: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)
    at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
