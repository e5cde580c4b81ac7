"""The rows of two student ids on their way to one student and back, each with its earlier form kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import text

from models.attendance import RowHistory
from models.base import db
from models.merges import MovedRow, StudentMerge
from models.people import Student
from models.touched import note_schools

BY_HAND = 0  # stands in history for the batch of a change that a person made
# tables of people's work that name a student
WORK = (
    "support_case",
    "task",
    "letter",
    "outreach",
    "outreach_before",
    "noted_contact",
    "cause",
    "note",
    "plan_support",
    "district_day",
    "promise",
    "hand_over",
    "visit",
    "flag_answer",
    "risk_answer",
)
# What both ids have of one day stays with each: of a step up the kept student's answer counts.
_APART = {
    "flag_answer": """
        AND NOT EXISTS (SELECT FROM flag_answer k WHERE k.student_id = :kept AND k.since = t.since)
    """
}

# Whose an enrolment is follows from the id it was sent under.
_STINTS = """
    WITH sent AS (
        SELECT t.id, s.id AS under, coalesce(s.same_as, s.id) AS student_id, to_jsonb(t) AS before
        FROM stint t JOIN student s ON s.id = CASE t.former_id WHEN 0 THEN t.student_id ELSE t.former_id END
    ), moved AS (
        UPDATE stint t SET student_id = n.student_id,
               former_id = CASE WHEN n.under = n.student_id THEN 0 ELSE n.under END
        FROM sent n WHERE n.id = t.id AND n.student_id <> t.student_id AND {these}
        RETURNING t.id, n.before
    )
    INSERT INTO row_history (batch_id, table_name, row_key, before, at)
    SELECT :batch, 'stint', jsonb_build_object('id', id), before, :at FROM moved
"""


# A help that was promised in between is done where it was asked.
_HELP_BACK = text("""
    UPDATE task t SET student_id = h.student_id, case_id = h.case_id FROM hand_over h, moved_row m
    WHERE m.merge_id = :merge AND m.table_name = 'hand_over' AND m.row_id = h.id AND h.task_id = t.id
""")


def point(student: Student, same_as: int | None, *, batch: int, at: datetime) -> None:
    """Say whose former id a student's row is (None: nobody's), with its earlier form kept."""
    before = db.session.scalar(text("SELECT to_jsonb(s) FROM student s WHERE id = :id"), {"id": student.id})
    history = RowHistory(batch_id=batch, table_name="student", row_key={"id": student.id}, before=before, at=at)
    db.session.add(history)
    student.same_as = same_as
    db.session.flush()


def place_stints(students: Sequence[int] | None, *, batch: int, at: datetime) -> None:
    """Give enrolments to the student their id stands for now; of these students, or of all."""
    these = "true" if students is None else "(t.student_id = ANY(:students) OR n.student_id = ANY(:students))"
    asked = {"batch": batch, "at": at} | ({} if students is None else {"students": list(students)})
    db.session.execute(text(_STINTS.format(these=these)), asked)
    note_schools(None if students is None else np.array(students, dtype=np.int64))


def move_work(merge: StudentMerge) -> None:
    """Everything people did for the gone id goes to the kept student, and is written down row by row."""
    for table in WORK:
        db.session.execute(
            text(f"""
                WITH moved AS (
                    UPDATE {table} t SET student_id = :kept WHERE student_id = :gone {_APART.get(table, "")}
                    RETURNING id
                )
                INSERT INTO moved_row (merge_id, table_name, row_id, before) SELECT :merge, '{table}', id, '{{}}'
                FROM moved ON CONFLICT DO NOTHING
            """),
            {"kept": merge.kept_id, "gone": merge.gone_id, "merge": merge.id},
        )


def change(merge: StudentMerge, table: str, row: int, **columns: Any) -> None:
    """Set columns of a row that is to move, and keep what stood there."""
    names = ", ".join(f"'{name}', {name}" for name in columns)
    before = db.session.scalar(text(f"SELECT jsonb_build_object({names}) FROM {table} WHERE id = :row"), {"row": row})
    kept = db.session.get(MovedRow, (merge.id, table, row))
    if kept is None:
        db.session.add(MovedRow(merge_id=merge.id, table_name=table, row_id=row, before=before))
    else:
        kept.before = {**before, **kept.before}
    _set(table, row, columns)
    db.session.flush()


def move_back(merge: StudentMerge) -> None:
    """Every row that moved goes back as it was; what was written since stays with the kept student."""
    for table in WORK:
        db.session.execute(
            text(f"""
                UPDATE {table} t SET student_id = :gone FROM moved_row m
                WHERE m.merge_id = :merge AND m.table_name = '{table}' AND m.row_id = t.id AND t.student_id = :kept
            """),
            {"gone": merge.gone_id, "kept": merge.kept_id, "merge": merge.id},
        )
    changed = db.session.query(MovedRow).filter(MovedRow.merge_id == merge.id, MovedRow.before != {}).all()
    for row in changed:
        _set(row.table_name, row.row_id, row.before)
    db.session.execute(_HELP_BACK, {"merge": merge.id})


def _set(table: str, row: int, columns: Mapping[str, Any]) -> None:
    """Write columns of a row as JSON has them: a date or a moment reads the same."""
    sets = ", ".join(f"{name} = f.{name}" for name in columns)
    db.session.execute(
        text(f"UPDATE {table} t SET {sets} FROM jsonb_populate_record(NULL::{table}, :form) f WHERE t.id = :row"),
        {"form": json.dumps(columns, default=str), "row": row},
    )
