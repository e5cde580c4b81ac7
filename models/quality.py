"""What was looked through for mistakes, and what was found: one row a check and school for as long as it lasts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BigId, Id, Model, to


class QualityRun(Model):
    """One look through the records. `counts`: check -> rows found, for each check that is through already.

    `students`: school id -> enrolled that day, against which the next night compares.
    """

    __tablename__ = "quality_run"
    id: Mapped[Id]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    local_date: Mapped[date] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    students: Mapped[dict[str, Any]] = mapped_column(default=dict)


class QualityFinding(Model):
    """What one check found at one school (none: it belongs to no school), from the first look until it was mended.

    examples: the first few rows, by student and school keys, never a name. Who said "known and right" hides it while
    `count` stays within `known_count`.
    """

    __tablename__ = "quality_finding"
    __table_args__ = (
        Index(
            "uq_quality_finding_live",
            "check_key",
            "school_id",
            unique=True,
            postgresql_where=text("mended_on IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_quality_finding_mended_on", "mended_on"),
    )
    id: Mapped[BigId]
    check_key: Mapped[str]
    school_id: Mapped[int | None] = to("school.id")
    first_seen: Mapped[date]
    last_seen: Mapped[date]
    mended_on: Mapped[date | None]
    count: Mapped[int]
    examples: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    known_reason: Mapped[str] = mapped_column(default="")
    known_by: Mapped[str] = mapped_column(default="")
    known_on: Mapped[date | None]
    known_count: Mapped[int] = mapped_column(default=0)
