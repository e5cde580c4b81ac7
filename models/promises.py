"""What was asked for a student inside a compartment, and every state it went through."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.cases import Authored
from models.org import one_of
from models.people import COMPARTMENTS

PROMISE_STATES = ("asked", "approved", "issued", "in_hand", "not_wanted", "refused")


class Promise(Authored, Model):
    """Something asked for, as it stands now. `state` is that of its last step; `settled_on` the day nothing waits more.

    `kind`: a key of rules/policies/promises.yaml. A refusal is settled when the family knows how to appeal.
    """

    __tablename__ = "promise"
    __table_args__ = (
        one_of("compartment", COMPARTMENTS),
        one_of("state", PROMISE_STATES),
        one_of("for_whom", ("student", "caregiver")),
        Index("ix_promise_open", "compartment", "due", postgresql_where=text("settled_on IS NULL")),
    )
    id: Mapped[Id]
    student_id: Mapped[int] = to("student.id")
    school_id: Mapped[int] = to("school.id", index=False)
    compartment: Mapped[str]
    kind: Mapped[str]
    for_whom: Mapped[str] = mapped_column(default="student")
    what: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="asked")
    asked_on: Mapped[date]
    settled_on: Mapped[date | None]
    owner_id: Mapped[int | None] = to("person.id", index=False)
    due: Mapped[date | None]
    once: Mapped[str | None] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class PromiseStep(Authored, Model):
    """One state of a promise and the day it was reached, with a word on it. Never changed."""

    __tablename__ = "promise_step"
    __table_args__ = (one_of("state", PROMISE_STATES),)
    id: Mapped[Id]
    promise_id: Mapped[int] = to("promise.id")
    state: Mapped[str]
    on_day: Mapped[date]
    note: Mapped[str] = mapped_column(default="")
    appeal_told: Mapped[bool] = mapped_column(default=False)
    once: Mapped[str | None] = mapped_column(unique=True)
