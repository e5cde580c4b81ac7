"""Open work that nobody has, in the whole district. SELECTs only, for the system's own hand-out: never for a screen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from models.base import db


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
                SELECT t.id, t.school_id, t.kind, t.rule, t.compartment, t.owner_role,
                       coalesce(s.homeroom, '') AS homeroom, c.owner_id AS case_owner, c.owner_role AS case_role
                FROM task t LEFT JOIN student s ON s.id = t.student_id
                LEFT JOIN support_case c ON c.id = t.case_id AND c.closed_on IS NULL
                WHERE t.status = 'open' AND t.owner_id IS NULL ORDER BY t.id FOR UPDATE OF t
            """)
        )
    )
