"""What was counted about the record, by school and user, and the questions asked about it. Counts, never a student.

Counting goes over the whole district: what is usual elsewhere is part of every answer. Who may see which school is for
the questions and for the service to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, text

from models.base import db
from models.integrity import IntegrityNote, IntegrityQuestion
from models.org import TEACHES, Network, School
from models.queries import coded, scope
from models.queries.local_days import local_day, local_time
from models.queries.scope import AreaLike

# What each absence on file became. A change counts at the moment that its file gives for it, else when it came in; what
# an undone delivery said never counts. Days that became a kind of their own (a trip, a hospital stay) are put right.
_CHANGED = f"""
    WITH was AS (
        SELECT DISTINCT ON (h.school_id, h.student_id, h.day, h.source_id) h.*, b.excused
        FROM mark_history h, LATERAL {coded.meaning("h")} b
        WHERE h.day BETWEEN :first AND :last AND h.period = '' AND h.ended <> 'undone' AND b.kind = 'absence'
        ORDER BY h.school_id, h.student_id, h.day, h.source_id, h.id DESC
    ), became AS (
        SELECT w.school_id, w.day, w.excused AS was_excused, coalesce(m.modified_by, '') AS who, m.id IS NULL AS gone,
               m.last_modified, coalesce(m.last_modified, w.ended_at) AS at, n.kind, n.excused
        FROM was w LEFT JOIN mark m ON m.school_id = w.school_id AND m.student_id = w.student_id AND m.day = w.day
             AND m.source_id = w.source_id AND m.period = ''
        LEFT JOIN LATERAL {coded.meaning("m")} n ON m.id IS NOT NULL
    ), told AS (
        SELECT *, {local_day("at")} AS on_day, gone OR kind IN ('present', 'tardy', 'early_leave') AS present
        FROM became
    )
    SELECT school_id, who,
           count(*) FILTER (WHERE present AND on_day > day + CAST(:after_days AS int)),
           count(*) FILTER (WHERE present AND last_modified IS NOT NULL AND on_day = day
                                  AND {local_time("at")} >= make_time(:cut_off, 0, 0)),
           count(*) FILTER (WHERE kind = 'absence' AND excused IN ('excused', 'exempt')
                                  AND was_excused NOT IN ('excused', 'exempt')
                                  AND on_day > day + CAST(:excuse_days AS int)),
           count(*) FILTER (WHERE present)
    FROM told GROUP BY 1, 2
"""
_ABSENCES = f"""
    WITH word AS MATERIALIZED (
        SELECT w.school_id, w.day, w.code
        FROM (SELECT DISTINCT school_id, day, code FROM mark WHERE day BETWEEN :first AND :last) w,
             LATERAL {coded.meaning("w")} b WHERE b.kind = 'absence'
    )
    SELECT m.school_id, coalesce(m.modified_by, ''), count(*)
    FROM mark m JOIN word USING (school_id, day, code)
    WHERE m.day BETWEEN :first AND :last AND m.period = '' GROUP BY 1, 2
"""
_LEFT = f"""
    WITH exits AS (
        SELECT * FROM stint WHERE exit_date BETWEEN :first AND :last AND exit_date < :today
          AND NOT (lower(exit_code) = ANY(:no_shows)) AND exit_date > entry_date
    )
    SELECT e.school_id, count(*),
           count(*) FILTER (WHERE EXISTS (
               SELECT FROM stint b WHERE b.student_id = e.student_id AND b.school_id = e.school_id
                 AND b.entry_date > e.exit_date AND b.entry_date <= e.exit_date + CAST(:return_days AS int)
                 AND EXISTS (SELECT FROM calendar_day c WHERE c.school_id = e.school_id AND c.day > e.exit_date
                             AND c.day < b.entry_date AND {TEACHES})
                 AND NOT EXISTS (SELECT FROM stint o WHERE o.student_id = e.student_id AND o.school_id <> e.school_id
                                 AND o.entry_date BETWEEN e.exit_date AND b.entry_date))),
           count(*) FILTER (WHERE e.exit_code <> '' AND (
               SELECT count(DISTINCT m.day) FROM mark m, LATERAL {coded.meaning("m")} b
               WHERE m.student_id = e.student_id AND m.school_id = e.school_id AND m.period = ''
                 AND m.day > e.exit_date - CAST(:run_days AS int) AND m.day <= e.exit_date + 1
                 AND b.kind = 'absence' AND b.excused = 'unexcused') >= :run_least)
    FROM exits e GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """Absences of a school by who entered them ('' where the file does not say), and what became of them."""

    school: int
    who: str
    absences: int = 0  # that stand, and that became something else
    became_present: int = 0
    after_cut_off: int = 0
    late_excuse: int = 0


@dataclass(frozen=True, slots=True)
class Exits:
    """Students who left a school, how many were soon back, and how many left after days without a valid cause."""

    school: int
    left: int
    leave_and_return: int
    left_after_absences: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the name of its school."""

    question: IntegrityQuestion
    school: str
    school_key: str
    network_key: str


def changes(first: date, last: date, **limits: int) -> list[Changes]:
    """What became of the absences of these days."""
    span: dict[str, Any] = {"first": first, "last": last}
    stand = {(school, who): number for school, who, number in db.session.execute(text(_ABSENCES), span)}
    moved = {(school, who): rest for school, who, *rest in db.session.execute(text(_CHANGED), span | limits)}
    found = []
    for school, who in sorted(stand.keys() | moved.keys()):
        present_late, cut_off, excuse, present = moved.get((school, who), (0, 0, 0, 0))
        absences = stand.get((school, who), 0) + present
        found.append(Changes(school, who, absences, present_late, cut_off, excuse))
    return found


def exits(first: date, last: date, today: date, no_shows: Sequence[str], **limits: int) -> list[Exits]:
    """Who left on these days."""
    asked = {"first": first, "last": last, "today": today, "no_shows": [code.lower() for code in no_shows], **limits}
    return [Exits(*row) for row in db.session.execute(text(_LEFT), asked)]


def questions(area: AreaLike, *, open_: bool, limit: int = 100) -> list[Asked]:
    """Questions about schools within an area: what waits longest first, or what was closed last."""
    wanted = _asked().where(scope.schools(area))
    if open_:
        wanted = wanted.where(IntegrityQuestion.state != "closed").order_by(IntegrityQuestion.id)
    else:
        wanted = wanted.where(IntegrityQuestion.state == "closed").order_by(IntegrityQuestion.id.desc())
    return [Asked(*row) for row in db.session.execute(wanted.limit(limit))]


def question(question_id: int, area: AreaLike) -> Asked | None:
    """One within an area."""
    found = db.session.execute(_asked().where(IntegrityQuestion.id == question_id, scope.schools(area))).one_or_none()
    return Asked(*found) if found else None


def _asked() -> Any:
    return (
        select(IntegrityQuestion, School.name, School.key, Network.key)
        .join(School, School.id == IntegrityQuestion.school_id)
        .join(Network, Network.id == School.network_id)
    )


def notes_of(question_id: int) -> Sequence[IntegrityNote]:
    """What was said, oldest first."""
    wanted = select(IntegrityNote).where(IntegrityNote.question_id == question_id).order_by(IntegrityNote.id)
    return db.session.scalars(wanted).all()
