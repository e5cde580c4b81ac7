"""What a delivery says, on its way in: staged rows, gone once the delivery is stored.

Unlogged: the delivered bytes are kept, and are staged again after a crash.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Integer, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Model


class StagedRow:
    """What a row says, on its way in; a row that may be about several students is there for each of them."""

    batch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_id: Mapped[int]
    student_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date]
    period: Mapped[str]
    code: Mapped[str]
    fraction: Mapped[int | None]
    minutes: Mapped[int | None]
    section_key: Mapped[str | None]
    reason: Mapped[str | None]
    last_modified: Mapped[datetime | None]
    modified_by: Mapped[str | None]


class StagedMark(StagedRow, Model):
    """A row that says more than "present", on its way in. Unlogged: the bytes are there to stage it again."""

    __tablename__ = "staged_mark"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)


class StagedOther(StagedRow, Model):
    """An event beside the one that stands of the same student and day, or the deletion of one, on its way in."""

    __tablename__ = "staged_other"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)


class StagedRoll(Model):
    """Students whom a delivery calls plainly present on one school-day, on their way in.

    `modified`: microseconds since 1970 for each student, 0 without; None when no row carries one.
    """

    __tablename__ = "staged_roll"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)
    batch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    file: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    students: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    lines: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    modified: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))


class StagedDay(Model):
    """A school-day that a delivery speaks of: how many rows, students and absences, and whether it claims all.

    `taken`: it shows that attendance was taken; what was deleted alone does not.
    `expected`: students due that day. `teaches`: the school has a school day, or no calendar at all yet.
    `fresh`: found while merging, that no other delivery has spoken of it.
    """

    __tablename__ = "staged_day"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)
    batch_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    rows: Mapped[int]
    students: Mapped[int]
    absences: Mapped[int]
    expected: Mapped[int]
    teaches: Mapped[bool]
    whole: Mapped[bool]
    taken: Mapped[bool] = mapped_column(server_default=text("true"))
    fresh: Mapped[bool] = mapped_column(server_default=text("false"))
