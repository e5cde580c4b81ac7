"""Cases and the work on them: reasons, tasks, outreach, causes, notes, questions answered at closing."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Identity, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import BigId, Id, Model, to
from models.org import School, one_of
from models.people import COMPARTMENTS, Student

CASE_STATUSES = ("new", "assigned", "contacting", "planned", "monitoring", "paused", "closed")
CASE_KINDS = ("attendance", "did_not_arrive")


class Case(Model):
    """The one open piece of work for a student; rules add reasons to it, one person owns it.

    contact_due: by when the family was first to be reached, kept while `due` moves on with the work.
    """

    __tablename__ = "support_case"
    __table_args__ = (
        one_of("status", CASE_STATUSES),
        one_of("kind", CASE_KINDS),
        Index("uq_support_case_open", "student_id", unique=True, postgresql_where=text("closed_on IS NULL")),
        Index("ix_support_case_school_id_status", "school_id", "status"),
        Index("ix_support_case_owner_id_due", "owner_id", "due", postgresql_where=text("closed_on IS NULL")),
        Index("ix_support_case_open_due", "due", "number", postgresql_where=text("closed_on IS NULL")),
        Index("ix_support_case_open_school", "school_id", "due", "number", postgresql_where=text("closed_on IS NULL")),
    )
    id: Mapped[Id]
    number: Mapped[int] = mapped_column(Identity(start=1001), unique=True)
    student_id: Mapped[int] = to("student.id")
    school_id: Mapped[int] = to("school.id", index=False)
    kind: Mapped[str] = mapped_column(default="attendance")
    status: Mapped[str] = mapped_column(default="new")
    tier: Mapped[int] = mapped_column(SmallInteger)
    episode: Mapped[int] = mapped_column(default=1)
    department: Mapped[str]
    owner_role: Mapped[str]
    owner_id: Mapped[int | None] = to("person.id", index=False)
    owner_via: Mapped[str] = mapped_column(default="")
    opened: Mapped[date]
    opened_at: Mapped[datetime]
    contact_due: Mapped[date | None]
    due: Mapped[date | None]
    next_step: Mapped[str] = mapped_column(default="")
    paused_until: Mapped[date | None]
    closed_on: Mapped[date | None]
    close_reason: Mapped[str | None]
    goals_reviewed: Mapped[bool] = mapped_column(default=False)
    family_told: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    student: Mapped[Student] = relationship()
    school: Mapped[School] = relationship()
    __mapper_args__ = {"version_id_col": version}


class CaseEpisode(Model):
    """One run of a case from opening to closing; a case that is taken up again begins another.

    `opened_at`, `closed_at`: when it was written down, so that any moment can be told again.
    """

    __tablename__ = "case_episode"
    case_id: Mapped[int] = to("support_case.id", primary_key=True, index=False)
    episode: Mapped[int] = mapped_column(primary_key=True)
    opened: Mapped[date]
    closed_on: Mapped[date | None]
    close_reason: Mapped[str | None]
    opened_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    closed_at: Mapped[datetime | None]


class CaseOwner(Model):
    """Who owned a case from one day until another; written by the database whenever an owner changes.

    `since`, `until`: by the district's days, the last one excluded. A person who still owns it has no `until`.
    """

    __tablename__ = "case_owner"
    id: Mapped[BigId]
    case_id: Mapped[int] = to("support_case.id")
    person_id: Mapped[int] = to("person.id", index=False)
    since: Mapped[date]
    since_at: Mapped[datetime]
    until: Mapped[date | None]
    until_at: Mapped[datetime | None]


class CaseReason(Model):
    """A finding that speaks for a case, once per episode; `useful` is the answer given at closing.

    through: the day up to which attendance was known when it was added; it stands only if it stood on that day.
    """

    __tablename__ = "case_reason"
    __table_args__ = (
        UniqueConstraint("case_id", "rule", "episode"),
        one_of("useful", ("yes", "no", "cannot_tell")),
    )
    id: Mapped[Id]
    case_id: Mapped[int] = to("support_case.id", index=False)
    rule: Mapped[str]
    episode: Mapped[int] = mapped_column(default=1)
    day: Mapped[date]
    through: Mapped[date | None]
    sentence: Mapped[str]
    added_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    useful: Mapped[str | None]


class Task(Model):
    """Something one role does by a day. A compartment task is seen only by those who may read that class.

    It is about a student or, without one, about a `day` of a school: its attendance that has not come in. `raised_at`:
    when such a task went up to whoever helps the school. `through`: the day up to which the student's attendance was
    known when a rule asked for it; it stays asked for only if the rule was met then, or is met since.
    """

    __tablename__ = "task"
    __table_args__ = (
        one_of("status", ("open", "done", "withdrawn")),
        one_of("compartment", COMPARTMENTS),
        UniqueConstraint("student_id", "kind", "period", name="uq_task_once"),
        Index("uq_task_day", "school_id", "day", "kind", unique=True, postgresql_where=text("student_id IS NULL")),
        CheckConstraint("(student_id IS NULL) = (day IS NOT NULL)", name="about"),
        CheckConstraint("student_id IS NOT NULL OR (case_id IS NULL AND compartment IS NULL)", name="of_a_day"),
        Index("ix_task_owner_id_due", "owner_id", "due", postgresql_where=text("status = 'open'")),
        Index("ix_task_school_id_owner_role", "school_id", "owner_role"),
    )
    id: Mapped[Id]
    case_id: Mapped[int | None] = to("support_case.id")
    student_id: Mapped[int | None] = to("student.id", index=False)
    school_id: Mapped[int] = to("school.id", index=False)
    day: Mapped[date | None]
    kind: Mapped[str]
    period: Mapped[str]
    title: Mapped[str]
    rule: Mapped[str | None]
    through: Mapped[date | None]
    compartment: Mapped[str | None]
    department: Mapped[str]
    owner_role: Mapped[str]
    owner_id: Mapped[int | None] = to("person.id", index=False)
    due: Mapped[date | None]
    status: Mapped[str] = mapped_column(default="open")
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    raised_at: Mapped[datetime | None]


class Authored:
    """Who wrote it, in which position, when: required of every entry in a student's record."""

    author_id: Mapped[int | None]
    author: Mapped[str]
    position: Mapped[str]
    written_at: Mapped[datetime]


