"""What people keep about their lists: views under a name, what one press did to several rows, flags looked at."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.cases import Authored
from models.org import one_of


class SavedView(Model):
    """A way to look at a list that one person keeps under a name: filters and order, as the address has them."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("person_id", "page", "name"),
        Index("uq_saved_view_first", "person_id", "page", unique=True, postgresql_where=text("is_first")),
    )
    id: Mapped[Id]
    person_id: Mapped[int] = to("person.id", index=False)
    page: Mapped[str]
    name: Mapped[str]
    asks: Mapped[dict[str, str]] = mapped_column(JSONB)
    is_first: Mapped[bool] = mapped_column(default=False)  # the list opens with it
    kept_at: Mapped[datetime]


class Handful(Model):
    """Cases that one press gave to somebody, and how each stood before, so that it can be taken back for a moment."""

    __tablename__ = "handful"
    id: Mapped[Id]
    person_id: Mapped[int] = to("person.id")
    given_to: Mapped[int] = to("person.id", index=False)
    at: Mapped[datetime]
    before: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    taken_back_at: Mapped[datetime | None]


class FlagAnswer(Authored, Model):
    """Somebody looked at a student's step up, for which no case is open, and said why nothing follows now.

    It answers the step of that day alone: the next one is a new flag.
    """

    __tablename__ = "flag_answer"
    __table_args__ = (
        UniqueConstraint("student_id", "since"),
        one_of("useful", ("yes", "no", "cannot_tell")),
    )
    id: Mapped[Id]
    student_id: Mapped[int] = to("student.id", index=False)
    since: Mapped[date]
    tier: Mapped[int]
    reason: Mapped[str]
    useful: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
