"""Home visits: who goes with whom, who watches, when they must be back, and what came of it."""

from __future__ import annotations

from datetime import date, datetime, time

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.org import one_of

VISIT_STATES = ("planned", "out", "back", "called_off")
UNDER_WAY = "status IN ('planned', 'out')"


class Visit(Model):
    """A visit of two people to a student's home, planned from a case.

    The second person is a member of staff or, named only, somebody of a partner. `watcher` is told when they are not
    back by `back_by`; `late_at` is when that was. The address stands here from planning until they are back, no longer.
    """

    __tablename__ = "visit"
    __table_args__ = (
        one_of("status", VISIT_STATES),
        CheckConstraint("second_id IS NOT NULL OR second_name <> ''", name="two_people"),
        CheckConstraint("second_id <> visitor_id AND watcher_id <> visitor_id", name="different_people"),
        CheckConstraint("(status = 'planned') OR (status = 'called_off') OR out_at IS NOT NULL", name="went"),
        Index("uq_visit_under_way", "student_id", unique=True, postgresql_where=text(UNDER_WAY)),
        Index("ix_visit_back_by", "back_by", postgresql_where=text("status = 'out' AND late_at IS NULL")),
        Index("ix_visit_visitor_id_day", "visitor_id", "day"),
    )
    id: Mapped[Id]
    once: Mapped[str | None] = mapped_column(unique=True)
    case_id: Mapped[int] = to("support_case.id")
    student_id: Mapped[int] = to("student.id", index=False)
    school_id: Mapped[int] = to("school.id")
    day: Mapped[date]
    at: Mapped[time | None]
    visitor_id: Mapped[int] = to("person.id", index=False)
    second_id: Mapped[int | None] = to("person.id", index=False)
    second_name: Mapped[str] = mapped_column(default="")
    watcher_id: Mapped[int] = to("person.id", index=False)
    minutes: Mapped[int] = mapped_column(default=45)
    address: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="", server_default="")
    address_checked_at: Mapped[datetime | None]
    no_call_why: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="planned")
    planned_at: Mapped[datetime]
    out_at: Mapped[datetime | None]
    back_by: Mapped[datetime | None]
    late_at: Mapped[datetime | None]
    back_at: Mapped[datetime | None]
    called_off_why: Mapped[str] = mapped_column(default="")
    outreach_id: Mapped[int | None] = to("outreach.id", index=False)
