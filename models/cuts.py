"""Tables of small groups as they were told, so that the next one never tells a small number together with them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model


class ToldPart(Model):
    """Parts of some schools as everybody got them for a month: students by group and tier, by cause, those who came.

    `schools`: which ones, as a fingerprint, so that the same schools have the same table under whatever name. `by`:
    what tells the parts apart. `counts`: the numbers it was made of, a row a name; `shown`: what readers get of each
    row and, last, of its total: tens, 0 for what is under 15, null for what is kept back (`exact`: counts, as they
    were told before tables were in tens). What files say later changes neither.
    `leaves`: the counts of each school and value, to know what this and other tables say together.
    """

    __tablename__ = "told_part"
    __table_args__ = (UniqueConstraint("schools", "by", "day"),)
    id: Mapped[Id]
    schools: Mapped[str]
    leaves: Mapped[dict[str, Any]]
    by: Mapped[str]
    day: Mapped[date]
    told_at: Mapped[datetime]
    names: Mapped[list[str]] = mapped_column(JSONB)
    columns: Mapped[list[str]] = mapped_column(JSONB)
    counts: Mapped[list[list[int]]] = mapped_column(JSONB)
    shown: Mapped[list[list[int | None]]] = mapped_column(JSONB)
    exact: Mapped[bool] = mapped_column(default=False, server_default="false")
