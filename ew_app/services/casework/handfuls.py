"""Several cases given to one person by one press: all of them or none, and for a moment it can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ew_app.kernel import Actor, NotFound, Refused, Told, now, operation, record_all, today
from ew_app.services.casework import reaching
from ew_app.services.casework.moves import CHOSEN, owning_roles
from ew_app.services.casework.reaching import CHANGED, NO_CASE
from ew_app.services.casework.staffing import place_of
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from ew_app.services.people import signing_in
from ew_app.services.people.telling import tell, untell
from models import casebook
from models.base import db
from models.cases import Case, Task
from models.lists import Handful
from models.org import School
from models.staff import Person
from rules.access import NotAllowed, Permission
from rules.case_flow import Action, Status, move

MOST = 100  # cases by one press
UNDO_WITHIN = timedelta(seconds=15)  # people are shown ten; the rest is the way to us
COLUMNS = ("id", "owner_id", "owner_role", "owner_via", "status")
Row = dict[str, Any]


@operation
def give(numbers: Collection[int], *, to: int, by: Actor) -> Handful:
    """Give these cases to a person, with the open tasks that their owners had on them outside compartments.

    A constant number of statements for any number of cases. Raises NotFound, NotAllowed, Refused, IllegalMove.
    """
    found, person = _locked(numbers, by), _owner(to)
    roles = _roles(person, found)
    statuses = {case.id: move(Status(case.status), Action.ASSIGN) for case in found}
    found = [case for case in found if (case.owner_id, case.status, case.owner_via) != (to, statuses[case.id], CHOSEN)]
    if not found:
        return _as_before(to, by)
    before = [_as_it_is(case) for case in found]
    tasks = _tasks_of_owners(found)
    casebook.give_tasks({task.id: (to, roles[task.case_id]) for task in tasks if task.case_id})
    casebook.change_cases([_given(case, to, roles[case.id], statuses[case.id]) for case in found])
    _record(found, by, person, roles)
    kept = Handful(person_id=by.person_id, given_to=to, at=now(), before=_with_tasks(before, tasks, statuses))
    db.session.add(kept)
    db.session.flush()
    tell("cases_given", [to], once=_once(kept), by=by, count=len(found))
    return kept


@operation
def take_back(handful_id: int, *, by: Actor) -> int:
    """Put a handful of cases back as they were; how many. Raises NotFound, Refused when the moment has passed.

    Nothing is put back if one of them was changed in between.
    """
    kept = db.session.get(Handful, handful_id, with_for_update=True)
    if kept is None or kept.person_id != by.person_id:
        raise NotFound("There is nothing of yours to take back.")
    if kept.taken_back_at is not None:
        return 0
    if not can_take_back(kept):
        raise Refused("This can be taken back for ten seconds only. Give the cases to somebody else instead.")
    cases = {case.id: case for case in _by_ids([row["id"] for row in kept.before])}
    if any(not _still_given(cases[row["id"]], row, kept.given_to) for row in kept.before):
        raise Refused(CHANGED.replace("Nothing was saved", "Nothing was taken back"))
    _put_back(kept.before)
    kept.taken_back_at = now()
    untell(_once(kept))
    record_all([_told("case_given_back", case, by) for case in cases.values()])
    _look_again(cases.values())
    return len(cases)


def can_take_back(kept: Handful) -> bool:
    """Whether the moment in which it can be taken back is not over."""
    return kept.taken_back_at is None and now() - kept.at <= UNDO_WITHIN


# -- reading ---------------------------------------------------------------------------------------------------------


def _locked(numbers: Collection[int], by: Actor) -> list[Case]:
    """The cases within reach, locked for the change, in one order for everybody."""
    if not numbers:
        raise Refused("Tick the students whose cases you want to give away.")
    if len(numbers) > MOST:
        raise Refused(f"One press gives at most {MOST} cases. Tick fewer.")
    allowed = reaching.cases_of(by, Permission.WORK_CASE)
    seen = reaching.cases_of(by, Permission.SEE_CASE)
    wanted = select(Case, allowed.label("may")).where(Case.number.in_(sorted(numbers)), seen).order_by(Case.id)
    wanted = wanted.options(joinedload(Case.school).joinedload(School.network))
    rows = db.session.execute(wanted.with_for_update(of=Case).execution_options(populate_existing=True)).all()
    if len(rows) < len(set(numbers)):
        raise NotFound(NO_CASE)
    if others := [row.Case.number for row in rows if not row.may]:
        raise NotAllowed(f"Case {others[0]} is not yours to give away. Nothing was changed.")
    return [row.Case for row in rows]


def _by_ids(ids: Sequence[int]) -> Sequence[Case]:
    wanted = select(Case).where(Case.id.in_(ids)).order_by(Case.id)
    return db.session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).all()


def _owner(person_id: int) -> Person:
    person = db.session.get(Person, person_id)
    if person is None or person.disabled_at is not None:
        raise Refused("Choose someone of the school, its network or the district who can own a case.")
    return person


def _roles(person: Person, cases: Iterable[Case]) -> dict[int, str]:
    """Case -> the role in which the person owns it there; the case's own role where they hold it."""
    who = signing_in.actor_of(person)
    here: dict[int, list[str]] = {}
    found = {}
    for case in cases:
        if case.school_id not in here:
            here[case.school_id] = list(owning_roles(who, place_of(case.school)))
        roles = here[case.school_id]
        if not roles:
            raise Refused(f"{person.name} can own no case at {case.school.name}. Nothing was given.")
        found[case.id] = case.owner_role if case.owner_role in roles else roles[0]
    return found


