"""Open work that nobody has, in the whole district. SELECTs only, for the system's own hand-out: never for a screen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
# Of work in a compartment only a role counts that reads it.
_WHO_READS = """AND (w.compartment IS NULL OR (w.compartment, g.role) IN (
    SELECT * FROM unnest(CAST(:shut AS text[]), CAST(:opens AS text[]))))"""
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


def release_tasks(on: date, readers: Mapping[str, Collection[str]]) -> int:
    """Take open tasks from people who hold nothing at the school any more; how many.

    readers: compartment -> the roles that read it. What lies in one is not left with somebody who has another role.
    """
    found = db.session.execute(
        text(f"""
            UPDATE task w SET owner_id = NULL FROM school s JOIN network n ON n.id = s.network_id
            WHERE s.id = w.school_id AND w.status = 'open' AND w.owner_id IS NOT NULL
              AND {_GONE.format(role=_WHO_READS)}
            RETURNING w.id
        """),
        {"on": on, **_pairs(readers)},
    )
    return len(found.all())


def move_tasks(on: date, stay: str) -> int:
    """What lies in a compartment goes along to the school where the student is enrolled now, to nobody yet; how many.

    stay: how the periods of tasks begin that belong to the school the student leaves.
    """
    found = db.session.execute(
        text("""
            UPDATE task w SET school_id = t.school_id, owner_id = NULL FROM student_status t
            WHERE t.student_id = w.student_id AND w.status = 'open' AND w.compartment IS NOT NULL AND t.enrolled_now
              AND t.school_id <> w.school_id AND NOT starts_with(w.period, :stay) AND NOT EXISTS (
                  SELECT FROM stint s WHERE s.student_id = w.student_id AND s.school_id = w.school_id
                    AND (s.exit_date IS NULL OR s.exit_date >= :on))
            RETURNING w.id
        """),
        {"on": on, "stay": stay},
    )
    return len(found.all())


def move_promises() -> int:
    """What was promised to a student goes along to the school where they are enrolled now; how many."""
    found = db.session.execute(
        text("""
            UPDATE promise w SET school_id = t.school_id, version = version + 1 FROM student_status t
            WHERE t.student_id = w.student_id AND w.settled_on IS NULL AND t.enrolled_now
              AND t.school_id <> w.school_id RETURNING w.id
        """)
    )
    return len(found.all())


def release_promises(on: date, readers: Mapping[str, Collection[str]]) -> int:
    """Take promises that wait from people who do not read their compartment at the school any more; how many."""
    found = db.session.execute(
        text(f"""
            UPDATE promise w SET owner_id = NULL, version = version + 1
            FROM school s JOIN network n ON n.id = s.network_id
            WHERE s.id = w.school_id AND w.settled_on IS NULL AND w.owner_id IS NOT NULL
              AND {_GONE.format(role=_WHO_READS)} RETURNING w.id
        """),
        {"on": on, **_pairs(readers)},
    )
    return len(found.all())


def promises() -> list[Any]:
    """(id, school, compartment, homeroom) of promises that wait and nobody sees to, locked for the change."""
    return list(
        db.session.execute(
            text("""
                SELECT w.id, w.school_id, w.compartment, coalesce(s.homeroom, '') AS homeroom
                FROM promise w JOIN student s ON s.id = w.student_id
                WHERE w.settled_on IS NULL AND w.owner_id IS NULL ORDER BY w.id FOR UPDATE OF w
            """)
        )
    )


def give_promises(owners: Mapping[int, int]) -> None:
    """Let people see to promises: promise -> person."""
    db.session.execute(
        text("""
            UPDATE promise w SET owner_id = n.owner, version = version + 1
            FROM unnest(CAST(:ids AS int[]), CAST(:owners AS int[])) AS n (id, owner) WHERE w.id = n.id
        """),
        {"ids": list(owners), "owners": list(owners.values())},
    )


def _pairs(readers: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    pairs = [(one, role) for one, roles in readers.items() for role in roles]
    return {"shut": [one for one, _ in pairs], "opens": [role for _, role in pairs]}
