"""Letters to families, as drafts that a rule asked for and as they were sent."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.org import one_of

UNSETTLED = "corrected_at IS NOT NULL AND settled_at IS NULL"


class Letter(Model):
    """A letter about a student's case: a draft until somebody has sent it. A draft has no text, it is read as of now.

    through: the day up to which attendance was known when it was drafted. corrected_at: when the marks behind a letter
    that had been sent were corrected; whoever sent it tells the family, or says that it needs nothing (settled).
    """

    __tablename__ = "letter"
    __table_args__ = (
        one_of("status", ("draft", "sent", "withdrawn")),
        one_of("settled_as", ("told", "not_needed", "stands_again")),
        UniqueConstraint("student_id", "template", "period", name="uq_letter_once"),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        Index("ix_letter_unsettled", "school_id", postgresql_where=text(UNSETTLED)),
    )
    id: Mapped[Id]
    case_id: Mapped[int] = to("support_case.id")
    student_id: Mapped[int] = to("student.id", index=False)
    school_id: Mapped[int] = to("school.id", index=False)
    template: Mapped[str]
    rule: Mapped[str]
    period: Mapped[str]
    through: Mapped[date | None]
    status: Mapped[str] = mapped_column(default="draft")
    created_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[str | None]
    corrected_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    settled_as: Mapped[str | None]
