"""Questions about the record: what was counted when it was asked, and every answer. No student stands in them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.cases import Authored
from models.org import one_of

QUESTION_STATES = ("asked", "answered", "closed")


class IntegrityQuestion(Model):
    """x of n at a school, where `usual` (in a million) is what the others have; `who`: of one user, as the file names
    them, '' for the school. One question at a time about one thing."""

    __tablename__ = "integrity_question"
    __table_args__ = (
        one_of("state", QUESTION_STATES),
        Index(
            "uq_integrity_question_open", "measure", "school_id", "who", unique=True,
            postgresql_where=text("state <> 'closed'"),
        ),
    )  # fmt: skip
    id: Mapped[Id]
    measure: Mapped[str]
    school_id: Mapped[int] = to("school.id")
    who: Mapped[str] = mapped_column(default="")
    first_day: Mapped[date]
    last_day: Mapped[date]
    x: Mapped[int]
    n: Mapped[int]
    usual: Mapped[int]
    state: Mapped[str] = mapped_column(default="asked")
    asked_on: Mapped[date]
    asked_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class IntegrityNote(Authored, Model):
    """One thing said about a question. Never changed."""

    __tablename__ = "integrity_note"
    __table_args__ = (one_of("step", QUESTION_STATES),)
    id: Mapped[Id]
    question_id: Mapped[int] = to("integrity_question.id")
    step: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    once: Mapped[str | None] = mapped_column(unique=True)
