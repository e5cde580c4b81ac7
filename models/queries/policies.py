"""Policies: what holds and what is planned, changes under way, and what people said of them. They name no student."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import exists, func, or_, select

from models.attendance import SchoolDay
from models.base import db
from models.people import PriorYear
from models.policies import PolicyChange, PolicyText, PolicyVersion, PolicyWord

DONE = ("activated", "dropped")  # a change that nobody works on any more


def in_force() -> Sequence[PolicyVersion]:
    """Every activation that was not withdrawn, by its first day; of the same day the last one holds."""
    kept = select(PolicyVersion).where(PolicyVersion.withdrawn_at.is_(None))
    return db.session.scalars(kept.order_by(PolicyVersion.starts, PolicyVersion.id)).all()


def history() -> Sequence[PolicyVersion]:
    """Every activation, withdrawn ones too, the last that was said first."""
    return db.session.scalars(select(PolicyVersion).order_by(PolicyVersion.id.desc())).all()


def texts() -> Sequence[PolicyText]:
    """Every version ever kept, the newest first."""
    return db.session.scalars(select(PolicyText).order_by(PolicyText.id.desc())).all()


def open_changes() -> Sequence[PolicyChange]:
    """Changes that somebody works on, the last saved first."""
    asked = select(PolicyChange).where(PolicyChange.state.not_in(DONE))
    return db.session.scalars(asked.order_by(PolicyChange.saved_at.desc(), PolicyChange.id.desc())).all()


def change(number: int) -> PolicyChange | None:
    """One change."""
    return db.session.get(PolicyChange, number)


def words_of(number: int) -> Sequence[PolicyWord]:
    """What people said of a change, the newest first."""
    asked = select(PolicyWord).where(PolicyWord.change_id == number)
    return db.session.scalars(asked.order_by(PolicyWord.id.desc())).all()


def days_from(starts: date) -> int:
    """On how many days from this one on attendance has come in anywhere: what a policy from then decides again."""
    came = select(func.count(SchoolDay.day.distinct())).where(
        SchoolDay.day >= starts, SchoolDay.status.in_(("submitted", "partial"))
    )
    return db.session.scalar(came) or 0


def has_last_year(start: date) -> bool:
    """Whether any student's totals of the school year before the one that starts on `start` were sent."""
    named = or_(PriorYear.school_year.startswith(f"{start.year - 1}-"), PriorYear.school_year == str(start.year))
    return bool(db.session.scalar(select(exists().where(named))))