class Outreach(Authored, Model):
    """One attempt to reach the family or student, and what came of it, as it reads now (models/outreach.py: before).

    `about_day`, `told`: the absence it was about and the reason the family gave for it. `used`: the number or address
    that was tried, as it was that day. `talk`: shared by the entries of one conversation about several children.
    """

    __tablename__ = "outreach"
    __table_args__ = (
        one_of("direction", ("out", "in")),
        Index("ix_outreach_student_id_on_day", "student_id", "on_day"),
        Index("ix_outreach_contact", "student_id", "on_day", postgresql_where=text("is_contact")),
    )
    id: Mapped[Id]
    case_id: Mapped[int | None] = to("support_case.id")
    student_id: Mapped[int] = to("student.id", index=False)
    on_day: Mapped[date]
    at: Mapped[datetime]
    method: Mapped[str]
    outcome: Mapped[str]
    direction: Mapped[str] = mapped_column(default="out")
    with_whom: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="")
    interpreter: Mapped[bool] = mapped_column(default=False)
    promise: Mapped[str] = mapped_column(default="")
    next_date: Mapped[date | None]
    minutes: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")
    is_contact: Mapped[bool]
    about_day: Mapped[date | None]
    told: Mapped[str] = mapped_column(default="", server_default="")
    used: Mapped[str] = mapped_column(default="", server_default="")
    talk: Mapped[str] = mapped_column(default="", server_default="")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    once: Mapped[str | None] = mapped_column(unique=True)


class Cause(Authored, Model):
    """A reason someone gave or saw; restricted ones live in their compartment. Ended, never deleted."""

    __tablename__ = "cause"
    __table_args__ = (one_of("compartment", COMPARTMENTS), Index("ix_cause_case_id_code", "case_id", "code"))
    id: Mapped[Id]
    case_id: Mapped[int] = to("support_case.id", index=False)
    student_id: Mapped[int] = to("student.id")
    code: Mapped[str]
    compartment: Mapped[str | None]
    said_by: Mapped[str]
    confidence: Mapped[str]
    is_primary: Mapped[bool] = mapped_column(default=False)
    strengths: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    once: Mapped[str | None] = mapped_column(unique=True)


class Note(Authored, Model):
    """A note on a case; a compartment note is readable only in its compartment. An edit is a new version."""

    __tablename__ = "note"
    __table_args__ = (one_of("compartment", COMPARTMENTS),)
    id: Mapped[Id]
    case_id: Mapped[int] = to("support_case.id")
    student_id: Mapped[int] = to("student.id")
    compartment: Mapped[str | None]
    text: Mapped[str]
    replaces_id: Mapped[int | None] = mapped_column(unique=True)
    once: Mapped[str | None] = mapped_column(unique=True)
