"""The one place where reach becomes SQL: which schools, students and cases a person may list.

It takes plain values (the rules decide them): areas of schools and networks, homerooms, and the person's id.
An empty reach matches nothing. Every list and every lookup by id passes one of these conditions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Protocol

from sqlalchemy import ColumnElement, Select, and_, any_, exists, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from models.cases import Case, Task
from models.org import Network, School
from models.people import Stint, Student

Later = aliased(Stint)  # made once: making an alias copies every column of its table


class AreaLike(Protocol):
    """Places added up: the whole district, or networks and schools by key."""

    @property
    def district(self) -> bool: ...
    @property
    def networks(self) -> Collection[str]: ...
    @property
    def schools(self) -> Collection[str]: ...


class StandInLike(Protocol):
    """Somebody who is away, in a role at a place, whose work is also that of whoever stands in."""

    @property
    def person_id(self) -> int: ...
    @property
    def role(self) -> str: ...
    @property
    def area(self) -> AreaLike: ...


class Reach(Protocol):
    """Whose records someone reaches: any of these ways is enough. Homerooms are (school key, homeroom)."""

    @property
    def whole(self) -> AreaLike: ...
    @property
    def caseload(self) -> AreaLike: ...
    @property
    def own(self) -> AreaLike: ...
    @property
    def homerooms(self) -> Collection[tuple[str, str]]: ...
    @property
    def stand_ins(self) -> Sequence[StandInLike]: ...


def schools(area: AreaLike) -> ColumnElement[bool]:
    """Condition on School: within the area."""
    if area.district:
        return true()
    ways = []
    if area.schools:
        ways.append(School.key.in_(sorted(area.schools)))
    if area.networks:
        networks = select(Network.id).where(Network.key.in_(sorted(area.networks)))
        ways.append(School.network_id.in_(networks))
    return or_(*ways) if ways else false()


def school_ids(area: AreaLike) -> Select[int]:
    """Ids of the schools within the area, as a subquery."""
    return select(School.id).where(schools(area))


def students(reach: Reach, person_id: int | None, on: date) -> ColumnElement[bool]:
    """Condition on Student: at a school of the person on that day, in their homeroom, or given to them."""
    if reach.whole.district:
        return true()
    ways = [
        *([_belongs(_among(school_ids(reach.whole)), on)] if _any(reach.whole) else []),
        *(_given(area, person_id, reach.stand_ins) for area in (reach.caseload, reach.own) if _any(area) and person_id),
        *(_in_homeroom(school, homeroom, on) for school, homeroom in sorted(reach.homerooms)),
    ]
    return or_(*ways) if ways else false()


def cases(reach: Reach, person_id: int | None, on: date) -> ColumnElement[bool]:
    """Condition on Case: at a school of the person, owned by them, or with an open task of theirs."""
    if reach.whole.district:
        return true()
    ways: list[ColumnElement[bool]] = []
    if _any(reach.whole):
        ways.append(Case.school_id.in_(school_ids(reach.whole)))
    for area in (reach.caseload, reach.own):
        if _any(area) and person_id:
            theirs = or_(cases_held(person_id, reach.stand_ins), _task_of(person_id, reach.stand_ins))
            ways.append(and_(_at(Case.school_id, area), theirs))
    for school, homeroom in sorted(reach.homerooms):
        pupils = select(Student.id).where(_in_homeroom(school, homeroom, on))
        ways.append(Case.student_id.in_(pupils))
    return or_(*ways) if ways else false()


def tasks(reach: Reach, person_id: int | None, compartments: Collection[str] = ()) -> ColumnElement[bool]:
    """Condition on Task: their own, or at a school they reach whole and not in a compartment shut to them."""
    open_to = or_(Task.compartment.is_(None), Task.compartment.in_(sorted(compartments)))
    ways = [and_(_at(Task.school_id, reach.whole), open_to)] if _any(reach.whole) else []
    if person_id:
        ways.append(Task.owner_id == person_id)
    return or_(*ways) if ways else false()


def cases_held(person_id: int | None, stand_ins: Sequence[StandInLike]) -> ColumnElement[bool]:
    """Condition on Case: owned by the person (None: of nobody), or by somebody for whom they stand in there."""
    own = Case.owner_id == person_id if person_id else false()
    return or_(own, *_held_for(stand_ins, Case.owner_id, Case.owner_role, Case.school_id))


def tasks_held(person_id: int | None, stand_ins: Sequence[StandInLike]) -> ColumnElement[bool]:
    """Condition on Task: given to the person (None: to nobody), or to somebody for whom they stand in there."""
    own = Task.owner_id == person_id if person_id else false()
    return or_(own, *_held_for(stand_ins, Task.owner_id, Task.owner_role, Task.school_id))


def _held_for(
    stand_ins: Sequence[StandInLike],
    owner_id: InstrumentedAttribute[int | None],
    owner_role: InstrumentedAttribute[str],
    school_id: InstrumentedAttribute[int],
) -> Iterator[ColumnElement[bool]]:
    for one in stand_ins:
        yield and_(owner_id == one.person_id, owner_role == one.role, _at(school_id, one.area))


def _any(area: AreaLike) -> bool:
    return area.district or bool(area.networks) or bool(area.schools)


def _at(school_id: InstrumentedAttribute[int], area: AreaLike) -> ColumnElement[bool]:
    return true() if area.district else school_id.in_(school_ids(area))


def _among(there: Select[int]) -> ColumnElement[bool]:
    """A stint at one of the schools, which are looked up once: with a few of them its enrolments are found by school,
    and nobody else's are read."""
    return Stint.school_id == any_(func.array(there.scalar_subquery()))


def _belongs(at: ColumnElement[bool], on: date) -> ColumnElement[bool]:
    """A stint at such a school that is not over on the day, or that no later stint has followed.

    A student who left stays with the last school until another takes them in.
    """
    followed = exists().where(
        Later.student_id == Stint.student_id, Later.entry_date > Stint.entry_date, Later.entry_date <= on
    )
    current = or_(Stint.exit_date.is_(None), Stint.exit_date >= on, ~followed)
    return exists().where(Stint.student_id == Student.id, at, current).correlate(Student)


def _in_homeroom(school: str, homeroom: str, on: date) -> ColumnElement[bool]:
    there = select(School.id).where(School.key == school)
    return and_(Student.homeroom == homeroom, _belongs(Stint.school_id.in_(there), on))


def _given(area: AreaLike, person_id: int, stand_ins: Sequence[StandInLike]) -> ColumnElement[bool]:
    """Students of whom the person has a case or an open task at a school of the area, or does it for somebody."""
    held = cases_held(person_id, stand_ins)
    case = exists().where(Case.student_id == Student.id, held, _at(Case.school_id, area))
    task = exists().where(
        Task.student_id == Student.id,
        tasks_held(person_id, stand_ins),
        Task.status == "open",
        _at(Task.school_id, area),
    )
    return or_(case.correlate(Student), task.correlate(Student))


def _task_of(person_id: int, stand_ins: Sequence[StandInLike]) -> ColumnElement[bool]:
    mine = exists().where(Task.case_id == Case.id, tasks_held(person_id, stand_ins), Task.status == "open")
    return mine.correlate(Case)
