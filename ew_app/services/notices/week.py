"""The week of whoever answers for schools: what nobody has, what is late, what came, by school and role.

In the order of names, never of numbers: it shows where help is needed, not who is behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import add

from ew_app.kernel import Actor, settings, today
from models.org import School
from models.queries import boards
from models.queries import week as rows
from models.queries.week import Work
from rules import access, roles
from rules.access import Area, Permission
from rules.counting import many
from rules.meetings import EVERY_DAYS
from rules.roles import Role

ANSWERS_FOR = (Permission.MANAGE_PEOPLE, Permission.SEE_NETWORK_BOARD)


@dataclass(frozen=True, slots=True)
class SchoolWeek:
    """A school, the work of each role there by the role's name, and their sum. met: the team met within two weeks."""

    school: School
    by_role: tuple[tuple[str, Work], ...]
    total: Work
    met: bool


@dataclass(frozen=True, slots=True)
class Week:
    """Every school somebody answers for, by name."""

    since: date
    schools: tuple[SchoolWeek, ...]
    total: Work

    @property
    def waits(self) -> int:
        """Pieces of work that nobody has or that are late."""
        return self.total.unowned + self.total.late + self.total.late_tasks


def of(by: Actor) -> Week:
    """This week, from Monday on, of the schools this person answers for; counts only."""
    on = today()
    since = on - timedelta(days=on.weekday())
    inside = boards.schools_in(_area(by))
    ids = [school.id for school in inside]
    found = rows.work(ids, on, since) if ids else {}
    unmet = rows.without_meeting(ids, on - timedelta(days=EVERY_DAYS)) if ids else set()
    schools = tuple(_school(school, found.get(school.id, {}), school.id not in unmet) for school in inside)
    return Week(since, schools, _sum([one.total for one in schools]))


def _area(by: Actor) -> Area:
    """The schools whose counts somebody sees as one who answers for them, not as one who works there."""
    area = Area()
    for grant, held in by.grants:
        if any(permission in held.permissions for permission in ANSWERS_FOR) and _sees_counts(held):
            area = area.with_place(grant.place)
    return area


def _sees_counts(held: Role) -> bool:
    return Permission.SEE_SCHOOL_BOARD in held.permissions


def _school(school: School, here: Mapping[str, Work], met: bool) -> SchoolWeek:
    known = roles.all_roles()
    lines = [(known[role].label if role in known else role, work) for role, work in here.items()]
    lines.sort(key=lambda line: line[0])
    return SchoolWeek(school, tuple(lines), _sum([work for _, work in lines]), met)


def _sum(works: Sequence[Work]) -> Work:
    return reduce(add, works, Work())


def line(by: Actor) -> str:
    """One sentence for the first digest of the week of whoever answers for schools; nothing for anybody else."""
    if not any(access.can(by.grants, permission) for permission in ANSWERS_FOR):
        return ""
    week = of(by)
    if not week.waits:
        return ""
    cases, late, tasks = (many(number, noun) for number, noun in zip(_waiting(week.total), NOUNS, strict=True))
    return f"At your schools {cases} without an owner, {late} and {tasks}: {settings().address}/week"


NOUNS = ("case", "late case", "late task")


def _waiting(total: Work) -> tuple[int, int, int]:
    return total.unowned, total.late, total.late_tasks
