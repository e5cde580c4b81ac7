"""Compartments that somebody opened because they had to know at once: for how long, why, and who looked at it since."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.org import one_of
from models.people import COMPARTMENTS

NEVER = "protected"
ANSWERS = ("right", "not_right")


class CrisisOpening(Model):
    """One compartment of one student, read by one person for a short time in a crisis. Kept for good.

    `position`: in which the person opened it. `seen_*`: the first look of somebody who answers for it; `answer`: what
    they found. Nobody answers for an opening of their own.
    """

    __tablename__ = "crisis_opening"
    __table_args__ = (
        one_of("compartment", COMPARTMENTS),
        CheckConstraint(f"compartment <> '{NEVER}'", name="never"),
        one_of("answer", ANSWERS),
        CheckConstraint("ends_at > opened_at AND (closed_at IS NULL OR closed_at >= opened_at)", name="time"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
        CheckConstraint("seen_id <> person_id AND answered_id <> person_id", name="somebody_else"),
        Index("ix_crisis_opening_person_id_opened_at", "person_id", "opened_at"),
        Index("ix_crisis_opening_school_id", "school_id", "id"),
        Index("ix_crisis_opening_unanswered", "school_id", postgresql_where=text("answer IS NULL")),
    )
    id: Mapped[Id]
    once: Mapped[str | None] = mapped_column(unique=True)
    person_id: Mapped[int] = to("person.id", index=False)
    position: Mapped[str]
    student_id: Mapped[int] = to("student.id")
    school_id: Mapped[int] = to("school.id", index=False)
    compartment: Mapped[str]
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    seen_id: Mapped[int | None] = to("person.id", index=False)
    seen_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    answer_words: Mapped[str] = mapped_column(default="", server_default="")
    answered_id: Mapped[int | None] = to("person.id", index=False)
    answered_at: Mapped[datetime | None]
