"""Searches, days that the district caused, and the record of supports before a legal step."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import func, select, text

from models.base import db
from models.bulk import ints, read_ints
from models.cases import Case, Task
from models.duty import DistrictDay, SearchDone
from models.queries.coded import meaning
from models.queries.promises import STRETCHES

ASKS_FOR_SEARCH = ("search", "locate", "evidence")
COPY = "search_copy"
_SUSPENDED = f"""
    SELECT DISTINCT m.day FROM mark m JOIN LATERAL {meaning("m")} c ON c.kind = 'suspension_out'
    WHERE m.student_id = ANY(:students) AND m.day >= :since AND m.period = '' ORDER BY m.day
"""


def search_steps(case: Case) -> Sequence[SearchDone]:
    """The steps done of the search in the case's episode, in the order in which they were written."""
    mine = select(SearchDone).where(SearchDone.case_id == case.id, SearchDone.episode == case.episode)
    return db.session.scalars(mine.where(SearchDone.taken_back_at.is_(None)).order_by(SearchDone.id)).all()


@dataclass(frozen=True, slots=True)
class Searching:
    """A case with the list for finding its student: began: its day; done: its steps; neither where there is none."""

    id: int
    number: int
    episode: int
    student_id: int
    school_id: int
    homeroom: str
    department: str
    owner_id: int | None
    owner_role: str
    closed: bool
    began: date | None
    done: list[str]


def searches(cases: Collection[int]) -> list[Searching]:
    """These cases with the list that stands in their episode."""
    found = text("""
        SELECT c.id, c.number, c.episode, c.student_id, c.school_id, s.homeroom, c.department, c.owner_id, c.owner_role,
               c.closed_on IS NOT NULL, min(d.on_day) FILTER (WHERE d.step = 'begun'),
               coalesce(array_agg(d.step) FILTER (WHERE d.id > 0), '{}')
        FROM support_case c JOIN student s ON s.id = c.student_id
        LEFT JOIN search_done d ON d.case_id = c.id AND d.episode = c.episode AND d.taken_back_at IS NULL
        WHERE c.id = ANY(:cases) GROUP BY c.id, s.id ORDER BY c.id
    """)
    return [Searching(*row) for row in db.session.execute(found, {"cases": sorted(cases)})]


def tasks_of(cases: Collection[int], kind: str) -> Sequence[Task]:
    """Tasks of a kind on these cases, whatever became of them, in the order in which they were asked for."""
    wanted = select(Task).where(Task.case_id.in_(sorted(cases)), Task.kind == kind).order_by(Task.id)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def tasks_to_do(case: Case, kind: str, ends: str) -> list[Task]:
    """The open tasks of a kind on a case whose period ends so."""
    mine = Task.case_id == case.id, Task.kind == kind, Task.status == "open", Task.period.endswith(ends)
    return list(db.session.scalars(select(Task).where(*mine).order_by(Task.id)))


def asked_before(student_id: int, kind: str) -> list[tuple[int, str, str]]:
    """(id, period, status) of the student's tasks of a kind, in the order in which they were asked for."""
    wanted = select(Task.id, Task.period, Task.status).where(Task.student_id == student_id, Task.kind == kind)
    return [(number, period, status) for number, period, status in db.session.execute(wanted.order_by(Task.id))]


def is_held(case: Case, kind: str) -> bool:
    """Whether an open task of this kind of the case is somebody's."""
    mine = Task.case_id == case.id, Task.kind == kind, Task.status == "open", Task.owner_id.is_not(None)
    return db.session.scalar(select(Task.id).where(*mine).limit(1)) is not None


def legal_asked(student_id: int, about: str) -> str:
    """The role that was asked in an open task whose period begins like this; '' for none."""
    mine = Task.student_id == student_id, Task.period.startswith(about), Task.status == "open"
    return db.session.scalar(select(Task.owner_role).where(*mine).order_by(Task.id.desc()).limit(1)) or ""


def asked_to_search(case: Case, *, copies: bool = False) -> Sequence[Task]:
    """Open tasks that ask to look for the student; copies: with what the network was asked."""
    kinds = (*ASKS_FOR_SEARCH, COPY) if copies else ASKS_FOR_SEARCH
    mine = select(Task).where(Task.case_id == case.id, Task.status == "open", Task.kind.in_(kinds))
    return db.session.scalars(mine.where(Task.compartment.is_(None)).order_by(Task.id)).all()


def caused_days(students: Collection[int], since: date, compartments: Collection[str]) -> Sequence[DistrictDay]:
    """The days from a day on that the district caused, outside compartments and in these; ascending."""
    inside = DistrictDay.compartment.in_(sorted(compartments)) if compartments else DistrictDay.compartment.is_(None)
    wanted = select(DistrictDay).where(
        DistrictDay.student_id.in_(list(students)), DistrictDay.day >= since, DistrictDay.taken_back_at.is_(None),
        inside | DistrictDay.compartment.is_(None),
    )  # fmt: skip
    return db.session.scalars(wanted.order_by(DistrictDay.day, DistrictDay.id)).all()


def caused_for(students: np.ndarray, first: date, last: date) -> dict[str, np.ndarray]:
    """(student, day since 1970) of what the district caused these students, under any id, outside compartments."""
    return read_ints(
        """
        SELECT coalesce(s.same_as, s.id), d.day - DATE '1970-01-01' FROM district_day d
        JOIN student s ON s.id = d.student_id
        WHERE coalesce(s.same_as, s.id) = ANY(%(students)s) AND d.day BETWEEN %(first)s AND %(last)s
          AND d.compartment IS NULL AND d.taken_back_at IS NULL
        """,
        ["student", "day"],
        {"students": ints(students), "first": first, "last": last},
    )


def waits(students: Collection[int], kinds: Collection[str], compartments: Collection[str]) -> Sequence[Any]:
    """(kind, since, until) of each stretch in which something waited that was asked for in these compartments; until:
    the day nothing waited more, or None."""
    return db.session.execute(
        text(f"""
            SELECT p.kind, coalesce(s.since, p.asked_on) AS since,
                   CASE WHEN s.promise_id IS NULL THEN p.settled_on ELSE s.until END AS until
            FROM promise p LEFT JOIN ({STRETCHES}) s ON s.promise_id = p.id
            WHERE p.student_id = ANY(:students) AND p.kind = ANY(:kinds) AND p.compartment = ANY(:compartments)
            ORDER BY 2
        """),
        {"students": list(students), "kinds": sorted(kinds), "compartments": sorted(compartments)},
    ).all()


def suspended_days(students: Collection[int], since: date) -> list[date]:
    """Days of which a mark says "suspended, out of school"; the district caused those too."""
    return list(db.session.scalars(text(_SUSPENDED), {"students": list(students), "since": since}))


def attempts(student_id: int, since: date) -> tuple[int, int]:
    """(days on which somebody tried in person, in how many ways) since a day; machines do not count."""
    found = db.session.execute(
        text("""
            SELECT count(DISTINCT on_day), count(DISTINCT method) FROM outreach
            WHERE student_id = :student AND on_day >= :since AND direction = 'out' AND method <> 'robocall'
        """),
        {"student": student_id, "since": since},
    ).one()
    return int(found[0]), int(found[1])


def first_opened(case: Case) -> date:
    """The day on which the first case of the student was opened; what was done since belongs to the record."""
    return db.session.scalar(select(func.min(Case.opened)).where(Case.student_id == case.student_id)) or case.opened
