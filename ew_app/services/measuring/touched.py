"""Remember whose rows changed, so that exactly those students are measured and decided again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy import text

from ew_app.outbox import Job, enqueue
from models.base import db

# The earliest changed day wins; a student who left long ago is measured again like any other.
_STUDENTS = text("""
    INSERT INTO touched_student (student_id, since)
    SELECT unnest(CAST(:students AS int[])), :since
    ORDER BY 1
    ON CONFLICT (student_id) DO UPDATE SET since = least(touched_student.since, excluded.since)
""")
_SCHOOLS = text("""
    INSERT INTO touched_student (student_id, since)
    SELECT DISTINCT student_id, CAST(:since AS date) FROM stint WHERE school_id = ANY(:schools)
    ORDER BY 1
    ON CONFLICT (student_id) DO UPDATE SET since = least(touched_student.since, excluded.since)
""")
_EVERYONE = text("""
    INSERT INTO touched_student (student_id, since)
    SELECT DISTINCT student_id, CAST(:since AS date) FROM stint ORDER BY 1
    ON CONFLICT (student_id) DO UPDATE SET since = least(touched_student.since, excluded.since)
""")

_EACH = text("""
    INSERT INTO touched_student (student_id, since)
    SELECT unnest(CAST(:students AS int[])), unnest(CAST(:since AS date[])) ORDER BY 1
    ON CONFLICT (student_id) DO UPDATE SET since = least(touched_student.since, excluded.since)
""")


def touch(students: Iterable[int], since: date) -> None:
    """Mark students for evaluation from `since` on, in the open transaction."""
    if ids := sorted(set(students)):
        db.session.execute(_STUDENTS, {"students": ids, "since": since})


def touch_each(since: Mapping[int, date]) -> None:
    """Mark each student for evaluation from that student's own first changed day on."""
    if since:
        db.session.execute(_EACH, {"students": list(since), "since": list(since.values())})


def touch_schools(schools: Iterable[int], since: date) -> None:
    """Mark everyone ever enrolled at these schools: a day was submitted, or a calendar changed."""
    if ids := sorted(set(schools)):
        db.session.execute(_SCHOOLS, {"schools": ids, "since": since})


def touch_everyone(since: date) -> None:
    """Mark the whole district, as when the policy changes."""
    db.session.execute(_EVERYONE, {"since": since})


def ask_for_evaluation() -> None:
    """Queue the evaluation of whoever is marked; asking again while it waits adds nothing."""
    enqueue(Job.EVALUATE, key="touched")
