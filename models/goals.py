"""Goals of schools, networks and the district, how far they have come week by week, and what is done for them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to
from models.cases import Authored
from models.org import one_of

MEASURES = ("chronic", "tiers", "attendance", "in_time")


class Goal(Authored, Model):
    """One version of a goal; the newest of a `thread` holds, and none is ever written over.

    place: `school:KEY`, `network:KEY` or `district`. subgroup: '' for everybody, or kind and value ("grade:7"). target:
    in tenths of a percent. base_day: when it was set; base_part of base_whole: how it stood then, as it was counted on
    base_on, kept by the first count. ended: why it is no goal any more.
    """

    __tablename__ = "goal"
    __table_args__ = (
        UniqueConstraint("thread", "version"),
        one_of("measure", MEASURES),
        CheckConstraint("target BETWEEN 1 AND 999", name="target"),
    )
    id: Mapped[Id]
    thread: Mapped[str]
    version: Mapped[int]
    place: Mapped[str] = mapped_column(index=True)
    subgroup: Mapped[str] = mapped_column(default="", server_default="")
    measure: Mapped[str]
    target: Mapped[int]
    by_day: Mapped[date]
    why: Mapped[str] = mapped_column(default="", server_default="")
    base_day: Mapped[date]
    base_on: Mapped[date | None]
    base_part: Mapped[int | None] = mapped_column(BigInteger)
    base_whole: Mapped[int | None] = mapped_column(BigInteger)
    ended: Mapped[str] = mapped_column(default="", server_default="")
    once: Mapped[str] = mapped_column(unique=True)


class GoalPart(Model):
    """What one school brings to a goal on one day; derived, and counted again every night.

    part of whole: students; families for `in_time`; for `attendance` days in thousandths, present and enrolled.
    """

    __tablename__ = "goal_part"
    thread: Mapped[str] = mapped_column(primary_key=True)
    school_id: Mapped[int] = to("school.id", primary_key=True, index=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    part: Mapped[int] = mapped_column(BigInteger)
    whole: Mapped[int] = mapped_column(BigInteger)


class Strategy(Authored, Model):
    """What a place does for a goal: in a few words, who leads it, and when it is looked at again."""

    __tablename__ = "strategy"
    id: Mapped[Id]
    thread: Mapped[str] = mapped_column(index=True)
    place: Mapped[str]
    words: Mapped[str]
    owner_id: Mapped[int] = to("person.id")
    once: Mapped[str] = mapped_column(unique=True)


class StrategyLook(Authored, Model):
    """A look at a strategy: what was found, and when to look again; None: it is over. The first is its start."""

    __tablename__ = "strategy_look"
    id: Mapped[Id]
    strategy_id: Mapped[int] = to("strategy.id")
    words: Mapped[str]
    next_on: Mapped[date | None]
    once: Mapped[str] = mapped_column(unique=True)
