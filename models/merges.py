"""One child under two student ids: which id is read as whose, and what moved when that was said.

What files said stays under the id they said it of, and is read as the kept student's (`student.same_as`). Enrolments
and the work of people move to the kept student; an enrolment remembers the id it was sent under (`stint.former_id`),
and of everything else each moved row is written down here, so that all of it can go back.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Id, Model, to


class StudentMerge(Model):
    """Somebody, or a roster (`batch_id`), said that two ids are one child; it holds until `undone_at`."""

    __tablename__ = "student_merge"
    __table_args__ = (
        Index("uq_student_merge_standing", "gone_id", unique=True, postgresql_where=text("undone_at IS NULL")),
    )
    id: Mapped[Id]
    kept_id: Mapped[int] = to("student.id")
    gone_id: Mapped[int] = to("student.id")
    reason: Mapped[str]
    batch_id: Mapped[int | None] = to("batch.id")
    merged_at: Mapped[datetime]
    merged_by: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class MovedRow(Model):
    """A row of a person's work that went to the kept student; `before`: what else of it changed, as it was."""

    __tablename__ = "moved_row"
    merge_id: Mapped[int] = to("student_merge.id", primary_key=True, index=False)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    row_id: Mapped[int] = mapped_column(primary_key=True)
    before: Mapped[dict[str, Any]] = mapped_column(default=dict)
