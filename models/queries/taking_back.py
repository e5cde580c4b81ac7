"""The cases that a delivery's evaluation opened: before it is taken back, and what it leaves behind. SELECTs only."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from models.audit import WORKER_POSITION
from models.base import db
from models.queries.following import WORKED_ON


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case; `worked_on`: a person has done something about it since it was opened."""

    id: int
    number: int
    student: int
    worked_on: bool


def opened_by(batch_id: int) -> list[OpenCase]:
    """Open cases that were opened while this applied batch went in, by number.

    Of one that was decided together with others: those of students of whom it says something.
    """
    return _cases(f"""
        SELECT c.id, c.number, c.student_id, {WORKED_ON} FROM support_case c JOIN batch b ON b.id = :batch
        WHERE c.closed_on IS NULL AND c.opened_at <= coalesce(b.decided_at, b.applied_at) AND c.opened_at >= (
            SELECT max(at) FROM event
            WHERE subject = 'batch:' || :batch AND kind IN ('batch_received', 'batch_confirmed', 'batch_accepted'))
          AND (b.decided_at IS NULL OR EXISTS (
              SELECT FROM mark m WHERE m.student_id = c.student_id AND m.batch_id = b.id))
        ORDER BY c.number
    """, batch_id)  # fmt: skip


def left_over(batch_id: int) -> list[OpenCase]:
    """Open cases, opened since the batch came, whose last reason was taken back while the batch was; by number."""
    return _cases(f"""
        SELECT c.id, c.number, c.student_id, {WORKED_ON} FROM support_case c JOIN batch b ON b.id = :batch
        WHERE c.closed_on IS NULL AND c.opened_at >= b.received_at
          AND NOT EXISTS (SELECT FROM case_reason r
                          WHERE r.case_id = c.id AND r.episode = c.episode AND r.withdrawn_at IS NULL)
          AND EXISTS (SELECT FROM event e WHERE e.case_id = c.id
                        AND e.kind IN ('rested_on_corrected_marks', 'rested_on_former_policy')
                        AND e.id > (SELECT max(id) FROM event
                                    WHERE subject = 'batch:' || :batch AND kind = 'batch_undo_asked'))
        ORDER BY c.number
    """, batch_id)  # fmt: skip


def _cases(query: str, batch_id: int) -> list[OpenCase]:
    found = db.session.execute(text(query), {"batch": batch_id, "worker": WORKER_POSITION})
    return [OpenCase(*row) for row in found]
