"""Attendance as rows: every delivery, every mark with its file and line, and what each replaced.

The rows are the truth; every measure is derived from them and can be thrown away.

A mark is a row when it says something other than "present" or corrects what was said before. Plain
presence in a full feed is kept as one `roll` per school-day and delivery: the students and the lines they
stood on. Presence in an exception feed is claimed by the school-day's submission alone.
"""

from __future__ import annotations

import zlib
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, SmallInteger, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from models.base import BigId, Id, Model, to
from models.org import FEEDS, Source, one_of

BATCH_STATUSES = (
    "received",
    "staged",
    "checked",
    "applying",
    "applied",
    "held",
    "refused",
    "duplicate",
    "previewed",
    "undoing",
    "undone",
    "cancelled",
)
NOW = text("now()")  # for rows put in by hand; a delivery writes its own moment
# The code of a mark whose row could not be read: its day is unknown until a row comes that can be. No file and no form
# can say this code, because theirs are trimmed.
UNREAD: Final = " unreadable row"
OTHER_KIND: Final = " of a kind that is not read"  # section of such a mark: its row corrects no row that is read
DELETED: Final = "Deleted"  # of a mark that its system took back; the reason tells the code that it had
DAY_STATUSES = ("submitted", "partial", "not_submitted", "closed")


class Batch(Model):
    """One delivery and its life: received, staged, checked, applied (or held, refused), perhaps undone.

    `undecided`: it went in, and its students are decided at the end of its command, together with those of the files
    after it; `decided_with`: the last of these, of which what moved is told.
    """

    __tablename__ = "batch"
    __table_args__ = (
        one_of("status", BATCH_STATUSES),
        one_of("kind", ("roster", "attendance")),
        one_of("feed", FEEDS),
        Index("ix_batch_sha256_kind", "sha256", "kind"),
        Index("ix_batch_undecided", "id", postgresql_where=text("undecided")),
    )
    id: Mapped[Id]
    kind: Mapped[str]
    source_id: Mapped[int] = to("source.id")
    feed: Mapped[str] = mapped_column(default="exception")
    status: Mapped[str] = mapped_column(default="received", index=True)
    name: Mapped[str]
    sha256: Mapped[str]
    received_at: Mapped[datetime]
    received_by: Mapped[str]
    applied_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undecided: Mapped[bool] = mapped_column(default=False, server_default=false())
    decided_with: Mapped[int | None]
    decided_at: Mapped[datetime | None]
    accept_held: Mapped[bool] = mapped_column(default=False)
    preview: Mapped[bool] = mapped_column(default=False)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    effect: Mapped[dict[str, Any]] = mapped_column(default=dict)
    sentence: Mapped[str] = mapped_column(default="")
    percent: Mapped[int] = mapped_column(default=0)
    step: Mapped[str] = mapped_column(default="")
    source: Mapped[Source] = relationship()
    files: Mapped[list[BatchFile]] = relationship(order_by="BatchFile.name")


class Packed(TypeDecorator[bytes]):
    """Bytes kept deflated, smaller and sooner than the database would; those of before are read as they are."""

    impl = LargeBinary
    cache_ok = True
    EFFORT = 3  # a seventh of a day's rows remains; each further step costs more than it saves

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """What is stored."""
        return None if value is None else zlib.compress(value, self.EFFORT)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """What came. A text that only begins like deflated bytes does not fit its own checksum."""
        if value is None or value[:1] != b"x":
            return value
        try:
            return zlib.decompress(value)
        except zlib.error:
            return value


class BatchFile(Model):
    """The bytes as they came, kept so that any mark can be shown on its line and any batch read again.

    A file too large for one value stands in several rows, `part` 0, 1, ..., each with the whole file's hash.
    """

    __tablename__ = "batch_file"
    __table_args__ = (UniqueConstraint("batch_id", "name", "part"),)
    id: Mapped[Id]
    batch_id: Mapped[int] = to("batch.id", index=False)
    name: Mapped[str]
    part: Mapped[int] = mapped_column(default=0)
    table_name: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    content: Mapped[bytes] = mapped_column(Packed, deferred=True)


class Problem(Model):
    """A row that could not go in, or went in with a doubt: where it stands and what would mend it.

    `cause` is unknown_student or unknown_school for a row that is tried again after the next roster.
    """

    __tablename__ = "problem"
    __table_args__ = (Index("ix_problem_batch_id_line", "batch_id", "line"),)
    id: Mapped[BigId]
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id", ondelete="CASCADE"))
    file: Mapped[str] = mapped_column(default="")
    line: Mapped[int]
    reason: Mapped[str]
    column: Mapped[str] = mapped_column(default="")
    value: Mapped[str] = mapped_column(default="")
    rejected: Mapped[bool] = mapped_column(default=True)
    cause: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]


