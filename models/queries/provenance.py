"""Where a student's marks came from: delivery, file and line, and what stood there before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db
from models.queries import coded

_SAID = """
    m.day, s.key AS school, m.period, m.code, coalesce(c.title, '') AS title, m.fraction, m.minutes,
    m.batch_id, m.file, m.line, b.received_at, m.reason
"""
_CODE = f"LEFT JOIN LATERAL {coded.meaning('m')} c ON true"


def marks_of(student: Sequence[int], start: date, until: date) -> list[Any]:
    """The standing marks of a student's ids, oldest first, each with delivery, file number and line."""
    query = f"""
        SELECT {_SAID} FROM mark m JOIN school s ON s.id = m.school_id JOIN batch b ON b.id = m.batch_id {_CODE}
        WHERE m.student_id = ANY(:student) AND m.day BETWEEN :start AND :until ORDER BY m.day, s.key, m.period
    """
    return list(db.session.execute(text(query), {"student": student, "start": start, "until": until}))


def ended_marks_of(student: Sequence[int], start: date, until: date) -> list[Any]:
    """Marks that once stood, with how and when they ended, in the order they ended."""
    query = f"""
        SELECT {_SAID}, m.ended, m.ended_at, m.ended_by FROM mark_history m
        JOIN school s ON s.id = m.school_id JOIN batch b ON b.id = m.batch_id {_CODE}
        WHERE m.student_id = ANY(:student) AND m.day BETWEEN :start AND :until ORDER BY m.ended_at, m.id
    """
    return list(db.session.execute(text(query), {"student": student, "start": start, "until": until}))


def presences_of(student: Sequence[int], schools: Iterable[int], start: date, until: date) -> list[Any]:
    """Days on which a full feed called the student present: (day, school, batch_id, file, line, received_at)."""
    query = """
        SELECT r.day, s.key AS school, r.batch_id, r.file, r.lines[array_position(r.students, a.id)] AS line,
               b.received_at
        FROM unnest(CAST(:student AS int[])) AS a (id) JOIN roll r ON a.id = ANY(r.students)
        JOIN school s ON s.id = r.school_id JOIN batch b ON b.id = r.batch_id
        WHERE r.school_id = ANY(:schools) AND r.day BETWEEN :start AND :until AND r.replaced_by IS NULL
        ORDER BY r.day
    """
    found = {"student": student, "schools": list(schools), "start": start, "until": until}
    return list(db.session.execute(text(query), found))


def attendance_files(batches: Iterable[int]) -> dict[tuple[int, int], str]:
    """(batch, file number) -> the name of the file as it was handed over."""
    query = """
        SELECT batch_id, row_number() OVER (PARTITION BY batch_id ORDER BY id) - 1, name FROM batch_file
        WHERE batch_id = ANY(:batches) AND table_name = 'attendance' AND part = 0
    """
    found = db.session.execute(text(query), {"batches": sorted(set(batches))})
    return {(batch, number): name for batch, number, name in found}


def changes_of(student: int, start: date) -> list[Any]:
    """The live tier changes of a student since a day, newest first."""
    query = """
        SELECT day, before, after, rules, sentence, policy_version FROM tier_change
        WHERE student_id = :student AND day >= :start AND withdrawn_at IS NULL ORDER BY day DESC
    """
    return list(db.session.execute(text(query), {"student": student, "start": start}))
