"""Work that waits: what has stopped in the whole district, for the system's look, and what a supervisor is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text
from sqlalchemy.orm import aliased

from models.base import db
from models.bulk import copy_rows
from models.cases import Case, Task
from models.hand_overs import HandOver, Raised
from models.org import School
from models.people import Student
from models.queries import compartments
from models.queries.compartments import Opening
from models.queries.scope import AreaLike, schools
from models.staff import Person

ABOUT = ("case_id", "task_id", "hand_over_id")
NETWORK = 2
Owner, Asked = aliased(Person), aliased(Task)
Key = tuple[str, int | None, int | None, int | None]

# A case waits in one way only; a task of the case's own owner waits with the case. What is due on the day itself is
# read for those who are away: it waits for nobody who is there.
_WAITS = """
    WITH waiting AS (
        SELECT CASE WHEN owner_id IS NULL THEN 'unowned' WHEN status = 'new' AND contact_due < :on THEN 'unclaimed'
                    ELSE 'overdue' END AS why,
               id AS case_id, NULL::int AS task_id, NULL::int AS hand_over_id, school_id, true AS on_case,
               CASE WHEN owner_id IS NULL THEN :on WHEN status = 'new' AND contact_due < :on THEN contact_due
                    ELSE least(due, CASE WHEN status = 'new' THEN contact_due END) END AS since,
               owner_id, owner_role, NULL AS compartment
        FROM support_case
        WHERE closed_on IS NULL AND (owner_id IS NULL OR (status <> 'paused'
              AND (due <= :on OR (status = 'new' AND contact_due <= :on))))
        UNION ALL
        SELECT CASE WHEN t.owner_id IS NULL THEN 'unowned' ELSE 'overdue' END, NULL, t.id, NULL, t.school_id,
               c.id IS NOT NULL, CASE WHEN t.owner_id IS NULL THEN :on ELSE t.due END,
               t.owner_id, t.owner_role, t.compartment
        FROM task t LEFT JOIN support_case c ON c.id = t.case_id AND c.closed_on IS NULL
        WHERE t.status = 'open' AND t.student_id IS NOT NULL AND (t.owner_id IS NULL OR t.due <= :on)
          AND (c.id IS NULL OR t.compartment IS NOT NULL OR t.owner_id IS DISTINCT FROM c.owner_id)
          AND (c.id IS NULL OR c.status <> 'paused' OR t.compartment IS NOT NULL)
        UNION ALL
        SELECT 'unanswered', NULL, NULL, h.id, CASE h.state WHEN 'sent' THEN h.school_id ELSE c.school_id END, true,
               h.asked_on, NULL, '', NULL
        FROM hand_over h JOIN support_case c ON c.id = h.case_id AND c.closed_on IS NULL
        WHERE h.state IN ('to_write', 'sent') AND h.kind <> 'assign')
    SELECT w.*, w.compartment IS NOT NULL AS shut, a.away IS NOT NULL AS away
    FROM waiting w JOIN school s ON s.id = w.school_id JOIN network n ON n.id = s.network_id
    LEFT JOIN LATERAL (
        SELECT true AS away FROM role_grant g
        WHERE g.person_id = w.owner_id AND g.role = w.owner_role
          AND g.starts <= :on AND (g.ends IS NULL OR g.ends >= :on)
          AND g.away_from <= :on AND (g.away_until IS NULL OR g.away_until >= :on)
          AND g.place IN ('district', 'school:' || s.key, 'network:' || n.key) LIMIT 1) a ON true
    WHERE w.since < :on OR w.why IN ('unowned', 'unanswered') OR a.away
"""


def waits(on: date) -> list[Any]:
    """(why, case, task, hand-over, school, since) of all that does not go on. What nobody owns waits from now.

    away: its owner is on leave from the role in which they have it, and it is due by the day; whether somebody stands
    in is for the rules to say. shut: it lies in a compartment. on_case: a case goes with it.
    """
    return list(db.session.execute(text(_WAITS), {"on": on}))


def standing() -> dict[Key, Any]:
    """What is raised now: key -> (id, level, since)."""
    found = db.session.execute(
        text("SELECT id, why, case_id, task_id, hand_over_id, level, since FROM raised WHERE ended_at IS NULL")
    )
    return {(row.why, row.case_id, row.task_id, row.hand_over_id): row for row in found}


def begin(rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise these."""
    copy_rows("raised", rows)


def lift(ids: Sequence[int], at: datetime) -> None:
    """Show these to the network too."""
    _set("level = 2, network_at = :at", ids, at)


def end(ids: Sequence[int], at: datetime) -> None:
    """These go on again, or nobody asks for them any more."""
    _set("ended_at = :at", ids, at)


def _set(columns: str, ids: Sequence[int], at: datetime) -> None:
    if ids:
        db.session.execute(text(f"UPDATE raised SET {columns} WHERE id = ANY(:ids)"), {"ids": list(ids), "at": at})


# -- what a supervisor sees ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work of a school that waits. Everything after `case_number` is for those who may open the case."""

    why: str
    level: int
    since: date
    raised_at: datetime
    school_id: int
    school_key: str
    school: str
    case_number: int | None
    student_id: int
    student_key: str
    first_name: str
    last_name: str
    tier: int | None
    what: str
    owner: str | None
    owner_role: str


@dataclass(frozen=True, slots=True)
class Escalated:
    """What a network is told: which case, which school, why and since when. Nothing else is read."""

    why: str
    since: date
    school_id: int
    school_key: str
    school: str
    case_number: int


