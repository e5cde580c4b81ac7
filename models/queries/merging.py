"""What two student ids have, side by side, before somebody says that they are one child."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db

_SIDE = """
    SELECT p.id, p.key, concat_ws(' ', p.first_name, p.last_name) AS name, p.birth_date, p.grade, k.key AS same_as,
           (SELECT count(*) FROM mark m WHERE m.student_id = p.id) AS marks,
           (SELECT count(*) FROM roll r WHERE p.id = ANY(r.students) AND r.replaced_by IS NULL) AS rolls,
           (SELECT min(day) FROM mark m WHERE m.student_id = p.id) AS first_mark,
           (SELECT max(day) FROM mark m WHERE m.student_id = p.id) AS last_mark,
           (SELECT count(*) FROM support_case c WHERE c.student_id = p.id) AS cases,
           (SELECT number FROM support_case c WHERE c.student_id = p.id AND c.closed_on IS NULL) AS open_case,
           (SELECT count(*) FROM task t WHERE t.student_id = p.id AND t.compartment IS NULL) AS tasks,
           (SELECT count(*) FROM outreach o WHERE o.student_id = p.id) AS contacts
    FROM student p LEFT JOIN student k ON k.id = p.same_as WHERE p.key = :key
"""
_STINTS = """
    SELECT s.name AS school, s.key AS school_id, t.entry_date, t.exit_date
    FROM stint t JOIN school s ON s.id = t.school_id
    WHERE CASE t.former_id WHEN 0 THEN t.student_id ELSE t.former_id END = :student ORDER BY t.entry_date, t.id
"""
_STANDING = """
    SELECT m.id, k.key AS kept, g.key AS gone, m.reason, m.merged_at, m.merged_by, m.batch_id
    FROM student_merge m JOIN student k ON k.id = m.kept_id JOIN student g ON g.id = m.gone_id
    WHERE m.undone_at IS NULL AND (:key IS NULL OR k.key = :key OR g.key = :key) ORDER BY m.merged_at DESC, m.id DESC
"""


def side(key: str) -> Any | None:
    """One id with what is kept of it: counts, the open case, whose former id it is (`same_as`); None for no student."""
    return db.session.execute(text(_SIDE), {"key": key}).one_or_none()


def stints(student: int) -> list[Any]:
    """Enrolments that were sent under this id: (school, school_id, entry_date, exit_date)."""
    return list(db.session.execute(text(_STINTS), {"student": student}))


def standing(key: str | None = None) -> list[Any]:
    """Merges that hold, the latest first; of one student's id, kept or gone, or all."""
    return list(db.session.execute(text(_STANDING.replace(":key", "CAST(:key AS text)")), {"key": key}))


def open_tasks_alike(kept: int, gone: int) -> list[Any]:
    """Tasks of the gone id of which the kept student has one of the same kind and time: (id, period, status)."""
    found = text("""
        SELECT g.id, g.period, g.status FROM task g JOIN task k USING (kind, period)
        WHERE g.student_id = :gone AND k.student_id = :kept ORDER BY g.id
    """)
    return list(db.session.execute(found, {"kept": kept, "gone": gone}))


def goes_along(case: int, other: int) -> list[tuple[str, int]]:
    """(table, id) of what is under way on a case: supports that run, help asked or promised, visits to come, and steps
    of looking for the student that were not done on the other case."""
    found = text("""
        SELECT 'plan_support', id FROM plan_support WHERE case_id = :case AND result IS NULL
        UNION ALL SELECT 'hand_over', id FROM hand_over
        WHERE case_id = :case AND kind = 'refer' AND state IN ('sent', 'accepted')
        UNION ALL SELECT 'visit', id FROM visit WHERE case_id = :case AND status IN ('planned', 'out')
        UNION ALL SELECT 'search_done', d.id FROM search_done d
        JOIN support_case c ON c.id = d.case_id AND c.episode = d.episode
        WHERE d.case_id = :case AND d.taken_back_at IS NULL AND NOT EXISTS (
            SELECT FROM search_done k JOIN support_case o ON o.id = k.case_id AND o.episode = k.episode
            WHERE k.case_id = :other AND k.taken_back_at IS NULL AND (k.step = d.step OR d.step = 'found'))
        ORDER BY 1, 2
    """)
    return [(table, number) for table, number in db.session.execute(found, {"case": case, "other": other})]


def visits_under_way(kept: int, gone: int) -> dict[int, Any]:
    """Student -> the visit that is planned or under way: (id, status)."""
    found = text("""
        SELECT student_id, id, status FROM visit
        WHERE student_id IN (:kept, :gone) AND status IN ('planned', 'out')
    """)
    return {row.student_id: row for row in db.session.execute(found, {"kept": kept, "gone": gone})}


def letters_alike(kept: int, gone: int) -> list[Any]:
    """Letters of the gone id of which the kept student has one of the same template and time: (id, period, status)."""
    found = text("""
        SELECT g.id, g.period, g.status FROM letter g JOIN letter k USING (template, period)
        WHERE g.student_id = :gone AND k.student_id = :kept ORDER BY g.id
    """)
    return list(db.session.execute(found, {"kept": kept, "gone": gone}))


def schools_of(students: Sequence[int]) -> dict[int, date]:
    """School -> the first day on which any of these students was enrolled there."""
    found = text("SELECT school_id, min(entry_date) FROM stint WHERE student_id = ANY(:students) GROUP BY 1")
    return {school: day for school, day in db.session.execute(found, {"students": list(students)})}