class BatchSlice(Model):
    """A part of a delivery that is finished, with its counts, written in the transaction that did it."""

    __tablename__ = "batch_slice"
    batch_id: Mapped[int] = to("batch.id", primary_key=True, index=False)
    key: Mapped[str] = mapped_column(primary_key=True)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)


class MarkColumns:
    """What a mark says, where it was said and since when it stands; shared by current and replaced marks.

    `file` counts the attendance files of the batch from 0; `line` is the physical line, header = 1.
    """

    school_id: Mapped[int] = mapped_column(Integer)
    student_id: Mapped[int] = mapped_column(Integer)
    day: Mapped[date]
    period: Mapped[str] = mapped_column(default="")
    source_id: Mapped[int] = mapped_column(Integer)
    code: Mapped[str]
    fraction: Mapped[int | None]
    minutes: Mapped[int | None]
    section_key: Mapped[str | None]
    reason: Mapped[str | None]
    last_modified: Mapped[datetime | None]
    modified_by: Mapped[str | None]
    batch_id: Mapped[int]
    file: Mapped[int] = mapped_column(SmallInteger, default=0)
    line: Mapped[int]
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)


class Mark(MarkColumns, Model):
    """The mark that stands for one (student, school, day, period or whole day '', source)."""

    __tablename__ = "mark"
    __table_args__ = (
        UniqueConstraint("school_id", "day", "student_id", "period", "source_id"),
        Index("ix_mark_student_id_day", "student_id", "day"),
        Index("ix_mark_batch_id", "batch_id"),
        Index("ix_mark_with_reason", "student_id", "day", postgresql_where=text("reason IS NOT NULL")),
    )
    id: Mapped[BigId]


class MarkHistory(MarkColumns, Model):
    """A mark that once stood, and the delivery that replaced, removed or took it back."""

    __tablename__ = "mark_history"
    __table_args__ = (
        one_of("ended", ("superseded", "removed", "undone")),
        Index("ix_mark_history_student_id_day", "student_id", "day"),
        Index("ix_mark_history_ended_by", "ended_by"),
        Index("ix_mark_history_batch_id", "batch_id"),
    )
    id: Mapped[BigId]
    ended: Mapped[str]
    ended_by: Mapped[int]
    ended_at: Mapped[datetime]


class Roll(Model):
    """Students whom one file called plainly present on one school-day, with their lines; `replaced_by` ends it.

    `modified`: microseconds since 1970 for each student, 0 without; None when no row carried one.
    """

    __tablename__ = "roll"
    __table_args__ = (Index("ix_roll_school_id_day", "school_id", "day"),)
    id: Mapped[BigId]
    batch_id: Mapped[int] = to("batch.id")
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"))
    school_id: Mapped[int] = mapped_column(ForeignKey("school.id"))
    day: Mapped[date]
    code: Mapped[str] = mapped_column(default="")
    file: Mapped[int] = mapped_column(SmallInteger, default=0)
    students: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    lines: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    modified: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)
    replaced_by: Mapped[int | None] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class Submission(Model):
    """What one delivery says of one school-day: it was taken, from so many rows, perhaps whole.

    Not `taken`: it only took back entries of the day, which does not show that attendance was taken.
    It counts until `ended_at`, when the delivery was taken back. Kept then, so that any moment can be told again.
    """

    __tablename__ = "submission"
    __table_args__ = (one_of("feed", FEEDS),)
    school_id: Mapped[int] = to("school.id", primary_key=True, index=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = to("batch.id", primary_key=True)
    feed: Mapped[str]
    rows: Mapped[int]
    whole: Mapped[bool]
    taken: Mapped[bool] = mapped_column(server_default=text("true"))
    recorded_at: Mapped[datetime] = mapped_column(server_default=NOW)
    ended_at: Mapped[datetime | None]


class SchoolDay(Model):
    """The day ledger, derived from submissions, calendars and stints; deleted and inserted, never patched."""

    __tablename__ = "school_day"
    __table_args__ = (
        one_of("status", DAY_STATUSES),
        one_of("feed", FEEDS),
        Index(
            "ix_school_day_in",
            "school_id",
            "day",
            postgresql_where=text("status IN ('submitted', 'partial', 'closed')"),
        ),
    )
    school_id: Mapped[int] = to("school.id", primary_key=True, index=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    status: Mapped[str]
    feed: Mapped[str]
    rows: Mapped[int]
    expected: Mapped[int]
    absences: Mapped[int] = mapped_column(default=0)


class RowHistory(Model):
    """The earlier form of a roster row that a delivery changed; None means the delivery created it."""

    __tablename__ = "row_history"
    __table_args__ = (
        Index("ix_row_history_batch_id", "batch_id"),
        Index("ix_row_history_table_name_at", "table_name", "at"),
    )
    id: Mapped[BigId]
    batch_id: Mapped[int]
    table_name: Mapped[str]
    row_key: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any] | None]
    at: Mapped[datetime]