def of_schools(area: AreaLike, openings: Sequence[Opening], person_id: int | None, limit: int = 200) -> list[Waiting]:
    """What waits within the area, nobody's first, then the longest wait; of compartments only what is open to them."""
    return [Waiting(*row) for row in db.session.execute(_waiting(area, openings, person_id).limit(limit))]


def _waiting(area: AreaLike, openings: Sequence[Opening], person_id: int | None) -> Select[*tuple[Any, ...]]:
    about: Select[*tuple[Any, ...]] = (
        select(
            Raised.why, Raised.level, Raised.since, Raised.raised_at, School.id, School.key, School.name, Case.number,
            Student.id, Student.key, Student.first_name, Student.last_name, Case.tier,
            func.coalesce(Asked.title, func.nullif(HandOver.asked, ""), Case.next_step), Owner.name,
            func.coalesce(Asked.owner_role, HandOver.to_role, Case.owner_role),
        )
        .join(School, School.id == Raised.school_id)
        .outerjoin(Asked, Asked.id == Raised.task_id)
        .outerjoin(HandOver, HandOver.id == Raised.hand_over_id)
        .outerjoin(Case, Case.id == func.coalesce(Raised.case_id, Asked.case_id, HandOver.case_id))
        .join(Student, Student.id == func.coalesce(Case.student_id, Asked.student_id))
        .outerjoin(Owner, Owner.id == func.coalesce(Asked.owner_id, HandOver.to_id, Case.owner_id))
        .where(Raised.ended_at.is_(None), schools(area), or_(Raised.task_id.is_(None), _seen(openings, person_id)))
        .order_by((Raised.why != "unowned"), Raised.since, Raised.id)
    )  # fmt: skip
    return about


def _seen(openings: Sequence[Opening], person_id: int | None) -> ColumnElement[bool]:
    """Condition on a raised task: it lies in no compartment, or in one that is open to the reader."""
    return Raised.task_id.in_(select(Task.id).where(Task.status == "open", compartments.open_to(openings, person_id)))


def of_networks(area: AreaLike, limit: int = 200) -> list[Escalated]:
    """What has risen to the network within the area, the longest wait first. Compartments are no part of it."""
    return [Escalated(*row) for row in db.session.execute(_escalated(area).limit(limit))]


def _escalated(area: AreaLike) -> Select[*tuple[Any, ...]]:
    plain = and_(Task.id == Raised.task_id, Task.compartment.is_(None))
    case = func.coalesce(Raised.case_id, Task.case_id, HandOver.case_id)
    return (
        select(Raised.why, func.min(Raised.since).label("since"), School.id, School.key, School.name, Case.number)
        .join(School, School.id == Raised.school_id)
        .outerjoin(Task, plain)
        .outerjoin(HandOver, HandOver.id == Raised.hand_over_id)
        .join(Case, Case.id == case)
        .where(Raised.ended_at.is_(None), Raised.level == NETWORK, schools(area))
        .group_by(Raised.why, School.id, School.key, School.name, Case.number)
        .order_by(func.min(Raised.since), Case.number)
    )


def how_many(area: AreaLike, openings: Sequence[Opening], person_id: int | None) -> dict[int, int]:
    """School -> how many cases of it `of_schools` has; what has no case counts by itself."""
    return _by_school(_waiting(area, openings, person_id))


def how_many_above(area: AreaLike) -> dict[int, int]:
    """School -> how many cases of it `of_networks` has."""
    return _by_school(_escalated(area).group_by(None))


def _by_school(lines: Select[*tuple[Any, ...]]) -> dict[int, int]:
    case = func.coalesce(Case.number, -Raised.id)
    found = db.session.execute(
        lines.with_only_columns(School.id, func.count(case.distinct())).group_by(School.id).order_by(None)
    )
    return {school: count for school, count in found}


# -- new cases against stated hours --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Begun:
    """An assignment and the new cases of a week that came to it; `waits`: how many of them nobody has begun."""

    person_id: int
    person: str
    role: str
    place: str
    hours: int | None
    new: int
    waits: int


def begun(area: AreaLike, monday: date, on: date) -> list[Begun]:
    """New cases since Monday of everybody who got any at a school of the area, by assignment."""
    ids = list(db.session.scalars(select(School.id).where(schools(area))))
    found = db.session.execute(
        text("""
            SELECT p.id, p.name, g.role, g.place, g.hours, count(*)::int,
                   (count(*) FILTER (WHERE c.status IN ('new', 'assigned')))::int
            FROM support_case c JOIN school s ON s.id = c.school_id JOIN network n ON n.id = s.network_id
            JOIN case_episode e ON e.case_id = c.id AND e.episode = c.episode
            JOIN person p ON p.id = c.owner_id
            JOIN LATERAL (
                SELECT role, place, hours FROM role_grant g
                WHERE g.person_id = c.owner_id AND g.starts <= :on AND (g.ends IS NULL OR g.ends >= :on)
                  AND g.place IN ('school:' || s.key, 'network:' || n.key, 'district')
                ORDER BY g.role <> c.owner_role, g.id LIMIT 1) g ON true
            WHERE c.school_id = ANY(:schools) AND c.closed_on IS NULL AND c.tier >= 2 AND e.opened >= :monday
            GROUP BY 1, 2, 3, 4, 5 ORDER BY 2, 3, 4
        """),
        {"schools": ids, "monday": monday, "on": on},
    )
    return [Begun(*row) for row in found]
