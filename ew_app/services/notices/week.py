"""The week of whoever answers for schools: what nobody has, what is late, what came and was asked.

By school and role for whoever may open the cases there. Everybody else is told sums of a school alone: a role stands
close to a reason, and rows of roles would add up to what *Does help arrive?* and Departments keep back.

In the order of names, never of numbers: it shows where help is needed, not who is behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import add

from ew_app.kernel import Actor, NotFound, settings, today
from ew_app.services.casework import handing_over, rising
from ew_app.services.casework.staffing import place_of
from models.org import School
from models.queries import boards
from models.queries import week as rows
from models.queries.hand_overs import Line
from models.queries.week import Work
from rules import access, roles
from rules.access import Area, Permission
from rules.counting import many
from rules.meetings import EVERY_DAYS
from rules.roles import Role

ANSWERS_FOR = (Permission.MANAGE_PEOPLE, Permission.SEE_NETWORK_BOARD)


@dataclass(frozen=True, slots=True)
class SchoolWeek:
    """A school, the work of each role there by the role's name as far as it may be told, and their sum.

    met: the team met within two weeks. risen: what waits so long that it is shown to this reader. over: new cases of
    the week beyond the room that the stated hours of those placed there leave. asked, declined: hand-overs that wait
    for an answer, and those refused this week. names: whether this reader may open the lists behind the figures.
    """

    school: School
    by_role: tuple[tuple[str, str, Work], ...]
    total: Work
    met: bool
    risen: int
    over: int
    asked: int
    declined: int
    names: bool

    @property
    def quiet(self) -> bool:
        """Whether nothing here needs anybody."""
        work = self.total
        late = work.unowned or work.late or work.late_tasks
        return self.met and not (late or self.risen or self.over or self.asked or self.declined)


@dataclass(frozen=True, slots=True)
class Week:
    """Every school somebody answers for, by name. over: as of a school, added up, and for whoever is told of each
    assignment with those who go from school to school. names: whether the lists of every school are theirs to open."""

    since: date
    schools: tuple[SchoolWeek, ...]
    total: Work
    over: int
    names: bool

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
    more = _more(by, ids, since)
    schools = tuple(_school(school, found.get(school.id, {}), school.id not in unmet, more) for school in inside)
    names = all(one.names for one in schools)
    over = more.over.values() if names else [one.over for one in schools]
    return Week(since, schools, _sum([one.total for one in schools]), sum(over), names)


@dataclass(frozen=True, slots=True)
class _More:
    """What is counted beside the work of roles. over is by place, the rest by school."""

    risen: Mapping[int, int]
    over: Mapping[str, int]
    asked: Mapping[int, tuple[int, int]]
    named: Area


def _more(by: Actor, ids: Sequence[int], since: date) -> _More:
    named = access.scope_of(by.grants, Permission.SEE_CASELOAD).whole
    asked_of = rows.asked(ids, begin_of(since)) if ids else {}
    if not access.can(by.grants, Permission.SEE_WAITING):
        return _More({}, {}, asked_of, named)
    over: Counter[str] = Counter()
    for one, fits in rising.over_room(by):
        over[one.place] += max(0, one.new - fits)
    return _More(rising.how_many(by), over, asked_of, named)


def begin_of(day: date) -> datetime:
    """The first moment of a day on the district's clock."""
    return datetime.combine(day, time(), settings().timezone)


# -- the lists behind the figures ----------------------------------------------------------------------------


def school_at_hand(by: Actor, key: str) -> School:
    """A school whose cases this person may open. Raises NotFound: to everybody else there is no such list."""
    area = access.scope_of(by.grants, Permission.SEE_CASELOAD).whole
    found = next((school for school in boards.schools_in(area) if school.key == key), None) if area else None
    if found is None:
        raise NotFound("There is no such school, or its cases are not yours to open.")
    return found


def asked_at(by: Actor, school: School, way: str) -> list[Line]:
    """The hand-overs that `of` counts for a school; way: waiting or declined."""
    on = today()
    return rows.asked_at(school.id, way, begin_of(on - timedelta(days=on.weekday())), handing_over.within_reach(by))


# -- pieces --------------------------------------------------------------------------------------------------


def _area(by: Actor) -> Area:
    """The schools whose counts somebody sees as one who answers for them, not as one who works there."""
    area = Area()
    for grant, held in by.grants:
        if any(permission in held.permissions for permission in ANSWERS_FOR) and _sees_counts(held):
            area = area.with_place(grant.place)
    return area


def _sees_counts(held: Role) -> bool:
    return Permission.SEE_SCHOOL_BOARD in held.permissions


def _school(school: School, here: Mapping[str, Work], met: bool, more: _More) -> SchoolWeek:
    names = more.named.covers(place_of(school))
    by_role, total = told(here, names=names)
    known = roles.all_roles()
    lines = [(role, known[role].label if role in known else role, work) for role, work in by_role.items()]
    waiting, declined = more.asked.get(school.id, (0, 0))
    return SchoolWeek(
        school,
        tuple(sorted(lines, key=lambda line: line[1])),
        total,
        met,
        risen=more.risen.get(school.id, 0),
        over=more.over.get(f"school:{school.key}", 0),
        asked=waiting,
        declined=declined,
        names=names,
    )


def told(here: Mapping[str, Work], *, names: bool) -> tuple[Mapping[str, Work], Work]:
    """(role -> work, its sum) of a school as somebody reads it who may open the cases there (`names`) or not.

    Tasks belong to departments, which tell theirs in tens: without names their exact sum is not told either.
    """
    total = _sum(list(here.values()))
    return (here, total) if names else ({}, replace(total, late_tasks=0))


def _sum(works: Sequence[Work]) -> Work:
    return reduce(add, works, Work())


def line(by: Actor) -> str:
    """One sentence for the first digest of the week of whoever answers for schools; nothing for anybody else."""
    if not any(access.can(by.grants, permission) for permission in ANSWERS_FOR):
        return ""
    week = of(by)
    if not week.waits:
        return ""
    work = week.total
    late = many(work.late, "late case") + (f" and {many(work.late_tasks, 'late task')}" if week.names else "")
    joined = ", " if week.names else " and "
    return f"At your schools {many(work.unowned, 'case')} without an owner{joined}{late}: {settings().address}/week"
