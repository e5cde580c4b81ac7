"""Which records someone reaches. Every lookup by number passes here; what is out of reach is not there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy import case as choose
from sqlalchemy.orm import joinedload

from ew_app.kernel import Actor, Conflict, NotFound, Refused, today
from ew_app.services.casework.staffing import place_of
from models.base import db
from models.cases import Case, Task
from models.org import School
from models.people import Student
from models.queries import scope
from models.queries.compartments import Opening, open_to, title_shown
from rules import access
from rules.access import Area, FieldClass, NotAllowed, Permission, Place
from rules.roles import Reach, role
from rules.vocabulary import vocabulary

NO_CASE = "There is no such case, or it is not one of yours."
NO_STUDENT = "There is no such student, or not at a school of yours."
NO_TASK = "There is no such task, or it is not one of yours."
CHANGED = "Somebody changed this case while you had it open. Nothing was saved; load the page and look again."


@dataclass(frozen=True, slots=True)
class CaseAtHand:
    """A case someone reaches. `own`: they own it or hold an open task on it, or do so for somebody who is away.

    `readable`: classes open to them.
    """

    case: Case
    place: Place
    own: bool
    readable: frozenset[FieldClass]

    def open_compartments(self) -> frozenset[str]:
        """The compartments this person may read on this case."""
        return frozenset(str(c) for c in self.readable if c.restricted)


def cases_of(by: Actor, permission: Permission) -> ColumnElement[bool]:
    """Condition on Case: what the permission reaches for this person today."""
    return scope.cases(access.scope_of(by.grants, permission), by.person_id, today())


def students_of(by: Actor, *permissions: Permission) -> ColumnElement[bool]:
    """Condition on Student: what any of the permissions reaches for this person today."""
    reaches = (access.scope_of(by.grants, permission) for permission in permissions)
    return or_(false(), *(scope.students(reach, by.person_id, today()) for reach in reaches))


def tasks_of(by: Actor) -> ColumnElement[bool]:
    """Condition on Task: their own, those of a role they hold there as far as they may read them, and plain ones of
    cases they work on.

    Whoever is there for tasks alone (a partner, a department) has only their own: the family agreed to one of them.
    So are those of somebody for whom they stand in, as far as they may read them.
    """
    roles = (
        and_(Task.owner_role == key, Task.school_id.in_(scope.school_ids(area)))
        for key, area in by.grants.areas().items()
        if role(key).reach is not Reach.TASKS
    )
    worked = scope.tasks(access.scope_of(by.grants, Permission.WORK_CASE), by.person_id)
    lent = [scope.tasks_held(None, by.grants.standing_in)] if by.grants.standing_in else []
    return or_(worked, and_(or_(false(), *roles, *lent), open_to(openings(by), by.person_id)))


def theirs(tasks: Collection[Task], by: Actor) -> set[int]:
    """Those of these tasks (ids) that this person may do."""
    if not access.can(by.grants, Permission.DO_TASKS):
        return set()
    wanted = select(Task.id).where(Task.id.in_([task.id for task in tasks]), Task.status == "open", tasks_of(by))
    return set(db.session.scalars(wanted))


def openings(by: Actor) -> tuple[Opening, ...]:
    """Which compartments are open to someone where: to all records of a place, and to their own."""
    shut: dict[frozenset[str], tuple[frozenset[str], frozenset[str]]] = {}  # by roles: many places are alike
    areas: dict[tuple[frozenset[str], frozenset[str]], Area] = {}
    for place in dict.fromkeys(grant.place for grant in by.grants.held):
        roles = frozenset(held.key for held in by.grants.roles_at(place))
        if roles not in shut:
            shut[roles] = _restricted(by, place, own=False), _restricted(by, place, own=True)
        areas[shut[roles]] = areas.get(shut[roles], Area()).with_place(place)
    return tuple(
        Opening(area=area, classes=classes, own_classes=own, stand_ins=by.grants.standing_in)
        for (classes, own), area in areas.items()
    )


def shown_title(by: Actor) -> ColumnElement[str]:
    """A task's title as this person may read it."""
    return title_shown(openings(by), by.person_id)


