"""What a person keeps about their lists. Everything here is of one person alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, or_, select

from models.base import db
from models.lists import Handful, SavedView
from models.staff import Grant


def of(person_id: int | None, page: str) -> Sequence[SavedView]:
    """The views that a person keeps of a list, by name."""
    wanted = select(SavedView).where(SavedView.person_id == person_id, SavedView.page == page)
    return db.session.scalars(wanted.order_by(SavedView.name)).all()


def hours_of(person_id: int | None, on: date) -> int | None:
    """The hours a week that are stated for what a person holds on a day; None where none are."""
    holds = Grant.person_id == person_id, Grant.starts <= on, or_(Grant.ends.is_(None), Grant.ends >= on)
    hours: int | None = db.session.scalar(select(func.sum(Grant.hours)).where(*holds))
    return hours


def handful(person_id: int | None, number: int) -> Handful | None:
    """Cases that this person gave away by one press."""
    wanted = select(Handful).where(Handful.id == number, Handful.person_id == person_id)
    return db.session.scalars(wanted).one_or_none()
