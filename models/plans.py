"""Plans and what comes of them, from agreeing one to deciding how it goes on.

A plan is agreed on a case: a `Plan` row, and one more for every change, so that no text is ever lost. Supports are
offered in it (`PlanSupport`, kept in its compartment where it is for a restricted cause); each time one is given is a
`SupportGiven`; on the day agreed somebody looks and decides (`PlanReview`): exit, continue, change or intensify.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.cases import Authored
from models.org import one_of
from models.people import COMPARTMENTS

ANSWERS = ("yes", "no", "not_asked")
RESULTS = ("met", "partly", "not_met", "stopped")
DECISIONS = ("exit", "continue", "change", "intensify")


class Plan(Authored, Model):
    """One version of the plan of a case's episode; the newest one holds.

    most_absent, of_days: the goal in numbers, at most so many days away in so many school days.
    """

    __tablename__ = "plan"
    __table_args__ = (
        UniqueConstraint("case_id", "episode", "version"),
        one_of("family_agreed", ANSWERS),
        CheckConstraint("(most_absent IS NULL) = (of_days IS NULL)", name="goal_in_days"),
    )
    id: Mapped[Id]
    case_id: Mapped[int] = to("support_case.id", index=False)
    episode: Mapped[int]
    version: Mapped[int]
    goal: Mapped[str]
    most_absent: Mapped[int | None] = mapped_column(SmallInteger)
    of_days: Mapped[int | None] = mapped_column(SmallInteger)
    champion_id: Mapped[int | None] = to("person.id", index=False)
    helps: Mapped[str] = mapped_column(default="")
    family_agreed: Mapped[str] = mapped_column(default="not_asked")
    next_step: Mapped[str]
    review_on: Mapped[date]
    once: Mapped[str | None] = mapped_column(unique=True)


class PlanSupport(Authored, Model):
    """A support offered to one student: from when to when, how often, by whom, the family's answer, what came of it."""

    __tablename__ = "plan_support"
    __table_args__ = (
        one_of("compartment", COMPARTMENTS),
        one_of("family_agreed", ANSWERS),
        one_of("result", RESULTS),
        CheckConstraint("(result IS NULL) = (ended_on IS NULL)", name="ended"),
    )
    id: Mapped[Id]
    case_id: Mapped[int] = to("support_case.id")
    student_id: Mapped[int] = to("student.id")
    episode: Mapped[int]
    intervention: Mapped[str]
    cause: Mapped[str | None]
    compartment: Mapped[str | None]
    owner_id: Mapped[int | None] = to("person.id", index=False)
    starts: Mapped[date]
    planned_end: Mapped[date]
    dose_planned: Mapped[int]
    family_agreed: Mapped[str] = mapped_column(default="not_asked")
    result: Mapped[str | None]
    why_ended: Mapped[str] = mapped_column(default="")
    ended_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    once: Mapped[str | None] = mapped_column(unique=True)
    __mapper_args__ = {"version_id_col": version}


class SupportGiven(Authored, Model):
    """One time a support was given; taken back where it was noted by mistake."""

    __tablename__ = "support_given"
    id: Mapped[Id]
    support_id: Mapped[int] = to("plan_support.id")
    on_day: Mapped[date]
    note: Mapped[str] = mapped_column(default="")
    taken_back_at: Mapped[datetime | None]
    once: Mapped[str | None] = mapped_column(unique=True)


class PlanReview(Authored, Model):
    """A look at how the plan goes, and what was decided. `plan_id`: the version that was looked at."""

    __tablename__ = "plan_review"
    __table_args__ = (one_of("decision", DECISIONS),)
    id: Mapped[Id]
    case_id: Mapped[int] = to("support_case.id")
    episode: Mapped[int]
    plan_id: Mapped[int] = to("plan.id", index=False)
    decision: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    with_family: Mapped[bool] = mapped_column(default=False)
    next_on: Mapped[date]
    once: Mapped[str | None] = mapped_column(unique=True)
