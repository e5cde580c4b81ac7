"""What was decided: findings, tier changes, the current status, counts by day. Each names its policy (policies.py).

Everything here is derived from attendance rows and policy: a full recompute gives the same rows.
Findings and changes are never edited: a correction withdraws the old row and adds a new one.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, Integer, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BigId, Model, to


class Finding(Model):
    """A rule met for a student: from which day, until its exit, with the numbers and the sentence.

    until_at: when the exit was learned; another exit later withdraws the row and adds one.
    """

    __tablename__ = "finding"
    __table_args__ = (
        Index(
            "uq_finding_live",
            "student_id",
            "rule",
            "since",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index("ix_finding_withdrawn", "student_id", postgresql_where=text("withdrawn_at IS NOT NULL")),
    )
    id: Mapped[BigId]
    student_id: Mapped[int] = to("student.id", index=False)
    rule: Mapped[str]
    since: Mapped[date]
    until: Mapped[date | None]
    until_at: Mapped[datetime | None]
    compartment: Mapped[str | None]
    numbers: Mapped[dict[str, Any]]
    sentence: Mapped[str]
    policy_version: Mapped[str]
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class TierChange(Model):
    """One step of a student's tier on one day, by a rule or an exit, as known when it was recorded."""

    __tablename__ = "tier_change"
    __table_args__ = (
        Index(
            "uq_tier_change_live",
            "student_id",
            "day",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index("ix_tier_change_day", "day"),
    )
    id: Mapped[BigId]
    student_id: Mapped[int] = to("student.id", index=False)
    day: Mapped[date]
    before: Mapped[int] = mapped_column(SmallInteger)
    after: Mapped[int] = mapped_column(SmallInteger)
    rules: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    sentence: Mapped[str]
    policy_version: Mapped[str]
    recorded_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class StudentStatus(Model):
    """A student's standing on their school's data-through day, across all schools of the district.

    Days in mils; tiers -1 none, 0 Tier 1, 1 watch, 2, 3. `rules` holds what everyone on the case may see.
    A quiet student stands in no tier above 1, meets no rule and never had a case: nobody asks for such a student's
    numbers in a list, and they are not kept (they would all have to be written again every morning).
    """

    __tablename__ = "student_status"
    __table_args__ = (
        Index("ix_student_status_school_id_tier", "school_id", "tier"),
        Index("ix_student_status_raised", "tier_since", postgresql_where=text("enrolled_now AND tier >= 1")),
    )
    student_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_id: Mapped[int]
    grade: Mapped[str]
    enrolled_now: Mapped[bool]
    tier: Mapped[int] = mapped_column(SmallInteger)
    too_early: Mapped[bool]
    tier_since: Mapped[date | None]
    rules: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    # Empty for the quiet.
    data_through: Mapped[date | None]
    enrolled: Mapped[int | None]
    absent: Mapped[int | None]
    excused: Mapped[int | None]
    unexcused: Mapped[int | None]
    federal_absent: Mapped[int | None]
    tardies: Mapped[int | None]
    missing_days: Mapped[int | None]
    unknown_days: Mapped[int | None]
    streak_now: Mapped[int | None]
    absent_last_20: Mapped[int | None]
    enrolled_last_20: Mapped[int | None]
    rate_tier: Mapped[int | None] = mapped_column(SmallInteger)
    tier_min: Mapped[int | None] = mapped_column(SmallInteger)
    tier_max: Mapped[int | None] = mapped_column(SmallInteger)
    policy_version: Mapped[str | None]


class Standing(Model):
    """A run of days on which a student belonged to one school and grade and stood in one tier.

    `until` is empty while it lasts; it then reaches to the school's data-through day.
    """

    __tablename__ = "standing"
    __table_args__ = (
        Index("ix_standing_school_id_since", "school_id", "since"),
        # Of a late day few of a year's runs still last: its counts read those alone.
        Index("ix_standing_school_id_until", "school_id", text("coalesce(until, 'infinity'::date)")),
    )
    student_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[date] = mapped_column(primary_key=True)
    until: Mapped[date | None]
    school_id: Mapped[int]
    grade: Mapped[str]
    tier: Mapped[int] = mapped_column(SmallInteger)
    too_early: Mapped[bool]


class TierCount(Model):
    """How many of a school's enrolled students stood in each tier at the end of a day, by grade."""

    __tablename__ = "tier_count"
    school_id: Mapped[int] = to("school.id", primary_key=True, index=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    grade: Mapped[str] = mapped_column(primary_key=True)
    tier_1: Mapped[int]
    watch: Mapped[int]
    tier_2: Mapped[int]
    tier_3: Mapped[int]
    none: Mapped[int]
    too_early: Mapped[int]


class SchoolCount(Model):
    """A school's `TierCount` of one day added up over its grades; the database writes it with them, in one transaction.

    Boards of many schools read one day of all of them, and one school's last days: an index for each.
    """

    __tablename__ = "school_count"
    __table_args__ = (Index("ix_school_count_day", "day"),)
    school_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(primary_key=True)
    tier_1: Mapped[int]
    watch: Mapped[int]
    tier_2: Mapped[int]
    tier_3: Mapped[int]
    none: Mapped[int]
    too_early: Mapped[int]


class BlockStudent(Model):
    """The block a student's school years are packed in: the school of the first enrolment, for good."""

    __tablename__ = "block_student"
    student_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    block: Mapped[int] = mapped_column(index=True)


class BlockSchool(Model):
    """A school at which somebody of the block was ever enrolled; where a whole school changes, these blocks wait."""

    __tablename__ = "block_school"
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)


class YearBlock(Model):
    """A school year of a block's students, packed: their days, and how they stood at the end of the last one.

    Derived, and rebuilt from the rows wherever something before its last day changes; see services/measuring/blocks.
    """

    __tablename__ = "year_block"
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_year: Mapped[date] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class PastBlock(Model):
    """A packed block as it was at the end of an earlier day, so that a correction of last week is judged from there.

    `day` is the last day anything is known of; of the students in `outdated` something changed on or before it.
    """

    __tablename__ = "past_block"
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_year: Mapped[date] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    outdated: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    content: Mapped[bytes] = mapped_column(LargeBinary)


class TouchedStudent(Model):
    """A student whose rows changed since the last evaluation, and the earliest day that changed."""

    __tablename__ = "touched_student"
    student_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[date]


class TouchedBlock(Model):
    """A school where something changed for everyone ever enrolled, for the students of one block, and since when."""

    __tablename__ = "touched_block"
    block: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    school_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    since: Mapped[date]
