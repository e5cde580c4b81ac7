"""What happened (events, for people) and who did or saw it (audit, for proof). Append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import BigId, Model

WORKER_POSITION = "background work"  # of the system itself; whatever else stands in an event is a person


class Event(Model):
    """One thing that happened, as the timeline of a case, a student or a batch tells it."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_case_id_at", "case_id", "at"),
        Index("ix_event_student_id_at", "student_id", "at"),
        Index("ix_event_subject", "subject"),
        Index("ix_event_planned", "student_id", postgresql_where=text("kind = 'case_planned'")),
    )
    id: Mapped[BigId]
    at: Mapped[datetime]
    kind: Mapped[str]
    subject: Mapped[str]
    case_id: Mapped[int | None]
    student_id: Mapped[int | None]
    compartment: Mapped[str | None]
    actor: Mapped[str]
    position: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)


class AuditRow(Model):
    """Who did what, when, from where; ids only, never names or notes. The database refuses edits."""

    __tablename__ = "audit_row"
    __table_args__ = (
        Index("ix_audit_row_at", "at"),
        Index("ix_audit_row_student_id", "student_id"),
        Index("ix_audit_row_compartment", "compartment", "id", postgresql_where=text("compartment IS NOT NULL")),
    )
    id: Mapped[BigId]
    at: Mapped[datetime]
    actor: Mapped[str]
    role: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    student_id: Mapped[int | None]
    compartment: Mapped[str | None]
    reason: Mapped[str] = mapped_column(default="")
    ip: Mapped[str] = mapped_column(default="")
    request_id: Mapped[str] = mapped_column(default="")


class AuditSeal(Model):
    """Proof of one audit row, in the order of sealing: each hash rests on the hash before. Append-only as well.

    `horizon`: the first transaction number that was not given out yet when the row was sealed. `late`: the row
    was written after rows behind it had been sealed. There is no foreign key: a removed row must leave its seal.
    """

    __tablename__ = "audit_seal"
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    row_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    hash: Mapped[str]
    sealed_at: Mapped[datetime]
    late: Mapped[bool]
    horizon: Mapped[int] = mapped_column(BigInteger)
