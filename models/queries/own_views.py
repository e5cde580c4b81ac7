"""What a person keeps about their lists. Everything here is of one person alone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from models.base import db
from models.lists import Handful, SavedView
from models.staff import Person


def of(person_id: int | None, page: str) -> Sequence[SavedView]:
    """The views that a person keeps of a list, by name."""
    wanted = select(SavedView).where(SavedView.person_id == person_id, SavedView.page == page)
    return db.session.scalars(wanted.order_by(SavedView.name)).all()


def has_keys(person_id: int | None) -> bool:
    """Whether this person wants keys for the rows of lists."""
    return bool(db.session.scalar(select(Person.list_keys).where(Person.id == person_id)))


def hours_of(person_id: int | None) -> int | None:
    """The hours a week that a person has stated for this work."""
    hours: int | None = db.session.scalar(select(Person.hours_per_week).where(Person.id == person_id))
    return hours


def handful(person_id: int | None, number: int) -> Handful | None:
    """Cases that this person gave away by one press."""
    wanted = select(Handful).where(Handful.id == number, Handful.person_id == person_id)
    return db.session.scalars(wanted).one_or_none()
