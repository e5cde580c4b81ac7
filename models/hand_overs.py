"""Work that passes from one person to another, and work that waits too long: both as rows, with their history."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.cases import Authored
from models.org import one_of

KINDS = ("assign", "refer", "transfer", "request", "school_change")
STATES = ("to_write", "sent", "accepted", "declined", "done", "taken_back")
WAITS = ("unowned", "unclaimed", "overdue", "unanswered", "away")


class HandOver(Model):
    """One asking and its answer: to whom, for what, and how it stands.

    assign: the owner has moved and may say no. refer: help, the owner stays, `task_id` once accepted. transfer: the
    owner moves when it is accepted. request: `from_id` asks its owner for the case. school_change: the case goes along
    with the student, when somebody of the new school accepts what the old owner wrote. `to_id` is empty where everybody
    in the role may answer; then the first who does has it. `from_role`: in which the sender owned the case.
    """

    __tablename__ = "hand_over"
    __table_args__ = (
        one_of("kind", KINDS),
        one_of("state", STATES),
        Index(
            "uq_hand_over_moving", "case_id", unique=True,
            postgresql_where=text("kind IN ('transfer', 'school_change') AND state IN ('to_write', 'sent')"),
        ),
        Index(
            "uq_hand_over_request", "case_id", "from_id", unique=True,
            postgresql_where=text("kind = 'request' AND state = 'sent'"),
        ),
        Index("ix_hand_over_to", "to_id", postgresql_where=text("state IN ('to_write', 'sent', 'accepted')")),
        Index("ix_hand_over_seat", "school_id", "to_role", postgresql_where=text("state = 'sent'")),
        Index("ix_hand_over_from", "from_id", "created_at"),
        CheckConstraint("(state <> 'to_write') OR kind = 'school_change'", name="written"),
    )  # fmt: skip
    id: Mapped[Id]
    kind: Mapped[str]
    state: Mapped[str]
    case_id: Mapped[int] = to("support_case.id")
    student_id: Mapped[int] = to("student.id")
    school_id: Mapped[int] = to("school.id", index=False)
    from_id: Mapped[int | None] = to("person.id", index=False)
    from_role: Mapped[str] = mapped_column(default="")
    to_id: Mapped[int | None] = to("person.id", index=False)
    to_role: Mapped[str]
    department: Mapped[str] = mapped_column(default="")
    asked: Mapped[str] = mapped_column(default="")
    asked_on: Mapped[date]
    due: Mapped[date | None]
    agreed_by: Mapped[str | None]
    agreed_on: Mapped[date | None]
    task_id: Mapped[int | None] = to("task.id")
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    once: Mapped[str | None] = mapped_column(unique=True)


class HandOverStep(Authored, Model):
    """One thing that was said about a hand-over, by whom: appended, never changed."""

    __tablename__ = "hand_over_step"
    __table_args__ = (one_of("state", STATES),)
    id: Mapped[Id]
    hand_over_id: Mapped[int] = to("hand_over.id")
    state: Mapped[str]
    words: Mapped[str] = mapped_column(default="")


class Raised(Model):
    """Work that waits too long: shown to the principal (level 1), then to the network (2), until it goes on.

    `since`: the day it began to wait. About one case, task or hand-over.
    """

    __tablename__ = "raised"
    __table_args__ = (
        one_of("why", WAITS),
        CheckConstraint("level IN (1, 2)", name="level"),
        CheckConstraint("num_nonnulls(case_id, task_id, hand_over_id) = 1", name="about_one"),
        *(
            Index(f"uq_raised_{about}", f"{about}_id", "why", unique=True, postgresql_where=text("ended_at IS NULL"))
            for about in ("case", "task", "hand_over")
        ),
        Index("ix_raised_school_id_level", "school_id", "level", postgresql_where=text("ended_at IS NULL")),
    )
    id: Mapped[Id]
    school_id: Mapped[int] = to("school.id", index=False)
    case_id: Mapped[int | None] = to("support_case.id", index=False)
    task_id: Mapped[int | None] = to("task.id", index=False)
    hand_over_id: Mapped[int | None] = to("hand_over.id", index=False)
    why: Mapped[str]
    level: Mapped[int] = mapped_column(SmallInteger)
    since: Mapped[date]
    raised_at: Mapped[datetime]
    network_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
