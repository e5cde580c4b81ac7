"""Open work that nobody has, in the whole district. SELECTs only, for the system's own hand-out: never for a screen."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import text

from models.base import db

# The owner of work w at school s of network n holds nothing there any more on the day.
_GONE = """
    NOT EXISTS (
        SELECT FROM role_grant g JOIN person p ON p.id = g.person_id
        WHERE g.person_id = w.owner_id AND p.disabled_at IS NULL
          AND g.starts <= :on AND (g.ends IS NULL OR g.ends >= :on)
          AND g.place IN ('district', 'school:' || s.key, 'network:' || n.key) {role})
"""
_OF_A_ROLE = "AND (g.role = w.owner_role OR w.owner_via = 'deputy')"  # a deputy acts in the role of somebody else


def cases() -> list[Any]:
    """(id, student_id) of open cases without an owner, locked for the change."""
    return list(
        db.session.execute(
            text("""
                SELECT id, student_id FROM support_case
                WHERE closed_on IS NULL AND owner_id IS NULL ORDER BY id FOR UPDATE
            """)
        )
    )


def tasks() -> list[Any]:
    """Open tasks without an owner; of those about a student the homeroom, and the owner and role of their case."""
    return list(
        db.session.execute(
            text("""
                SELECT t.id, t.school_id, t.kind, t.rule, t.period, t.compartment, t.owner_role,
                       coalesce(s.homeroom, '') AS homeroom, c.owner_id AS case_owner, c.owner_role AS case_role
                FROM task t LEFT JOIN student s ON s.id = t.student_id
                LEFT JOIN support_case c ON c.id = t.case_id AND c.closed_on IS NULL
                WHERE t.status = 'open' AND t.owner_id IS NULL ORDER BY t.id FOR UPDATE OF t
            """)
        )
    )


def release_cases(on: date) -> list[Any]:
    """Take open cases from owners who do not hold their role there any more; (id, number, student, role) of each."""
    return list(
        db.session.execute(
            text(f"""
                UPDATE support_case w SET owner_id = NULL, owner_via = 'unowned', version = version + 1
                FROM school s JOIN network n ON n.id = s.network_id
                WHERE s.id = w.school_id AND w.closed_on IS NULL AND w.owner_id IS NOT NULL
                  AND {_GONE.format(role=_OF_A_ROLE)}
                RETURNING w.id, w.number, w.student_id, w.owner_role
            """),
            {"on": on},
        )
    )


def release_tasks(on: date) -> int:
    """Take open tasks from people who hold nothing at the school any more; how many."""
    found = db.session.execute(
        text(f"""
            UPDATE task w SET owner_id = NULL FROM school s JOIN network n ON n.id = s.network_id
            WHERE s.id = w.school_id AND w.status = 'open' AND w.owner_id IS NOT NULL AND {_GONE.format(role="")}
            RETURNING w.id
        """),
        {"on": on},
    )
    return len(found.all())
