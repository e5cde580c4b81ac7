"""Reviews every two weeks: what was looked at with the numbers of that day, what was agreed, what schools are asked."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.org import EMPTY


class Review(Model):
    """The review of a place (`school:KEY`, `network:KEY`, `district`) on one day; begun twice it is one.

    `numbers`: how the place stood when it began. Once ended, nothing in it changes any more: it is the proof.
    """

    __tablename__ = "review"
    __table_args__ = (UniqueConstraint("place", "day"),)
    id: Mapped[Id]
    place: Mapped[str]
    day: Mapped[date]
    begun_at: Mapped[datetime]
    begun_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(default="", server_default="")
    numbers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=EMPTY)
    there: Mapped[str] = mapped_column(default="", server_default="")
    minutes: Mapped[str] = mapped_column(default="", server_default="")
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class ReviewLine(Model):
    """What a review walks past: a network, a school, or a grade (`grade:7`), with its numbers of that day."""

    __tablename__ = "review_line"
    __table_args__ = (UniqueConstraint("review_id", "position"),)
    id: Mapped[Id]
    review_id: Mapped[int] = to("review.id", index=False)
    position: Mapped[int]
    subject: Mapped[str]
    name: Mapped[str]
    numbers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=EMPTY)
    looked_at: Mapped[datetime | None]
    looked_by: Mapped[str] = mapped_column(default="", server_default="")
    note: Mapped[str] = mapped_column(default="", server_default="")
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class Nudge(Model):
    """One thing that one person is asked about a place, by a day, with a reason out of the data; agreed in a review or
    asked from a board. `reason`: the numbers as they were then, in words."""

    __tablename__ = "nudge"
    __table_args__ = (
        CheckConstraint("(answered_at IS NULL) = (answer IS NULL)", name="answered"),
        Index("ix_nudge_owner_open", "owner_id", "due", postgresql_where=text("answered_at IS NULL")),
    )
    id: Mapped[Id]
    place: Mapped[str] = mapped_column(index=True)
    review_line_id: Mapped[int | None] = to("review_line.id")
    reason: Mapped[str] = mapped_column(default="", server_default="")
    words: Mapped[str]
    owner_id: Mapped[int] = to("person.id", index=False)
    due: Mapped[date]
    asked_id: Mapped[int] = to("person.id")
    asked_by: Mapped[str]
    position: Mapped[str]
    asked_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    once: Mapped[str] = mapped_column(unique=True)
