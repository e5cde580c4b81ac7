"""Beside the contacts themselves: how an entry read before, numbers noted by hand, a school's own ladder."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.cases import Authored
from models.org import one_of


class OutreachBefore(Model):
    """An entry as it read until it was changed, or struck as a mistake; `entry` holds its columns by name.

    `once`: the key of the form that made a struck entry, so that the form sent again stays the same form.
    """

    __tablename__ = "outreach_before"
    __table_args__ = (one_of("ended", ("changed", "struck")),)
    id: Mapped[Id]
    outreach_id: Mapped[int] = mapped_column(index=True)
    student_id: Mapped[int] = to("student.id")
    version: Mapped[int]
    entry: Mapped[dict[str, Any]] = mapped_column(JSONB)
    ended: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime]
    ended_by: Mapped[str]
    ended_position: Mapped[str]
    once: Mapped[str | None] = mapped_column(unique=True)


class NotedContact(Authored, Model):
    """What staff know of a way to reach a family before the roster says it: another number, or that a number works."""

    __tablename__ = "noted_contact"
    __table_args__ = (one_of("kind", ("number", "works")),)
    id: Mapped[Id]
    student_id: Mapped[int] = to("student.id")
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    phone: Mapped[str]
    ended_at: Mapped[datetime | None]
    once: Mapped[str | None] = mapped_column(unique=True)


class SchoolLadder(Model):
    """The order in which a school tries to reach a family, where it is not the district's; read by `rules.ladder`."""

    __tablename__ = "school_ladder"
    school_id: Mapped[int] = to("school.id", primary_key=True, index=False)
    rungs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
