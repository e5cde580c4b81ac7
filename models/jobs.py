"""Work that waits to be done, as rows: the broker only carries their numbers and may lose them all."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BigId, Model


class Outbox(Model):
    """Queued work, written with its cause; `key` makes a second request while it waits a no-op."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "uq_outbox_waiting",
            "job",
            "key",
            unique=True,
            postgresql_where=text("claimed_at IS NULL AND done_at IS NULL AND quarantined_at IS NULL"),
        ),
        Index("ix_outbox_open", "id", postgresql_where=text("done_at IS NULL AND quarantined_at IS NULL")),
    )
    id: Mapped[BigId]
    job: Mapped[str]
    key: Mapped[str]
    args: Mapped[list[Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    quarantined_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")


class JobRun(Model):
    """A daily job that ran on a local date, or an hourly one in an hour of it ("hand_out 07").

    The row is the lock, so daylight saving cannot run it twice.
    detail: how far the nightly run is, and what it found (`deciding.everybody.Progress`).
    """

    __tablename__ = "job_run"
    job: Mapped[str] = mapped_column(primary_key=True)
    local_date: Mapped[date] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))


TROUBLE = "trouble"


class Beat(Model):
    """Last sign of life of a part (worker, schedule), for /readyz and system health.

    detail: of the schedule under TROUBLE what its newest tick could not do, as a sentence.
    """

    __tablename__ = "beat"
    part: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
