"""What pages of counts told when somebody took them along as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model


class TakenPage(Model):
    """The tables of one page as they were told from a moment on, to be told again for that moment.

    `asked`: the page, its place and what it was asked, and how much its reader may see, as one text; `told`: the day,
    the rules and the tables, already suppressed as on the page. No row is ever changed.
    """

    __tablename__ = "taken_page"
    __table_args__ = (UniqueConstraint("asked", "known_at"),)
    id: Mapped[Id]
    asked: Mapped[str]
    known_at: Mapped[datetime]
    told: Mapped[dict[str, Any]] = mapped_column()
