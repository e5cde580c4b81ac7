"""Several cases given to one person by one press: all of them or none, and for a moment it can be taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ew_app.kernel import Actor, NotFound, Refused, Told, now, operation, record_all, today
from ew_app.services.casework import hand_over_rows, reaching
from ew_app.services.casework.moves import CHOSEN, receiver, role_to_own
from ew_app.services.casework.reaching import CHANGED, NO_CASE
from ew_app.services.casework.staffing import place_of
from ew_app.services.measuring.touched import ask_for_evaluation, touch
from ew_app.services.people.telling import tell, untell
from models import casebook
from models.base import db
from models.cases import Case, Task
from models.hand_overs import HandOver
from models.lists import Handful
from models.org import School
from models.staff import Person
from rules.access import Permission
from rules.case_flow import Action, IllegalMove, Status, move
from rules.handing_over import Answer, State

MOST = 100  # cases by one press
UNDO_WITHIN = timedelta(seconds=15)  # people are shown ten; the rest is the way to us
COLUMNS = ("id", "owner_id", "owner_role", "owner_via", "status")
Row = dict[str, Any]


@operation
def give(numbers: Collection[int], *, to: int, by: Actor) -> Handful:
    """Give these cases to a person, who may say no to each, with the open tasks that their owners had on them outside
    compartments. All of them or none: Refused says which cannot be given, and why.

    A constant number of statements for any number of cases. Raises NotFound, Refused.
    """
    person, who = receiver(db.session.get(Person, to))
    checked = _checked(_within_reach(numbers, by, lock=True), who)
    if stay := [one for one in checked if one.why]:
        raise Refused(f"Nothing was given. {' '.join(f'Case {one.case.number}: {one.why}' for one in stay)}")
    found, roles = [one.case for one in checked], {one.case.id: one.role for one in checked}
    statuses = {one.case.id: one.status for one in checked}
    found = [case for case in found if (case.owner_id, case.status, case.owner_via) != (to, statuses[case.id], CHOSEN)]
    if not found:
        return _as_before(to, by)
    before = [_as_it_is(case) for case in found]
    tasks = _tasks_of_owners(found)
    asked = hand_over_rows.begin_all(found, by, to_id=to, to_roles=roles) if to != by.person_id else {}
    casebook.give_tasks({task.id: (to, roles[task.case_id]) for task in tasks if task.case_id})
    casebook.change_cases([_given(case, to, roles[case.id], statuses[case.id]) for case in found])
    _record(found, by, person, roles)
    kept = Handful(person_id=by.person_id, given_to=to, at=now(), before=_whole(before, tasks, statuses, asked))
    db.session.add(kept)
    db.session.flush()
    tell("cases_given", [to], once=_once(kept), by=by, count=len(found))
    return kept


def refused(numbers: Collection[int], *, to: int, by: Actor) -> dict[int, str]:
    """Those of these cases that could not be given to a person now: number -> why. Raises NotFound, Refused."""
    _, who = receiver(db.session.get(Person, to))
    checked = _checked(_within_reach(numbers, by, lock=False), who)
    return {one.case.number: one.why for one in checked if one.why}


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
    asked = _asked([row["asked"] for row in kept.before if row.get("asked")])
    untouched = all(_still_given(cases[row["id"]], row, kept.given_to) for row in kept.before)
    if not untouched or any(row.state != State.SENT for row in asked):
        raise Refused(CHANGED.replace("Nothing was saved", "Nothing was taken back"))
    for row in asked:
        hand_over_rows.move(row, cases[row.case_id], Answer.TAKE_BACK, by, news=False)
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


@dataclass(frozen=True, slots=True)
class Checked:
    """A case to be given: the role in which the person would own it and its status then, or why it cannot be given."""

    case: Case
    role: str
    status: Status
    why: str


def _within_reach(numbers: Collection[int], by: Actor, *, lock: bool) -> list[tuple[Case, bool]]:
    """The cases this person sees, and whether each is theirs to give; in one order for all. NotFound, Refused."""
    if not numbers:
        raise Refused("Tick the students whose cases you want to give away.")
    if len(numbers) > MOST:
        raise Refused(f"One press gives at most {MOST} cases. Tick fewer.")
    allowed = reaching.cases_of(by, Permission.WORK_CASE)
    seen = reaching.cases_of(by, Permission.SEE_CASE)
    wanted = select(Case, allowed.label("may")).where(Case.number.in_(sorted(numbers)), seen).order_by(Case.id)
    wanted = wanted.options(joinedload(Case.school).joinedload(School.network))
    locked = wanted.with_for_update(of=Case) if lock else wanted
    rows = db.session.execute(locked.execution_options(populate_existing=True)).all()
    if len(rows) < len(set(numbers)):
        raise NotFound(NO_CASE)
    return [(row.Case, row.may) for row in rows]


def _checked(found: Sequence[tuple[Case, bool]], who: Actor) -> list[Checked]:
    """Each case by the rules that hold for one given by itself."""
    waits = hand_over_rows.waiting_elsewhere([case.id for case, _ in found])
    return [_check(case, who, may=may, waits=case.id in waits) for case, may in found]


def _check(case: Case, who: Actor, *, may: bool, waits: bool) -> Checked:
    role, status, why = "", Status(case.status), ""
    try:
        if not may:
            raise Refused("It is somebody else's to give.")
        status = move(status, Action.ASSIGN)
        role = role_to_own(who, case, place_of(case.school))
        if waits:
            raise Refused("Somebody was asked to take it over, or asked for it. Answer that first.")
    except (Refused, IllegalMove) as refusal:
        why = str(refusal)
    return Checked(case, role, status, why)


def _asked(ids: Sequence[int]) -> Sequence[HandOver]:
    """Hand-overs by number, locked."""
    wanted = select(HandOver).where(HandOver.id.in_(ids)).order_by(HandOver.id).with_for_update()
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all() if ids else []


def _by_ids(ids: Sequence[int]) -> Sequence[Case]:
    wanted = select(Case).where(Case.id.in_(ids)).order_by(Case.id)
    return db.session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).all()


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


def _whole(
    before: Sequence[Row], tasks: Iterable[Task], statuses: Mapping[int, Status], asked: Mapping[int, int]
) -> list[Row]:
    """Each case as it was, with the status it has now, its tasks as they were, and the question that came of it."""
    kept: dict[int, list[Row]] = {row["id"]: [] for row in before}
    for task in tasks:
        if task.case_id is not None:
            kept[task.case_id].append({"id": task.id, "owner_id": task.owner_id, "owner_role": task.owner_role})
    return [
        row | {"now": str(statuses[row["id"]]), "tasks": kept[row["id"]], "asked": asked.get(row["id"])}
        for row in before
    ]


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