def _tasks_of_owners(cases: Sequence[Case]) -> Sequence[Task]:
    """The open tasks that each case's owner has on it, outside compartments; of unowned cases those nobody has."""
    wanted = (
        select(Task)
        .join(Case, Case.id == Task.case_id)
        .where(Case.id.in_([case.id for case in cases]), Task.status == "open", Task.compartment.is_(None))
        .where(Task.owner_id.is_not_distinct_from(Case.owner_id))
    )
    return db.session.scalars(wanted.order_by(Task.id).with_for_update(of=Task)).all()


def _as_before(to: int, by: Actor) -> Handful:
    """The same press a second time is the first one. Raises Refused where it was somebody else's."""
    mine = Handful.person_id == by.person_id, Handful.given_to == to, Handful.at > now() - UNDO_WITHIN
    kept = db.session.scalars(select(Handful).where(*mine).order_by(Handful.id.desc()).limit(1)).first()
    if kept is None:
        raise Refused("They have these already. Nothing was changed.")
    return kept


# -- what is kept and told -------------------------------------------------------------------------------------------


def _as_it_is(case: Case) -> Row:
    return {name: getattr(case, name) for name in COLUMNS}


def _given(case: Case, to: int, role: str, status: Status) -> Row:
    return {"id": case.id, "owner_id": to, "owner_role": role, "owner_via": CHOSEN, "status": str(status)}


def _with_tasks(before: Sequence[Row], tasks: Iterable[Task], statuses: Mapping[int, Status]) -> list[Row]:
    """Each case as it was, with the status it has now and its tasks as they were."""
    kept: dict[int, list[Row]] = {row["id"]: [] for row in before}
    for task in tasks:
        if task.case_id is not None:
            kept[task.case_id].append({"id": task.id, "owner_id": task.owner_id, "owner_role": task.owner_role})
    return [row | {"now": str(statuses[row["id"]]), "tasks": kept[row["id"]]} for row in before]


def _still_given(case: Case, row: Row, to: int) -> bool:
    return (case.owner_id, case.status, case.closed_on) == (to, row["now"], None)


def _put_back(before: Sequence[Row]) -> None:
    casebook.change_cases([{name: row[name] for name in COLUMNS} for row in before])
    tasks = {task["id"]: (task["owner_id"], task["owner_role"]) for row in before for task in row["tasks"]}
    casebook.give_tasks(tasks)


def _once(kept: Handful) -> str:
    return f"handful/{kept.id}"


def _record(cases: Sequence[Case], by: Actor, person: Person, roles: Mapping[int, str]) -> None:
    kind, name = "case_taken" if person.id == by.person_id else "case_assigned", person.name
    record_all([_told(kind, case, by, to=name, role=roles[case.id]) for case in cases])
    _look_again(cases)


def _told(kind: str, case: Case, by: Actor, **said: str) -> Told:
    return Told(kind, by, f"case:{case.number}", student_id=case.student_id, case_id=case.id, data=said)


def _look_again(cases: Iterable[Case]) -> None:
    """Who has a case decides what its rules ask of whom."""
    touch([case.student_id for case in cases], today())
    ask_for_evaluation()
