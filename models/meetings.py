"""Team meetings: what was on the agenda with the numbers of that day, who was there, what was decided."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.org import EMPTY, one_of

DECISIONS = ("act", "go_on", "later")


class Meeting(Model):
    """The meeting of a school's team on one day; begun twice it is one. `numbers`: how the school stood when it began.

    Once ended, nothing in it changes any more: it is the proof that it took place.
    """

    __tablename__ = "meeting"
    __table_args__ = (UniqueConstraint("school_id", "day"),)
    id: Mapped[Id]
    school_id: Mapped[int] = to("school.id", index=False)
    day: Mapped[date]
    begun_at: Mapped[datetime]
    begun_by: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(default="", server_default="")
    numbers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=EMPTY)
    minutes: Mapped[str] = mapped_column(default="", server_default="")
    guests: Mapped[str] = mapped_column(default="", server_default="")
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class MeetingItem(Model):
    """A student on the agenda, by their case: why, how they stood that day, and what was decided.

    why: keys of `rules.meetings.Why`. task_id: the action that was decided on, given to one person.
    """

    __tablename__ = "meeting_item"
    __table_args__ = (UniqueConstraint("meeting_id", "case_id"), one_of("decision", DECISIONS))
    id: Mapped[Id]
    meeting_id: Mapped[int] = to("meeting.id", index=False)
    position: Mapped[int]
    case_id: Mapped[int] = to("support_case.id")
    why: Mapped[list[str]] = mapped_column(JSONB)
    numbers: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=EMPTY)
    decision: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="", server_default="")
    task_id: Mapped[int | None] = to("task.id")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(default="", server_default="")
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class MeetingMember(Model):
    """Somebody of the team that day, and whether they were there."""

    __tablename__ = "meeting_member"
    meeting_id: Mapped[int] = to("meeting.id", primary_key=True, index=False)
    person_id: Mapped[int] = to("person.id", primary_key=True, index=False)
    role: Mapped[str]
    present: Mapped[bool]
