"""The optional risk model: how past school years ended, models that were trained, what they said of whom.

Nothing here opens, closes or moves a tier, a case or a task: no table of decisions refers to one of these.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Integer, LargeBinary, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Mils, Model, to
from models.cases import Authored
from models.org import one_of

LABELLED = ("marks", "told")
STATUSES = ("waiting", "running", "trained", "refused", "stopped")
STAGES = ("off", "shadow", "serving")
STEPS = ("shadow", "approved", "serving", "off", "ended")
OUTCOMES = ("scored", "refused", "outside")
ANSWERS = ("accepted", "dismissed", "wrong_data")


class YearEnd(Model):
    """How a school year ended for one student, as known on 1 July after it; days in mils.

    `school_year`: its 1 July. `known_by`: their marks, or totals that a roster told. late_*: the last 44 member days,
    empty where only totals are known. Worked out; deleted and inserted, never patched.
    """

    __tablename__ = "year_end"
    __table_args__ = (one_of("known_by", LABELLED),)
    school_year: Mapped[date] = mapped_column(primary_key=True)
    student_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    known_by: Mapped[str]
    enrolled: Mapped[Mils]
    absent: Mapped[Mils]
    late_enrolled: Mapped[int | None]
    late_absent: Mapped[int | None]
    school_id: Mapped[int | None]
    grade: Mapped[str] = mapped_column(default="")


class RiskModel(Model):
    """A training and what came of it. `school_year`: the 1 July of the year it was made for, and ends with.

    `plan`: the years, days and slices of the training; `done` of `steps` slices are through. `artefact`: canonical
    JSON, with its SHA-256 and its signature. `refusals`: why it may not serve, as sentences. `report`: what the card
    of the model is written from.
    """

    __tablename__ = "risk_model"
    __table_args__ = (one_of("status", STATUSES), one_of("stage", STAGES))
    id: Mapped[Id]
    school_year: Mapped[date]
    status: Mapped[str] = mapped_column(default="waiting")
    stage: Mapped[str] = mapped_column(default="off")
    stage_since: Mapped[date | None]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    asked_name: Mapped[str]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seconds: Mapped[float] = mapped_column(default=0.0)
    steps: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    step: Mapped[str] = mapped_column(default="")
    plan: Mapped[dict[str, Any]] = mapped_column(default=dict)
    artefact: Mapped[str | None]
    sha256: Mapped[str | None]
    signature: Mapped[str | None]
    refusals: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    report: Mapped[dict[str, Any]] = mapped_column(default=dict, deferred=True)  # large, and read by its card alone
    once: Mapped[str | None] = mapped_column(unique=True)


class RiskPart(Model):
    """What one slice of a training found, packed; gone when the training has ended."""

    __tablename__ = "risk_part"
    model_id: Mapped[int] = to("risk_model.id", primary_key=True, index=False)
    nth: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RiskStep(Authored, Model):
    """A step in the life of a model: who let it work, agreed, or switched it off, and in whose words why."""

    __tablename__ = "risk_step"
    __table_args__ = (one_of("kind", STEPS),)
    id: Mapped[Id]
    model_id: Mapped[int] = to("risk_model.id")
    kind: Mapped[str]
    words: Mapped[str]
    once: Mapped[str | None] = mapped_column(unique=True)


class RiskNight(Model):
    """One evening on which a model was asked for scores: what it looked like, and why there are none.

    `number`: which school day of the year it was. `stale`: schools that keep the rows of an earlier evening.
    """

    __tablename__ = "risk_night"
    __table_args__ = (one_of("outcome", OUTCOMES),)
    model_id: Mapped[int] = to("risk_model.id", primary_key=True, index=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    number: Mapped[int]
    outcome: Mapped[str]
    reasons: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    scored: Mapped[int] = mapped_column(default=0)
    abstained: Mapped[int] = mapped_column(default=0)
    stale: Mapped[list[int]] = mapped_column(ARRAY(Integer), default=list)
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seconds: Mapped[float] = mapped_column(default=0.0)


class RiskScore(Model):
    """What a model said of a student on the last evening it could: part of the child's record.

    `logit` in thousandths, empty where the model abstained; `range_key`: the range in which its chance is told.
    `reasons`: [[feature, thousandths, fact...]...]; an abstention has its reason's key instead.
    """

    __tablename__ = "risk_score"
    __table_args__ = (
        Index("ix_risk_score_school_id_logit", "model_id", "school_id", "logit"),
        Index("ix_risk_score_student_id", "student_id"),
    )
    model_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    student_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_id: Mapped[int]
    day: Mapped[date]
    number: Mapped[int] = mapped_column(SmallInteger)
    logit: Mapped[int | None]
    range_key: Mapped[str]
    reasons: Mapped[str] = mapped_column(Text)
    stale: Mapped[bool] = mapped_column(default=False)


class RiskTold(Model):
    """Which range a model at work told of a student, from the evening `since` up to the one of `until`, not with it.

    `listed`: whether the rule had the student on its list then. Written when either changes; part of the child's
    record, and gone a year after the school year.
    """

    __tablename__ = "risk_told"
    __table_args__ = (Index("ix_risk_told_student_id", "student_id"),)
    model_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    student_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[date] = mapped_column(primary_key=True)
    until: Mapped[date | None]
    range_key: Mapped[str]
    listed: Mapped[bool]


class RiskAnswer(Authored, Model):
    """What somebody who knows the student said to a score: taken up, set aside, or resting on wrong data."""

    __tablename__ = "risk_answer"
    __table_args__ = (one_of("answer", ANSWERS), Index("ix_risk_answer_student_id", "student_id"))
    id: Mapped[Id]
    model_id: Mapped[int] = to("risk_model.id")
    student_id: Mapped[int] = to("student.id", index=False)
    day: Mapped[date]
    range_key: Mapped[str]
    answer: Mapped[str]
    reason: Mapped[str]


class RiskExcluded(Authored, Model):
    """A student whose marks no model learns from and of whom none says anything, until `ended_at`."""

    __tablename__ = "risk_excluded"
    __table_args__ = (Index("ix_risk_excluded_standing", "student_id", postgresql_where=text("ended_at IS NULL")),)
    id: Mapped[Id]
    student_id: Mapped[int] = to("student.id", index=False)
    reason: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
