"""Networks, schools, their calendars, attendance codes and the sources that feed them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Id, Mils, Model, to

DAY_TYPES = ("instructional", "make_up", "holiday", "weather", "non_instructional")
TEACHES = "day_type IN ('instructional', 'make_up')"  # SQL: there is school on the day
CODE_KINDS = (
    "present",
    "absence",
    "tardy",
    "early_leave",
    "suspension_out",
    "suspension_in",
    "homebound",
    "hospital",
    "remote",
    "school_function",
    "non_membership",
)
ABSENT_KINDS = ("absence", "suspension_out")  # without a number of their own they stand for the whole day
EXCUSES = ("excused", "unexcused", "exempt", "unknown")
FEEDS = ("exception", "full")
SOURCE_KINDS = ("by_hand", "folder", "sftp", "edfi_api")
BRINGS = ("attendance", "roster", "both")
EXPECTED_DAYS = ("same", "before")
EMPTY = text("'{}'")


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """A check that `column` holds one of `values`; named after the column."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Source(Model):
    """A system that sends files: what a missing row means in them, how their exit dates read, how they are fetched.

    `location`: where they are, by kind, and the names of its secrets, never a secret. `said`: what `feeds.Said` and the
    exit rule say of them. `timetable`: when to look (`rules.timetable`). `expected_by`, on the district's clock: from
    then on a school day that has not come is late, the day itself ("same") or the one before it. `not_cleared`: why
    files that were settled could not be moved out of the way, and since when; empty while they can.
    """

    __tablename__ = "source"
    __table_args__ = (
        one_of("feed", FEEDS),
        one_of("kind", SOURCE_KINDS),
        one_of("brings", BRINGS),
        one_of("expected_day", EXPECTED_DAYS),
    )
    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    feed: Mapped[str] = mapped_column(default="exception")
    exit_inclusive: Mapped[bool] = mapped_column(default=True)
    kind: Mapped[str] = mapped_column(default="by_hand", server_default="by_hand")
    brings: Mapped[str] = mapped_column(default="attendance", server_default="attendance")
    location: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=EMPTY)
    said: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=EMPTY)
    timetable: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=EMPTY)
    expected_by: Mapped[time | None]
    expected_day: Mapped[str] = mapped_column(default="same", server_default="same")
    paused: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    changed_at: Mapped[datetime | None]
    not_cleared: Mapped[str] = mapped_column(default="", server_default="")
    not_cleared_since: Mapped[datetime | None]


class Network(Model):
    """A group of schools with a lead who watches counts, never names."""

    __tablename__ = "network"
    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    batch_id: Mapped[int | None]
    line: Mapped[int | None]
    schools: Mapped[list[School]] = relationship(back_populates="network", order_by="School.name")


class School(Model):
    """A school and the minutes that make its day; the limits are capped at a shorter day's own length."""

    __tablename__ = "school"
    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    network_id: Mapped[int] = to("network.id")
    level: Mapped[str] = mapped_column(default="")
    day_minutes: Mapped[int] = mapped_column(default=420)
    min_full_minutes: Mapped[int] = mapped_column(default=300)
    min_half_minutes: Mapped[int] = mapped_column(default=150)
    source_id: Mapped[int | None] = to("source.id", index=False)
    batch_id: Mapped[int | None]
    line: Mapped[int | None]
    network: Mapped[Network] = relationship(back_populates="schools")


class CalendarDay(Model):
    """What one date is in one calendar of a school; `calendar_key` '' is the school's own calendar."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        one_of("day_type", DAY_TYPES),
        Index(
            "ix_calendar_day_taught",
            "school_id",
            "day",
            postgresql_where=text("weight > 0 AND day_type IN ('instructional', 'make_up')"),
        ),
    )
    school_id: Mapped[int] = to("school.id", primary_key=True, index=False)
    calendar_key: Mapped[str] = mapped_column(primary_key=True, default="")
    day: Mapped[date] = mapped_column(primary_key=True)
    day_type: Mapped[str]
    weight: Mapped[Mils] = mapped_column(default=1000)
    day_minutes: Mapped[int | None]
    batch_id: Mapped[int | None]
    line: Mapped[int | None]


ALWAYS: Final = date(1900, 1, 1)  # earlier than any day that attendance may be about


class ClassPeriod(Model):
    """A period of a school's timetable. A grade with rows of its own has its whole timetable in them; '' is any other.

    A period that does not count (lunch, advisory) is no part of the day. Of two forms of a period on one day the one
    that began later stands; ALWAYS is where no beginning was said.
    """

    __tablename__ = "class_period"
    school_id: Mapped[int] = to("school.id", primary_key=True, index=False)
    grade: Mapped[str] = mapped_column(primary_key=True, default="")
    period: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_to: Mapped[date | None]
    minutes: Mapped[int]
    counts: Mapped[bool]
    batch_id: Mapped[int | None]
    line: Mapped[int | None]


class AbsenceCode(Model):
    """What a code means; a blank school is the district's meaning, dates bound its validity."""

    __tablename__ = "absence_code"
    __table_args__ = (
        UniqueConstraint("school_id", "code", "valid_from", postgresql_nulls_not_distinct=True),
        one_of("kind", CODE_KINDS),
        one_of("excused", EXCUSES),
    )
    id: Mapped[Id]
    school_id: Mapped[int | None] = to("school.id", index=False)
    code: Mapped[str] = mapped_column(index=True)
    title: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    absent_fraction: Mapped[Mils]
    excused: Mapped[str] = mapped_column(default="unknown")
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    batch_id: Mapped[int | None]
    line: Mapped[int | None]
