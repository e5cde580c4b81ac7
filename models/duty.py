"""What a school owes a student beside support: the steps of a search, and the days that the district itself caused."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.cases import Authored
from models.org import one_of
from models.people import COMPARTMENTS


class SearchDone(Authored, Model):
    """A step of looking for a student, done once in an episode of the case. `begun` is the first of them.

    taken_back_at: the marks that began the search were corrected; it may begin anew.
    """

    __tablename__ = "search_done"
    __table_args__ = (
        Index(
            "uq_search_done_step", "case_id", "episode", "step", unique=True,
            postgresql_where=text("taken_back_at IS NULL"),
        ),
    )  # fmt: skip
    id: Mapped[Id]
    case_id: Mapped[int] = to("support_case.id", index=False)
    episode: Mapped[int]
    step: Mapped[str]
    on_day: Mapped[date]
    words: Mapped[str] = mapped_column(default="")
    once: Mapped[str | None] = mapped_column(unique=True)
    taken_back_at: Mapped[datetime | None]


class DistrictDay(Authored, Model):
    """A day that a student missed because of the district itself. Taken back, never deleted."""

    __tablename__ = "district_day"
    __table_args__ = (one_of("compartment", COMPARTMENTS),)
    id: Mapped[Id]
    student_id: Mapped[int] = to("student.id")
    day: Mapped[date]
    why: Mapped[str]
    compartment: Mapped[str | None]
    taken_back_at: Mapped[datetime | None]