def _restricted(by: Actor, place: Place, *, own: bool) -> frozenset[str]:
    return frozenset(str(c) for c in access.readable_classes(by.grants, place, own=own) if c.restricted)


# -- one by number -------------------------------------------------------------------------------------------


def case_at_hand(
    number: int, by: Actor, *permissions: Permission, version: int | None = None, lock: bool = True
) -> CaseAtHand:
    """A case for one of the permissions, locked for the change. Raises NotAllowed, NotFound, Conflict.

    Someone who may see the case but not do this is told so; to everybody else it is not there.
    """
    _check_any(by, permissions)
    allowed = or_(false(), *(cases_of(by, permission) for permission in permissions))
    seen = cases_of(by, Permission.SEE_CASE)
    wanted = select(Case, choose((allowed, True), else_=False)).where(Case.number == number, or_(allowed, seen))
    wanted = wanted.options(joinedload(Case.student), joinedload(Case.school).joinedload(School.network))
    wanted = wanted.execution_options(populate_existing=True)
    found = db.session.execute(wanted.with_for_update(of=Case) if lock else wanted).one_or_none()
    if found is None:
        raise NotFound(NO_CASE)
    case, may = found
    place = place_of(case.school)
    if not may:
        access.check(by.grants, permissions[0], place)
        raise NotAllowed("This case is somebody else's. Ask its owner, or have it given to you.")
    if version is not None and version != case.version:
        raise Conflict(CHANGED)
    own = _is_own(case, by)
    return CaseAtHand(case, place, own, access.readable_classes(by.grants, place, own=own))


def student_at_hand(student_id: int, by: Actor, *permissions: Permission) -> Student:
    """A student for one of the permissions. Raises NotAllowed, NotFound."""
    _check_any(by, permissions)
    student: Student | None = db.session.scalar(
        select(Student).where(Student.id == student_id, students_of(by, *permissions))
    )
    if student is None:
        raise NotFound(NO_STUDENT)
    return student


def task_at_hand(task_id: int, by: Actor) -> Task:
    """A task about a student that this person may do, locked for the change. Raises NotAllowed, NotFound.

    One about a day of a school is nobody's to end: it ends when the day comes in.
    """
    access.check(by.grants, Permission.DO_TASKS)
    here = Task.id == task_id, Task.student_id.is_not(None), tasks_of(by)
    wanted = select(Task).where(*here).execution_options(populate_existing=True)
    task: Task | None = db.session.scalar(wanted.with_for_update())
    if task is None:
        raise NotFound(NO_TASK)
    return task


def place_of_school(school_id: int) -> Place:
    """The place of a school by its number."""
    return place_of(db.session.get_one(School, school_id))


def known(kind: str, key: str) -> str:
    """A key of the vocabulary. Refused with the keys there are."""
    try:
        return vocabulary().known(kind, key)
    except KeyError as error:
        raise Refused(str(error.args[0])) from error


def _check_any(by: Actor, permissions: tuple[Permission, ...]) -> None:
    if not any(access.can(by.grants, permission) for permission in permissions):
        access.check(by.grants, permissions[0])


def _is_own(case: Case, by: Actor) -> bool:
    """Theirs, or that of somebody for whom they stand in: the case, or an open task on it."""
    if by.person_id is None:
        return False
    held = scope.cases_held(by.person_id, by.grants.standing_in)
    task = exists().where(
        Task.case_id == case.id, scope.tasks_held(by.person_id, by.grants.standing_in), Task.status == "open"
    )
    mine = exists().where(Case.id == case.id, held)
    return case.owner_id == by.person_id or bool(db.session.scalar(select(or_(mine, task))))
